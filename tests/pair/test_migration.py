"""The hub's server root changes under a session that is at work, and changes back."""

import pytest

from anchorwatch.core import actions
from tests.pair import credentials
from tests.pair.cloud import DAY, HOUR, HUB, MINUTE, SECOND, End
from tests.pair.world import Load, call_later, change_later, online
from tests.timelines.replay import entry

pytestmark = pytest.mark.once

QUICK = {"reverify": {"interval_s": 10, "confirm_s": 1, "swap_every_s": 5}}
KINDS = {"certificate": credentials.x509_individual, "key": credentials.key_group}


@pytest.mark.parametrize("close_lag_ms", [0, 1, 700], ids=["first", "with", "after"])
@pytest.mark.parametrize("one_way_ms", [0, 1, 50])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_migration_and_revert_under_load_lose_nothing(kind, one_way_ms, close_lag_ms):
    """Whether the takeover's close comes before, with or after the CONNACK that caused it."""
    cloud, pair = online(kind, QUICK, one_way_ms=one_way_ms)
    pair.close_lag_ms = close_lag_ms
    cloud.fronts[HUB].present("baltimore")
    load = Load(cloud, pair, MINUTE)
    for at_ms, root in ((20_000, "g2"), (40_000, "baltimore")):
        cloud.at(cloud.now_ms + at_ms, lambda root=root: cloud.fronts[HUB].present(root))
    cloud.run_for(MINUTE + 1_000)
    assert pair.count(actions.Swap) == 3
    assert [r["reason"] for r in cloud.journal.of("connect refused")] == []
    load.check()
    assert pair.watch.connection.evidence.anchor == "baltimore"


def test_desired_change_while_the_session_moves_is_seen():
    for shift_ms in range(0, 400, 7):
        cloud, pair = online(one_way_ms=40)
        assert pair.ask("reverify", swap=True)["ok"]
        change_later(cloud, shift_ms)
        cloud.run_for(10_000)
        assert pair.count(actions.Swap) == 1
        assert pair.tells("desired")[-1]["version"] == 2, shift_ms


def test_method_called_at_any_moment_of_a_swap_is_answered():
    for shift_ms in range(0, 700, 9):
        cloud, pair = online(one_way_ms=40)
        pair.method_ms = 90
        answers = []
        pair.ask("reverify", swap=True)
        call_later(cloud, shift_ms, answers)
        cloud.run_for(MINUTE)
        assert answers == [{"status": 200, "payload": 1}], shift_ms


def test_root_that_the_device_lacks_is_told_over_the_session_that_still_works():
    cloud, pair = online(config=QUICK)
    cloud.fronts[HUB].present("unknown")
    load = Load(cloud, pair, 3 * MINUTE)
    pair.run_until(lambda: pair.tells("gap"), 5 * MINUTE)
    cloud.run_for(1_000)
    reported = cloud.hub.twin("dev-7").reported.properties["anchorwatch"]
    assert reported["gap"]["hub"]["presented"] == "CN=unknown"
    assert pair.state == "online" and pair.count(actions.Swap) == 0
    cloud.run_for(MINUTE)
    pair.ask("roots_add", entry=entry("unknown"), pem="PEM")
    pair.run_until(lambda: pair.count(actions.Swap), 10 * MINUTE)
    cloud.run_for(3 * MINUTE)
    assert pair.watch.connection.evidence.anchor == "unknown"
    reported = cloud.hub.twin("dev-7").reported.properties["anchorwatch"]
    assert "hub" not in (reported.get("gap") or {})
    assert reported["trust"]["hub"] == {"anchor": "unknown", "layer": "site"}
    load.check()
    assert pair.fault is None


@pytest.mark.parametrize("fault", ["CONNACK", "CLOSE_BEFORE_CONNACK", "SILENT_CONNECT"])
def test_connect_refused_on_the_second_link_leaves_the_first_publishing(fault):
    cloud, pair = online(config=QUICK)
    load = Load(cloud, pair, 2 * MINUTE)
    cloud.faults.add(fault, service="hub")
    pair.ask("reverify", swap=True)
    cloud.run_for(90_000)
    assert cloud.faults.waiting() == []
    assert pair.watch.device.counters["swap_refused"] == 1
    assert pair.watch.states()["ladder"] == "clear" and len(cloud.journal.of("register")) == 1
    cloud.run_for(MINUTE)
    load.check()


def test_day_with_four_front_ends_two_leaves_and_rotating_addresses_moves_nothing():
    cloud, pair = online()
    addresses = ["127.0.0.%d" % n for n in (2, 3, 4, 5)]
    front = cloud.fronts[HUB]
    front.ends = [End(a, "g2", "leaf-%d" % (n % 2)) for n, a in enumerate(addresses)]
    front.resolves = lambda n: addresses[n % 4 :] + addresses[: n % 4]
    cloud.run_for(DAY)
    assert front.dials >= 30
    assert pair.count(actions.Swap) == 0 and pair.state == "online"


def test_mixed_fleet_of_front_ends_for_six_hours_moves_twice_at_most(capsys):
    swaps = []
    for seed in range(8):
        cloud, pair = online(cloud_seed=seed)
        front = cloud.fronts[HUB]
        front.ends = [End("127.0.0.2", "baltimore"), End("127.0.0.3", "g2")]
        front.choose = lambda n, chance=cloud.random: chance.randrange(2)
        load = Load(cloud, pair, 6 * HOUR, telemetry_ms=60_000)
        cloud.run_for(6 * HOUR + 1_000)
        swaps.append(pair.count(actions.Swap))
        load.check()
    with capsys.disabled():
        print("\nmixed front ends, 6 h, swaps of 8 devices:", sorted(swaps))
    assert max(swaps) <= 2


def test_address_that_left_the_name_moves_the_session_after_three_looks():
    cloud, pair = online(config={"reverify": {"interval_s": 300}})
    cloud.fronts[HUB].ends = [End("127.0.0.9")]
    took_ms = pair.run_until(lambda: pair.count(actions.Swap), HOUR)
    assert took_ms >= 10 * MINUTE
    assert pair.watch.connection.evidence.address == "127.0.0.9"


def test_dps_that_moves_to_an_unknown_root_is_told_within_a_day():
    cloud, pair = online()
    cloud.fronts["dps.example"].present("unknown")
    took_ms = pair.run_until(lambda: pair.tells("gap"), DAY + MINUTE)
    cloud.run_for(1_000)
    assert took_ms <= DAY + MINUTE
    reported = cloud.hub.twin("dev-7").reported.properties["anchorwatch"]
    assert reported["gap"]["dps"]["presented"] == "CN=unknown"
    assert pair.state == "online"
    assert [g["endpoint"] for g in pair.status()["gap"]] == ["dps"]


def test_expired_chain_is_a_gap_once_the_clock_is_sure():
    cloud, pair = online(config=QUICK)
    cloud.run_for(1_000)
    cloud.fronts[HUB].ends = [End(not_after=cloud.utc_s(cloud.now_ms) - 100)]
    pair.run_until(lambda: pair.tells("gap"), 5 * MINUTE)
    assert pair.tells("gap")[0]["verdict"] == "expired" and pair.state == "online"


def test_move_to_another_hub_uses_its_own_name():
    cloud, pair = online()
    cloud.dps.enrollments.get("dev-7").hub = SECOND
    pair.ask("reprovision")
    pair.run_until(lambda: cloud.hub2.connected_devices(), 5 * MINUTE)
    assert [r["host"] for r in cloud.journal.of("connected") if r["service"] == "hub2"] == [SECOND]
