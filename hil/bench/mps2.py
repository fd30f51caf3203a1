"""The board `qemu-mps2`: a Cortex-M3 in QEMU, its disk an image, its clock an argument.

Rule: while it is off, a file goes into the image; while it runs, over the console to the program
that wrote it down. Its network is this machine's loopback, so names lead where they lead others.
"""

import base64
import time
from pathlib import Path

from . import disk, qemu
from .boards import PROGRAM, Board

DISK_KIB = 1024
IMAGE = "disk.img"
ABOVE = "../"
KEPT_OFF = (IMAGE, "anchorwatch.toml", "agent.log", "ca.key")
NAMES = "resolve.json"


class Mps2(Board):
    """records  "16k" or "4k", see qemu.firmware; heap  bytes, None: all that the firmware gives."""

    look_every_s = 0.5  # each status costs the guest some milliseconds of arithmetic

    def __init__(
        self, folder: Path, name: str, records: str = "16k", heap: int | None = None
    ) -> None:
        self._elf = qemu.firmware(records)
        self._words: dict[str, int | str] = {} if heap is None else {"heap": heap}
        self._offset_s = 0
        self._names_at: int | None = None
        self._above: set[str] = set()
        super().__init__(folder, name)

    @property
    def image(self) -> Path:
        """Its disk."""
        return self.folder / IMAGE

    def switch_on(self) -> qemu.Guest:
        """The first time with a new disk."""
        if not self.image.exists():
            disk.make(self.image, DISK_KIB, self._files())
        self._names_at = None
        utc_s = int(time.time()) + self._offset_s
        return qemu.Guest(self.image, self._elf, utc=max(0, utc_s), **self._words)

    def store(self, name: str, data: bytes) -> None:
        """Onto the disk, whether the board runs or not."""
        if self.running:
            self.asked("put", name=name, data=base64.b64encode(data).decode())
        elif self.image.exists():
            disk.put(self.image, {name: data})

    def clock(self, offset_s: int) -> None:
        """The clock at its next start; it has no battery, so each start begins so."""
        self._offset_s = offset_s

    def status(self) -> dict:
        """The whole status; before it, names that have moved are told to the board."""
        self._carry_names()
        return super().status()

    def tree(self) -> dict:
        """The configuration, with what stands above the folder in its root."""
        return self._inside(super().tree())

    def _inside(self, value: object) -> object:
        if isinstance(value, dict):
            return {key: self._inside(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._inside(one) for one in value]
        if isinstance(value, str) and value.startswith(ABOVE):
            self._above.add(value[len(ABOVE) :])
            return value[len(ABOVE) :]
        return value

    def _files(self) -> dict[str, bytes | Path]:
        """{name on the disk: file}: the device's own, and what its configuration names above."""
        places = [(self.folder, self.folder)]
        places += [(self.folder.parent / name, self.folder.parent) for name in sorted(self._above)]
        # The program is in the firmware, as the one of a product would be.
        files: dict[str, bytes | Path] = {"main.py": f"import {PROGRAM.stem}\n".encode()}
        for place, top in places:
            found = [place] if place.is_file() else sorted(place.rglob("*"))
            files.update({file.relative_to(top).as_posix(): file for file in found
                          if file.is_file() and file.name not in KEPT_OFF})  # fmt: skip
        return files

    def _carry_names(self) -> None:
        file = self.folder.parent / NAMES
        if not file.exists() or NAMES not in self._above:
            return
        changed_at = file.stat().st_mtime_ns
        if changed_at != self._names_at:
            self._names_at = changed_at
            self.store(NAMES, file.read_bytes())
