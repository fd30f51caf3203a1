"""Whatever a peer does: no exception, no message into the void, always a deadline, no secret told.

Rule: peers are by chance, the seed is in the test's name; the driver's promises are kept.
"""

import os
import random

import pytest

from anchorwatch.config import Config
from anchorwatch.core import actions, events, lifecycle, rolls
from anchorwatch.core.record import show
from anchorwatch.core.watch import Watch
from tests.core import peers, promises
from tests.core.peers import Kind, Wild
from tests.core.test_lifecycle import HELD_BY, RESTS, TRANSIENT
from tests.timelines import replay
from tests.timelines.test_timelines import TABLES

# The same draws on every CPython.
pytestmark = pytest.mark.once

FULL = os.environ.get("ANCHORWATCH_COUNTS") == "full"
SEEDS = range(48)
ROLL_SEEDS = range(60 if FULL else 30)
STEPS = 300
DAY_MS = 86_400_000
KEY = {"credential": {"kind": "symmetric_key", "cert_file": ""}, "clock": {"sntp": "t.example:1"}}
CONFIGS = (
    {},
    KEY,
    {"dps": None, "hub": {"host": "hub.hubs.example"}},
    {"reverify": {"interval_s": 60, "confirm_s": 5, "action": "swap"}, "clock": {"sntp": "t.ex:1"}},
    {"reverify": {"interval_s": 30, "confirm_s": 1, "swap_every_s": 0, "address_gone_s": 0}},
    {"unauthorized": {"patience_s": 0, "slow_first_s": 1}, "fleet": {"devices": 100_000}},
    {"trust": {"mirrors": ["http://mirror.example/b"], "trial_max_s": 60}},
    {"dps": None, "hub": {"host": "hub.hubs.example"}, "trust": {"mirrors": ["https://m.ex/"]}},
    {"mqtt": {"transport": "auto", "proxy": "http://proxy.example:3128"}},
)
EST = {"identity": {"issuer": "est", "issue_every_s": 60}, "est": {"host": "est.example"}}
ISSUERS = (
    EST,
    dict(EST, identity={"issuer": "est", "first": "at_once", "keep_old_s": 60}),
    dict(EST, dps=None, hub={"host": "hub.hubs.example"}),
    dict(EST, credential=KEY["credential"], unauthorized={"patience_s": 0, "slow_first_s": 1}),
    {"identity": {"issuer": "dps", "first": "at_once", "issue_every_s": 0}},
    {"identity": {"issuer": "dps"}, "fleet": {"devices": 100_000}},
    {"identity": {"issuer": "hub", "first": "at_once"}, "clock": {"sntp": "t.example:1"}},
    {"identity": {"issuer": "files", "drop_dir": "/drop"}, "unauthorized": {"patience_s": 0}},
    {"identity": {"issuer": "command", "command": ["/bin/ca"], "trial_retry_s": 60}},
    dict(EST, unauthorized={"patience_s": 0, "cycles_per_hour": 9}),
)
ROOTED = (["vendor"], ["vendor", "site"], [])
PROVING = (rolls.TRYING, rolls.REGISTERING, rolls.HOLDING)
RESTART = 0.01


class World:
    """A Watch on a line, with time that goes on."""

    def __init__(self, over, rand):
        self.rand, self.now = rand, 0
        self.watch = Watch(Config(replay.merged(replay.BASE, over)), lambda n: rand.randrange(n))
        self.line = promises.Promises()
        self.rooted = rand.choice(ROOTED)
        self.key = "credential" in over
        self.closed = set()

    def give(self, event):
        """One event, its actions performed, and what must hold after it."""
        self.line.happened(event)
        done = self.watch.handle(event, self.now)
        for action in done:
            self.line.perform(action)
            self._check_dial(action)
            self._check_slot(action)
        self._check(event)
        return done

    def _check_slot(self, action):
        """A closed key opens nothing; a certificate on trial is written down before its use."""
        slots = self.watch.device.slots
        if isinstance(action, actions.Save) and action.name == "identity":
            self.closed |= set(action.body["closed"])
        if isinstance(action, actions.Tell) and action.about.get("rolled"):
            left = [one.get("fingerprint") for one in self.line.slots.values()]
            warned = [t for t in self.line.told if t.about.get("what") == "old key not wiped"]
            assert warned or not self.closed & set(left), "told before the key was wiped"
        if isinstance(action, actions.Dial) and action.slot is not None:
            name = slots.shown(action.link)
            assert slots.held[name]["fingerprint"] not in self.closed, "a breached key is shown"
            if name == slots.kept["trial"] and self.watch.identity.state in PROVING:
                frame = self.line.disk.get("identity", {})
                assert name in [frame[part] for part in ("active", "trial", "pending")], frame

    def _check_dial(self, action):
        """No session through a distrusted root, but for the issuers of a hold."""
        if isinstance(action, actions.Dial) and action.slot is not None:
            for anchor in action.anchors:
                if self.watch.trust.distrusted(anchor):
                    assert action.limits[anchor]["issuers"], "%s without a hold" % anchor

    def _check(self, event):
        watch = self.watch
        assert watch.trust.anchors.bare(watch.trust.endpoints) == [], "R1 after %r" % event
        others = watch.registration.link == "next" or watch.reverify.state not in (
            lifecycle.IDLE, lifecycle.RESTING, lifecycle.CONFIRMING)
        assert not (watch.commit.probing and others), "the second link belongs to two"
        slots = watch.device.slots
        assert slots.usable(slots.kept["active"], None), "no credential after %r" % event
        assert watch.identity.state not in PROVING or slots.kept["trial"], "a trial of nothing"
        if isinstance(event, events.Woke):
            assert watch.wake_at is None or watch.wake_at >= self.now, "a deadline in the past"
        for name in TABLES:
            state = getattr(watch, name).state
            assert state not in TRANSIENT.get(name, ())
            if name in RESTS and state not in RESTS[name]:
                holder = getattr(watch, HELD_BY.get((name, state), name))
                assert holder.wake_at is not None, "%s waits in '%s' for ever" % (name, state)

    def start(self):
        credential = self.configured()
        state = self.rand.choice([{}, replay.kept(), replay.kept("hub2.hubs.example", "other")])
        if self.watch.config.identity.issuer != "none":
            state = self.rand.choice([state, self.rolled()])
        self.line.slots = state.get("slots", {})
        self.line.disk = {n: replay.copied(state[n]) for n in state if n != "slots"}
        state = dict(state, rooted=self.rooted)
        self.give(replay.start(state, credential=credential, by_hand=self.rand.random() < 0.5))

    def configured(self):
        """The configured credential, as long as its key is there."""
        if self.line.wiped:
            return dict(replay.x509(""), kind="none")
        return self.line.read or (replay.key() if self.key else replay.x509())

    def rolled(self):
        """A device that rolled before, in one of the ways that a power cut may leave it."""
        a, b = (peers.certificate(n, 0, self.rand.choice(peers.CAS)) for n in promises.NAMES)
        frames = ({}, {"former": "b"}, {"trial": "b", "reason": "expiry"},
                  {"pending": "b", "reason": "breach", "breached": a["fingerprint"]},
                  {"active": "onboarding", "trial": "b"}, {"active": "b", "former": "a"},
                  {"breached": b["fingerprint"], "closed": [b["fingerprint"]], "reason": "breach"})
        return replay.slotted(a, self.rand.choice([b, b, "b"]), **self.rand.choice(frames))

    def as_saved(self):
        """True when the last word on bundles is on the disk; tests/powercut cuts in between."""
        saved = self.line.disk.get("trust", {}).get("bundles", {})
        now = self.watch.trust.bundles
        return {n: now[n]["stage"] for n in now} == {n: saved[n]["stage"] for n in saved}

    def restart(self):
        """The power goes; what is on the disk is found again."""
        self.line.cut()
        self.closed = set(self.line.disk.get("identity", {}).get("closed", []))
        state = dict(self.line.found(), rooted=self.rooted, crash={"recent": self.crashes()})
        trust = self.watch.trust
        kept = [n for n in ("factory", "site") if n not in trust.bundles]
        layers = {name: replay.copied(trust.layer(name)) for name in kept}
        self.watch = Watch(self.watch.config, lambda n: self.rand.randrange(n))
        self.give(events.Start(True, state, layers, self.configured()))

    def crashes(self):
        return self.rand.choice([0, 0, 0, 3])

    def wild(self, steps):
        peer = Wild(self.line, self.rand)
        for _ in range(steps):
            self.now += self.rand.choice([0, 1, 20, 500, 5_000, 61_000])
            if self.rand.random() < RESTART and self.as_saved():
                self.restart()
            if self.watch.wake_at is not None and self.watch.wake_at <= self.now:
                if self.rand.random() < 0.8:
                    self.give(events.Woke())
                    continue
            elif self.rand.random() < 0.15 and self.watch.wake_at is not None:
                self.now = self.watch.wake_at
                self.give(events.Woke())
                continue
            self.give(peer.event(self.now))

    def kind(self, until_ms):
        """Let a peer that behaves answer everything; stop when the device is online."""
        peer, waiting = Kind(self.line), self.owed()
        while self.now < until_ms and not (self.online() and not waiting):
            if not waiting:
                self.now = max(self.now, self.watch.wake_at)
            event = waiting.pop(0) if waiting else events.Woke()
            if self.stale(event):
                continue
            for action in self.give(event):
                waiting += peer.events(action, self.now)

    def owed(self):
        """The answers that are due when the trouble ends."""
        due = []
        for link, state in self.line.links.items():
            if state == promises.CONNECTING:
                due.append(events.Connected(link, False))
            if state == promises.DIALING:
                due.append(replay.verified(link, host=self.line.dialed[link].host))
        for action in self.line.asked:
            due += Kind(self.line).events(action, self.now)
        self.line.asked = []
        return due

    def stale(self, event):
        """True for an answer to a link that was closed or dialled again since."""
        link, held = getattr(event, "link", None), self.line.links
        needs = {
            events.Verified: promises.DIALING,
            events.Failed: promises.DIALING,
            events.Connected: promises.CONNECTING,
            events.Refused: promises.CONNECTING,
        }
        if link is None:
            return False
        return held[link] != needs.get(type(event), promises.CONNECTED)

    def online(self):
        return self.watch.connection.state == lifecycle.ONLINE


@pytest.mark.parametrize("seed", ROLL_SEEDS)
def test_no_key_is_lost_and_none_used_again_whoever_issues_refuses_or_cuts(seed):
    rand = random.Random(5000 + seed)
    world = World(ISSUERS[seed % len(ISSUERS)], rand)
    world.start()
    world.wild(2 * STEPS)
    world.kind(world.now + 2 * DAY_MS)
    assert world.online(), "seed %d: %s" % (seed, world.watch.states())


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_a_peer_does_breaks_a_promise_and_the_device_comes_back(seed):
    rand = random.Random(seed)
    world = World(CONFIGS[seed % len(CONFIGS)], rand)
    world.start()
    world.wild(STEPS)
    trouble_ends_ms = world.now
    world.kind(trouble_ends_ms + 2 * DAY_MS)
    assert world.online(), "seed %d: %s" % (seed, world.watch.states())
    assert promises.SECRET_TEXTS[0] not in show(world.watch.status(world.now))
    assert promises.SECRET_TEXTS[1] not in show(world.watch.status(world.now))


def test_the_secret_is_really_in_the_password():
    """The check above could fail: the canary does reach a CONNECT."""
    world = World(KEY, random.Random(0))
    world.start()
    world.kind(DAY_MS)
    assert [c for c in world.line.connects if promises.SECRET_TEXTS[1] in (c.password or "")]


@pytest.mark.parametrize("seed", range(20))
def test_stop_ends_everything_whatever_was_under_way(seed):
    rand = random.Random(1000 + seed)
    world = World(CONFIGS[seed % len(CONFIGS)], rand)
    world.start()
    world.wild(rand.randrange(200))
    world.give(events.Stop())
    assert world.watch.connection.state == lifecycle.STOPPED
    assert world.line.links == {"live": promises.NOTHING, "next": promises.NOTHING}
