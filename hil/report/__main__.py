"""Draw a run again from its timeline: `python -m hil.report TIMELINE --html FILE --picture FILE`.

Reads one file, writes those that are named.
"""

import argparse
import json
import sys
from pathlib import Path

from .page import page, picture


def rows_of(file: Path) -> list[dict]:
    """The rows of a timeline.jsonl."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hil.report", description=__doc__)
    parser.add_argument("timeline", type=Path)
    parser.add_argument("--html", type=Path, help="the page")
    parser.add_argument("--picture", type=Path, help="the drawing alone, as SVG")
    options = parser.parse_args()
    rows = rows_of(options.timeline)
    for file, draw in ((options.html, page), (options.picture, picture)):
        if file is not None:
            file.write_text(draw(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
