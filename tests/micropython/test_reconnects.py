"""A board's heap over hundreds of sessions: what is free and its longest piece do not shrink.

Rule: judged by quarters after a warm-up. Each session is a new connection, for the board has room
for one. Most ends are commanded. The cloud's come in bouts: it drops the session; the hub is gone
and comes back; its machine dies without a word. Three that closed within five minutes would be
"contended", and failures are forgotten after a session of a minute only: both wait, as they should,
so a run has one bout, and another each five minutes. A first fault is in the warm-up.
"""

import time
from collections import Counter

import pytest

from hil.bench import leastheap
from hil.bench.disk import NoProgram
from hil.bench.sizetargets import TARGETS
from hil.scenarios.seen import fails_over, fault

pytestmark = [pytest.mark.micropython, pytest.mark.tls, pytest.mark.lane_firmware]

WARM_UP = 10
HEAP_KIB = {"unix-small-heap": 512, "qemu-mps2": 320}
SLACK = 1024  # of what is free: tables of the log differ in their numbers
SLACK_LARGEST = 4096  # of one piece: where a few small things lie
WITHIN_S = 60
LASTED_S, CONTENDED_S = 61, 310
SETTINGS = {
    "reverify": {"interval_s": 86_400, "swap_every_s": 0},
    "mqtt": {"keepalive_s": 5},
    "trust": {"mirrors": []},  # whose first visit imports what it needs, for good
}


@pytest.mark.parametrize(("target", "count"), [
    ("qemu-mps2", 50),
    ("unix-small-heap", 500),
    pytest.param("qemu-mps2", 500, marks=pytest.mark.long),
    pytest.param("unix-small-heap", 5000, marks=pytest.mark.long),
])  # fmt: skip
def test_heap_is_as_free_and_as_whole_after_all_sessions_as_after_the_first(target, count):
    readings, ends = played(target, count)
    quarter = count // 4
    print("%s, %d sessions: %s" % (target, count, ends))
    assert len(ends) == 1 + len(BOUT), "not every kind of end was played"
    for word, slack in (("free", SLACK), ("largest", SLACK_LARGEST)):
        least = [reading[word] for reading in readings]
        first, last = min(least[:quarter]), min(least[-quarter:])
        print("%s at least %d, then %d" % (word, first, last))
        assert last >= first - slack, (word, least)


def played(target, count):
    """The heap in each session after the warm-up, and how many ended by what."""
    of, kib = TARGETS[target], HEAP_KIB[target]
    try:
        of.file()
    except NoProgram as missing:
        pytest.skip(str(missing))
    with leastheap.ready(of.weighing, False, kib) as (cloud, board):
        board.configure(SETTINGS)
        board.start()
        board.reach("online", WITHIN_S)
        found, ended = [], Counter()
        next_s = None  # of a bout
        while len(found) < WARM_UP + count:
            ends = [commanded] if found else [dead]  # what a first fault imports stays
            if len(found) >= count // 2 and (next_s is None or time.monotonic() >= next_s):
                ends, next_s = begin(board, next_s), time.monotonic() + CONTENDED_S
            for end in ends:
                end(cloud, board)
                found.append(new(board, len(found) + 2))
                ended[end.__name__] += 1
    return found[WARM_UP:], dict(ended)


def begin(board, next_s):
    """The ends of a bout, once those of the last one are forgotten."""
    if next_s is not None:
        lasted = lambda status: status["agent"]["since_s"] >= LASTED_S  # noqa: E731
        board.see("the session lasts", lasted, 2 * LASTED_S)
    return BOUT


def commanded(cloud, board):
    board.ask("reverify", "--swap")


def dropped(cloud, board):
    cloud.post("/devices/%s/drop" % board.name, {"reason": "the session ends"})


def gone_and_back(cloud, board):
    cloud.post("/hub/listen", {"up": False})
    board.see("nobody answers", lambda status: fault(status) == "network"
              and status["fault"]["verdict"] != "closed", WITHIN_S)  # fmt: skip
    cloud.post("/hub/listen", {"up": True})


def dead(cloud, board):
    fails_over(cloud, "hub", "baltimore-rsa")


BOUT = (dropped, gone_and_back, dead)


def new(board, sessions):
    """The heap in the session of this number, at rest."""

    def rests(status):
        words = status["agent"]["state"], status["machines"]["twin"]
        there = status["counters"]["sessions"] >= sessions
        return there and words == ("online", "ready") and status

    return board.see("session %d" % sessions, rests, WITHIN_S)["heap"]
