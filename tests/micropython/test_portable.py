"""The portable part on MicroPython: the same text as CPython's, byte for byte.

Rule: nothing is compared with a stored text here; both runtimes play the same file now.
"""

import functools

import pytest

from tests.micropython import programs

STORIES = sorted((programs.ROOT / "tests" / "timelines" / "stories").glob("*.txt"))
REPLAY = programs.ROOT / "tests" / "timelines" / "replay.py"
VECTORS = programs.ROOT / "tests" / "vectors" / "run.py"
OLDER = "if the sources are newer than the program: make firmware"

pytestmark = pytest.mark.micropython


@pytest.fixture(params=[programs.WHEEL, programs.REFERENCE, programs.SMALL_HEAP])
def program(request):
    return request.param()


@functools.cache
def here(*words):
    """What this CPython prints."""
    return programs.cpython().output(*words)


def test_every_timeline_is_the_same_on_both_runtimes(program):
    names = [str(file.relative_to(programs.ROOT)) for file in STORIES]
    there = program.output(REPLAY, *names)
    assert len(names) > 100
    assert there.split(b"\n") == here(REPLAY, *names).split(b"\n"), OLDER
    assert there == here(REPLAY, *names)


def test_every_vector_is_the_same_on_both_runtimes(program):
    assert program.output(VECTORS) == here(VECTORS), OLDER


def test_a_timeline_that_differs_is_noticed(program, tmp_path):
    """The lane can fail: the program runs our code and nothing else."""
    script = tmp_path / "who.py"
    script.write_text("import sys\nprint(sys.implementation.name)\n", encoding="utf-8")
    assert program.output(script) == b"micropython\n"
    assert here(script) == b"cpython\n"
