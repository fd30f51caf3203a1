"""The case tables of the portable part: each row on CPython, and the whole on both runtimes."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "vectors"
sys.path.insert(0, str(FOLDER))

import run  # noqa: E402

ROWS = [
    pytest.param(table, row, id="%s: %s" % (table, row[0]))
    for table in run.TABLES
    for row in __import__(table + "_cases").CASES
]


def play(program, variable):
    """(exit status, output) of the runner under an interpreter."""
    environment = dict(os.environ, **{variable: str(ROOT / "agent")})
    done = subprocess.run(
        [program, str(FOLDER / "run.py")], env=environment, capture_output=True, timeout=120
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(("table", "row"), ROWS)
def test_every_case_comes_out_as_its_table_says(table, row):
    ((right, line),) = run.lines(table, [row])
    assert right, "%s\nexpected %r" % (line, row[3])


def test_every_table_beside_the_runner_is_played():
    found = sorted(path.name.removesuffix("_cases.py") for path in FOLDER.glob("*_cases.py"))
    assert found == sorted(run.TABLES)


def test_no_sentence_stands_twice_in_a_table():
    for table in run.TABLES:
        sentences = [row[0] for row in __import__(table + "_cases").CASES]
        assert len(sentences) == len(set(sentences)), table


def test_runner_fails_when_a_case_fails():
    outcomes = [
        (len, ("abc",), 3, True),
        (len, ("abc",), 4, False),
        (len, ("abc",), True, False),
        (int, ("x",), ("raises", "ValueError", ""), True),
        (int, ("x",), ("raises", "TypeError", ""), False),
        (int, ("7",), ("raises", "ValueError", ""), False),
    ]
    for call, arguments, expected, right in outcomes:
        assert run.lines("t", [("s", call, arguments, expected)])[0][0] is right


@pytest.mark.micropython
def test_micropython_prints_the_same_bytes_as_cpython():
    beside = pathlib.Path(sys.executable).parent / "micropython"
    program = str(beside) if beside.exists() else shutil.which("micropython")
    if program is None:
        pytest.skip("the MicroPython unix program is not installed")
    here, there = play(sys.executable, "PYTHONPATH"), play(program, "MICROPYPATH")
    assert here[0] == 0
    assert there == here
