"""The board's agent on MicroPython's unix program, as tests of the driver configure it.

Rule: what it is told and asked are the words of hil/bench/boards.py.
"""

import shutil
import sys
from pathlib import Path

from hil.bench.unix import Unix

SETTINGS = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "reverify": {"confirm_s": 1, "swap_every_s": 0},
    "dps": {"spread_s": 0},
}


def micropython():
    """The program beside this interpreter, or on the path; None without one."""
    beside = Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else shutil.which("micropython")


def configured(folder, name, settings, words=""):
    """A board that is off, in a folder that holds anchorwatch.toml as the emulated cloud wrote it.

    settings  {section: {key: value}}; None for a section that goes
    words     what its port is told otherwise, see hil/bench/onboard/application.py
    """
    board = Unix(folder, name)
    board.put("words", words.encode())
    board.configure(SETTINGS)
    board.configure(settings)
    return board
