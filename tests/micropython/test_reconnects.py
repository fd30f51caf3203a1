"""A board's heap over hundreds of sessions: what is free and its longest piece do not shrink.

Rule: judged by quarters after a warm-up. Each session is a new connection, for the board has room
for one; nearly all are commanded, two follow an end by the hub: more of these are "contended", and
that waits as it should.
"""

import pytest

from hil.bench import leastheap
from hil.bench.disk import NoProgram
from hil.bench.sizetargets import TARGETS

pytestmark = [pytest.mark.micropython, pytest.mark.tls, pytest.mark.lane_firmware]

WARM_UP = 10
HEAP_KIB = {"unix-small-heap": 512, "qemu-mps2": 320}
SLACK = 1024  # of what is free: tables of the log differ in their numbers
SLACK_LARGEST = 4096  # of one piece: where a few small things lie
WITHIN_S = 60


@pytest.mark.parametrize(("target", "count"), [
    ("qemu-mps2", 50),
    ("unix-small-heap", 500),
    pytest.param("qemu-mps2", 500, marks=pytest.mark.long),
    pytest.param("unix-small-heap", 5000, marks=pytest.mark.long),
])  # fmt: skip
def test_heap_is_as_free_and_as_whole_after_all_sessions_as_after_the_first(target, count):
    readings = played(target, count)
    quarter = count // 4
    for word, slack in (("free", SLACK), ("largest", SLACK_LARGEST)):
        least = [reading[word] for reading in readings]
        first, last = min(least[:quarter]), min(least[-quarter:])
        print("%s, %d sessions: %s at least %d, then %d" % (target, count, word, first, last))
        assert last >= first - slack, (word, least)


def played(target, count):
    """The heap in each session after the warm-up."""
    of, kib = TARGETS[target], HEAP_KIB[target]
    try:
        of.file()
    except NoProgram as missing:
        pytest.skip(str(missing))
    with leastheap.ready(of.weighing, False, kib) as (cloud, board):
        board.configure({"reverify": {"interval_s": 86_400, "swap_every_s": 0}})
        board.start()
        board.reach("online", WITHIN_S)
        ends = (count // 4, 3 * count // 4)
        found = [another(cloud, board, number, number - WARM_UP in ends)
                 for number in range(WARM_UP + count)]  # fmt: skip
    return found[WARM_UP:]


def another(cloud, board, number, by_hub):
    """The heap in the next session."""
    if by_hub:
        cloud.post("/devices/%s/drop" % board.name, {"reason": "the session ends"})
    else:
        board.ask("reverify", "--swap")

    def rests(status):
        words = status["agent"]["state"], status["machines"]["twin"]
        new = status["counters"]["sessions"] >= number + 2
        return new and words == ("online", "ready") and status

    return board.see("session %d" % (number + 2), rests, WITHIN_S)["heap"]
