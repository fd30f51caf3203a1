"""Boards that are programs of this machine: MicroPython's unix port, from a wheel or built here.

Rule: the disk is a folder, and the power of the board is the life of its process.
"""

import os
import subprocess
from pathlib import Path

from .board import FAKETIME, BoardError
from .boards import PROGRAM, Board
from .disk import ROOT, NoProgram, wheel

FIRMWARE = ROOT / "build" / "firmware"
SOURCES = f"{ROOT / 'agent'}:{ROOT / 'micropython'}:.frozen"
CLOCK = "clock"  # libfaketime's file, which is the clock that the board can set


def built(port: str, product: str = "micropython") -> Path:
    """A program of `make firmware`: what it imports of ours is frozen in it."""
    file = FIRMWARE / port / product
    if not file.exists():
        raise NoProgram(f"no {file.relative_to(ROOT)} here: make firmware PORT={port}")
    return file


class Unix(Board):
    """program  None: that of the wheel, which has the agent's sources on its path
    heap     as in `-X heapsize=`
    """

    def __init__(
        self, folder: Path, name: str, program: Path | None = None, heap: str = "6m"
    ) -> None:
        self._program, self._heap = program or wheel(), heap
        path = ".frozen" if program else SOURCES
        self._surroundings = {**os.environ, "MICROPYPATH": path}
        super().__init__(folder, name)

    def switch_on(self) -> subprocess.Popen:
        """A process of its own."""
        return subprocess.Popen(
            [str(self._program), "-X", "heapsize=" + self._heap, str(PROGRAM), str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self._surroundings, start_new_session=True,
        )  # fmt: skip

    def store(self, name: str, data: bytes) -> None:
        """The folder is the disk."""

    def clock(self, offset_s: int) -> None:
        """The wall clock from the next start on; the board can set it, and keeps it."""
        library = next((file for file in FAKETIME if os.path.exists(file)), None)
        if library is None:
            raise BoardError("a process has this machine's clock: install Debian's libfaketime")
        file = self.folder / CLOCK
        file.write_text("%+d" % offset_s)
        self._surroundings.update(
            LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=str(file), FAKETIME_NO_CACHE="1",
            DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_FAKE_MONOTONIC="1",
        )  # fmt: skip
