"""The guest `qemu-mps2`: a Cortex-M3 in QEMU that runs main.py from a disk image.

Rule: the guest ends with main.py, with a fault, or with its time limit; never does it stay behind.
What it is told are words NAME=NUMBER or NAME=TEXT without blanks and commas: `heap` (bytes), `utc`
(the clock at start), `cut` (the power fails in the N-th write to the disk).

Source: ports/qemu-mps2/README.md.
"""

import shutil
import subprocess
from pathlib import Path

from .disk import ROOT, NoProgram

FIRMWARE = ROOT / "build" / "firmware" / "qemu-mps2"
QEMU = "qemu-system-arm"
MAIN_ENDED, MAIN_RAISED, FAULT, CUT = 0, 1, 3, 9
LIMIT_S = 300


def firmware(records: str = "16k") -> Path:
    """The firmware whose longest incoming record is 16 KB or 4 KB ("4k")."""
    file = FIRMWARE / ("firmware-4k.elf" if records == "4k" else "firmware.elf")
    if not file.exists():
        raise NoProgram(f"no {file.relative_to(ROOT)} here: make firmware PORT=qemu-mps2")
    return file


def command(elf: Path, disk: str, words: dict[str, int | str]) -> list[str]:
    """The line that starts QEMU in the disk's folder; console on stdin and stdout."""
    program = shutil.which(QEMU)
    if program is None:
        raise NoProgram(f"no {QEMU} here; as root: apt-get install qemu-system-arm")
    told = [f"{name}={value}" for name, value in {"disk": disk, **words}.items()]
    for word in told:
        if " " in word or "," in word:
            raise ValueError(f"{word}: no blanks and no commas")
    arguments = "".join(f",arg={word}" for word in told)
    return [program, "-machine", "mps2-an385", "-display", "none", "-monitor", "none",
            "-serial", "stdio", "-nic", "user,model=lan9118,ipv6=off",
            "-semihosting-config", f"enable=on,target=native,arg=anchorwatch{arguments}",
            "-kernel", str(elf)]  # fmt: skip


class Guest:
    """One power cycle of the board; a context manager that leaves no QEMU behind.

    image  its disk, changed by what the guest writes; words  what it is told
    """

    def __init__(self, image: Path, elf: Path | None = None, **words: int | str) -> None:
        line = command(elf or firmware(), image.name, words)
        self._qemu = subprocess.Popen(
            line, cwd=image.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.stdin, self.stdout = self._qemu.stdin, self._qemu.stdout

    @property
    def pid(self) -> int:
        """QEMU's process id."""
        return self._qemu.pid

    def end(self, limit_s: float = LIMIT_S) -> tuple[int, bytes]:
        """(exit status, what was printed and not yet read); TimeoutExpired if it does not end."""
        try:
            printed, _ = self._qemu.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            self.cut()
            raise
        return self._qemu.returncode, printed

    def wait(self, limit_s: float | None = None) -> int:
        """The exit status, while somebody else reads what it prints; TimeoutExpired."""
        return self._qemu.wait(limit_s)

    def kill(self) -> None:
        """The power goes, now."""
        self._qemu.kill()

    def cut(self) -> None:
        """The power is gone."""
        self.kill()
        self.wait()

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *reason: object) -> None:
        self.cut()
        for pipe in (self.stdin, self.stdout):
            pipe.close()


def run(image: Path, elf: Path | None = None, limit_s: float = LIMIT_S,
        **words: int | str) -> tuple[int, bytes]:  # fmt: skip
    """Start a guest and wait for its end: (exit status, what it printed)."""
    with Guest(image, elf, **words) as guest:
        return guest.end(limit_s)
