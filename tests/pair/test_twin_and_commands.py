"""The twin across lost pushes, reconnects and nonsense; C2D and methods; commands of the cloud."""

import json

import pytest

from anchorwatch.core import actions
from tests.pair.cloud import HOUR, HUB, MINUTE
from tests.pair.world import change_later, device, online


def desired(pair):
    """Versions that the application saw, in order."""
    return [about["version"] for about in pair.tells("desired")]


def call(cloud, pair, name, body=b"{}"):
    """The answer of a direct method."""
    answers = []
    cloud.hub.invoke_method("dev-7", name, body, cloud.now_ms, done=answers.append)
    pair.run_until(lambda: answers, 40_000)
    return answers[0]


def test_version_gap_across_a_reconnect_is_closed():
    cloud, pair = online()
    cloud.down(HUB)
    for n in range(3):
        cloud.hub.patch_desired("dev-7", {"n": n}, cloud.now_ms)
    cloud.up(HUB)
    pair.run_until("online")
    cloud.run_for(1_000)
    assert desired(pair)[-1] == 4 and pair.tells("desired")[-1]["desired"]["n"] == 2


def test_lost_push_is_noticed_by_the_next_one():
    cloud, pair = online()
    cloud.faults.add("DESIRED_LOST", service="hub")
    cloud.hub.patch_desired("dev-7", {"a": 1}, cloud.now_ms)
    cloud.run_for(1_000)
    cloud.hub.patch_desired("dev-7", {"b": 2}, cloud.now_ms)
    cloud.run_for(1_000)
    assert desired(pair) == [1, 3]
    assert pair.tells("desired")[-1]["desired"] == {"a": 1, "b": 2}


def test_push_during_the_answer_is_not_lost():
    for shift_ms in range(0, 60, 3):
        cloud, pair = online(one_way_ms=20)
        cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
        pair.run_until("offline")
        pair.run_until("online")
        change_later(cloud, shift_ms)
        cloud.run_for(5_000)
        assert desired(pair)[-1] == 2, shift_ms


MALFORMED = {
    "half a document": "{",
    "a list": "[]",
    "no desired": '{"reported":{"$version":1}}',
    "no version": '{"desired":{},"reported":{"$version":1}}',
    "a version that is text": '{"desired":{"$version":"2"},"reported":{"$version":1}}',
    "null": "null",
    "deep": "[" * 3_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_twin_is_asked_for_again_and_ends_no_session(body):
    cloud, pair = online()
    cloud.faults.add("MALFORMED_TWIN_REPLY", service="hub", body=body)
    cloud.hub.patch_desired("dev-7", {"a": 1}, cloud.now_ms)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until("offline")
    pair.run_until("online")
    cloud.run_for(3 * MINUTE)
    assert cloud.faults.waiting() == []
    assert desired(pair)[-1] == 2 and pair.state == "online"
    assert len([r for r in cloud.journal.of("connected") if r["service"] == "hub"]) == 2


@pytest.mark.parametrize("fault", ["BUSY", "SERVER_ERROR", "NO_REPLY"])
def test_twin_that_is_not_answered_is_asked_for_again_at_a_calm_pace(fault):
    cloud, pair = online()
    cloud.faults.add(fault, service="hub", count=None)
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    cloud.run_for(HOUR)
    assert pair.state == "online"
    asked = [r for r in cloud.journal.of("fault") if r["at"] == "twin"]
    assert 20 <= len(asked) <= 61
    cloud.faults.clear()
    cloud.run_for(2 * MINUTE)
    assert pair.watch.states()["twin"] == "ready"


def test_reverify_interval_is_set_by_the_cloud_clamped_and_acknowledged():
    cloud, pair = online()
    change = {"anchorwatch": {"reverifyIntervalS": 5}}
    cloud.hub.patch_desired("dev-7", change, cloud.now_ms)
    cloud.run_for(1_000)
    reported = cloud.hub.twin("dev-7").reported.properties["anchorwatch"]
    acknowledged = reported["reverifyIntervalS"]
    assert (acknowledged["value"], acknowledged["ac"], acknowledged["av"]) == (900, 200, 2)
    before = pair.count(actions.Dial, endpoint="hub", link="next")
    cloud.run_for(3 * HOUR)
    assert 11 <= pair.count(actions.Dial, endpoint="hub", link="next") - before <= 16


def test_reported_properties_are_written_whole_into_a_twin_that_was_reset():
    cloud, pair = online()
    cloud.dps.enrollments.get("dev-7").reprovision = "reset"
    pair.ask("reprovision")
    cloud.run_for(2 * MINUTE)
    reported = cloud.hub.twin("dev-7").reported.properties["anchorwatch"]
    assert reported["version"] and reported["trust"]["hub"]["anchor"] == "g2"


def test_quiet_session_reports_once_and_not_again():
    cloud, pair = online()
    written = len(cloud.journal.of("reported"))
    cloud.run_for(6 * HOUR)
    assert len(cloud.journal.of("reported")) == written


@pytest.mark.parametrize("moves", [False, True], ids=["stays", "reconnects"])
def test_subscription_without_a_suback_is_made_again(moves):
    """The hub keeps a session that broke before its SUBACK, but keeps no filters of it."""
    cloud, pair = device()
    cloud.faults.add("NO_SUBACK", service="hub")
    pair.run_until("online")
    if moves:
        cloud.run_for(1_000)
        cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    cloud.run_for(3 * MINUTE)
    assert call(cloud, pair, "blink") == {"status": 200, "payload": {}}
    assert pair.watch.states()["twin"] == "ready"


def test_subscriptions_that_the_hub_confirmed_are_not_made_again_by_a_move():
    cloud, pair = online()
    made = pair.count(actions.Subscribe)
    for _ in range(3):
        pair.ask("reverify", swap=True)
        cloud.run_for(MINUTE)
    assert pair.count(actions.Swap) == 3 and pair.count(actions.Subscribe) == made


def test_method_of_the_application_is_answered():
    cloud, pair = online()
    assert call(cloud, pair, "blink", b'{"times":3}') == {"status": 200, "payload": {"times": 3}}


def test_application_that_never_answers_is_answered_for():
    cloud, pair = online()
    pair.method_ms = HOUR
    answers = []
    cloud.hub.invoke_method("dev-7", "sleep", b"", cloud.now_ms, timeout_s=60, done=answers.append)
    pair.run_until(lambda: answers, 40_000)
    assert answers[0]["status"] == 504


def test_reverify_called_from_the_cloud_answers_and_looks():
    cloud, pair = online()
    looks = pair.count(actions.Dial, link="next")
    assert call(cloud, pair, "reverify")["status"] == 200
    cloud.run_for(1_000)
    assert pair.count(actions.Dial, link="next") == looks + 1 and pair.count(actions.Swap) == 0


def test_reprovision_called_from_the_cloud_registers_beside_the_session():
    cloud, pair = online()
    assert call(cloud, pair, "reprovision")["status"] == 200
    cloud.run_for(MINUTE)
    assert len(cloud.journal.of("register")) == 2 and pair.state == "online"


def test_method_that_the_configuration_forbids_is_refused_with_403():
    cloud, pair = online(config={"cloud": {"allow": []}})
    assert call(cloud, pair, "reprovision")["status"] == 403
    cloud.run_for(MINUTE)
    assert len(cloud.journal.of("register")) == 1


def test_c2d_sent_twice_is_told_twice_and_none_is_lost():
    cloud, pair = online()
    cloud.faults.add("C2D_TWICE", service="hub")
    sent = [cloud.hub.send_c2d("dev-7", b"%d" % n, None, cloud.now_ms) for n in range(5)]
    cloud.run_for(1_000)
    got = [about["properties"]["$.mid"] for about in pair.tells("c2d")]
    assert sorted(set(got)) == sorted(sent) and len(got) == 6


def test_c2d_sent_while_the_device_was_away_is_received():
    cloud, pair = online()
    cloud.down(HUB)
    sent = [cloud.hub.send_c2d("dev-7", b"x", None, cloud.now_ms) for _ in range(5)]
    cloud.up(HUB)
    pair.run_until("online")
    cloud.run_for(1_000)
    assert [about["properties"]["$.mid"] for about in pair.tells("c2d")] == sent


def test_status_is_json_in_every_state_of_a_first_boot_and_a_migration():
    cloud, pair = online(config={"reverify": {"interval_s": 60, "confirm_s": 2}})
    cloud.fronts[HUB].present("baltimore")
    words = set()

    def swapped():
        status = pair.status()
        words.add(status["machines"]["reverify"])
        assert json.dumps(status)
        return pair.count(actions.Swap)

    pair.run_until(swapped, 5 * MINUTE)
    assert {"resting", "looking", "waiting to confirm", "looking again"} <= words
