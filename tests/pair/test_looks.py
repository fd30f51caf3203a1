"""The rows of design section 6 that stand nowhere else here: what a second handshake leads to.

Where the others are: the table at the top of tests/linux/test_reverify_end_to_end.py.
"""

from anchorwatch.core import actions
from tests.pair.bundles import MIRROR, TRUST, bundle
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE, End
from tests.pair.world import Load, online
from tests.timelines.replay import entry


def dialled(pair, endpoint="hub", since_ms=0):
    """When the second link dialled an endpoint."""
    made = [(t, a) for t, a in pair.performed if t >= since_ms and isinstance(a, actions.Dial)]
    return [t for t, a in made if (a.link, a.endpoint) == ("next", endpoint)]


def swapped(pair):
    return [t for t, a in pair.performed if isinstance(a, actions.Swap)]


def sessions(cloud):
    return [row for row in cloud.journal.of("connected") if row["service"] == "hub"]


def gap(cloud, endpoint):
    """What the twin says of an endpoint."""
    reported = cloud.hub.twin("dev-7").reported.properties["anchorwatch"]
    return (reported.get("gap") or {}).get(endpoint)


def test_changed_anchor_moves_the_session_after_two_looks_a_minute_apart():
    cloud, pair = online()
    cloud.fronts[HUB].present("baltimore")
    pair.run_until(lambda: swapped(pair), HOUR)
    first, second = dialled(pair)
    assert second - first >= MINUTE


def test_anchor_that_changes_every_quarter_of_an_hour_moves_the_session_once_in_half_an_hour():
    cloud, pair = online(config={"reverify": {"interval_s": 300}})
    roots = ["baltimore", "g2"]
    for number in range(24):
        at_ms = cloud.now_ms + number * 15 * MINUTE
        cloud.at(at_ms, lambda root=roots[number % 2]: cloud.fronts[HUB].present(root))
    cloud.run_for(6 * HOUR)
    at_ms = swapped(pair)
    assert len(at_ms) >= 2
    assert all(b - a >= 30 * MINUTE for a, b in zip(at_ms, at_ms[1:])), at_ms


def test_unknown_root_is_told_a_bundle_is_fetched_and_the_session_moves():
    cloud, pair = online(config=TRUST, rooted=("vendor",))
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    cloud.fronts[HUB].present("new")
    load = Load(cloud, pair, 6 * HOUR, telemetry_ms=10_000)
    pair.ask("reverify")
    pair.run_until(lambda: pair.tells("gap"), MINUTE)
    cloud.run_for(1_000)
    assert gap(cloud, "hub")["presented"] == "CN=new" and pair.state == "online"
    pair.run_until(lambda: swapped(pair), 3 * HOUR)
    cloud.run_for(6 * HOUR)
    assert pair.watch.connection.evidence.anchor == "new" and gap(cloud, "hub") is None
    assert len(sessions(cloud)) == 2
    load.check()


def test_server_without_a_common_suite_is_told_and_the_session_stays():
    cloud, pair = online()
    cloud.fronts[HUB].ends = [End(refuses=("policy", "no-common-suite"))]
    load = Load(cloud, pair, 3 * HOUR, telemetry_ms=10_000)
    pair.run_until(lambda: pair.tells("gap"), HOUR)
    began_ms = cloud.now_ms
    cloud.run_for(2 * HOUR)
    assert gap(cloud, "hub")["verdict"] == "no-common-suite" == pair.fault["verdict"]
    assert pair.count(actions.Fetch) == 0 and len(sessions(cloud)) == 1
    assert 3 <= len(dialled(pair, since_ms=began_ms)) <= 12, "by the schedule of its class"
    cloud.fronts[HUB].ends = [End()]
    pair.run_until(lambda: pair.fault is None, 2 * HOUR)
    cloud.run_for(HOUR)
    assert gap(cloud, "hub") is None and len(sessions(cloud)) == 1
    load.check()


def test_network_failure_of_the_look_is_no_alarm_before_the_third():
    cloud, pair = online()
    cloud.fronts[HUB].up = False
    pair.run_until(lambda: pair.fault, HOUR)
    assert len(dialled(pair)) == 3 and pair.fault["class"] == "network"
    assert pair.status()["gap"] == [] and pair.state == "online"
    cloud.fronts[HUB].up = True
    pair.run_until(lambda: pair.fault is None, 10 * MINUTE)
    assert len(sessions(cloud)) == 1


def test_two_network_failures_and_a_good_look_are_none():
    cloud, pair = online()
    for _ in range(5):
        before = len(dialled(pair))
        cloud.fronts[HUB].up = False
        pair.run_until(lambda before=before: len(dialled(pair)) == before + 2, HOUR)
        cloud.run_for(100)
        cloud.fronts[HUB].up = True
        pair.run_until(lambda before=before: len(dialled(pair)) == before + 3, HOUR)
        cloud.run_for(100)
    assert pair.tells("fault") == [] and pair.fault is None


def test_date_failure_without_a_sure_clock_seeks_the_time_and_no_bundle():
    cloud, pair = online(config=TRUST, rooted=("vendor",))
    cloud.https = False
    pair.restart()
    pair.run_until("online")
    fetches, asked = pair.count(actions.Fetch), pair.count(actions.AskTime)
    cloud.fronts[HUB].ends = [End(not_after=cloud.utc_s(cloud.now_ms) - 100)]
    pair.ask("reverify")
    pair.run_until(lambda: pair.fault, MINUTE)
    assert (pair.fault["class"], pair.fault["verdict"]) == ("clock", "expired")
    cloud.run_for(MINUTE)
    assert pair.count(actions.AskTime) > asked and pair.count(actions.Fetch) == fetches
    assert pair.status()["gap"] == [] and len(dialled(pair)) >= 2, "it is repeated"
    cloud.fronts[HUB].ends = [End()]
    pair.run_until(lambda: pair.fault is None, 20 * MINUTE)
    assert pair.state == "online" and pair.count(actions.Swap) == 0


def test_refusal_on_the_second_link_with_a_dead_first_one_climbs_the_ladder():
    cloud, pair = online()
    cloud.faults.add("CONNACK", service="hub", code=5)
    pair.links["live"].mute = True
    pair.ask("reverify", swap=True)
    pair.run_until(lambda: pair.watch.states()["ladder"] != "clear", MINUTE)
    assert pair.fault["class"] == "identity"
    assert pair.watch.device.counters.get("swap_refused", 0) == 0
    pair.run_until("online", 2 * MINUTE)
    assert len(cloud.journal.of("register")) == 1


def test_dps_is_probed_daily_and_at_once_when_trust_changes():
    cloud, pair = online()
    cloud.run_for(10 * DAY)
    found = dialled(pair, "dps")
    assert 9 <= len(found) <= 10
    assert all(abs(b - a - DAY) <= MINUTE for a, b in zip(found, found[1:])), found
    cloud.run_for(HOUR)
    began_ms = cloud.now_ms
    pair.ask("roots_add", entry=entry("unknown"), pem="PEM")
    cloud.run_for(MINUTE)
    assert len(dialled(pair, "dps", began_ms)) == 1 == len(dialled(pair, "hub", began_ms))


def test_dps_with_an_unknown_root_is_told_within_a_day_healed_and_there_when_it_is_needed():
    cloud, pair = online(config=TRUST, rooted=("vendor",))
    cloud.fronts[DPS].present("new")
    pair.run_until(lambda: gap(cloud, "dps"), DAY + MINUTE)
    assert gap(cloud, "dps")["presented"] == "CN=new" and gap(cloud, "hub") is None
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    pair.run_until(lambda: gap(cloud, "dps") is None, 2 * DAY)
    assert len(sessions(cloud)) == 1 and len(cloud.journal.of("register")) == 1
    cloud.faults.add("CONNACK", service="hub", code=5, count=None)
    cloud.hub.drop("dev-7", "refused from now on", cloud.now_ms)
    pair.run_until(lambda: len(cloud.journal.of("register")) == 2, 2 * HOUR)
    cloud.faults.clear()
    pair.run_until("online", HOUR)
    assert pair.status()["endpoints"]["dps"]["anchor"] == "new"
