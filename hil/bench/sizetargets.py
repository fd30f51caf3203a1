"""The boards that are measured: how each is made, with how much heap, and how it runs one script.

Rule: nothing here measures; see sizes.py.
"""

import subprocess
from pathlib import Path

from . import disk, qemu
from .boards import PROGRAM, Board
from .mps2 import Mps2
from .unix import Unix, built

ONBOARD = PROGRAM.parent
WEIGHED = "weighed"  # the file that the program asks for
LIMIT_S = 120


class WeighingUnix(Unix):
    """Its program finds the word for it."""

    def __init__(self, folder: Path, name: str, program: Path, heap: str) -> None:
        super().__init__(folder, name, program, heap)
        (folder / WEIGHED).write_text("yes")


class WeighingMps2(Mps2):
    """Its program finds the word for it, and what weighs."""

    def _files(self) -> dict[str, bytes | Path]:
        weigh = ONBOARD / "weigh.py"
        return {**super()._files(), WEIGHED: b"yes", weigh.name: weigh}


class UnixTarget:
    """The unix port with the memory of a board; its words have 64 bits."""

    word_bits, heap_kib, size = 64, 1024, "size"

    def __init__(self, product: str, dps: bool) -> None:
        self._product, self.dps = product, dps

    def file(self) -> Path:
        """The program."""
        return built("unix-small-heap", self._product)

    def board(self, folder: Path, name: str, kib: int) -> Board:
        """A device that is off."""
        return Unix(folder, name, self.file(), "%dk" % kib)

    def weighing(self, folder: Path, name: str, kib: int) -> Board:
        """The same, which weighs itself."""
        return WeighingUnix(folder, name, self.file(), "%dk" % kib)

    def run(self, script: Path) -> str:
        """What a script prints."""
        words = [str(self.file()), "-X", "heapsize=%dk" % self.heap_kib, str(script)]
        done = subprocess.run(words, env={"MICROPYPATH": ".frozen"}, capture_output=True, text=True,
                              timeout=LIMIT_S, check=True)  # fmt: skip
        return done.stdout


class QemuTarget:
    """The Cortex-M3 under QEMU: 32-bit words, a heap as told."""

    word_bits, heap_kib, size = 32, 384, "arm-none-eabi-size"

    def __init__(self, records: str, dps: bool) -> None:
        self._records, self.dps = records, dps

    def file(self) -> Path:
        """The firmware."""
        return qemu.firmware(self._records)

    def board(self, folder: Path, name: str, kib: int) -> Board:
        """A device that is off."""
        return Mps2(folder, name, self._records, kib * 1024)

    def weighing(self, folder: Path, name: str, kib: int) -> Board:
        """The same, which weighs itself."""
        return WeighingMps2(folder, name, self._records, kib * 1024)

    def run(self, script: Path) -> str:
        """What a script prints as main.py."""
        image = script.with_name("disk.img")
        disk.make(image, 512, {"main.py": script})
        status, printed = qemu.run(image, self.file(), LIMIT_S, heap=self.heap_kib * 1024)
        if status:
            raise RuntimeError(f"status {status}: {printed.decode()}")
        return printed.decode()


TARGETS = {
    "unix-small-heap": UnixTarget("micropython", dps=True),
    "unix-small-heap-4k": UnixTarget("micropython-4k", dps=False),
    "qemu-mps2": QemuTarget("16k", dps=True),
    "qemu-mps2-4k": QemuTarget("4k", dps=False),
}
