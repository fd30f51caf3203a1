"""A hub that says no: with good credentials, with old ones, with two devices on one id."""

import pytest

from anchorwatch.core import actions
from tests.pair import credentials
from tests.pair.cloud import DAY, HOUR, HUB, MINUTE
from tests.pair.pair import Pair
from tests.pair.world import SNTP, device, online

KINDS = {"certificate": credentials.x509_individual, "key": credentials.key_group}


def connects(cloud, since_ms=0):
    """Sessions with the hub that began since then."""
    rows = cloud.journal.of("connected") + cloud.journal.of("connect refused")
    return len([r for r in rows if r["service"] == "hub" and r["t_ms"] >= since_ms])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_three_minutes_of_refusals_with_good_credentials_send_nobody_to_dps(kind, seed):
    cloud, pair = online(kind, cloud_seed=seed)
    cloud.faults.add("CONNACK", service="hub", count=None, code=5)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    cloud.run_for(3 * MINUTE)
    assert pair.watch.states()["ladder"] == "1 patience"
    cloud.faults.clear()
    pair.run_until("online", 10 * MINUTE)
    assert len(cloud.journal.of("register")) == 1
    assert pair.watch.states()["ladder"] == "clear"


@pytest.mark.parametrize("code", [2, 4, 5])
def test_refused_identity_climbs_the_ladder_and_registers(code):
    cloud, pair = online()
    cloud.faults.add("CONNACK", service="hub", count=None, code=code)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    began_ms = cloud.now_ms
    pair.run_until("3 dps", HOUR)
    assert cloud.now_ms - began_ms >= 10 * MINUTE
    assert pair.fault["class"] == "identity"
    pair.run_until(lambda: len(cloud.journal.of("assigned")) == 2, 10 * MINUTE)
    cloud.faults.clear()
    pair.run_until("online", 5 * MINUTE)
    assert len(cloud.journal.of("register")) == 2


def test_refusals_for_two_days_keep_within_the_budget_of_registrations():
    cloud, pair = online()
    cloud.faults.add("CONNACK", service="hub", count=None, code=5)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    began_ms = cloud.now_ms
    cloud.run_for(2 * DAY)
    asked = [r["t_ms"] - began_ms for r in cloud.journal.of("register")][1:]
    for at_ms in asked:
        assert len([t for t in asked if at_ms <= t < at_ms + HOUR]) <= 3
        assert len([t for t in asked if at_ms <= t < at_ms + DAY]) <= 10
    assert len(asked) >= 4
    assert connects(cloud, began_ms) <= 2 * 10 * 12
    cloud.faults.clear()
    pair.run_until("online", 7 * HOUR)


def test_budget_of_registrations_survives_restarts():
    cloud, pair = online()
    cloud.faults.add("CONNACK", service="hub", count=None, code=5)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    for _ in range(12):
        cloud.run_for(HOUR)
        pair.restart()
    assert len(cloud.journal.of("register")) <= 11


def test_server_unavailable_at_the_hub_is_no_word_about_the_identity():
    cloud, pair = online()
    cloud.faults.add("CONNACK", service="hub", count=8, code=3)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until(lambda: pair.fault and pair.fault["class"] == "service")
    assert pair.watch.states()["ladder"] == "clear"
    pair.run_until("online", HOUR)
    assert len(cloud.journal.of("register")) == 1


def test_rolled_certificate_is_retried_once_then_registered_and_back():
    cloud, pair = online()
    new = credentials.certificate()
    cloud.dps.enrollments.get("dev-7").primary = new.chain[0]
    before = cloud.hub.registry.get("dev-7").primary_thumbprint
    pair.install(new)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    took_ms = pair.run_until(lambda: cloud.hub.registry.get("dev-7").primary_thumbprint != before,
                             5 * MINUTE)  # fmt: skip
    pair.run_until("online", MINUTE)
    assert len(cloud.journal.of("connect refused")) in (1, 2)
    assert len(cloud.journal.of("register")) == 2
    assert took_ms <= 2 * MINUTE
    assert pair.watch.states()["ladder"] == "clear"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_hub_that_closes_right_after_connack_is_contended_and_sends_nobody_to_dps(kind):
    """The moves of an hourly token are no new sessions: contention ends in spite of them."""
    cloud, pair = online(kind)
    cloud.faults.add("CLOSE_AFTER_CONNACK", service="hub", count=None)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    began_ms = cloud.now_ms
    pair.send(7)
    pair.run_until(lambda: pair.fault and pair.fault["class"] == "contended", 10 * MINUTE)
    assert "another client uses this device id" in pair.fault["remedy"]
    cloud.run_for(6 * HOUR)
    assert connects(cloud, began_ms + HOUR) <= 10
    assert len(cloud.journal.of("register")) == 1
    cloud.faults.clear()
    pair.run_until("online", 2 * HOUR)
    cloud.run_for(1_000)
    assert not pair.feeder.waiting
    cloud.run_for(3 * HOUR)
    assert pair.fault is None


def test_hub_that_closes_before_connack_is_throttled():
    cloud, pair = online()
    cloud.faults.add("CLOSE_BEFORE_CONNACK", service="hub", count=6)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until(lambda: pair.fault and pair.fault["class"] == "throttled", 10 * MINUTE)
    pair.run_until("online", 4 * HOUR)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_two_devices_on_one_id_back_off_and_say_so(kind, seed):
    """A cloned image, state included."""
    cloud, first = online(kind, cloud_seed=seed)
    second = Pair(cloud, first.credential, SNTP, saved=first.saved)
    cloud.run_for(10 * MINUTE)
    began = {p: p.count(actions.Connect, link="live") for p in (first, second)}
    told = [0, 0]
    for _ in range(6):
        cloud.run_for(HOUR)
        for n, pair in enumerate((first, second)):
            told[n] += pair.fault is not None and pair.fault["class"] == "contended"
            made = pair.count(actions.Connect, link="live")
            assert made - began[pair] < 12
            began[pair] = made
    assert len(cloud.journal.of("register")) == 1
    seen = [f for p in (first, second) for f in p.tells("fault") if f["class"] == "contended"]
    assert seen and "cloned" in seen[-1]["remedy"]


def test_device_disabled_while_connected_comes_back_when_enabled():
    cloud, pair = online()
    cloud.hub.set_enabled("dev-7", False, cloud.now_ms)
    cloud.run_for(2 * HOUR)
    assert pair.state != "online"
    cloud.hub.set_enabled("dev-7", True, cloud.now_ms)
    pair.run_until("online", 7 * HOUR)


def test_without_dps_the_refused_device_retries_its_hub_for_ever():
    cloud, pair = device(config={"dps": None, "hub": {"host": HUB}})
    cloud.run_for(2 * DAY)
    assert pair.watch.states()["ladder"] == "6 slow cadence"
    assert cloud.journal.of("register") == []
    assert 8 <= connects(cloud) <= 40
