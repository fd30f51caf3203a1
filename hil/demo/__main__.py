"""Play the demo: `python -m hil.demo [--dir DIR]`.

Exit status 0 only if every act reached its state and no message was lost. The report is written
in any case, also after Ctrl-C.
"""

import argparse
import signal
import sys
import time
import traceback
from pathlib import Path

from hil.report.page import page

from .acts import ACTS, name_of
from .play import FAILURES, play
from .stage import Stage
from .tally import results
from .terminal import Terminal
from .timeline import Timeline

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hil.demo", description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("build/demo"), help="where to write")
    folder = parser.parse_args(arguments).dir.resolve()
    terminal = Terminal(sys.stdout)
    timeline = Timeline(terminal.hear)
    try:
        stage = Stage(folder, timeline)
    except OSError as e:
        print(f"hil.demo: {e}", file=sys.stderr)
        return 2
    terminal.say("The cloud makes its keys; this takes some seconds.")
    code = _played(stage, timeline)
    acts = results(timeline.rows(), [name_of(scenario) for scenario, _, _ in ACTS])
    timeline.add("demo", "result", acts=acts)
    terminal.table(acts)
    for file in _written(folder, timeline):
        terminal.say(f"   {file}")
    lost = any(act["lost"] for act in acts)
    return 1 if code == 0 and lost else code


def _played(stage: Stage, timeline: Timeline) -> int:
    """Play, and end both processes whatever comes."""
    try:
        return 0 if play(stage, timeline, time.sleep) else 1
    except KeyboardInterrupt:
        timeline.add("demo", "stopped", why="somebody pressed Ctrl-C")
        return INTERRUPTED
    except Exception as e:  # whatever it was, the page is written and tells it
        timeline.add("demo", "stopped", why=f"{type(e).__name__}: {e} {getattr(e, 'last', '')}")
        if not isinstance(e, FAILURES):
            traceback.print_exc()
        return 1
    finally:
        stage.close()


def _written(folder: Path, timeline: Timeline) -> list[Path]:
    """The two files of contract section 7."""
    timeline.write(folder / "timeline.jsonl")
    (folder / "report.html").write_text(page(timeline.rows()), encoding="utf-8")
    return [folder / "timeline.jsonl", folder / "report.html"]


if __name__ == "__main__":
    # SIGINT too: what a script starts in the background inherits it ignored.
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, signal.default_int_handler)
    sys.exit(main())
