"""Who a hub lets in, whom it refuses, and whom it drops: CONNECT and the life of a session."""

import pytest

from hil.cloud.identity import thumbprints
from hil.cloud.refusal import BadRequest
from hil.cloud.registry import Identity, from_json
from hil.cloud.session import Delay, Silence
from tests.cloud.world import EPOCH_UTC_S, HOST, KEY, OTHER_KEY, Authority, World, token

USERNAME = f"{HOST}/dev-1/?api-version=2021-04-12"


@pytest.fixture
def world():
    made = World()
    made.sas_device()
    return made


def x509_device(world, authority_registered=True, **identity):
    """A device with a certificate; returns its authority and leaf."""
    authority = Authority("Tenant CA")
    if authority_registered:
        world.hub.registry.authorities["tenant"] = authority.der
    world.hub.put_device(Identity("dev-1", **identity), 0)
    return authority, authority.leaf("dev-1")


GOOD_USERNAMES = {
    "the documented minimum": USERNAME,
    "an older api version": f"{HOST}/dev-1/?api-version=2019-10-01",
    "the form of an SDK": f"{HOST}/dev-1/?api-version=2020-09-30"
    "&DeviceClientType=py%2Fazure%20iot&model-id=dtmi%3Apier%3Bone%3B1",
    "the host in capitals": f"{HOST.upper()}/dev-1/?api-version=2021-04-12",
}


@pytest.mark.parametrize("username", GOOD_USERNAMES.values(), ids=GOOD_USERNAMES)
def test_user_name_is_accepted(world, username):
    assert world.dial(username=username).code == 0


def test_sdk_form_tells_client_type_and_model(world):
    world.dial(username=GOOD_USERNAMES["the form of an SDK"])
    assert world.hub.records.rows[-1]["SDKVersion"] == "py/azure iot"
    assert world.rows("connected")[-1]["model_id"] == "dtmi:pier;one;1"


BAD_USERNAMES = {
    "no user name": None,
    "another hub": "quay.azure-devices.net/dev-1/?api-version=2021-04-12",
    "another device": f"{HOST}/dev-2/?api-version=2021-04-12",
    "no query": f"{HOST}/dev-1/",
    "no api version": f"{HOST}/dev-1/?DeviceClientType=x",
    "an empty api version": f"{HOST}/dev-1/?api-version=",
    "the form of DPS": "0ne1/registrations/dev-1/api-version=2019-03-31",
}


@pytest.mark.parametrize("username", BAD_USERNAMES.values(), ids=BAD_USERNAMES)
def test_user_name_is_refused_with_5(world, username):
    assert world.dial(username=username).code == 5
    assert world.hub.connected_devices() == []


REFUSED_TOKENS = {
    "wrong key": (token(f"{HOST}/devices/dev-1", OTHER_KEY), "signed with another key"),
    "wrong audience": (token(f"{HOST}/devices/dev-2"), "made for"),
    "audience that is only a prefix of the id": (token(f"{HOST}/devices/dev"), "made for"),
    "audience of another hub": (token("quay.azure-devices.net/devices/dev-1"), "made for"),
    "expired": (token(f"{HOST}/devices/dev-1", expires_utc_s=EPOCH_UTC_S), "expired"),
    "policy named": (token(f"{HOST}/devices/dev-1", skn="device"), "skn is"),
    "no password": (None, "no token"),
    "not a token": (b"secret", "not a shared access signature"),
    "not text": (b"SharedAccessSignature \xff\xfe=", "a field is unknown"),
    "a field twice": (token(f"{HOST}/devices/dev-1") + b"&se=1", "twice"),
    "expiry that is no number": (b"SharedAccessSignature sr=a&sig=YQ%3D%3D&se=x", "se is not"),
    "signature that is not base64": (b"SharedAccessSignature sr=a&sig=%3F&se=1", "base64"),
}


@pytest.mark.parametrize(("password", "reason"), REFUSED_TOKENS.values(), ids=REFUSED_TOKENS)
def test_token_is_refused_with_5(world, password, reason):
    assert world.dial(password=password).code == 5
    assert reason in world.why_refused()
    assert world.hub.connected_devices() == []


def test_both_keys_open_and_a_replaced_one_no_longer(world):
    world.hub.put_device(Identity("dev-1", primary_key=KEY, secondary_key=OTHER_KEY), 0)
    assert world.dial(password=token(f"{HOST}/devices/dev-1", OTHER_KEY)).code == 0
    world.hub.put_device(Identity("dev-1", primary_key=OTHER_KEY), 0)
    assert world.dial().code == 5


def test_unknown_device_is_refused_with_5_and_recorded_as_not_found(world):
    assert world.dial("ghost").code == 5
    assert world.hub.records.rows[-1]["ResultType"] == "404001"


def test_disabled_device_is_refused(world):
    world.hub.set_enabled("dev-1", False, 0)
    assert world.dial().code == 5
    assert world.why_refused() == "the device is disabled"
    assert world.hub.records.rows[-1]["ResultDescription"] == "DeviceDisabled"
    world.hub.set_enabled("dev-1", True, 0)
    assert world.dial().code == 0


def test_certificate_of_a_registered_ca_opens(world):
    _, leaf = x509_device(world, auth="ca")
    assert world.dial(password=b"", chain=[leaf]).code == 0


def test_chain_with_an_intermediate_must_be_sent_whole(world):
    root, _ = x509_device(world, auth="ca")
    middle = Authority("Middle CA", root)
    leaf = middle.leaf("dev-1")
    assert world.dial(password=None, chain=[leaf, middle.der]).code == 0
    assert world.dial(password=None, chain=[leaf]).code == 5
    assert world.why_refused() == "the chain reaches no registered CA"


def test_registered_intermediate_is_enough(world):
    root, _ = x509_device(world, auth="ca", authority_registered=False)
    middle = Authority("Middle CA", root)
    world.hub.registry.authorities["middle"] = middle.der
    assert world.dial(password=None, chain=[middle.leaf("dev-1")]).code == 0


def test_thumbprints_open_as_sha1_or_sha256_primary_or_secondary(world):
    _, leaf = x509_device(world)
    sha1, sha256 = thumbprints(leaf)
    spaced = ":".join(sha256[i : i + 2] for i in range(0, 64, 2)).lower()
    for fields in (
        {"primary_thumbprint": sha1},
        {"primary_thumbprint": spaced},
        {"secondary_thumbprint": sha256},
    ):
        world.hub.put_device(Identity("dev-1", auth="thumbprint", **fields), 0)
        assert world.dial(password=None, chain=[leaf]).code == 0


def refused_certificates(world):
    """Sentence -> (identity, chain, reason)."""
    authority, leaf = x509_device(world, auth="ca")
    stranger = Authority("Tenant CA")  # the same name, another key
    known = {"auth": "thumbprint", "primary_thumbprint": thumbprints(leaf)[0]}
    late = authority.leaf("dev-1", last_s=EPOCH_UTC_S - 1)
    soon = authority.leaf("dev-1", first_s=EPOCH_UTC_S + 1)
    late_known = {"auth": "thumbprint", "primary_thumbprint": thumbprints(late)[0]}
    leaf_above = authority.leaf("dev-1")
    return {
        "a certificate nobody knows": ({"auth": "ca"}, [stranger.leaf("dev-1")], "no registered"),
        "wrong CN": ({"auth": "ca"}, [authority.leaf("dev-2")], "CN is 'dev-2'"),
        "no certificate": ({"auth": "ca"}, [], "no client certificate"),
        "expired": ({"auth": "ca"}, [late], "expired"),
        "not valid yet": ({"auth": "ca"}, [soon], "not valid yet"),
        "another thumbprint": (known, [authority.leaf("dev-1")], "thumbprint"),
        "thumbprint known but expired": (late_known, [late], "expired"),
        "no thumbprint on record": ({"auth": "thumbprint"}, [leaf], "thumbprint"),
        "bytes that are no certificate": ({"auth": "ca"}, [b"\x30\x00"], "cannot be read"),
        "a leaf in the place of a CA": (
            {"auth": "ca"}, [stranger.leaf("dev-1"), leaf_above], "no registered",
        ),
        "a certificate for a device with keys": (
            {"auth": "sas", "primary_key": KEY}, [leaf], "no token",
        ),
    }  # fmt: skip


def test_certificates_are_refused_with_5_and_the_journal_knows_why(world):
    for sentence, (identity, chain, reason) in refused_certificates(world).items():
        world.hub.put_device(Identity("dev-1", **identity), 0)
        assert world.dial(password=None, chain=chain).code == 5, sentence
        assert reason in world.why_refused(), sentence


def test_expired_registered_ca_refuses_its_devices(world):
    _, leaf = x509_device(world, auth="ca")
    assert world.dial(password=None, chain=[leaf]).code == 0
    world.now_ms = 86_401_000
    assert world.dial(password=None, chain=[leaf]).code == 5


def test_password_beside_a_certificate_is_refused(world):
    _, leaf = x509_device(world, auth="ca")
    assert world.dial(chain=[leaf]).code == 5


def test_second_connect_drops_the_older_session(world):
    old = world.dial()
    new = world.dial()
    assert (old.closed, new.closed) == ("taken over by session 2", None)
    assert [r["ResultType"] for r in world.hub.records.rows] == ["", "400027", ""]
    assert not old.publish("devices/dev-1/messages/events/", b"late")
    assert world.rows("telemetry") == []
    assert new.publish("devices/dev-1/messages/events/", b"on time")


def test_refused_second_connect_leaves_the_first_alone(world):
    first = world.dial()
    assert world.dial(password=b"wrong").code == 5
    assert first.closed is None
    assert world.hub.connected_devices() == ["dev-1"]


def test_disabling_or_deleting_a_connected_device_cuts_its_session(world):
    first = world.dial()
    world.hub.set_enabled("dev-1", False, 0)
    assert first.closed == "disabled while connected"
    world.hub.set_enabled("dev-1", True, 0)
    second = world.dial()
    world.hub.delete_device("dev-1", 0)
    assert second.closed == "deleted while connected"
    assert world.dial().code == 5


@pytest.mark.parametrize("grace_s", [0, 300, 600])
def test_session_ends_when_its_token_has_expired(grace_s):
    world = World(grace_s=grace_s)
    world.sas_device()
    client = world.dial()
    deadline_ms = world.hub.turn(0)
    assert deadline_ms == (3600 + grace_s) * 1000
    world.hub.turn(deadline_ms - 1000)
    assert client.closed is None
    world.hub.turn(deadline_ms)
    assert client.closed == "token expired"
    assert world.hub.records.rows[-1]["ResultType"] == "401003"
    assert world.hub.turn(deadline_ms) is None


def test_session_by_certificate_has_no_deadline(world):
    _, leaf = x509_device(world, auth="ca")
    world.dial(password=None, chain=[leaf])
    assert world.hub.turn(0) is None


def test_clean_session_0_is_remembered(world):
    world.dial(clean=False).leave()
    assert world.dial(clean=False).present
    assert not world.dial(clean=True).present
    assert not world.dial(clean=False).present


def test_will_arrives_as_telemetry_unless_the_device_took_leave(world):
    will = ("devices/dev-1/messages/events/a=b", b"gone", 1)
    world.dial(will=will).leave("asked")
    assert world.rows("telemetry") == []
    world.dial(will=will).leave("tcp")
    (row,) = world.rows("telemetry")
    assert row["properties"] == {"a": "b", "iothub-MessageType": "Will"}
    assert row["text"] == "gone"


def test_will_to_another_devices_events_is_refused(world):
    assert world.dial(will=("devices/dev-2/messages/events/", b"", 0)).code == 5


def test_records_have_the_columns_of_the_documented_query(world):
    world.dial().leave()
    columns = "TimeGenerated OperationName Level ResultType ResultDescription DeviceId Protocol"
    for row in world.hub.records.rows:
        assert sorted(row) == sorted([*columns.split(), "SDKVersion"])
    assert world.hub.records.rows[0]["TimeGenerated"] == "2026-09-21T14:13:20Z"
    operations = [r["OperationName"] for r in world.hub.records.rows]
    assert operations == ["deviceConnect", "deviceDisconnect"]


def test_faults_at_connect_do_what_they_say(world):
    world.faults.add("CONNACK", code=3)
    assert world.dial().code == 3
    world.faults.add("SILENT_CONNECT")
    with pytest.raises(Silence):
        world.dial()
    world.faults.add("CLOSE_AFTER_CONNACK", device="dev-1")
    client = world.dial()
    assert (client.code, client.closed) == (0, "fault: closed after CONNACK")
    assert world.hub.connected_devices() == []


def test_delayed_connect_is_answered_when_asked_again(world):
    world.faults.add("DELAYED_CONNECT", count=None)
    client = world.client(
        world.hub, "dev-1", username=USERNAME, password=token(f"{HOST}/devices/dev-1")
    )
    with pytest.raises(Delay) as delay:
        client.open()
    assert delay.value.until_ms == 54_000
    assert client.open().code == 0


BAD_DEVICES = {
    "no id": ({}, "device_id"),
    "an empty id": ({"device_id": ""}, "1 to 128"),
    "an id with a slash": ({"device_id": "dev/1"}, "1 to 128"),
    "an id that is a number": ({"device_id": 7}, "str"),
    "an id of 129 characters": ({"device_id": "d" * 129}, "1 to 128"),
    "an unknown field": ({"device_id": "d", "key": KEY}, "primary_key"),
    "an unknown authentication": ({"device_id": "d", "auth": "tpm"}, "thumbprint"),
    "a key that is not base64": ({"device_id": "d", "primary_key": "sec?ret"}, "base64"),
    "a switch that is a text": ({"device_id": "d", "enabled": "false"}, "bool"),
    "a thumbprint that is a number": ({"device_id": "d", "primary_thumbprint": 7}, "str"),
}


@pytest.mark.parametrize(("fields", "hint"), BAD_DEVICES.values(), ids=BAD_DEVICES)
def test_impossible_device_is_refused_with_a_hint(fields, hint):
    with pytest.raises(BadRequest, match=hint) as refused:
        from_json(fields)
    assert "sec?ret" not in str(refused.value)


def test_no_key_or_token_reaches_the_journal_or_a_repr(world):
    world.dial()
    world.dial(password=token(f"{HOST}/devices/dev-1", OTHER_KEY))
    said = (
        repr(world.journal.since())
        + repr(world.hub.registry.all())
        + repr([i.shown() for i in world.hub.registry.all()])
    )
    assert KEY not in said and "SharedAccess" not in said and "sig=" not in said
