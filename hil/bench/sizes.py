"""What a board takes: `python -m hil.bench.sizes [TARGET...]`, after `make firmware` of its port.

Writes build/sizes.json: {target: figures}; a target that is not measured now stays as it was. Bytes
unless the name says otherwise; null where a target has no such figure.

    bytecode_bytes     of the portable part and the driver; `modules` has them one by one
    heap_passed_kib    the smallest heap that passed three whole scenarios, see leastheap.py
    free_after_import, free_in_session, largest_in_session, peak_handshake, peak_bundle
                       in a heap of `heap_kib`: free after a collection, the longest free piece, and
                       the most that was alive when a chain was judged, and between a bundle's files
    text, data, bss    of the whole firmware
    signature_ms       to verify one signature of a bundle; null in an emulator of a processor

Source: contract section 7.
"""

import argparse
import datetime
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from hil.scenarios.seen import stage
from ports.stock import bundle

from . import leastheap
from .disk import ROOT, NoProgram
from .sizetargets import ONBOARD, TARGETS, QemuTarget, UnixTarget
from .waiting import until

FILE = Path("build/sizes.json")
ROOM_KIB = 96  # what the bisection begins with, above what is alive in a session


def measured(name: str) -> dict:
    """All figures of one target. Raises NoProgram."""
    target = TARGETS[name]
    target.file()  # is it there?
    scenarios = "with DPS" if target.dps else "hub alone"
    found = {"date": today(), "commit": commit(), "word_bits": target.word_bits,
             "heap_kib": target.heap_kib, "scenarios": scenarios}  # fmt: skip
    found.update(bytecode())
    found.update(sections(target.size, target.file()))
    found.update(imported(target))
    found.update(weighed(target))
    found["heap_passed_kib"] = least(target, found["free_in_session"])
    return found


def least(target: UnixTarget | QemuTarget, free: int) -> int | None:
    """The smallest heap that passes; less than what is alive in a session cannot."""
    step = leastheap.STEP_KIB
    low = (target.heap_kib - free // 1024) // step * step

    def passes(kib: int) -> bool:
        return leastheap.plays(target.board, target.dps, kib, told)

    return leastheap.least(passes, low, low + ROOM_KIB)


def bytecode() -> dict:
    """The sum and each module, by the compiler that the stock bundle is made with."""
    with tempfile.TemporaryDirectory() as nest:
        program = bundle.compiler(bundle.COMPILERS[-1])
        sizes, complaints = bundle.compiled(program, bundle.files(), Path(nest))
    if complaints:
        raise RuntimeError("; ".join(complaints))
    largest = dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))
    return {"bytecode_bytes": sum(sizes.values()), "modules": largest}


def sections(program: str, file: Path) -> dict:
    """text, data, bss as the binutils say; bss has the heap in it where that is static."""
    done = subprocess.run([program, str(file)], capture_output=True, text=True, check=True)
    text, data, bss = [int(word) for word in done.stdout.splitlines()[1].split()[:3]]
    return {"text": text, "data": data, "bss": bss}


def imported(target: UnixTarget | QemuTarget) -> dict:
    """The heap before and after the import of the agent and its console; one signature's time."""
    with tempfile.TemporaryDirectory(prefix="sizes-") as nest:
        script = Path(nest) / "imported.py"
        script.write_bytes((ONBOARD / "imported.py").read_bytes())
        found = json.loads(target.run(script))
    if target.size != "size":
        found["signature_ms"] = None  # an emulator's time says nothing of a part
    return found


def weighed(target: UnixTarget | QemuTarget) -> dict:
    """A session with its longest free piece; a handshake and a bundle at their most."""
    with leastheap.ready(target.weighing, target.dps, target.heap_kib) as (cloud, board):
        board.start()
        board.reach("online", 60)
        leastheap.delivers(cloud, board)
        status = board.status()
        heap = status["heap"]
        cloud.post("/mirror", {"release": {"roots": {"g2": "active", "baltimore": "active"}}})
        board.ask("roots", "import", cloud.get("/mirror")["url"])

        def look() -> tuple[object, object]:
            status = board.status()
            return stage(status) and status["weighed"], board.tail()

        most = until("a bundle is taken", look, 60)
    return {"free_in_session": heap["free"], "largest_in_session": heap["largest"],
            "peak_handshake": most["handshake"], "peak_bundle": most["bundle"]}  # fmt: skip


def told(text: str) -> None:
    """A line of progress."""
    print("   " + text, flush=True)


def today() -> str:
    """The date, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def commit() -> str:
    """What was measured; with a + when the tree had more than that."""
    words = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def write(file: Path, found: dict) -> None:
    """What was measured now beside what stood there."""
    before = json.loads(file.read_text()) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({**before, **found}, indent=1) + "\n")
    beside.replace(file)


def lines(name: str, found: dict) -> list[str]:
    """A target's figures for the terminal, its largest modules at the end."""
    shown = [f"{key:20} {value}" for key, value in found.items() if key != "modules"]
    modules = [f"{size:8}  {module}" for module, size in list(found["modules"].items())[:10]]
    return [f"== {name}", *shown, "largest modules, bytes of bytecode:", *modules]


def main(arguments: list[str] | None = None) -> int:
    """0: all measured; 1: a target could not be."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m hil.bench.sizes", None, __doc__,
                                     formatter_class=raw)  # fmt: skip
    parser.add_argument("target", nargs="*", help="one or more of %s" % ", ".join(TARGETS))
    parser.add_argument("--file", type=Path, default=FILE)
    options = parser.parse_args(arguments)
    missing = 0
    for name in options.target or TARGETS:
        if name not in TARGETS:
            parser.error(f"no target {name!r}: there are {', '.join(TARGETS)}")
        try:
            print(f"== {name}: measuring on {platform.machine()}", flush=True)
            found = measured(name)
        except (NoProgram, bundle.NoCompiler, FileNotFoundError) as why:
            print(f"== {name}: NOT MEASURED: {why}", file=sys.stderr)
            missing = 1
            continue
        write(options.file, {name: found})
        print("\n".join(lines(name, found)), flush=True)
    return missing


if __name__ == "__main__":
    sys.exit(main())
