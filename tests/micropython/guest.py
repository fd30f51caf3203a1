"""A program on the Cortex-M3 under QEMU, as tests start it.

Rule: one disk a boot unless a test goes on with the one it has; nothing of the host is in reach but
its loopback. Without the firmware or QEMU a test is skipped, and the reason says how to get it.
"""

import functools
from pathlib import Path

import pytest

from hil.bench import disk, qemu
from tests.micropython import programs

ROOT = programs.ROOT
DISK_KIB = 512
STARTUP_S = 60  # a line that the guest prints at once, on a machine that does other things too


@functools.cache
def firmware(records="16k"):
    """The firmware, built from the sources as they are."""
    name = "firmware-4k.elf" if records == "4k" else "firmware.elf"
    try:
        qemu.command(Path(name), "", {})
    except disk.NoProgram as missing:
        pytest.skip(str(missing))
    return Path(programs.built("qemu-mps2", name).file)


def new_disk(folder, main, files=None, kib=DISK_KIB):
    """An image in `folder` with main.py and more files."""
    image = folder / "disk.img"
    source = main if isinstance(main, Path) else main.encode()
    disk.make(image, kib, {"main.py": source, **(files or {})})
    return image


def run(folder, main, files=None, *, kib=DISK_KIB, elf=None, **words):
    """(exit status, text printed) of main.py on a new disk."""
    image = new_disk(folder, main, files, kib)
    return again(image, elf=elf, **words)


def again(image, *, elf=None, **words):
    """The same of a disk that is there."""
    status, printed = qemu.run(image, elf or firmware(), **words)
    return status, printed.decode()
