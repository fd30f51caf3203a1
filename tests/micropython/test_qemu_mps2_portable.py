"""The portable part on a Cortex-M3: 32 bits, floats of one precision, the code frozen in firmware.

Rule: both runtimes play the same files now, the firmware with what was frozen into it, and the two
texts are equal byte for byte. One boot for all vectors, one for all stories: a minute each.
"""

import functools

import pytest

from tests.micropython import guest, programs
from tests.micropython.test_portable import REPLAY, STORIES, VECTORS

pytestmark = [pytest.mark.micropython, pytest.mark.lane_firmware]

# The texts of all tables and the compiler need more than a board has.
HEAP = 2_000_000
LIMIT_S = 900
STACK = 16 * 1024  # as in mps2.ld; a quarter stays free

MAIN = """
import mps2, sys
sys.path.insert(0, "/scripts")
%s
print(mps2.stack_used())
"""


@functools.cache
def here(*words):
    """What this CPython prints."""
    return programs.cpython().output(*words).decode()


def there(folder, main, files):
    """What the board prints, and the depth of its stack."""
    status, text = guest.run(
        folder, MAIN % main, files, kib=4096, heap=HEAP, limit_s=LIMIT_S
    )  # fmt: skip
    assert status == 0, text[-2000:]
    printed, _, depth = text.rstrip("\n").rpartition("\n")
    return printed + "\n", int(depth)


def test_every_vector_is_the_same_on_the_board(tmp_path):
    scripts = {"scripts/" + file.name: file for file in VECTORS.parent.glob("*.py")}
    text, depth = there(tmp_path, "import run\nrun.main()", scripts)
    assert text.split("\n") == here(VECTORS).split("\n")
    assert depth < 3 * STACK // 4


def test_every_timeline_is_the_same_on_the_board(tmp_path):
    files = {"stories/" + story.name: story for story in STORIES}
    names = ["/" + name for name in sorted(files)]
    files["scripts/replay.py"] = REPLAY
    text, depth = there(tmp_path, "import replay\nreplay.main(%r)" % names, files)
    given = [str(story.relative_to(programs.ROOT)) for story in STORIES]
    assert len(given) > 100
    assert text.split("\n") == here(REPLAY, *given).split("\n")
    assert depth < 3 * STACK // 4


def test_a_word_that_differs_is_noticed(tmp_path):
    """The comparison can fail: the board runs its own code."""
    text, _ = there(tmp_path, "print(sys.implementation.name)", {})
    assert text == "micropython\n"
