"""A roll and the clock: times that are unknown, wrong by years, put right; months without power.

Rule: the services' clock is right; what the device is told of it is the story.
"""

import pytest

from anchorwatch.core import actions, events
from anchorwatch.core.watch import Watch
from hil.cloud.enrollment import CA, GROUP, X509, Enrollment
from tests.pair import credentials
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE, Cloud
from tests.pair.ladder import World, within_budget
from tests.pair.pair import Pair
from tests.pair.world import SNTP

pytestmark = pytest.mark.once

YEARS_S = 2 * 365 * 86_400
YEARS = 1000 * YEARS_S
TO_EST = {"identity": {"issuer": "est", "first": "at_once"}, "est": {"host": "est.example"}}


def made(issuer: str = "est", cloud: Cloud | None = None) -> tuple[Cloud, Pair]:
    """A device with its maker's certificate and an issued one of 90 days."""
    cloud, pair = new(issuer, cloud)
    pair.run_until(lambda: active(pair) == "a", 3 * HOUR)
    cloud.run_for(2 * HOUR)
    return cloud, pair


def new(issuer: str = "est", cloud: Cloud | None = None) -> tuple[Cloud, Pair]:
    """The same before its first dial, with its maker's certificate of 29 years alone."""
    cloud = cloud or Cloud(1)
    maker = credentials.Issuer("Maker CA", ca=True)
    mine = credentials.Credential([credentials.Issuer("dev-7", maker).der, maker.der])
    policy = {"policy": "default", "operational": True} if issuer in ("dps", "hub") else {}
    cloud.dps.enrollments.put(
        Enrollment("maker", GROUP, X509, maker.der, hub=HUB, hub_auth=CA, **policy))  # fmt: skip
    cloud.hub.registry.authorities["maker"] = maker.der
    for service in (cloud.hub, cloud.dps):
        cloud.issuers.register_tenant(service.certificates, "tenant-1", cloud.now_ms)
    cloud.dps.enrollments.put(
        Enrollment("tenant", GROUP, X509, primary_ca="tenant-1", hub=HUB, hub_auth=CA))  # fmt: skip
    config = {"identity": {"issuer": issuer, "first": "at_once"}}
    config["est"] = {"host": "est.example"} if issuer == "est" else {}
    if issuer == "command":
        config["identity"]["command"] = ["/issue"]
    if issuer == "files":
        config["identity"]["drop_dir"] = "/drop"
    return cloud, Pair(cloud, mine, {**SNTP, **config, "reverify": {"interval_s": 86_400}})


def active(pair: Pair) -> str:
    return pair.watch.device.slots.kept["active"]


def issued(cloud: Cloud) -> int:
    return len(cloud.journal.of("issued"))


def clockless(cloud: Cloud) -> None:
    """Nobody tells the time."""
    cloud.https, cloud.sntp_offset_s = False, None


def off(pair: Pair) -> None:
    """Without power, until `restart`."""
    for link in list(pair.links.values()):
        link.at_device = False
        link.broken("network")
    pair.links, pair.leaving = {}, None
    pair.watch = Watch(pair.config, pair.cloud.random.randrange)


def test_device_without_a_clock_does_not_renew_and_does_when_it_learns_the_time():
    cloud, pair = made()
    before = issued(cloud)
    off(pair)
    cloud.run_for(60 * DAY)
    clockless(cloud)
    pair.restart()
    cloud.run_for(14 * DAY)  # four fifths of its life are over, which nobody knows
    assert pair.watch.clock.standing == "none" and issued(cloud) == before
    assert pair.state == "online" and active(pair) == "a"
    pair.hear(events.ClockSet(cloud.utc_s(cloud.now_ms), "date"))
    pair.run_until(lambda: active(pair) == "b", 10 * MINUTE)


def test_clock_that_is_put_forward_by_two_years_is_judged_at_once():
    cloud = Cloud(1)
    cloud.run_for(YEARS)
    cloud.sntp_offset_s, cloud.https = -YEARS_S, False
    cloud, pair = made(cloud=cloud)
    was = active(pair)
    off(pair)
    cloud.run_for(85 * DAY)
    pair.restart()
    cloud.run_for(3 * HOUR)
    assert pair.watch.clock.standing == "plausible" and active(pair) == was
    pair.hear(events.ClockSet(cloud.utc_s(cloud.now_ms), "date"))
    pair.run_until(lambda: active(pair) != was, 10 * MINUTE)


@pytest.mark.parametrize("right", ["date", "sntp"])
def test_clock_two_years_ahead_ends_no_session_and_no_certificate(right):
    """What the unproven time says is asked for, at the issuer's pace, and never used."""
    cloud, pair = made()
    was, before = active(pair), issued(cloud)
    off(pair)
    cloud.sntp_offset_s, cloud.https = YEARS_S, False
    pair.restart()
    cloud.run_for(3 * DAY)
    assert pair.state == "online" and active(pair) == was
    assert issued(cloud) - before <= 3 * 24
    cloud.sntp_offset_s, cloud.https = 0, True
    pair.hear(events.ClockSet(cloud.utc_s(cloud.now_ms), right))
    stepped = issued(cloud)
    cloud.run_for(40 * DAY)
    assert pair.state == "online" and issued(cloud) - stepped <= 1
    newest = pair.watch.device.credential["not_after"] - cloud.utc_s(cloud.now_ms)
    assert newest > 30 * 86_400
    cloud.run_for(60 * DAY)
    assert pair.state == "online" and issued(cloud) - stepped <= 3


def test_budget_spent_with_a_clock_two_years_ahead_locks_nobody_out():
    """Turns of a wrong date count from the start that found them."""
    world = World("group", "ca")
    world.cloud.sntp_offset_s, world.cloud.https = YEARS_S, False
    world.pair.restart()
    world.cloud.run_for(MINUTE)
    world.refuse()
    world.cloud.run_for(DAY)
    world.cloud.sntp_offset_s, world.cloud.https = 0, True
    world.pair.restart()
    world.cloud.run_for(2 * DAY)
    asked = world.registered()
    within_budget(asked)
    assert len([t for t in asked if t > world.began_ms + DAY]) >= 8


@pytest.mark.parametrize("step_s", [YEARS_S, -YEARS_S], ids=["forward", "back"])
def test_budget_holds_while_the_clock_steps_by_two_years_every_hour(step_s):
    world = World("group", "ca")
    clockless(world.cloud)
    world.pair.restart()
    world.refuse()
    ahead_s = YEARS_S if step_s < 0 else 0
    for n in range(48):
        told_s = world.cloud.utc_s(world.cloud.now_ms) + (ahead_s + step_s if n % 2 else ahead_s)
        world.pair.hear(events.ClockSet(told_s, "sntp"))
        world.cloud.run_for(HOUR)
    within_budget(world.registered())
    assert len(world.registered()) >= 10


PUT_OFF = {
    "later": lambda slot: events.IssueLater(slot, 0, "approval"),
    "away": lambda slot: events.IssueRefused(slot, "network", "away", "", [], [], 0),
    "refused": lambda slot: events.IssueRefused(slot, "identity", "est-401", "no", [], [], 0),
}


@pytest.mark.parametrize("known", [True, False], ids=["the time known", "no time"])
@pytest.mark.parametrize("answer", PUT_OFF.values(), ids=PUT_OFF)
@pytest.mark.parametrize("boots_min", [20])
def test_issuer_is_asked_once_an_hour_at_most_over_restarts(answer, known, boots_min):
    cloud, pair = made()
    if not known:
        clockless(cloud)
        pair.restart()
    cloud.issuer_down = answer
    cloud.run_for(2 * HOUR)
    began_ms = cloud.now_ms
    assert pair.ask("roll")["ok"]
    for _ in range(24 * 60 // boots_min):
        cloud.run_for(boots_min * MINUTE)
        pair.restart()
    asked = [t for t, a in pair.performed if t >= began_ms and isinstance(a, actions.Enroll)]
    assert 1 <= len(asked) <= 25
    cloud.issuer_down = None
    was = active(pair)
    pair.run_until(lambda: active(pair) != was, 5 * DAY)
    assert pair.state == "online"


def test_issuer_that_was_asked_when_no_time_was_known_is_not_asked_again_once_it_is():
    cloud, pair = made()
    clockless(cloud)
    pair.restart()
    cloud.run_for(2 * HOUR)
    cloud.issuer_down = PUT_OFF["later"]
    began_ms = cloud.now_ms
    assert pair.ask("roll")["ok"]
    cloud.run_for(MINUTE)
    pair.restart()
    cloud.run_for(MINUTE)
    pair.hear(events.ClockSet(cloud.utc_s(cloud.now_ms), "date"))
    cloud.run_for(50 * MINUTE)
    assert pair.count(actions.Enroll, began_ms) == 1
    cloud.run_for(HOUR)
    assert pair.count(actions.Enroll, began_ms) == 2


def test_first_credential_of_decades_that_an_issuer_refused_is_shown_again_tomorrow():
    """Four percent of its life would be a year."""
    cloud, pair = new()
    cloud.issuer_down = PUT_OFF["refused"]
    cloud.run_for(10 * DAY)
    assert 9 <= pair.count(actions.Enroll) <= 11 and pair.state == "online"
    cloud.issuer_down = None
    pair.run_until(lambda: active(pair) == "a", DAY + HOUR)


@pytest.mark.parametrize("issuer", ["est", "dps", "hub", "command", "files"])
def test_device_that_was_without_power_for_months_comes_back_by_its_first_credential(issuer):
    """The issued certificate has expired: hub and DPS refuse it; then each issuer gives another."""
    cloud, pair = made(issuer)
    off(pair)
    cloud.run_for(200 * DAY)
    if issuer == "files":  # somebody has to bring it
        cloud.issuer_down = lambda slot: events.IssueLater(slot, 0, "waiting for the chain")
        cloud.at(cloud.now_ms + 2 * DAY, lambda: setattr(cloud, "issuer_down", None))
    began_ms = cloud.now_ms
    pair.restart()
    pair.run_until("online", HOUR)
    assert active(pair) != "a"
    pair.run_until(lambda: active(pair) in ("a", "b"), 6 * DAY if issuer == "files" else 3 * HOUR)
    cloud.run_for(MINUTE)
    assert pair.state == "online"
    assert pair.watch.device.credential["not_after"] > cloud.utc_s(cloud.now_ms)
    registered = [r["t_ms"] for r in cloud.journal.of("register") if r["t_ms"] > began_ms]
    within_budget(registered)


@pytest.mark.parametrize("issuer", ["est", "command"])
def test_issuer_that_takes_the_first_credential_renews_even_where_no_session_is_given(issuer):
    """Months later neither hub nor DPS take the maker's certificate; the issuer does."""
    cloud, pair = made(issuer)
    off(pair)
    cloud.run_for(200 * DAY)
    cloud.hub.registry.authorities.pop("maker")
    cloud.dps.enrollments.remove("maker")
    pair.restart()
    pair.run_until(lambda: active(pair) == "b", 2 * DAY)
    cloud.run_for(MINUTE)
    assert pair.state == "online"


def test_device_with_nothing_valid_left_says_so_and_waits_for_its_operator():
    cloud, pair = made()
    off(pair)
    cloud.run_for(200 * DAY)
    cloud.hub.registry.authorities.pop("maker")
    cloud.dps.enrollments.remove("maker")
    cloud.issuer_down = PUT_OFF["refused"]
    pair.restart()
    cloud.run_for(10 * DAY)
    assert pair.watch.states()["ladder"] == "6 slow cadence"
    assert "expired" in " ".join(w["what"] for w in pair.status()["warnings"])
    assert pair.watch.clock.standing == "authenticated"  # so nobody wonders whether it has
    assert pair.count(actions.WipeKey, cloud.now_ms - 10 * DAY) == 0
    cloud.issuer_down = None
    pair.run_until("online", 5 * DAY)


def test_dps_outage_over_the_end_of_a_certificate_is_survived():
    cloud, pair = made()
    off(pair)
    cloud.run_for(100 * DAY)
    cloud.down(DPS)
    pair.restart()
    pair.run_until("online", DAY)
    assert pair.watch.device.credential["not_after"] > cloud.utc_s(cloud.now_ms)
