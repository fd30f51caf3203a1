"""Measure: `python -m hil.bench [NAME...]`; see hil/bench/README.md for what each figure means.

Writes build/bench/NAME.json, report.html and handshake.svg. Exit status 1 when a
limit does not hold.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from . import figures, growth, handshake, handshakepicture, idle, looks, page, start, swap

BENCHES = {
    # name        what runs       its size in full, and at --short
    "looks":     (looks.run,      11,   3),
    "handshake": (handshake.run,   3,   1),
    "start":     (start.run,      45,   3),
    "idle":      (idle.run,       60,  20),
    "growth":    (growth.run,    200,   6),
    "swap":      (swap.run,       20,   2),
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hil.bench", description=__doc__)
    parser.add_argument("name", nargs="*", help="one or more of %s" % ", ".join(BENCHES))
    parser.add_argument("--short", action="store_true", help="small counts: figures of no worth")
    parser.add_argument("--dir", type=Path, default=Path("build/bench"), help="where to write")
    options = parser.parse_args(arguments)
    for name in options.name:
        if name not in BENCHES:
            parser.error(f"no bench {name!r}: there are {', '.join(BENCHES)}")
    for name in options.name or BENCHES:
        one(name, options.short, options.dir)
    return closed(options.dir, list(options.name or BENCHES))


def one(name: str, short: bool, folder: Path) -> None:
    """Run one bench and write its file."""
    run, full, small = BENCHES[name]
    size, began = small if short else full, time.monotonic()
    print(f"== {name}, {size}", flush=True)
    measured = run(size, lambda text: print(f"   {text}", flush=True))
    found, more = measured if isinstance(measured, tuple) else (measured, {})
    made = {**figures.document(name, found, time.monotonic() - began), **more}
    figures.write(folder, made)
    if "cells" in made:
        (folder / f"{name}.svg").write_text(handshakepicture.picture(made["cells"]))
    print("\n".join(figures.lines(found)), flush=True)


def closed(folder: Path, names: list[str]) -> int:
    """Write the report of all files there are; the exit status of those just run."""
    documents = [
        json.loads(file.read_text())
        for file in (folder / f"{name}.json" for name in BENCHES) if file.exists()
    ]  # fmt: skip
    report = folder / "report.html"
    report.write_text(page.page(documents), encoding="utf-8")
    missed = [m for made in documents if made["bench"] in names for m in made["missed"]]
    count = sum(len(made["figures"]) for made in documents if made["bench"] in names)
    verdict = "every limit holds" if not missed else "limits missed: " + "; ".join(missed)
    print(f"bench: {count} figures, {verdict}; report: {report}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
