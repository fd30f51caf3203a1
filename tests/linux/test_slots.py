"""The slots of issued credentials: keys, requests, certificates, and their end."""

import base64
import gc
import hashlib
import os
import pathlib
import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from anchorwatch.core import actions
from anchorwatch.core.events import (
    Installed,
    InstallRefused,
    KeyFailed,
    KeyMade,
    KeyWiped,
    Saved,
    SaveFailed,
)
from anchorwatch.errors import LinkError
from anchorwatch.linux import store as stores
from anchorwatch.linux import tls
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.slots import pem_of
from anchorwatch.pki.der import Certificate
from anchorwatch.wire import frame
from tests.linux import authority
from tests.linux.agent_process import free_port
from tests.linux.authority import DAY_S, NOW_S
from tests.linux.dialling import profile
from tests.linux.identities import CN, Device
from tests.linux.issuing import Ca
from tests.linux.servers import Server

CA = Ca()


@pytest.fixture
def device(tmp_path):
    return Device(tmp_path)


@pytest.fixture
def asked(device):
    """(device, its request): a key and a request are there."""
    assert device.key() == KeyMade("a")
    return device, device.csr().csr


def key_of(device, slot="a"):
    return device.slots.held(slot)["key"]


def request_of(csr):
    return x509.load_der_x509_csr(base64.b64decode(csr))


def public(key):
    return key.public_bytes(serialization.Encoding.DER,
                            serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind, size, digest", [
    ("p256", 256, "sha256"), ("p384", 384, "sha384"), ("rsa2048", 2048, "sha256")])
def test_each_kind_of_key_is_made_and_signs_a_request_for_the_name_alone(
        device, kind, size, digest):
    assert device.key(kind=kind) == KeyMade("a")
    request = request_of(device.csr().csr)
    assert request.is_signature_valid and request.public_key().key_size == size
    assert request.signature_hash_algorithm.name == digest
    (name,) = request.subject
    assert (name.oid, name.value) == (NameOID.COMMON_NAME, CN)
    assert not list(request.extensions)


def test_pending_key_survives_a_restart_with_its_request(asked):
    device, csr = asked
    assert device.open() == {"a": {"pending": True}}
    assert device.csr().csr == csr


def test_request_for_another_name_is_made_anew_by_the_same_key(asked):
    device, csr = asked
    other = device.csr(cn="dev-8").csr
    assert other != csr
    assert public(request_of(other).public_key()) == public(request_of(csr).public_key())


def test_each_key_is_a_new_one_and_nothing_of_the_former_is_left(asked):
    device, _ = asked
    former = key_of(device).splitlines()[1].encode()
    assert former in device.text()
    device.key()
    assert former not in device.text() and key_of(device).splitlines()[1].encode() != former


def test_no_request_without_a_key(device):
    assert device.csr() == KeyFailed("a", "no-key", "the slot has no key")
    assert device.install([b""]) == InstallRefused("a", "wrong-key", "the slot has no key")


def test_installed_certificate_is_described_with_its_issuer(asked):
    device, csr = asked
    chain = CA.chain(csr)
    event = device.install(chain)
    sha1, sha256 = hashlib.sha1(chain[0]).hexdigest(), hashlib.sha256(chain[0]).hexdigest()
    assert event == Installed("a", {
        "kind": "x509", "slot": "a", "fingerprint": sha256, "sha1": sha1, "cn": CN,
        "not_before": NOW_S - DAY_S, "not_after": NOW_S + 30 * DAY_S, "key": "ec-p256",
        "by": "est", "issuer": {"cn": "Tenant CA", "sha1": hashlib.sha1(CA.ca.der).hexdigest(),
                                "sha256": CA.ca.sha256,
                                "not_after": Certificate(CA.ca.der).not_after}})
    assert device.open() == {"a": event.credential}
    assert key_of(device)[:10] not in repr(event)


def test_leaf_alone_is_installed_and_its_issuer_has_no_thumbprint(asked):
    device, csr = asked
    event = device.install(CA.chain(csr)[:1])
    issuer = {"cn": "Tenant CA", "sha1": "", "sha256": "", "not_after": None}
    assert event.credential["issuer"] == issuer


def test_chain_is_kept_leaf_first_without_strangers_or_doubles_and_with_its_root(asked):
    device, csr = asked
    leaf = CA.issue(csr)
    stranger = authority.root("Stranger").der
    device.install([CA.root.der, stranger, CA.ca.der, leaf, CA.ca.der, leaf])
    kept = [base64.b64decode(one) for one in device.slots.held("a")["chain"]]
    assert kept == [leaf, CA.ca.der, CA.root.der]


WHERE = {"hub": "hub.example", "device_id": CN}
EVIDENCE = {"accepted": {"hub": NOW_S, "dps": 0}, "refused_by_dps": True}


def prove(device, slot="a"):
    return device.one(actions.Prove(slot, WHERE, EVIDENCE))


def test_proof_lies_beside_the_certificate_and_the_next_start_finds_it(asked):
    device, csr = asked
    told = device.install(CA.chain(csr)).credential
    key = key_of(device)
    assert prove(device) == Saved("slot-a", 4)
    assert device.open() == {"a": {**told, "assignment": WHERE, "evidence": EVIDENCE}}
    assert key_of(device) == key and device.slots.held("a")["csr"] == csr


def test_frame_of_before_there_were_proofs_is_read_as_it_was(asked):
    device, csr = asked
    told = device.install(CA.chain(csr)).credential
    body = device.slots.held("a")
    del body["assignment"], body["evidence"]
    device.slots.write("a", body)
    assert device.open() == {"a": told}
    assert prove(device) == Saved("slot-a", 5) and device.open()["a"]["evidence"] == EVIDENCE


def test_another_certificate_in_the_slot_has_proven_nothing(asked):
    device, csr = asked
    device.install(CA.chain(csr))
    prove(device)
    told = device.install(CA.chain(csr)).credential
    assert device.open() == {"a": told} and "evidence" not in told


def test_proof_that_cannot_be_written_is_told_and_the_slot_is_as_it_was(asked, monkeypatch):
    device, csr = asked
    assert [prove(device, slot) for slot in "ab"] == [
        SaveFailed("slot-a", "io"), SaveFailed("slot-b", "io")]
    device.install(CA.chain(csr))
    before = device.text()

    def full(folder, name, data):
        raise OSError(28, "no space")

    monkeypatch.setattr(stores, "replace_secret", full)
    assert prove(device) == SaveFailed("slot-a", "full")
    monkeypatch.undo()
    monkeypatch.setattr(frame, "BODY_AT_MOST", len(frame.dump(device.slots.held("a"))))
    assert prove(device) == SaveFailed("slot-a", "full") and device.text() == before


def test_wiped_slot_leaves_no_byte_of_the_key_in_either_of_its_generations(asked):
    device, csr = asked
    device.install(CA.chain(csr))
    prove(device)
    key = key_of(device).splitlines()[1].encode()
    files = sorted((device.folder / "state").glob("slot-a.*"))
    assert [key in file.read_bytes() for file in files] == [True, True]
    assert device.one(actions.WipeKey("a")) == KeyWiped("a", "")
    assert key not in device.text() and not list((device.folder / "state").glob("slot-a.*"))


def refused(csr, reason):
    """The chains that are refused for a reason."""
    stranger = authority.root("Stranger").issue("x")
    return {
        "wrong-name": CA.chain(csr, "dev-8"),
        "wrong-key": [CA.issue(csr, key=stranger.key), CA.ca.der],
        "not-a-leaf": CA.chain(csr, ca=True),
        "expired": CA.chain(csr, begins=-9 * DAY_S, ends=-DAY_S),
        "not-yet-valid": CA.chain(csr, begins=DAY_S),
        "malformed": [CA.issue(csr)[:-1]],
    }[reason]


@pytest.mark.parametrize("reason", ["wrong-name", "wrong-key", "not-a-leaf", "expired",
                                    "not-yet-valid", "malformed"])
def test_certificate_that_is_not_the_one_asked_for_is_refused_and_changes_nothing(asked, reason):
    device, csr = asked
    before = device.text()
    event = device.install(refused(csr, reason))
    assert isinstance(event, InstallRefused) and (event.slot, event.reason) == ("a", reason)
    assert event.value
    assert device.text() == before and device.open() == {"a": {"pending": True}}


def test_certificate_for_servers_alone_is_no_client_certificate(asked):
    device, csr = asked
    event = device.install(CA.chain(csr, client=False))
    assert (event.reason, event.value) == ("not-a-leaf", "it is not for clients")


def test_certificate_that_began_a_moment_from_now_is_taken(asked):
    device, csr = asked
    assert isinstance(device.install(CA.chain(csr, begins=200)), Installed)


@pytest.mark.parametrize("chain", [[], [b""], [CA.ca.der] * 33])
def test_chain_of_nothing_or_of_too_much_is_malformed(asked, chain):
    assert asked[0].install(chain).reason == "malformed"


@pytest.mark.parametrize("failing, event", [
    ("key", KeyFailed("a", "full", "slot-a")), ("csr", KeyFailed("a", "full", "slot-a")),
    ("install", InstallRefused("a", "full", "slot-a"))])
def test_full_disk_is_told_and_the_slot_is_as_it_was(device, monkeypatch, failing, event):
    chain = []
    if failing != "key":
        device.key()
    if failing == "install":
        chain = CA.chain(device.csr().csr)
    before = device.text()

    def full(folder, name, data):
        raise OSError(28, "no space")

    monkeypatch.setattr(stores, "replace_secret", full)
    found = device.install(chain) if failing == "install" else getattr(device, failing)()
    assert found == event and device.text() == before


def test_slot_authenticates_a_handshake_and_its_key_is_in_no_file(asked):
    device, csr = asked
    chain = CA.chain(csr)
    device.install(chain)
    server = authority.root("Web").issue("hub.example.net", names=("hub.example.net",))
    gc.collect()  # which closes the folders of tests before this one
    descriptors = len(os.listdir("/proc/self/fd"))
    with Server(server.below(), client_ca=CA.root) as hub:
        files = device.slots.files("a")
        assert [pathlib.Path(os.readlink(file)).name.partition(" ")[0] for file in files] == [
            "memfd:anchorwatch"] * 2
        made = tls.context([server.issuer.der], {"suites": "any", "strict": True}, files, True)
        device.slots.release(files)
        assert not [file for file in files if os.path.exists(file)]
        with socket.create_connection((hub.address, hub.port)) as sock, made.wrap_socket(
                sock, server_hostname="hub.example.net"):
            pass
        assert hub.visit().certificate == chain[0]
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_slot_without_a_certificate_shows_none_and_says_so(asked):
    device, _ = asked
    for slot in ("a", "b"):
        files = device.slots.files(slot)
        with pytest.raises(LinkError) as caught:
            tls.context([CA.root.der], {"suites": "any", "strict": True}, files, True)
        device.slots.release(files)
        assert (caught.value.fault, caught.value.verdict) == ("identity", "credential-unreadable")


def in_memory():
    """Files of ours that are open and on no disk."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink("/proc/self/fd/" + name))
        except OSError:
            continue  # the listing's own
    return [one for one in found if "memfd:anchorwatch" in one]


def test_dial_that_fails_leaves_no_key_open(asked):
    device, csr = asked
    device.install(CA.chain(csr))
    dialer = Dialer(Resolver({"hub.example.net:8883": ["127.0.0.1:%d" % free_port()]}, None),
                    {CA.root.sha256: CA.root.der}.__getitem__, device.slots.files,
                    release=device.slots.release)
    order = actions.Dial("live", "hub", "hub.example.net", 8883, "mqtt", [CA.root.sha256], {},
                         profile(), "a", NOW_S, "", "own")
    event, _ = dialer.dial(order, dialer.patience())
    assert (event.fault, event.verdict) == ("network", "refused") and in_memory() == []


def test_slot_that_cannot_be_handed_over_is_a_fault_of_identity(asked, mocker):
    device, csr = asked
    device.install(CA.chain(csr))
    mocker.patch("anchorwatch.linux.slots.os.memfd_create", side_effect=OSError(24, "too many"))
    with pytest.raises(LinkError) as caught:
        device.slots.files("a")
    assert (caught.value.fault, caught.value.verdict, caught.value.value) == (
        "identity", "credential-unreadable", "slot-a")


def test_damaged_slot_is_warned_of_and_the_other_one_serves(device):
    for slot in ("a", "b"):
        device.key(slot)
        device.install(CA.chain(device.csr(slot).csr), slot)
    for file in (device.folder / "state").glob("slot-a.*"):
        data = bytearray(file.read_bytes())
        data[30] ^= 1
        file.write_bytes(data)
    found = device.open()
    assert list(found) == ["b"] and found["b"]["cn"] == CN
    assert "state file is damaged" in [told[0] for told in device.warned]


@pytest.mark.parametrize("body", [{}, {"key": "x", "csr": "", "chain": [1], "issuer": ""},
                                  {"key": "", "csr": "", "chain": [], "issuer": ""},
                                  {"key": "x", "csr": "", "chain": ["AAAA"], "issuer": ""}])
def test_slot_of_a_wrong_shape_is_warned_of_and_left_out(device, body):
    device.store.save("slot-a", body)
    assert device.open() == {}
    assert "slot-a" in [told[1] for told in device.warned]


def test_wiped_slot_leaves_no_byte_of_its_key(asked):
    device, csr = asked
    device.install(CA.chain(csr))
    lines = [line.encode() for line in key_of(device).splitlines()[1:-1]]
    assert device.one(actions.WipeKey("a")) == KeyWiped("a", "")
    assert not [line for line in lines if line in device.text()]
    assert device.open() == {} and device.one(actions.WipeKey("a")) == KeyWiped("a", "")


def test_slot_whose_key_is_no_key_is_told_and_can_be_wiped(asked):
    device, csr = asked
    device.slots.write("a", dict(device.slots.held("a"), key="no key", csr=csr))
    assert device.csr(cn="dev-8").reason == "no-key"
    assert device.install(CA.chain(csr)).reason == "wrong-key"
    assert device.one(actions.WipeKey("a")) == KeyWiped("a", "")


@pytest.fixture
def configured(tmp_path):
    """(device with a configured credential, its key file)."""
    files = CA.ca.issue(CN, client=True).write(tmp_path)
    return Device(tmp_path, files), pathlib.Path(files[1])


def test_configured_key_is_overwritten_in_place_and_removed(configured):
    device, file = configured
    device.credential.read()
    with file.open("rb") as held:
        assert device.one(actions.WipeKey("onboarding")) == KeyWiped("onboarding", "")
        assert held.read().strip(b"\0") == b""
    assert not file.exists() and not device.credential.changed()
    assert device.one(actions.WipeKey("onboarding")) == KeyWiped("onboarding", "")


def test_configured_key_that_is_a_link_is_left_and_told(configured):
    device, file = configured
    real = file.rename(file.with_name("real.key"))
    file.symlink_to(real)
    event = device.one(actions.WipeKey("onboarding"))
    assert event.reason and real.read_bytes().startswith(b"-----BEGIN")
    assert str(file) in device.warned[-1][2]


def test_configured_key_of_another_user_is_left_and_told(configured, mocker):
    device, file = configured
    mocker.patch("anchorwatch.linux.credential.os.geteuid", lambda: 12345)
    event = device.one(actions.WipeKey("onboarding"))
    assert event.reason == "key file is not a file of the agent's own"
    assert file.read_bytes().startswith(b"-----BEGIN")


def test_symmetric_key_signs_and_no_slot_does(tmp_path):
    file = tmp_path / "device.key"
    file.write_bytes(base64.b64encode(bytes(32)))
    file.chmod(0o600)
    device = Device(tmp_path, ("", str(file)), "symmetric_key")
    device.credential.read()
    assert len(device.slots.sign(b"data", "onboarding")) == 32
    assert device.slots.sign(b"data", "a") == b"" and device.slots.files("onboarding") is None


def program(folder, text):
    file = folder / "make-key"
    file.write_text("#!/bin/sh\n" + text)
    file.chmod(0o755)
    return (str(file), "word")


def test_key_command_makes_the_key_and_is_told_of_which_kind(tmp_path):
    plain = authority.root().key_pem.decode()
    (tmp_path / "key.pem").write_text("text before\n" + plain)
    words = program(tmp_path, 'test "$AW_KEY $AW_SLOT $1" = "p256 b word" && cat "%s"' % (
        tmp_path / "key.pem"))
    device = Device(tmp_path, key_command=words)
    assert device.key("b") == KeyMade("b")
    assert key_of(device, "b") == plain
    assert request_of(device.csr("b").csr).is_signature_valid


@pytest.mark.parametrize("text, word", [
    ("echo broken >&2; exit 3", "broken"), ("echo hello", "no private key"),
    ("head -c 20000 /dev/zero", "long"), ("exit 0", "no private key")])
def test_key_command_that_makes_none_is_told_with_its_words(tmp_path, text, word):
    device = Device(tmp_path, key_command=program(tmp_path, text))
    event = device.key()
    assert (event.reason, word in event.value) == ("command", True), event.value
    assert device.open() == {} and device.warned


def test_key_command_that_is_not_there_is_told(tmp_path):
    event = Device(tmp_path, key_command=("/nowhere/make-key",)).key()
    assert (event.reason, "/nowhere/make-key" in event.value) == ("command", True)


def test_frame_on_the_disk_is_of_the_form_that_is_written_down(asked):
    device, csr = asked
    chain = CA.chain(csr)
    device.install(chain)
    bodies = [frame.decode(file.read_bytes()) for file in
              (device.folder / "state").glob("slot-a.*")]
    body = frame.load(max(bodies)[1])
    assert sorted(body) == ["assignment", "chain", "csr", "evidence", "issuer", "key"]
    assert (body["csr"], body["issuer"]) == (csr, "est")
    assert pem_of([chain[0]]).decode().splitlines()[1][:20] == body["chain"][0][:20]
