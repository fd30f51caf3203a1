"""What a connected device may do at a hub, and what reaches it: topics, twin, methods, messages."""

import hashlib
import json

import pytest

from hil.cloud.refusal import BadRequest
from tests.cloud.world import HOST, World, token

EVENTS = "devices/dev-1/messages/events/"
DEVICEBOUND = "devices/dev-1/messages/devicebound/#"
METHODS = "$iothub/methods/POST/#"
TWIN = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
REPORT = "$iothub/twin/PATCH/properties/reported/?$rid=%d"


@pytest.fixture
def world():
    made = World()
    made.sas_device("dev-1")
    made.sas_device("dev-2")
    return made


@pytest.fixture
def client(world):
    return world.dial()


def test_telemetry_is_journalled_with_its_property_bag(world, client):
    bag = "%24.mid=7&%24.ct=application%2Fjson&%24.ce=utf-8&depth=3%20m&empty=&alone&plus=a+b"
    assert client.publish(EVENTS + bag, b'{"depth": 3}', 1)
    (row,) = world.rows("telemetry", "dev-1")
    assert row["mid"] == "7"
    assert row["system"] == {
        "mid": "7", "content_type": "application/json", "content_encoding": "utf-8",
    }  # fmt: skip
    assert row["properties"] == {"depth": "3 m", "empty": "", "alone": None, "plus": "a+b"}
    assert (row["size"], row["text"]) == (12, '{"depth": 3}')
    assert row["sha256"] == hashlib.sha256(b'{"depth": 3}').hexdigest()


def test_large_or_binary_payload_is_kept_as_a_digest(world, client):
    client.publish(EVENTS, b"x" * 2000)
    client.publish(EVENTS, b"\xff\xfe")
    assert [r["text"] for r in world.rows("telemetry")] == [None, None]


def test_retain_becomes_a_property(world, client):
    client.publish(EVENTS, b"", 1, retain=True)
    assert world.rows("telemetry")[0]["properties"] == {"mqtt-retain": "true"}


CLOSING = {
    "QoS 2": (EVENTS, b"", 2),
    "another device's topic": ("devices/dev-2/messages/events/", b"", 1),
    "a topic that starts like its own": ("devices/dev-11/messages/events/", b"", 1),
    "devicebound of its own": ("devices/dev-1/messages/devicebound/", b"", 1),
    "no such topic": ("telemetry", b"", 0),
    "a twin request without a query": ("$iothub/twin/GET", b"", 0),
    "a topic that starts like a request": ("$iothub/twin/GETTER/?$rid=1", b"", 0),
    "a topic of DPS": ("$dps/registrations/PUT/iotdps-register/?$rid=1", b"", 0),
    "more than 256 KB": (EVENTS, b"x" * (256 * 1024 + 1), 1),
}


@pytest.mark.parametrize(("topic", "payload", "qos"), CLOSING.values(), ids=CLOSING)
def test_publish_closes_the_connection(world, client, topic, payload, qos):
    assert not client.publish(topic, payload, qos)
    assert client.closed
    assert world.rows("disconnected", "dev-1")[-1]["reason"] == client.closed
    assert world.rows("telemetry") == []
    assert world.hub.connected_devices() == []


def test_message_of_256_kb_is_taken(world, client):
    assert client.publish(EVENTS, b"x" * (256 * 1024), 1)


def test_documented_filters_are_granted_and_others_refused(world, client):
    for filter_ in (DEVICEBOUND, METHODS, TWIN, DESIRED):
        assert client.subscribe(filter_, 1) == 1
    for filter_ in ("#", "$iothub/#", "$iothub/methods/POST/reboot", "devices/dev-1/#"):
        assert client.subscribe(filter_) == 0x80
    assert client.subscribe(TWIN, 0) == 0


def test_qos_2_is_granted_1(client):
    assert client.subscribe(DEVICEBOUND, 2) == 1


def test_sixth_subscription_is_refused_until_one_is_given_up(world, client):
    five = (DEVICEBOUND, METHODS, TWIN, DESIRED, "$iothub/credentials/res/#")
    assert [client.subscribe(f) for f in five] == [0] * 5
    assert client.subscribe("$iothub/credential/#") == 0x80
    assert client.subscribe(TWIN) == 0
    world.hub.unsubscribe(client.session, METHODS, 0)
    assert client.subscribe("$iothub/credential/#") == 0


def test_subscribing_to_another_devices_messages_closes(world, client):
    assert client.subscribe("devices/dev-2/messages/devicebound/#") is None
    assert client.closed.startswith("another device's topic")


def test_twin_get_and_reported_patch(world, client):
    client.subscribe(TWIN)
    client.publish("$iothub/twin/GET/?$rid=1")
    topic, body, qos = client.delivered[-1]
    assert (topic, qos) == ("$iothub/twin/res/200/?$rid=1", 0)
    assert json.loads(body) == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    client.publish(REPORT % 2, b'{"a": {"b": 1, "c": 2}}')
    assert client.delivered[-1] == ("$iothub/twin/res/204/?$rid=2&$version=2", b"", 0)
    client.publish(REPORT % 3, b'{"a": {"b": null}}')
    client.publish("$iothub/twin/GET/?$rid=4")
    assert json.loads(client.delivered[-1][1])["reported"] == {"a": {"c": 2}, "$version": 3}


BAD_PATCHES = {
    "not JSON": (b"{", 400),
    "not an object": (b"[1]", 400),
    "empty": (b"", 400),
    "a name with a dollar": (b'{"$version": 3}', 400),
    "a name with a point": (b'{"a.b": 3}', 400),
    "eleven levels": (b'{"a":' * 11 + b"1" + b"}" * 11, 400),
    "deeper than anyone reads": (b'{"a":' * 40_000, 400),
    "more than 32 KB": (b'{"a": "' + b"x" * 32768 + b'"}', 413),
}


@pytest.mark.parametrize(("body", "status"), BAD_PATCHES.values(), ids=BAD_PATCHES)
def test_bad_reported_patch_is_answered_and_changes_nothing(world, client, body, status):
    client.subscribe(TWIN)
    client.publish(REPORT % 1, b'{"kept": 1}')
    client.publish(REPORT % 2, body)
    assert client.delivered[-1] == (f"$iothub/twin/res/{status}/?$rid=2", b"", 0)
    assert world.hub.twin("dev-1").reported.shown() == {"kept": 1, "$version": 2}
    assert client.closed is None


def test_desired_change_reaches_a_listening_device_only(world, client):
    world.hub.patch_desired("dev-1", {"speed": 1}, 0)
    assert client.delivered == []
    client.subscribe(DESIRED)
    assert world.hub.patch_desired("dev-1", {"speed": None, "course": {"deg": 90}}, 0) == 3
    topic, body, _ = client.delivered[-1]
    assert topic == "$iothub/twin/PATCH/properties/desired/?$version=3"
    assert json.loads(body) == {"speed": None, "course": {"deg": 90}, "$version": 3}
    assert [r["pushed"] for r in world.rows("desired")] == [False, True]


def test_operators_bad_patch_changes_nothing(world):
    with pytest.raises(BadRequest):
        world.hub.patch_desired("dev-1", {"a.b": 1}, 0)
    with pytest.raises(BadRequest):
        world.hub.patch_desired("ghost", {"a": 1}, 0)
    assert world.hub.twin("dev-1").desired.version == 1


def test_answers_reach_the_asking_device_alone(world, client):
    other = world.dial("dev-2")
    for each in (client, other):
        for filter_ in (TWIN, METHODS, DESIRED):
            each.subscribe(filter_)
    client.publish("$iothub/twin/GET/?$rid=1")
    world.hub.invoke_method("dev-1", "reverify", b"", 0, done=lambda outcome: None)
    world.hub.patch_desired("dev-1", {"a": 1}, 0)
    assert (len(client.delivered), other.delivered) == (3, [])


def test_twin_answer_needs_a_subscription(client):
    client.publish("$iothub/twin/GET/?$rid=1")
    assert client.delivered == [] and client.closed is None


def test_method_is_called_and_answered(world, client):
    client.subscribe(METHODS)
    outcomes = []
    world.hub.invoke_method("dev-1", "reverify", b'{"a": 1}', 0, done=outcomes.append)
    topic, body, qos = client.delivered[-1]
    rid = topic.partition("/?$rid=")[2]
    assert topic == f"$iothub/methods/POST/reverify/?$rid={rid}"
    assert (body, qos) == (b'{"a": 1}', 0)
    client.publish(f"$iothub/methods/res/200/?$rid={rid}", b'{"done": true}')
    assert outcomes == [{"status": 200, "payload": {"done": True}}]
    client.publish(f"$iothub/methods/res/200/?$rid={rid}", b"")
    assert len(outcomes) == 1 and world.rows("method reply")[-1]["late"]


def test_method_on_an_absent_or_deaf_device_is_404103(world):
    outcomes = []
    world.hub.invoke_method("dev-1", "x", b"", 0, done=outcomes.append)
    world.dial()
    world.hub.invoke_method("dev-1", "x", b"", 0, done=outcomes.append)
    assert [o["error"] for o in outcomes] == [404103, 404103]


def test_method_without_a_reply_times_out(world, client):
    client.subscribe(METHODS)
    outcomes = []
    world.hub.invoke_method("dev-1", "x", b"", 0, timeout_s=5, done=outcomes.append)
    assert world.hub.turn(4_999) == 5_000 and outcomes == []
    world.hub.turn(5_000)
    assert outcomes[0]["error"] == 504101


def test_method_open_at_a_takeover_is_answered_over_the_new_session(world):
    old = world.dial(clean=False)
    old.subscribe(METHODS)
    outcomes = []
    world.hub.invoke_method("dev-1", "x", b"", 0, done=outcomes.append)
    rid = old.delivered[-1][0].partition("$rid=")[2]
    new = world.dial(clean=False)
    assert old.closed and outcomes == []
    new.publish(f"$iothub/methods/res/204/?$rid={rid}")
    assert outcomes == [{"status": 204, "payload": None}]


def test_another_device_cannot_answer_a_method(world, client):
    client.subscribe(METHODS)
    outcomes = []
    world.hub.invoke_method("dev-1", "x", b"", 0, done=outcomes.append)
    rid = client.delivered[-1][0].partition("$rid=")[2]
    world.dial("dev-2").publish(f"$iothub/methods/res/200/?$rid={rid}")
    assert outcomes == []


@pytest.mark.parametrize(("status", "body"), [("200", b"{"), ("fine", b""), ("", b"")])
def test_unreadable_method_reply_is_an_error_for_the_caller(world, client, status, body):
    client.subscribe(METHODS)
    outcomes = []
    world.hub.invoke_method("dev-1", "x", b"", 0, done=outcomes.append)
    rid = client.delivered[-1][0].partition("$rid=")[2]
    client.publish(f"$iothub/methods/res/{status}/?$rid={rid}", body)
    assert outcomes[0]["error"] == 400000 and client.closed is None


def test_c2d_is_sent_with_its_properties_and_completed_by_puback(world, client):
    client.subscribe(DEVICEBOUND, 1)
    mid = world.hub.send_c2d("dev-1", b"hello", {"to port": "a&b", "alone": None}, 0)
    topic, body, qos = client.delivered[-1]
    assert topic == (
        f"devices/dev-1/messages/devicebound/%24.mid={mid}"
        "&%24.to=%2Fdevices%2Fdev-1%2Fmessages%2Fdevicebound&to%20port=a%26b&alone"
    )
    assert (body, qos) == (b"hello", 1)
    client.acknowledge(1)
    assert world.rows("c2d acked", "dev-1")[0]["mid"] == mid


def test_c2d_waits_for_the_subscription_and_keeps_its_order(world, client):
    sent = [world.hub.send_c2d("dev-1", b"", {}, 0) for _ in range(3)]
    assert client.delivered == []
    client.subscribe(DEVICEBOUND, 1)
    assert [t.split("mid=")[1].split("&")[0] for t, _, _ in client.delivered] == sent


def test_c2d_without_puback_is_sent_again_on_the_next_session(world):
    first = world.dial(clean=False)
    first.subscribe(DEVICEBOUND, 1)
    world.hub.send_c2d("dev-1", b"once more", {}, 0)
    first.leave("tcp")
    second = world.dial(clean=False)
    assert second.present and second.delivered == [first.delivered[0]]
    second.acknowledge(1)
    second.leave()
    assert world.dial(clean=False).delivered == []


def test_c2d_sent_while_away_arrives_when_clean_session_is_0(world):
    first = world.dial(clean=False)
    first.subscribe(DEVICEBOUND, 1)
    first.leave()
    world.hub.send_c2d("dev-1", b"", {}, 0)
    assert len(world.dial(clean=False).delivered) == 1


def test_clean_session_1_drops_what_waited(world):
    world.hub.send_c2d("dev-1", b"", {}, 0)
    client = world.dial(clean=True)
    assert client.subscribe(DEVICEBOUND, 1) == 1
    assert client.delivered == [] and world.rows("c2d dropped")[0]["count"] == 1


def test_c2d_at_qos_0_is_complete_when_sent(world):
    first = world.dial(clean=False)
    first.subscribe(DEVICEBOUND, 0)
    world.hub.send_c2d("dev-1", b"", {}, 0)
    first.leave("tcp")
    assert world.dial(clean=False).delivered == []


def test_fifty_messages_wait_and_no_more(world):
    for _ in range(50):
        world.hub.send_c2d("dev-1", b"", {}, 0)
    with pytest.raises(BadRequest):
        world.hub.send_c2d("dev-1", b"", {}, 0)
    with pytest.raises(BadRequest):
        world.hub.send_c2d("dev-2", b"x" * 65537, {}, 0)
    assert len(world.rows("c2d queued")) == 50


def test_dropped_session_is_cut_and_recorded_as_closed_remotely(world, client):
    world.hub.drop("dev-1", "platform upgrade", 0)
    assert client.closed == "platform upgrade"
    assert world.hub.records.rows[-1]["ResultType"] == "404104"
    assert len(world.rows("disconnected")) == 1


def test_faults_of_a_session_do_what_they_say(world, client):
    client.subscribe(TWIN)
    client.subscribe(DESIRED)
    world.faults.add("NO_PUBACK")
    assert not client.publish(EVENTS, b"kept", 1) and len(world.rows("telemetry")) == 1
    world.faults.add("NO_PUBACK", accepted=False)
    assert not client.publish(EVENTS, b"lost", 1) and len(world.rows("telemetry")) == 1
    for name, more, topic in (
        ("BUSY", {}, "$iothub/twin/res/429/?$rid=1"),
        ("SERVER_ERROR", {"status": 503}, "$iothub/twin/res/503/?$rid=1"),
        ("MALFORMED_TWIN_REPLY", {}, "$iothub/twin/res/200/?$rid=1"),
    ):
        world.faults.add(name, service="hub", **more)
        client.publish("$iothub/twin/GET/?$rid=1")
        assert client.delivered[-1][0] == topic
    world.faults.add("DESIRED_LOST")
    before = list(client.delivered)
    world.hub.patch_desired("dev-1", {"a": 1}, 0)
    world.faults.add("NO_REPLY")
    client.publish("$iothub/twin/GET/?$rid=2")
    assert client.delivered == before
    world.faults.add("DROP_SESSION")
    assert not client.publish(EVENTS, b"", 1) and client.closed == "fault: session dropped"
    assert world.faults.waiting() == []
    assert len(world.rows("fault")) == 8


def test_lost_method_and_doubled_message(world, client):
    client.subscribe(METHODS)
    client.subscribe(DEVICEBOUND, 1)
    world.faults.add("METHOD_LOST")
    world.hub.invoke_method("dev-1", "x", b"", 0, done=lambda outcome: None)
    assert client.delivered == []
    world.faults.add("C2D_TWICE")
    world.hub.send_c2d("dev-1", b"", {}, 0)
    assert len(client.delivered) == 2 and client.delivered[0] == client.delivered[1]


def test_host_of_the_second_name_is_the_same_hub(world):
    second = "pier.device.azure-devices.net"
    world.hub.hosts.append(second)
    client = world.dial(
        username=f"{second}/dev-1/?api-version=2021-04-12",
        password=token(f"{second}/devices/dev-1"),
    )
    assert client.code == 0
    mixed = world.dial(
        username=f"{second}/dev-1/?api-version=2021-04-12", password=token(f"{HOST}/devices/dev-1")
    )
    assert mixed.code == 5
