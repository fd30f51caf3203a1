"""Hubs that die for a while, and what a device spends in the meantime."""

from anchorwatch.core import actions
from tests.pair import credentials
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE, SECOND
from tests.pair.world import online


def dials(pair, since_ms):
    """When the hub was dialled for a session, from then on."""
    kept = [(t, a) for t, a in pair.performed if t >= since_ms and isinstance(a, actions.Dial)]
    return [t for t, a in kept if a.link == "live" and a.endpoint == "hub"]


def test_hub_down_for_an_hour_is_dialled_by_its_schedule_and_looked_up_once():
    cloud, pair = online()
    began_ms = cloud.now_ms
    cloud.down(HUB)
    cloud.run_for(HOUR)
    at_ms = dials(pair, began_ms)
    assert 15 <= len(at_ms) <= 30
    late = [t for t in at_ms if t > began_ms + 20 * MINUTE]
    assert all(299_000 <= b - a <= 301_000 for a, b in zip(late, late[1:])), late
    assert len(cloud.journal.of("lookup")) == 1 and len(cloud.journal.of("register")) == 1
    cloud.up(HUB)
    pair.run_until("online", 5 * MINUTE + 1_000)


def test_each_outage_is_looked_up_once():
    cloud, pair = online()
    for outage in (1, 2, 3):
        cloud.down(HUB)
        cloud.run_for(HOUR)
        assert len(cloud.journal.of("lookup")) == outage
        cloud.up(HUB)
        pair.run_until("online", 5 * MINUTE + 1_000)
        cloud.run_for(5 * MINUTE)


def test_look_up_that_names_another_hub_leads_there():
    cloud, pair = online()
    enrolled = cloud.dps.enrollments.get("dev-7")
    enrolled.hub = SECOND
    record = cloud.dps.assignments.get("dev-7")
    record.assigned_hub = SECOND
    cloud.down(HUB)
    pair.run_until(lambda: cloud.hub2.connected_devices(), HOUR)
    assert len(cloud.journal.of("register")) == 2


def test_look_up_of_a_removed_registration_leads_to_a_new_one():
    cloud, pair = online(credentials.key_group)
    cloud.dps.assignments.remove("dev-7")
    cloud.down(HUB)
    pair.run_until(lambda: len(cloud.journal.of("register")) == 2, HOUR)
    cloud.up(HUB)
    pair.run_until("online", 20 * MINUTE)


def test_look_up_with_a_bad_answer_changes_nothing():
    for fault, more in (("SERVER_ERROR", {"status": 500}), ("BUSY", {}), ("REFUSED", {})):
        cloud, pair = online()
        cloud.faults.add(fault, service="dps", at="lookup", **more)
        cloud.down(HUB)
        cloud.run_for(HOUR)
        assert len(cloud.journal.of("lookup")) == 1 and len(cloud.journal.of("register")) == 1
        cloud.up(HUB)
        pair.run_until("online", 11 * MINUTE)


def test_dps_down_alone_does_not_touch_a_session():
    cloud, pair = online()
    cloud.down(DPS)
    cloud.run_for(2 * DAY)
    assert pair.state == "online" and len(cloud.journal.of("connected")) == 2


def test_session_that_is_dropped_a_few_times_a_day_comes_back_in_seconds():
    cloud, pair = online()
    for _ in range(10):
        cloud.run_for(2 * HOUR)
        cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
        cloud.run_for(10)
        assert pair.run_until("online", MINUTE) <= 2_000


def test_restart_in_an_outage_does_not_begin_the_schedule_anew():
    cloud, pair = online(by_hand=False)
    cloud.down(HUB)
    cloud.run_for(HOUR)
    began_ms = cloud.now_ms
    for _ in range(10):
        pair.restart()
        cloud.run_for(MINUTE)
    assert len(dials(pair, began_ms)) <= 12


def test_telemetry_of_an_outage_arrives_once_the_hub_is_back():
    cloud, pair = online()
    cloud.every(10_000, cloud.now_ms + 20 * MINUTE, pair.send)
    cloud.run_for(MINUTE)
    cloud.down(HUB)
    cloud.run_for(10 * MINUTE)
    cloud.up(HUB)
    cloud.run_for(20 * MINUTE)
    arrived = {r["mid"] for r in cloud.journal.of("telemetry")}
    assert len(arrived) == pair.feeder.sent == 120 and not pair.feeder.waiting


def test_idle_week_is_quiet(capsys):
    cloud, pair = online()
    began_ms, saves = cloud.now_ms, len(pair.saves)
    cloud.run_for(7 * DAY)
    opened = pair.count(actions.Dial, began_ms)
    written = len(pair.saves) - saves
    names = sorted({name for _, name in pair.saves[saves:]})
    with capsys.disabled():
        print(f"\nidle week: {opened} dials, {written} saves of {names}")
    assert 7 * 32 <= opened <= 7 * 43  # a look every 36 to 45 min, a probe of DPS a day
    assert written <= 7 * 4
    assert pair.count(actions.Swap) == 0
    assert len(cloud.journal.of("connected")) == 2 and len(cloud.journal.of("register")) == 1


def test_status_names_the_fault_of_what_is_waited_for():
    cloud, pair = online()
    cloud.down(HUB)
    cloud.run_for(MINUTE)
    assert pair.fault["endpoint"] == "hub"
    cloud.dps.faults.add("BUSY", service="dps", retry_after_s=600)
    pair.ask("reprovision")
    cloud.run_for(MINUTE)
    assert (pair.fault["endpoint"], pair.fault["class"]) == ("dps", "throttled")
