"""The most heap that the TLS library held at once, from glibc's trace of allocations.

Source: mtrace(3): "@ file:(place)[address] + block size", "- block", "< block", "> block size".
"""

from collections.abc import Iterable
from pathlib import Path

from .figures import NotCounted

PRELOADED = "libc_malloc_debug.so.0"
LIBRARY = ("libcrypto", "libssl", "_ssl.", "_hashlib.")  # or what a static OpenSSL is a part of


def peak(lines: Iterable[str]) -> int:
    """Bytes that the TLS library asked for and had not given back, at their highest.

    What it held before and gives back meanwhile does not make it smaller.
    """
    held: dict[str, int] = {}
    now = most = 0
    for line in lines:
        where, sign, block, *size = _parts(line)
        if sign in ("-", "<", "+", ">"):
            now -= held.pop(block, 0)
        if sign in ("+", ">") and _is_library(where):
            held[block] = int(size[0], 16)
            now += held[block]
            most = max(most, now)
    return most


def _parts(line: str) -> list[str]:
    """[where, sign, block, size]; a line without a sign is a frame of the file."""
    if not line.startswith("@ "):
        return ["", "", ""]
    where, _, rest = line[2:].rpartition("] ")
    return [where, *rest.split()]


def _is_library(where: str) -> bool:
    name = where.partition(":")[0].rpartition("/")[2]
    return name.startswith(LIBRARY)


def read(file: Path) -> int:
    """The peak of a trace, which is deleted; NotCounted if there is none."""
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            found = peak(lines)
        file.unlink()
    except FileNotFoundError as e:
        raise NotCounted(f"glibc traced nothing: is its {PRELOADED} (2.34 or newer) here?") from e
    return found
