"""Over days and many devices: no token ends unrenewed, no two devices fight a hub down.

Rule: real Watches on a clock that jumps; the hub is a toy, its rules are in its docstring.
"""

import random

import pytest

from anchorwatch.config import Config
from anchorwatch.core import actions, events
from anchorwatch.core.watch import Watch
from tests.core import promises
from tests.core.peers import Kind
from tests.core.test_invariants import KEY, World
from tests.timelines import replay

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
IDS = ["dev-%d" % n for n in range(50)]


class Tokens:
    """A hub that knows until when the token of the live session is good."""

    def __init__(self, registration_id, interval_s):
        over = replay.merged(KEY, {"device": {"registration_id": registration_id}})
        over["reverify"] = {"interval_s": interval_s}
        self.watch = Watch(Config(replay.merged(replay.BASE, over)), replay.RANDS["half"])
        self.kind = Kind(promises.Promises())
        self.signed_until_s, self.good_until_s = None, None
        self.swaps = 0

    def give(self, event, now):
        """One event and all that follows at once; a renewal must come while the old is good."""
        pending = [event]
        while pending:
            for action in self.watch.handle(pending.pop(0), now):
                if isinstance(action, actions.Sign):
                    self.signed_until_s = int(action.data.decode().split("\n")[1])
                if isinstance(action, actions.Swap):
                    self.swaps += 1
                pending += self.kind.events(action, now)
                if isinstance(action, actions.Connect) and "/registrations/" not in action.username:
                    self._renewed(now)

    def _renewed(self, now):
        utc_s = replay.T0 + now // 1000
        assert self.good_until_s is None or utc_s < self.good_until_s, "the old token had ended"
        self.good_until_s = self.signed_until_s

    def live(self, until_ms):
        """Sleep from deadline to deadline."""
        now = 0
        start = replay.start(replay.kept(accepted="key-1"), credential=replay.key())
        self.give(start, now)
        while now < until_ms:
            now = max(now, self.watch.wake_at)
            assert self.good_until_s is None or replay.T0 + now // 1000 < self.good_until_s
            self.give(events.Woke(), now)


@pytest.mark.parametrize("interval_min", [36, 39, 42, 45])
def test_no_phase_of_the_interval_lets_a_token_end(interval_min):
    for registration_id in IDS[:12]:
        hub = Tokens(registration_id, 60 * interval_min)
        hub.live(DAY_MS)
        assert 30 <= hub.swaps <= 36, registration_id


@pytest.mark.long
@pytest.mark.parametrize("interval_min", range(36, 46))
@pytest.mark.parametrize("registration_id", IDS)
def test_no_device_of_fifty_lets_a_token_end(registration_id, interval_min):
    hub = Tokens(registration_id, 60 * interval_min)
    hub.live(DAY_MS)
    assert 30 <= hub.swaps <= 36


class OneSession:
    """A hub with one session for a device id: who connects evicts who was there."""

    def __init__(self, seeds):
        self.now, self.worlds = 0, [World({}, random.Random(seed)) for seed in seeds]
        self.connects = [[] for _ in seeds]
        self.registrations = 0
        self.holder = None
        for world in self.worlds:
            world.give(replay.start(replay.kept()))

    def run(self, until_ms):
        while self.now < until_ms:
            due = [w.watch.wake_at for w in self.worlds]
            index = due.index(min(due))
            self.now = max(self.now, due[index])
            self._give(index, events.Woke())

    def _give(self, index, event):
        world = self.worlds[index]
        world.now = self.now
        waiting = [event]
        while waiting:
            first = waiting.pop(0)
            if world.stale(first):
                continue
            for action in world.give(first):
                waiting += self._answer(index, action)

    def _answer(self, index, action):
        if isinstance(action, actions.Dial) and action.endpoint == "dps" and action.slot:
            self.registrations += 1
        if isinstance(action, actions.Connect):
            self.connects[index].append(self.now)
            former, self.holder = self.holder, index
            if former not in (None, index) and self.worlds[former].online():
                self._give(former, events.Disconnected("live", "closed"))
        return Kind(self.worlds[index].line).events(action, self.now)


@pytest.mark.parametrize("seed", range(5))
def test_two_devices_on_one_id_fight_less_than_twelve_times_an_hour_and_never_register(seed):
    hub = OneSession([seed, seed + 100])
    hub.run(10 * MINUTE_MS)
    for hour in range(4):
        begin = 10 * MINUTE_MS + hour * HOUR_MS
        hub.run(begin + HOUR_MS)
        for connects in hub.connects:
            assert len([t for t in connects if begin <= t < begin + HOUR_MS]) < 12
    assert hub.registrations == 0
    faults = [world.watch.status(hub.now)["fault"] for world in hub.worlds]
    told = [fault for fault in faults if fault and fault["class"] == "contended"]
    assert told and "cloned image" in told[0]["remedy"]


@pytest.mark.parametrize("seed", range(20))
def test_three_minutes_of_connack_5_with_good_credentials_register_nobody(seed):
    world = World({}, random.Random(seed))
    world.give(replay.start(replay.kept()))
    world.kind(DAY_MS)
    wave_ends_ms = world.now + 3 * MINUTE_MS
    world.give(events.Disconnected("live", "closed"))
    dials = []
    while not world.online():
        world.now = max(world.now, world.watch.wake_at)
        waiting = [events.Woke()]
        while waiting:
            for action in world.give(waiting.pop(0)):
                dials += [action] if isinstance(action, actions.Dial) else []
                waiting += fives(world, action, wave_ends_ms)
    assert [dial.endpoint for dial in dials if dial.endpoint != "hub"] == []
    assert world.now < wave_ends_ms + 10 * MINUTE_MS


def fives(world, action, until_ms):
    """A hub that refuses every CONNECT until then."""
    if isinstance(action, actions.Connect) and world.now < until_ms:
        return [events.Refused("live", 5)]
    return Kind(world.line).events(action, world.now)
