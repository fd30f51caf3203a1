"""A peer that says no at once is not asked again at once.

Rule: the peer answers every request in the same millisecond, so a loop without a pause would spin.
"""

import random

import pytest

from anchorwatch.core import actions, events
from tests.core.peers import Kind
from tests.core.test_invariants import World
from tests.timelines import replay

HOUR_MS = 3_600_000
SNTP = {"clock": {"sntp": "time.example:123"}}


class Stubborn:
    """A world in which `no` answers some actions and a kind peer the others; it counts."""

    def __init__(self, over, no):
        self.world, self.no = World(over, random.Random(3)), no
        self.asked = []
        self.give(replay.start(replay.kept()))

    def give(self, event):
        """One event, and what follows at once: at most a hundred steps in one moment."""
        waiting, steps = [event], 0
        while waiting:
            steps += 1
            assert steps < 100, "spins: %r" % waiting[0]
            first = waiting.pop(0)
            if self.world.stale(first):
                continue
            for action in self.world.give(first):
                self.asked.append(action)
                refused = self.no(action)
                waiting += Kind(self.world.line).events(action, self.world.now) if (
                    refused is None) else [refused]

    def live(self, until_ms):
        """Sleep from deadline to deadline; a thousand wake-ups an hour are too many."""
        wakes = 0
        while self.world.watch.wake_at is not None and self.world.watch.wake_at < until_ms:
            wakes += 1
            assert wakes < 1000 * until_ms // HOUR_MS, "wakes without end"
            self.world.now = max(self.world.now, self.world.watch.wake_at)
            self.give(events.Woke())

    def count(self, kind, **named):
        """How many actions of a kind with these values were asked."""
        return len([a for a in self.asked if isinstance(a, kind)
                    and all(getattr(a, k) == v for k, v in named.items())])


def test_a_twin_that_is_throttled_is_asked_once_a_minute():
    def throttled(action):
        if isinstance(action, actions.Publish) and action.topic.startswith("$iothub/twin"):
            return replay.twin_status(int(action.topic.partition("$rid=")[2]), 429)
        return None

    peer = Stubborn({}, throttled)
    peer.live(HOUR_MS)
    assert 30 <= peer.count(actions.Publish) <= 61


def test_a_twin_whose_patch_alone_is_refused_is_asked_twice_a_minute_at_most():
    def refused(action):
        if isinstance(action, actions.Publish) and action.topic.startswith("$iothub/twin/PATCH"):
            return replay.twin_status(int(action.topic.partition("$rid=")[2]), 400)
        return None

    peer = Stubborn({}, refused)
    peer.live(HOUR_MS)
    assert peer.count(actions.Publish) <= 122


@pytest.mark.parametrize("over", [{}, SNTP], ids=["no time server", "time server"])
def test_a_server_whose_certificate_has_really_ended_is_dialled_at_the_pace_of_its_class(over):
    def ended(action):
        if isinstance(action, actions.Dial):
            return replay.failed(action.link, "clock", "expired", ["CN=leaf", "CN=G2"])
        if isinstance(action, actions.AskDate):
            return events.TimeFailed("date", "no verified answer")
        return None

    peer = Stubborn(over, ended)
    peer.live(HOUR_MS)
    assert 5 <= peer.count(actions.Dial) <= 25
    assert peer.count(actions.AskTime) <= 30


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 99])
def test_a_hub_that_refuses_every_connect_is_asked_at_the_pace_of_its_class(code):
    def refused(action):
        if isinstance(action, actions.Connect) and "/registrations/" not in action.username:
            return events.Refused(action.link, code)
        return None

    peer = Stubborn({}, refused)
    peer.live(6 * HOUR_MS)
    assert 5 <= peer.count(actions.Dial, endpoint="hub") <= 100  # ten cycles, each with propagation
    assert peer.count(actions.Dial, endpoint="dps") <= 10


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_a_dps_that_refuses_every_registration_is_asked_within_the_budget(status):
    def refused(action):
        if isinstance(action, actions.Connect) and "/registrations/" not in action.username:
            return events.Refused(action.link, 5)
        if isinstance(action, actions.Publish) and action.topic.startswith("$dps/"):
            rid = int(action.topic.partition("$rid=")[2])
            return replay.dps(action.link, status, b"{}", rid)
        return None

    peer = Stubborn({}, refused)
    peer.live(24 * HOUR_MS)
    asked = peer.count(actions.Publish)
    assert 3 <= asked <= (10 if status < 429 else 24 * 8)


def test_a_hub_that_refuses_every_swap_keeps_its_session_and_is_asked_rarely():
    def refused(action):
        if isinstance(action, actions.Connect) and action.link == "next":
            return events.Refused("next", 5)
        if isinstance(action, actions.Dial) and action.link == "next":
            return replay.verified("next", anchor="baltimore", host=action.host)
        return None

    peer = Stubborn({}, refused)
    peer.live(6 * HOUR_MS)
    assert peer.world.online()
    assert 1 <= peer.count(actions.Connect, link="next") <= 12
    assert peer.count(actions.Dial, endpoint="dps", link="live") == 0
