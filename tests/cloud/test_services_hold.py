"""Whatever a device sends, a service answers, closes or stays silent, and does nothing else."""

import random

import pytest

from hil.cloud.enrollment import Enrollment
from hil.cloud.identity import common_name, loaded, nearest_authority
from hil.cloud.refusal import NotProven
from hil.cloud.session import CloseSession, Silence
from tests.cloud.world import EPOCH_UTC_S, HOST, KEY, SCOPE, Authority, World, token

SEED = 20261122
PIECES = (
    "devices/", "dev-1", "dev-2", "/messages/events/", "/messages/devicebound/#", "$iothub/",
    "twin/GET", "twin/res/#", "twin/PATCH/properties/reported", "methods/res/200", "/?$rid=1",
    "&operationId=", "$dps/registrations/PUT/iotdps-register", "$dps/registrations/res/#",
    "$dps/registrations/GET/iotdps-get-operationstatus", "%", "%zz", "%ff", "&", "=", "?", "#",
    "/", "\u00e9", "\ufffd", "x" * 300,
)  # fmt: skip
FILTERS = {
    "hub": ("$iothub/twin/res/#", "$iothub/methods/POST/#", "devices/dev-1/messages/devicebound/#"),
    "dps": ("$dps/registrations/res/#",),
}
REQUESTS = {
    "hub": (
        "devices/dev-1/messages/events/", "$iothub/twin/GET/?$rid=1",
        "$iothub/twin/PATCH/properties/reported/?$rid=2", "$iothub/methods/res/200/?$rid=3",
    ),
    "dps": (
        "$dps/registrations/PUT/iotdps-register/?$rid=4",
        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=5&operationId=6",
    ),
}  # fmt: skip
BODIES = (b"", b"{}", b"{", b"null", b"[[[", b'{"a": null}', b'"\\ud800"', b"\xff", b"1e999")


def text(rand, known=()):
    if known and rand.random() < 0.9:
        return rand.choice(known) + (rand.choice(PIECES) if rand.random() < 0.2 else "")
    return "".join(rand.choice(PIECES) for _ in range(rand.randint(0, 4)))


def step(rand, client):
    kind, name = rand.randint(0, 5), client.service.name
    if kind == 0:
        client.subscribe(text(rand, FILTERS[name]), rand.randint(0, 2))
    elif kind == 1:
        client.service.unsubscribe(client.session, text(rand), client.world.now_ms)
    elif kind == 2:
        client.acknowledge(rand.randint(0, 3))
    else:
        qos = 2 if rand.random() < 0.02 else rand.randint(0, 1)
        client.publish(text(rand, REQUESTS[name]), rand.choice(BODIES), qos, rand.random() < 0.2)


def open_client(rand, world):
    if rand.random() < 0.5:
        return world.dial(clean=rand.random() < 0.5)
    password = token(f"{SCOPE}/registrations/dev-1", skn="registration")
    username = f"{SCOPE}/registrations/dev-1/api-version=2019-03-31"
    return world.client(world.dps, "dev-1", username=username, password=password).open()


def test_random_packets_never_break_a_service():
    rand = random.Random(SEED)
    world = World()
    world.sas_device()
    world.dps.enrollments.put(Enrollment("dev-1", primary=KEY, hub=HOST))
    world.faults.soak(
        rand.randrange, 20, ["NO_PUBACK", "DROP_SESSION", "NO_SUBACK", "C2D_TWICE", "NO_REPLY"]
    )
    closed = 0
    for _ in range(600):
        client = open_client(rand, world)
        assert client.code == 0, SEED
        if rand.random() < 0.3:
            world.hub.send_c2d("dev-1", b"x", {}, world.now_ms)
            world.hub.patch_desired("dev-1", {"a": rand.randint(0, 9)}, world.now_ms)
        for _ in range(8):
            if client.closed is None:
                try:
                    step(rand, client)
                except Silence:
                    pass
        closed += client.closed is not None
        client.leave("tcp")
        assert world.hub.connected_devices() == [], SEED
    assert 50 < closed < 550
    assert all(world.rows(what) for what in ("telemetry", "twin get", "register", "poll"))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_random_connects_never_break_a_service():
    rand = random.Random(SEED)
    world = World()
    world.sas_device()
    authority = Authority("Tenant CA")
    world.hub.registry.authorities["tenant"] = authority.der
    leaf = authority.leaf("dev-1")
    for _ in range(2000):
        flipped = bytearray(leaf)
        flipped[rand.randrange(len(leaf))] ^= 1 << rand.randrange(8)
        for service in (world.hub, world.dps):
            client = world.client(
                service, rand.choice(("dev-1", "", text(rand))), username=text(rand),
                password=rand.choice((None, b"", b"\xff", text(rand).encode())),
                chain=rand.choice(([], [bytes(flipped)], [leaf[: rand.randrange(len(leaf))]])),
            )  # fmt: skip
            assert client.open().code == 5, SEED


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_flipped_certificate_is_refused_unless_the_signed_part_is_whole():
    rand = random.Random(SEED)
    authority = Authority("Tenant CA")
    leaf = authority.leaf("dev-1")
    whole = loaded(leaf).tbs_certificate_bytes
    refused = 0
    for at in range(len(leaf)):
        flipped = leaf[:at] + bytes([leaf[at] ^ 1 << rand.randrange(8)]) + leaf[at + 1 :]
        try:
            common_name(flipped)
            nearest_authority([flipped], [authority.der], EPOCH_UTC_S)
        except NotProven:
            refused += 1
        else:  # the count of unused bits of the signature is nobody's business
            assert loaded(flipped).tbs_certificate_bytes == whole, SEED
    assert refused >= len(leaf) - 1, SEED


def test_packets_on_a_session_that_is_over_change_nothing():
    world = World()
    world.sas_device()
    old = world.dial()
    world.dial()
    before = len(world.journal.since())
    for call in (
        lambda: world.hub.publish(old.session, "devices/dev-1/messages/events/", b"", 1, False, 0),
        lambda: world.hub.subscribe(old.session, "$iothub/twin/res/#", 0, 0),
        lambda: world.hub.unsubscribe(old.session, "$iothub/twin/res/#", 0),
    ):
        try:
            call()
        except CloseSession as e:
            assert e.reason == "the session is over"
        else:
            raise AssertionError("a dead session was served")
    world.hub.acked(old.session, 1, 0)
    world.hub.disconnected(old.session, "tcp", 0)
    assert len(world.journal.since()) == before
