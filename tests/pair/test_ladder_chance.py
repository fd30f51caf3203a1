"""The ladder under what chance brings: refusals, outages, power cuts, commands, wrong clocks.

Rule: the seed is the test's name. However it went, once all let it in the device is back.
"""

import random

import pytest

from anchorwatch.core import actions, events
from tests.pair.cloud import DAY, DPS, HOUR, HUB
from tests.pair.ladder import DEVICE
from tests.pair.registrations import Registrations
from tests.pair.test_ladder_slots import NOBODY, TwoSlots, refused

pytestmark = pytest.mark.once

GROUPS = ("maker", "tenant-1", "tenant-2")


class Chance:
    """`registrations` watches what DPS sees."""

    def __init__(self, seed: int) -> None:
        self.rand = random.Random(seed)
        self.world = TwoSlots()
        self.cloud, self.pair = self.world.cloud, self.world.pair
        self.registrations = Registrations(self.pair)

    def play(self, deeds: int) -> None:
        """So many things happen, hours apart; then all is well again."""
        names = [name for name in dir(self) if name.startswith("do_")]
        for _ in range(deeds):
            getattr(self, self.rand.choice(names))()
            self.cloud.run_for(self.rand.randrange(4 * HOUR))
        for host in (HUB, DPS):
            self.cloud.up(host)
        self.cloud.faults.clear()
        self.cloud.issuer_down = None
        self.cloud.https, self.cloud.sntp_offset_s = True, 0
        self.world.dps_takes(*GROUPS)

    def do_hub_takes(self) -> None:
        held = self.pair.watch.device.slots.held
        known = [held[s]["fingerprint"].upper() for s in held if s in ("a", "b", "onboarding")]
        self.cloud.hub.registry.authorities.clear()
        if self.cloud.hub.registry.get(DEVICE) is not None:
            self.world.hub_takes(self.rand.choice([*known, NOBODY, NOBODY]))

    def do_delete(self) -> None:
        if self.cloud.hub.registry.get(DEVICE) is not None:
            self.cloud.hub.delete_device(DEVICE, self.cloud.now_ms)

    def do_forget(self) -> None:
        """The operator deletes the registration: a look-up says that it is gone."""
        if self.cloud.dps.assignments.get(DEVICE) is not None:
            self.cloud.dps.assignments.remove(DEVICE)

    def do_dps_takes(self) -> None:
        self.world.dps_takes(*[name for name in GROUPS if self.rand.randrange(2)])

    def do_away(self) -> None:
        host = self.rand.choice([HUB, DPS])
        self.cloud.down(host)
        self.cloud.at(self.cloud.now_ms + self.rand.randrange(DAY), lambda: self.cloud.up(host))

    def do_fault(self) -> None:
        name, more = self.rand.choice([
            ("BUSY", {"service": "dps", "at": "register", "retry_after_s": 900}),
            ("SERVER_ERROR", {"service": "dps", "at": "poll", "status": 503}),
            ("CONNACK", {"service": "hub", "code": 5}), ("CONNACK", {"service": "hub", "code": 3}),
            ("THUMBPRINT_LATE", {"service": "dps", "after_s": 300}),
            ("CLOSE_BEFORE_CONNACK", {"service": "hub"}),
        ])  # fmt: skip
        self.cloud.faults.add(name, count=self.rand.randrange(1, 12), **more)

    def do_cut(self) -> None:
        self.pair.restart()

    def do_command(self) -> None:
        what, about = self.rand.choice([
            ("reprovision", {}), ("told", {"word": "unauthorized"}), ("roll", {}),
            ("told", {"word": "connected"}), ("reverify", {}),
        ])  # fmt: skip
        self.pair.ask(what, **about)

    def do_issuer(self) -> None:
        self.cloud.issuer_down = self.rand.choice([refused, None])

    def do_clock(self) -> None:
        self.cloud.https = bool(self.rand.randrange(2))
        self.cloud.sntp_offset_s = self.rand.choice([None, 0, 2 * 365 * 86_400])
        if self.rand.randrange(2):
            self.pair.restart()

    def do_time(self) -> None:
        told = events.ClockSet(self.cloud.utc_s(self.cloud.now_ms), "date")
        self.pair.hear(told)


@pytest.mark.parametrize("seed", range(24))
def test_device_is_back_whatever_happened_and_no_older_certificate_was_registered(seed):
    chance = Chance(seed)
    chance.play(40)
    chance.pair.run_until("online", DAY + HOUR)
    assert chance.registrations.asked and chance.registrations.older == []
    assert chance.pair.count(actions.Connect) < 3_000
