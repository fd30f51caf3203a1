"""A device and DPS: registration in every kind of credential, and everything that goes wrong."""

import pytest

from anchorwatch.core import actions
from tests.pair import credentials
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE, SECOND, Front
from tests.pair.world import device, online

KINDS = {
    "an individual certificate": credentials.x509_individual,
    "a certificate of a group": credentials.x509_group,
    "an individual key": credentials.key_individual,
    "a key of a group": credentials.key_group,
}
ROGUE = "hub.rogue.example"
TO_ROGUE = (
    '{"status":"assigned","registrationState":{"assignedHub":"%s","deviceId":"dev-7"}}' % ROGUE
)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_first_boot_through_dps_ends_online(kind):
    cloud, pair = device(kind)
    pair.run_until("online")
    assert [r["status"] for r in cloud.journal.of("register")] == [202]
    assert cloud.hub.connected_devices() == ["dev-7"]
    assert pair.saved["assignment"]["hub"] == HUB
    pair.send(30)
    cloud.run_for(1_000)
    assert len({r["mid"] for r in cloud.journal.of("telemetry")}) == 30
    assert not pair.feeder.waiting and pair.fault is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_restart_keeps_the_assignment_and_asks_no_dps(kind):
    cloud, pair = online(kind)
    rows = len(cloud.journal.since())
    pair.restart()
    pair.run_until("online")
    assert [r for r in cloud.journal.since(rows) if r["service"] == "dps"] == []


def test_assignment_is_on_the_disk_before_the_hub_is_dialled():
    cloud, pair = online()
    dialled = [t for t, a in pair.performed if isinstance(a, actions.Dial) and a.host == HUB]
    saved = [t for t, name in pair.saves if name == "assignment"]
    assert saved[0] <= dialled[0]


def test_throttled_registration_waits_as_told():
    cloud, pair = device()
    cloud.faults.add("BUSY", service="dps", at="register", count=2, retry_after_s=7)
    pair.run_until("online", 10 * MINUTE)
    asked = [r["t_ms"] for r in cloud.journal.of("register")]
    assert len(asked) == 3
    waits = [b - a for a, b in zip(asked, asked[1:])]
    assert all(7_000 <= w <= 7_000 + 60_000 + 1_000 for w in waits), waits


def test_dps_that_is_throttled_for_an_hour_is_never_asked_sooner_than_it_said():
    cloud, pair = device()
    cloud.faults.add("BUSY", service="dps", at="register", count=None, retry_after_s=120)
    cloud.run_for(HOUR)
    asked = [r["t_ms"] for r in cloud.journal.of("register")]
    assert all(b - a >= 120_000 for a, b in zip(asked, asked[1:]))
    assert 2 <= len(asked) <= 16
    assert pair.fault["class"] == "throttled"


def test_assigning_is_polled_at_the_pace_that_dps_names():
    cloud, pair = device()
    cloud.dps.polls = 5
    pair.run_until("online")
    asked = cloud.journal.of("register") + cloud.journal.of("poll")
    at_ms = [r["t_ms"] for r in asked]
    assert [r["status"] for r in asked] == [202] * 5 + [200]
    assert all(3_000 <= b - a < 4_000 for a, b in zip(at_ms, at_ms[1:]))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_of_dps_is_of_class_service_and_passes(status):
    cloud, pair = device()
    cloud.faults.add("SERVER_ERROR", service="dps", at="register", count=3, status=status)
    pair.run_until(lambda: pair.fault is not None)
    assert pair.fault["class"] == "service" and str(status) in pair.fault["verdict"]
    pair.run_until("online", 10 * MINUTE)
    assert len(cloud.journal.of("register")) == 4


def test_disabled_enrollment_goes_to_the_slow_cadence_and_comes_back_once_enabled():
    cloud, pair = device()
    enrolled = cloud.dps.enrollments.get("dev-7")
    enrolled.enabled = False
    pair.run_until("6 slow cadence")
    assert pair.fault["class"] == "identity" and pair.fault["remedy"]
    cloud.run_for(DAY)
    asked = [r["t_ms"] for r in cloud.journal.of("register")]
    assert 4 <= len(asked) <= 10, asked
    enrolled.enabled = True
    pair.run_until("online", 7 * HOUR)
    assert pair.watch.states()["ladder"] == "clear"


MALFORMED = {
    "half a document": "{",
    "a list": "[]",
    "assigned to nobody": '{"status":"assigned"}',
    "assigned without a device": '{"status":"assigned","registrationState":{"assignedHub":"a.b"}}',
    "a hub that is a number": '{"status":"assigned","registrationState":{"assignedHub":7}}',
    "a status nobody knows": '{"status":"married"}',
    "assigning without an operation": '{"status":"assigning"}',
    "nothing": "",
    "not UTF-8 in JSON": '"\\ud800"',
    "deep": "[" * 3_000,
}


@pytest.mark.parametrize("at", ["register", "poll"])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_reply_of_dps_loses_nothing(body, at):
    cloud, pair = device()
    pair.send(5)
    cloud.faults.add("MALFORMED_DPS_REPLY", service="dps", at=at, body=body)
    pair.run_until(lambda: pair.fault is not None)
    assert pair.fault["class"] == "service" and pair.fault["remedy"]
    assert "assignment" not in pair.saved
    pair.run_until("online", 2 * MINUTE)
    cloud.run_for(1_000)
    assert len(cloud.journal.of("telemetry")) == 5


@pytest.mark.parametrize("fault", ["CLOSE_BEFORE_CONNACK", "SILENT_CONNECT", "NO_SUBACK",
                                   "NO_REPLY", "CLOSE_AFTER_CONNACK", "DROP_SESSION"])  # fmt: skip
def test_dps_that_falls_silent_or_closes_is_asked_again(fault):
    cloud, pair = device()
    cloud.faults.add(fault, service="dps", count=2)
    pair.run_until("online", 10 * MINUTE)
    assert cloud.faults.waiting() == []


def test_assigned_hub_outside_the_allowed_suffixes_is_never_dialled():
    cloud, pair = device()
    cloud.fronts[ROGUE] = Front(cloud.hub2)
    cloud.faults.add("ASSIGNED_ELSEWHERE", service="dps", count=None, host=ROGUE)
    pair.run_until(lambda: pair.fault is not None)
    assert pair.fault["class"] == "policy" and pair.fault["value"] == ROGUE
    cloud.run_for(HOUR)
    assert cloud.fronts[ROGUE].dials == 0
    assert "assignment" not in pair.saved
    cloud.faults.clear()
    pair.run_until("online", 2 * HOUR)


def test_rogue_assignment_leaves_a_session_and_its_assignment_alone():
    cloud, pair = online()
    cloud.faults.add("MALFORMED_DPS_REPLY", service="dps", at="register", body=TO_ROGUE)
    assert pair.ask("reprovision")["ok"]
    cloud.run_for(MINUTE)
    assert pair.state == "online" and pair.saved["assignment"]["hub"] == HUB
    assert len(cloud.journal.of("connected", "dev-7")) == 3  # DPS, hub, DPS
    assert pair.fault["class"] == "policy"


def test_hub_moves_and_the_device_follows_after_the_ladder():
    cloud, pair = online()
    cloud.dps.enrollments.get("dev-7").hub = SECOND
    cloud.hub.delete_device("dev-7", cloud.now_ms)
    pair.send(3)
    pair.run_until(lambda: cloud.hub2.connected_devices(), 30 * MINUTE)
    cloud.run_for(1_000)
    assert pair.saved["assignment"]["hub"] == SECOND
    assert len({r["mid"] for r in cloud.journal.of("telemetry") if r["service"] == "hub2"}) == 3


def test_reprovision_on_command_moves_without_a_gap():
    cloud, pair = online()
    cloud.dps.enrollments.get("dev-7").hub = SECOND
    cloud.every(100, cloud.now_ms + MINUTE, pair.send)
    assert pair.ask("reprovision")["ok"]
    pair.run_until(lambda: cloud.hub2.connected_devices(), 5 * MINUTE)
    cloud.run_for(MINUTE)
    assert pair.state == "online" and pair.saved["assignment"]["hub"] == SECOND
    mids = [r["mid"] for r in cloud.journal.of("telemetry")]
    assert len(set(mids)) == pair.feeder.sent and not pair.feeder.waiting
    assert cloud.hub.connected_devices() == []


def test_reprovision_on_command_registers_without_a_session_too():
    cloud, pair = online()
    cloud.dps.enrollments.get("dev-7").hub = SECOND
    cloud.down(HUB)
    pair.run_until("waiting for hub")
    assert pair.ask("reprovision")["ok"]
    pair.run_until(lambda: cloud.hub2.connected_devices(), 5 * MINUTE)


def test_reprovision_to_the_same_hub_leaves_the_device_online():
    cloud, pair = online()
    assert pair.ask("reprovision")["ok"]
    cloud.run_for(5 * MINUTE)
    assert pair.state == "online" and len(cloud.journal.of("assigned")) == 2
    assert cloud.hub.connected_devices() == ["dev-7"]


def test_disk_full_at_the_assignment_does_not_keep_the_device_offline():
    cloud, pair = device()
    pair.disk = lambda name: "full"
    pair.run_until("online")
    assert [w for w in pair.tells("warning") if "full" in w["what"]]
    assert "assignment" not in pair.saved
    pair.disk = lambda name: None
    pair.restart()
    pair.run_until("online")
    assert len(cloud.journal.of("register")) == 2


def test_dps_and_hub_both_down_are_tried_within_their_schedules():
    cloud, pair = online()
    cloud.down(HUB)
    cloud.down(DPS)
    began_ms = cloud.now_ms
    cloud.run_for(2 * HOUR)
    assert len(cloud.journal.of("register")) == 1
    assert 20 <= pair.count(actions.Dial, began_ms) <= 60
    assert pair.count(actions.LookUp) <= 1
    cloud.up(DPS)
    cloud.up(HUB)
    pair.run_until("online", 5 * MINUTE + 1_000)
