"""Instructions by valgrind's callgrind: one dump before each call of a function that is a mark.

Source: callgrind's manual, --dump-before; callgrind_annotate, --inclusive.
"""

import re
import shutil
import subprocess
from pathlib import Path

from .figures import NotCounted

MARK = "getloadavg"
LIBRARY = "SSL_do_handshake"
MISSING = "valgrind is missing: apt-get install valgrind, as root"
_ANNOTATE_S = 60


def missing() -> str:
    """Why nothing can be counted here; "" when it can."""
    both = shutil.which("valgrind") and shutil.which("callgrind_annotate")
    return "" if both else MISSING


def command(out: Path) -> list[str]:
    """What goes before the program; dump number n is `out` with .n."""
    return ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}",
            f"--dump-before={MARK}"]  # fmt: skip


def read(dump: Path) -> tuple[int, int]:
    """(all, within the TLS library's handshake): instructions of one dump, which is deleted."""
    done = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(dump)],
        capture_output=True, text=True, timeout=_ANNOTATE_S, check=False,
    )  # fmt: skip
    dump.unlink()
    if done.returncode:
        raise NotCounted(f"callgrind_annotate: {done.stderr.strip()[-200:]}")
    return counts(done.stdout)


def counts(text: str) -> tuple[int, int]:
    """The same of what callgrind_annotate says; NotCounted if the handshake is not in it."""
    whole = re.search(r"^\s*([\d,]+) .*PROGRAM TOTALS", text, re.M)
    library = re.search(rf"^\s*([\d,]+) .*:{LIBRARY}( \[|$)", text, re.M)
    if not whole or not library:
        raise NotCounted(f"callgrind has seen no {LIBRARY}: is OpenSSL a part of this Python?")
    return _number(whole), _number(library)


def _number(found: re.Match) -> int:
    return int(found[1].replace(",", ""))
