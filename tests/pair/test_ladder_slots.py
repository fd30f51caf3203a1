"""Rungs 4 and 5: a device with several certificates, of which hub and DPS refuse some or all.

Rule: as in test_ladder_table.py. Slot b serves, a is the former one, the maker's certificate is the
onboarding credential.
"""

import copy

import pytest

from anchorwatch.config import Config
from anchorwatch.core import actions, events
from hil.cloud.enrollment import CA, GROUP, X509, Enrollment
from hil.cloud.registry import Identity
from tests.pair import credentials
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE, Cloud
from tests.pair.ladder import DEVICE, within_budget
from tests.pair.pair import Pair
from tests.pair.world import SNTP
from tests.timelines.replay import BASE, merged

pytestmark = pytest.mark.once

EST = {"identity": {"issuer": "est", "first": "at_once", "keep_old_s": 30 * 86_400},
       "est": {"host": "est.example"}}  # fmt: skip
SLOWEST = 6 * HOUR + MINUTE
NOBODY = "00" * 32


class TwoSlots:
    """Slot a is of the tenant's first CA, b of its second; the maker's CA is above onboarding."""

    def __init__(self, config: dict | None = None) -> None:
        self.cloud = Cloud(1)
        maker = self.maker = credentials.Issuer("Maker CA", ca=True)
        mine = credentials.Credential([credentials.Issuer(DEVICE, maker).der, maker.der])
        self.allow("maker")
        for hub in (self.cloud.hub, self.cloud.hub2):
            hub.registry.authorities["maker"] = maker.der
        self.register("tenant-1")
        self.allow("tenant-1")
        settings = {**SNTP, **EST, "cloud": {"allow": ["rollCertificate"]}, **(config or {})}
        self.pair = Pair(self.cloud, mine, settings)
        self.pair.run_until(lambda: self.active == "a", HOUR)
        self.cloud.run_for(2 * HOUR)
        self.cloud.issuers.tenant.activate(self.cloud.now_ms)
        self.register("tenant-2")
        self.allow("tenant-2")
        assert self.pair.ask("roll")["ok"]
        self.pair.run_until(lambda: self.active == "b", HOUR)
        self.cloud.run_for(MINUTE)
        self.cloud.issuer_down = lambda slot: refused(slot)
        self.began_ms = self.cloud.now_ms

    @property
    def active(self) -> str:
        return self.pair.watch.device.slots.kept["active"]

    def register(self, name: str) -> None:
        for service in (self.cloud.hub, self.cloud.hub2, self.cloud.dps):
            self.cloud.issuers.register_tenant(service.certificates, name, self.cloud.now_ms)

    def allow(self, name: str, enabled: bool = True, by: str = CA) -> None:
        """A group of DPS takes the certificates of this CA, or is disabled."""
        known = {"primary": self.maker.der} if name == "maker" else {"primary_ca": name}
        group = Enrollment(name, GROUP, X509, hub=HUB, hub_auth=by, enabled=enabled, **known)
        self.cloud.dps.enrollments.put(group)

    def configure(self, more: dict) -> None:
        """Another configuration, and a start."""
        self.pair.config = Config(merged(BASE, {**SNTP, **EST, **more}))
        self.pair.restart()
        self.pair.run_until("online", MINUTE)
        self.cloud.run_for(1_000)

    def thumbprint(self, slot: str) -> str:
        return self.pair.watch.device.slots.held[slot]["fingerprint"].upper()

    def hub_takes(self, thumbprint: str) -> None:
        """One certificate alone, of every other it knows nothing; the session ends."""
        for hub in (self.cloud.hub, self.cloud.hub2):
            hub.registry.authorities.clear()
        known = Identity(DEVICE, "thumbprint", primary_thumbprint=thumbprint)
        self.cloud.hub.put_device(known, self.cloud.now_ms)
        self.cloud.hub.drop(DEVICE, "upgrade", self.cloud.now_ms)

    def dps_takes(self, *names: str) -> None:
        """Groups that are enabled; what they assign the hub knows by its thumbprint."""
        for name in ("maker", "tenant-1", "tenant-2"):
            self.allow(name, name in names, "thumbprint")

    def registered(self) -> list[int]:
        rows = self.cloud.journal.of("register")
        return [r["t_ms"] for r in rows if r["t_ms"] > self.began_ms and r["status"] < 429]

    def dialled(self, slot: str, since_ms: int, endpoint: str = "hub") -> int:
        return self.pair.count(actions.Dial, since_ms, slot=slot, endpoint=endpoint)


def refused(slot):
    return events.IssueRefused(slot, "network", "away", "", [], [], 0)


def test_former_certificate_serves_where_hub_and_dps_refuse_the_newer_one():
    world = TwoSlots()
    world.dps_takes()
    world.hub_takes(world.thumbprint("a"))
    world.pair.run_until(lambda: world.active == "a", 30 * MINUTE)
    assert world.pair.state == "online" and len(world.registered()) == 1
    told = world.pair.tells("identity")[-1]
    assert told == {"active": "a", "refused": "b", "why": "slot b was refused"}
    page = world.pair.status()["identity"]
    assert (page["active"], page["trial"], page["why"]) == ("a", "b", "slot b was refused")
    world.cloud.run_for(MINUTE)
    told = world.cloud.hub.twin(DEVICE).reported.properties["anchorwatch"]["identity"]
    assert told["fingerprint"].upper() == world.thumbprint("a")
    assert told["roll"] == {"trial": True, "why": "slot b was refused"}
    took_over_ms = world.cloud.now_ms
    world.cloud.run_for(10 * DAY)
    assert world.pair.state == "online"
    assert 8 <= world.dialled("b", took_over_ms) <= 2 * 10 and "b" in world.pair.slots
    within_budget(world.registered())
    world.hub_takes(world.thumbprint("b"))
    world.cloud.hub.registry.get(DEVICE).secondary_thumbprint = world.thumbprint("a")
    world.pair.run_until(lambda: world.active == "b", 26 * HOUR)


@pytest.mark.parametrize("group, slot", [("tenant-1", "a"), ("maker", "onboarding")])
def test_certificate_that_dps_takes_is_registered_where_it_refuses_the_newer_one(group, slot):
    """Never before the newer one was refused: its thumbprint would be set back."""
    world = TwoSlots()
    world.dps_takes(group)
    world.hub_takes(NOBODY)
    world.pair.run_until(lambda: world.active == slot, 40 * MINUTE)
    world.pair.run_until("online", MINUTE)
    assert world.cloud.hub.registry.get(DEVICE).primary_thumbprint == world.thumbprint(slot)
    first = [a.slot for t, a in world.pair.performed if t > world.began_ms
             and isinstance(a, actions.Dial) and a.endpoint == "dps" and a.slot]  # fmt: skip
    assert first[0] == "b" and first[-1] == slot
    assert len(world.registered()) == len(first) <= 3
    assert "b" in world.pair.slots and world.pair.count(actions.WipeKey, world.began_ms) == 0


def test_newer_certificate_that_dps_takes_is_registered_and_no_older_one_is_shown():
    world = TwoSlots()
    world.dps_takes("maker", "tenant-1", "tenant-2")
    world.hub_takes(NOBODY)
    world.pair.run_until(lambda: len(world.registered()) == 1, 30 * MINUTE)
    world.pair.run_until("online", 5 * MINUTE)
    assert world.active == "b"
    assert world.dialled("a", world.began_ms) == 0 == world.dialled("a", world.began_ms, "dps")
    assert world.cloud.hub.registry.get(DEVICE).primary_thumbprint == world.thumbprint("b")


def test_device_that_all_refuse_tries_slowly_for_ever_and_returns_when_it_is_let_in():
    """1 000 hours: sessions, registrations and dials are counted."""
    world = TwoSlots()
    world.dps_takes()
    world.hub_takes(NOBODY)
    world.cloud.run_for(1_000 * HOUR)
    turns = 1_000 // 6 + 12
    assert world.pair.watch.states()["ladder"] in ("6 slow cadence", "choosing a slot")
    within_budget(world.registered())
    assert 300 <= len(world.registered()) <= 10 * 42
    assert 2 * turns // 3 <= world.dialled("b", world.began_ms) <= 2 * turns
    assert world.dialled("a", world.began_ms) <= 2 * turns
    assert set(world.pair.slots) == {"a", "b"} and world.pair.credential.chain
    assert world.pair.count(actions.WipeKey, world.began_ms) == 0
    world.cloud.hub.registry.get(DEVICE).primary_thumbprint = world.thumbprint("b")
    world.pair.run_until("online", SLOWEST)
    assert world.active == "b"


REPAIRS = {
    "the hub takes the former one": lambda w: setattr(
        w.cloud.hub.registry.get(DEVICE), "primary_thumbprint", w.thumbprint("a")),
    "DPS takes the newest one": lambda w: w.dps_takes("tenant-2"),
    "DPS takes the former one": lambda w: w.dps_takes("tenant-1"),
    "DPS takes the onboarding one": lambda w: w.dps_takes("maker"),
}  # fmt: skip
PROMPT = list(REPAIRS.values())[:2]


@pytest.mark.parametrize("hours", [2, 9, 25, 40, 43, 47, 100])
@pytest.mark.parametrize("repair", REPAIRS.values(), ids=REPAIRS)
def test_device_is_back_in_the_next_turn_of_the_slow_cadence(repair, hours):
    """What is asked of DPS with an older one, in the turn after or, in the first day, a later one:
    four turns a day with three registrations each would be more than ten."""
    world = TwoSlots()
    world.dps_takes()
    world.hub_takes(NOBODY)
    world.cloud.run_for(hours * HOUR)
    repair(world)
    within = SLOWEST if repair in PROMPT else (2 if hours > 24 else 3) * SLOWEST
    world.pair.run_until("online", within)
    within_budget(world.registered())


@pytest.mark.parametrize("boots_min", [7, 20, 61, 200])
def test_budget_holds_with_three_certificates_over_power_cuts(boots_min):
    world = TwoSlots()
    world.dps_takes()
    world.hub_takes(NOBODY)
    days = 1 if boots_min < 20 else 3
    for _ in range(days * 24 * 60 // boots_min):
        world.cloud.run_for(boots_min * MINUTE)
        world.pair.restart()
    within_budget(world.registered())
    if boots_min >= 20:  # before that patience is hardly over
        assert len(world.registered()) >= 10
    world.dps_takes("tenant-2")
    world.pair.run_until("online", DAY)


def test_key_that_a_breach_closed_is_shown_to_nobody_on_any_rung():
    """Even where its wiping was lost with the power."""
    world = TwoSlots()
    world.cloud.issuer_down = None
    world.cloud.run_for(2 * HOUR)
    leaked = copy.copy(world.pair.slots["b"])
    assert world.pair.ask("roll", reason="breach")["ok"]
    world.pair.run_until(lambda: world.active == "a", HOUR)
    world.cloud.run_for(MINUTE)
    world.pair.slots["b"] = leaked
    world.pair.restart()
    closed_ms = world.cloud.now_ms
    world.dps_takes()
    world.hub_takes(NOBODY)
    world.cloud.issuer_down = refused
    world.cloud.run_for(10 * DAY)
    assert world.dialled("b", closed_ms) == 0 == world.dialled("b", closed_ms, "dps")
    assert world.dialled("a", closed_ms) > 10


def test_former_certificate_serves_while_dps_is_away():
    """Whether DPS would refuse the newer one is not known: nothing is registered, but a session
    that the hub gives is taken."""
    world = TwoSlots()
    world.cloud.down(DPS)
    world.hub_takes(world.thumbprint("a"))
    world.cloud.run_for(1_000)
    world.pair.run_until("online", 2 * HOUR)
    assert world.active == "a" and world.registered() == []


@pytest.mark.parametrize("slot", ["a", "onboarding"])
@pytest.mark.parametrize("config", [
    {"dps": None, "hub": {"host": HUB}}, {"unauthorized": {"action": "retry_hub"}},
], ids=["no dps", "retry_hub"])  # fmt: skip
def test_device_that_may_not_ask_dps_shows_the_hub_all_that_it_has(config, slot):
    world = TwoSlots()
    world.configure(config)
    world.hub_takes(world.thumbprint(slot))
    world.cloud.run_for(1_000)
    world.pair.run_until("online", 40 * MINUTE)
    assert world.active == slot and world.registered() == []


def test_outage_on_rung_4_registers_the_newest_certificate_if_any():
    """The budget is spent, so DPS has not refused it in this turn; then the hub is away, and the
    look-up finds no registration."""
    world = TwoSlots()
    world.dps_takes("maker", "tenant-1", "tenant-2")
    world.cloud.faults.add("CONNACK", service="hub", count=None, code=5)
    world.cloud.hub.drop(DEVICE, "upgrade", world.cloud.now_ms)
    world.pair.run_until("4 other slot", HOUR)
    assert len(world.registered()) == 3
    world.cloud.down(HUB)
    world.cloud.dps.assignments.remove(DEVICE)
    world.cloud.run_for(2 * HOUR)
    assert len(world.registered()) == 4
    assert world.dialled("a", world.began_ms, "dps") == 0
    world.cloud.faults.clear()
    world.cloud.up(HUB)
    world.pair.run_until("online", 15 * MINUTE)
    assert world.active == "b"
