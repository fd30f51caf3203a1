"""Registration through the emulated DPS: who may, what comes back, and what it does to the hubs."""

import json

import pytest

from hil.cloud.enrollment import Enrollment, Presented
from hil.cloud.identity import thumbprints
from hil.cloud.refusal import BadRequest
from hil.cloud.sas import derived_key
from hil.cloud.session import Silence
from tests.cloud.world import (
    HOST,
    KEY,
    OTHER_KEY,
    SCOPE,
    SECOND_HOST,
    Authority,
    World,
    token,
)

RID = "dev-1"
REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid=%d"
POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=%d&operationId=%s"


@pytest.fixture
def world():
    return World()


def enroll(world, enrollment_id=RID, **more):
    more.setdefault("primary", KEY)
    more.setdefault("hub", HOST)
    world.dps.enrollments.put(Enrollment(enrollment_id, **more))


def dial(world, rid=RID, *, key=KEY, scope=SCOPE, chain=None, **more):
    """A connected client that has subscribed; a token unless there is a chain."""
    more.setdefault("username", f"{scope}/registrations/{rid}/api-version=2019-03-31")
    if not chain:
        resource = f"{scope}/registrations/{rid}"
        more.setdefault("password", token(resource, key, skn="registration"))
    client = world.client(world.dps, rid, chain=chain, **more).open()
    if client.code == 0:
        client.subscribe("$dps/registrations/res/#", 1)
    return client


def ask(client, topic, payload=b""):
    """(status, query, body) of the reply to one request; None when there is none."""
    before = len(client.delivered)
    client.publish(topic, payload, 1)
    if len(client.delivered) == before:
        return None
    path, query = client.delivered[-1][0].split("/?")
    pairs = dict(part.split("=") for part in query.split("&"))
    return int(path.split("/")[-1]), pairs, json.loads(client.delivered[-1][1])


def register(client):
    """Register and poll to the end: the last (status, query, body)."""
    body = json.dumps({"registrationId": client.session.client_id}).encode()
    reply = ask(client, REGISTER % 1, body)
    polls = 1
    while reply[0] == 202:
        polls += 1
        reply = ask(client, POLL % (polls, reply[2]["operationId"]))
    return reply


def state(client):
    return register(client)[2]["registrationState"]


def test_registration_is_accepted_polled_twice_and_assigned(world):
    enroll(world)
    client = dial(world)
    status, query, body = ask(client, REGISTER % 7, b'{"registrationId": "dev-1"}')
    assert (status, query) == (202, {"$rid": "7", "retry-after": "3"})
    assert sorted(body) == ["operationId", "status"] and body["status"] == "assigning"
    operation_id = body["operationId"]
    status, query, body = ask(client, POLL % (8, operation_id))
    assert (status, query) == (202, {"$rid": "8", "retry-after": "3"})
    assert body["registrationState"] == {"registrationId": RID, "status": "assigning"}
    status, query, body = ask(client, POLL % (9, operation_id))
    assert (status, query) == (200, {"$rid": "9"})
    assert (body["operationId"], body["status"]) == (operation_id, "assigned")
    assert body["registrationState"] == {
        "symmetricKey": {},
        "registrationId": RID,
        "createdDateTimeUtc": "2026-09-21T14:13:20Z",
        "lastUpdatedDateTimeUtc": "2026-09-21T14:13:20Z",
        "assignedHub": HOST,
        "deviceId": RID,
        "status": "assigned",
        "substatus": "initialAssignment",
        "etag": body["registrationState"]["etag"],
    }


def test_assigned_device_connects_to_its_hub_with_the_same_key(world):
    enroll(world, device_id="winch-1")
    assert state(dial(world))["deviceId"] == "winch-1"
    assert world.dial("winch-1").code == 0


def test_group_key_is_derived_for_each_device(world):
    enroll(world, "fleet", kind="group")
    shown = state(dial(world, "buoy-7", key=derived_key(KEY, "buoy-7")))
    assert shown["symmetricKey"] == {"enrollmentGroupId": "fleet"}
    own = token(f"{HOST}/devices/buoy-7", derived_key(KEY, "buoy-7"))
    assert world.dial("buoy-7", password=own).code == 0


def test_group_key_itself_is_refused_from_a_device(world):
    enroll(world, "fleet", kind="group")
    assert dial(world, "buoy-7", key=KEY).code == 5
    assert dial(world, "buoy-7", key=derived_key(KEY, "buoy-8")).code == 5


def test_secondary_group_key_opens_too(world):
    enroll(world, "fleet", kind="group", secondary=OTHER_KEY)
    assert dial(world, "buoy-7", key=derived_key(OTHER_KEY, "buoy-7")).code == 0


def username(text):
    return {"username": text}


REFUSED_CONNECTS = {
    "wrong key": {"key": OTHER_KEY},
    "a hub's policy": {"password": token(f"{SCOPE}/registrations/{RID}", skn="device")},
    "wrong audience": {"password": token(f"{SCOPE}/registrations/dev-2", skn="registration")},
    "expired": {
        "password": token(f"{SCOPE}/registrations/{RID}", skn="registration", expires_utc_s=1)
    },
    "nothing shown": {"password": None},
    "unknown registration id": {"rid": "ghost"},
    "another id scope": {"scope": "0ne00000002"},
    "a question mark before the query": username(
        f"{SCOPE}/registrations/{RID}/?api-version=2019-03-31"
    ),
    "no api version": username(f"{SCOPE}/registrations/{RID}/"),
    "another client id": username(f"{SCOPE}/registrations/dev-2/api-version=2019-03-31"),
    "no user name": username(None),
    "a client id with a slash": {"rid": "dev/1"},
}


@pytest.mark.parametrize("wrong", REFUSED_CONNECTS.values(), ids=REFUSED_CONNECTS)
def test_connect_is_refused_with_5(world, wrong):
    enroll(world)
    assert dial(world, **wrong).code == 5
    assert world.rows("connect refused")[-1]["reason"]


def test_individual_certificate_opens_and_its_thumbprint_is_written_to_the_hub(world):
    authority = Authority("Any CA")
    old, new = authority.leaf(RID), authority.leaf(RID)
    enroll(world, attestation="x509", primary=old, secondary=new)
    assert state(dial(world, chain=[old]))["x509"] == {}
    assert world.dial(password=None, chain=[old]).code == 0
    assert world.dial(password=None, chain=[new]).code == 5
    register(dial(world, chain=[new]))
    assert world.dial(password=None, chain=[new]).code == 0
    assert world.dial(password=None, chain=[old]).code == 5
    assert world.hub.registry.get(RID).primary_thumbprint == thumbprints(new)[1]


def test_group_by_ca_takes_primary_and_secondary_roots(world):
    old, new = Authority("Old CA"), Authority("New CA")
    enroll(world, "fleet", kind="group", attestation="x509", primary=old.der, secondary=new.der)
    for authority in (old, new):
        leaf = authority.leaf("buoy-7")
        assert state(dial(world, "buoy-7", chain=[leaf]))["deviceId"] == "buoy-7"
        assert world.dial("buoy-7", password=None, chain=[leaf]).code == 0


def test_group_may_leave_the_hub_to_judge_by_ca(world):
    authority = Authority("Tenant CA")
    world.hub.registry.authorities["tenant"] = authority.der
    enroll(world, "fleet", kind="group", attestation="x509", primary=authority.der, hub_auth="ca")
    register(dial(world, chain=[authority.leaf(RID)]))
    assert world.dial(password=None, chain=[authority.leaf(RID)]).code == 0


def refused_at_register(world):
    """Sentence -> (what to dial with, code, message)."""
    root = Authority("Root CA")
    middle = Authority("Middle CA", root)
    stranger = Authority("Root CA")
    enroll(world, "fleet", kind="group", attestation="x509", primary=root.der)
    return {
        "a stranger's certificate": (
            {"chain": [stranger.leaf(RID)]}, 401002, "CA certificate not found.",
        ),
        "a chain without its middle": (
            {"chain": [middle.leaf(RID)]}, 401002, "CA certificate not found.",
        ),
        "wrong CN": ({"chain": [root.leaf("dev-2")]}, 401002, "Invalid certificate."),
        "another id scope": (
            {"chain": [root.leaf(RID)], "scope": "0ne00000002"}, 404201, "ID scope not found.",
        ),
    }  # fmt: skip


def test_certificates_are_judged_when_they_register(world):
    for sentence, (wrong, code, message) in refused_at_register(world).items():
        client = dial(world, **wrong)
        assert client.code == 0, sentence
        status, query, body = ask(client, REGISTER % 1)
        assert (status, query) == (code // 1000, {"$rid": "1"}), sentence
        assert sorted(body) == ["errorCode", "message", "timestampUtc", "trackingId"], sentence
        assert (body["errorCode"], body["message"]) == (code, message), sentence
        assert world.rows("register")[-1]["reason"], sentence
        assert world.rows("assigned") == [], sentence


def test_group_of_the_nearest_ca_decides_even_when_disabled(world):
    root = Authority("Root CA")
    middle = Authority("Middle CA", root)
    enroll(world, "all", kind="group", attestation="x509", primary=root.der)
    enroll(world, "few", kind="group", attestation="x509", primary=middle.der, enabled=False)
    client = dial(world, chain=[middle.leaf(RID), middle.der])
    assert register(client)[2]["status"] == "disabled"
    world.dps.enrollments.remove("few")
    assert register(client)[2]["status"] == "assigned"


def test_individual_decides_before_the_group(world):
    authority = Authority("Root CA")
    enroll(world, "fleet", kind="group", attestation="x509", primary=authority.der)
    enroll(world, attestation="x509", primary=authority.leaf(RID), hub=SECOND_HOST)
    assert ask(dial(world, chain=[authority.leaf(RID)]), REGISTER % 1)[0] == 401


def test_disabled_enrollment_says_so_and_writes_no_device(world):
    enroll(world, enabled=False)
    body = register(dial(world))[2]
    assert (body["status"], body["registrationState"]["status"]) == ("disabled", "disabled")
    assert world.hub.registry.get(RID) is None


@pytest.mark.parametrize(
    ("policy", "substatus", "desired"),
    [
        ("migrate", "deviceDataMigrated", {"speed": 3}),
        ("reset", "deviceDataReset", {"speed": 1}),
    ],
)
def test_moved_enrollment_takes_the_device_to_the_other_hub(world, policy, substatus, desired):
    enroll(world, reprovision=policy, initial_desired={"speed": 1})
    register(dial(world))
    world.hub.patch_desired(RID, {"speed": 3}, 0)
    session = world.dial()
    world.dps.enrollments.get(RID).hub = SECOND_HOST
    shown = state(dial(world))
    assert (shown["assignedHub"], shown["substatus"]) == (SECOND_HOST, substatus)
    assert world.hub.registry.get(RID) is None
    assert session.closed == "deleted while connected"
    assert world.hub2.twin(RID).desired.properties == desired


def test_return_to_the_first_hub_is_called_so(world):
    enroll(world)
    for host in (HOST, SECOND_HOST, HOST):
        world.dps.enrollments.get(RID).hub = host
        shown = state(dial(world))
    assert shown["substatus"] == "reprovisionedToInitialAssignment"


def test_policy_never_keeps_the_first_hub(world):
    enroll(world, reprovision="never")
    register(dial(world))
    world.dps.enrollments.get(RID).hub = SECOND_HOST
    shown = state(dial(world))
    assert (shown["assignedHub"], shown["substatus"]) == (HOST, "initialAssignment")


def test_registering_again_keeps_twin_and_disabled_flag(world):
    enroll(world)
    register(dial(world))
    world.hub.patch_desired(RID, {"speed": 3}, 0)
    world.hub.set_enabled(RID, False, 0)
    assert state(dial(world))["substatus"] == "initialAssignment"
    assert world.hub.twin(RID).desired.properties == {"speed": 3}
    assert not world.hub.registry.get(RID).enabled


def test_throttled_registration_tells_how_long_to_wait_or_does_not(world):
    enroll(world)
    client = dial(world)
    world.faults.add("BUSY", retry_after_s=9)
    status, query, body = ask(client, REGISTER % 1)
    assert (status, query["retry-after"], body["errorCode"]) == (429, "9", 429001)
    world.faults.add("BUSY", retry_after_s=None)
    assert ask(client, REGISTER % 2)[1] == {"$rid": "2"}


def test_server_error_has_no_operation(world):
    enroll(world)
    world.faults.add("SERVER_ERROR", status=503)
    status, _, body = ask(dial(world), REGISTER % 1)
    assert status == 503 and "operationId" not in body


def test_scripted_outcomes_of_an_assignment(world):
    enroll(world)
    world.faults.add("FAILED", code=400207)
    failed = register(dial(world))[2]
    assert failed["status"] == "failed"
    assert failed["registrationState"]["errorCode"] == 400207
    world.faults.add("DISABLED")
    assert register(dial(world))[2]["status"] == "disabled"
    world.faults.add("ASSIGNED_ELSEWHERE", host="evil.example")
    assert state(dial(world))["assignedHub"] == "evil.example"
    world.faults.add("STILL_ASSIGNING", count=3)
    before = len(world.rows("poll"))
    assert register(dial(world))[2]["status"] == "assigned"
    assert len(world.rows("poll")) - before == 4


def test_malformed_and_missing_replies(world):
    enroll(world)
    client = dial(world)
    world.faults.add("MALFORMED_DPS_REPLY", body="<html>")
    client.publish(REGISTER % 1)
    assert client.delivered[-1] == ("$dps/registrations/res/200/?$rid=1", b"<html>", 0)
    world.faults.add("NO_REPLY")
    assert ask(client, REGISTER % 2) is None
    assert ask(client, REGISTER % 3)[0] == 202


BAD_BODIES = {
    "not JSON": b"{",
    "a list": b"[]",
    "another registration": b'{"registrationId": "dev-2"}',
    "deeper than anyone reads": b"[" * 100_000,
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_bad_body_is_answered_with_400(world, body):
    enroll(world)
    assert ask(dial(world), REGISTER % 1, body)[0] == 400


def test_operation_of_another_registration_is_not_found(world):
    enroll(world)
    enroll(world, "dev-2")
    operation_id = ask(dial(world), REGISTER % 1)[2]["operationId"]
    assert ask(dial(world, "dev-2"), POLL % (1, operation_id))[0] == 404
    assert ask(dial(world), POLL % (1, operation_id))[0] == 202


def test_reply_goes_to_subscribers_only(world):
    enroll(world)
    client = dial(world)
    world.dps.unsubscribe(client.session, "$dps/registrations/res/#", 0)
    assert ask(client, REGISTER % 1) is None
    assert client.subscribe("#") == 0x80
    assert client.subscribe("$dps/registrations/res/#", 2) == 1


def test_anything_but_the_two_requests_closes(world):
    enroll(world)
    for topic in ("$dps/registrations/PUT/iotdps-register", "devices/dev-1/messages/events/"):
        client = dial(world)
        client.publish(topic)
        assert client.closed.startswith("no such topic")
    client = dial(world)
    client.publish(REGISTER % 1, b"", 2)
    assert client.closed == "QoS 2 PUBLISH"


def test_second_connect_to_dps_drops_the_first(world):
    enroll(world)
    first = dial(world)
    second = dial(world)
    assert first.closed == "taken over by session 2" and second.closed is None
    assert ask(second, REGISTER % 1)[0] == 202


def test_look_up_gives_the_bare_registration_and_is_no_registration(world):
    enroll(world)
    shown = Presented("", SCOPE, token(f"{SCOPE}/registrations/{RID}", skn="registration").decode())
    status, headers, body = world.dps.lookup(RID, shown, 0)
    assert (status, headers["x-ms-error-code"]) == (404, "404202")
    register(dial(world))
    before = len(world.rows("register"))
    status, _, body = world.dps.lookup("DEV-1", shown, 0)
    assert (status, json.loads(body)["assignedHub"]) == (200, HOST)
    assert len(world.rows("register")) == before
    assert world.dps.lookup(RID, Presented("", SCOPE), 0)[0] == 401
    world.faults.add("BUSY", at="lookup", retry_after_s=4)
    status, headers, _ = world.dps.lookup(RID, shown, 0)
    assert (status, headers["Retry-After"]) == (429, "4")


def test_faults_at_connect_happen_to_dps_too(world):
    enroll(world)
    world.faults.add("CONNACK", code=3, service="dps")
    world.sas_device()
    assert world.dial().code == 0
    assert dial(world).code == 3
    world.faults.add("SILENT_CONNECT")
    with pytest.raises(Silence):
        dial(world)


BAD_ENROLLMENTS = {
    "unknown policy": {"reprovision": "sometimes"},
    "no hub": {"hub": ""},
    "a group with a device id": {"kind": "group", "device_id": "dev-1"},
    "a certificate that is text": {"attestation": "x509", "primary": "PEM"},
    "a key that is not base64": {"primary": "?"},
    "a key that is a number": {"primary": 7},
    "a hub that is a number": {"hub": 7},
    "a switch that is a text": {"enabled": "no"},
    "a twin that is a list": {"initial_desired": []},
    "an id with a slash": {"enrollment_id": "dev/1"},
}


@pytest.mark.parametrize("fields", BAD_ENROLLMENTS.values(), ids=BAD_ENROLLMENTS)
def test_impossible_enrollment_is_refused(world, fields):
    with pytest.raises(BadRequest):
        enroll(world, **fields)
    assert world.dps.enrollments.all() == []


def test_no_key_is_shown_to_the_operator_or_the_journal(world):
    enroll(world, secondary=OTHER_KEY)
    register(dial(world))
    said = repr([e.shown() for e in world.dps.enrollments.all()])
    said += repr(world.dps.enrollments.all()) + repr(world.journal.since())
    assert KEY not in said and OTHER_KEY not in said and "sig=" not in said
