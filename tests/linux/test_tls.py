"""Dials against real TLS servers: what is verified, what is refused, what leaves the device."""

import json
import socket
import ssl
import threading

import pytest

from anchorwatch.core.actions import Dial
from anchorwatch.core.events import Failed, Verified
from anchorwatch.linux import tls
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.patience import READ, Patience
from anchorwatch.linux.resolve import Resolver
from anchorwatch.wire.hello import ClientHello
from anchorwatch.wire.tls12 import CLIENT_HELLO, Handshakes
from tests.linux import authority
from tests.linux.authority import DAY_S, NOW_S
from tests.linux.servers import TIMEOUT_S, Server

pytestmark = pytest.mark.tls

HOST = "hub.example.net"
PORT = 8883


@pytest.fixture(scope="module")
def root():
    return authority.root()


@pytest.fixture(scope="module")
def issuing(root):
    return root.issue("Issuing CA", ca=True)


@pytest.fixture(scope="module")
def leaf(issuing):
    return issuing.issue("hub", names=[HOST])


def profile(**changes):
    usual = {"suites": "any", "max_fragment": "off", "strict": True, "all_ecc": False,
             "check_time": False}
    return dict(usual, **changes)


def order(anchors, *, slot=None, judge_utc_s=NOW_S, proxy="", transport="mqtt", link="live",
          **changes):
    return Dial(link, "hub", HOST, PORT, transport, sorted(one.sha256 for one in anchors), {},
                profile(**changes), slot, judge_utc_s, proxy, "own")


def dialer(anchors, *places, credential=None, utc_s=NOW_S, connect_s=5, dial_s=10, clock=None):
    table = {"%s:%d" % (HOST, PORT): [str(place) for place in places]}
    clocks = {"clock": clock} if clock else {}
    return Dialer(Resolver(table, None), {one.sha256: one.der for one in anchors}.__getitem__,
                  lambda slot: credential, lambda: utc_s, connect_s, dial_s, **clocks)


def dial(anchors, server, *, credential=None, utc_s=NOW_S, **wishes):
    """One dial to one server; its socket is closed."""
    made = dialer(anchors, server.place(), credential=credential, utc_s=utc_s)
    event, sock = made.dial(order(anchors, **wishes), made.patience())
    if sock is not None:
        sock.close()
    return event


def outcome(event):
    return (event.fault, event.verdict)


def hello(visit):
    reader = Handshakes()
    reader.feed(visit.raw)
    kind, body = reader.messages[0]
    assert kind == CLIENT_HELLO
    return ClientHello(body)


def test_chain_under_an_offered_anchor_is_verified_with_its_evidence(root, issuing, leaf):
    other = authority.root("Other Root")
    with Server(leaf.below()) as server:
        event = dial([other, root], server)
    assert isinstance(event, Verified)
    assert event.anchor == root.sha256
    assert event.chain == [leaf.sha256, issuing.sha256, root.sha256]
    assert [name.count("CN=") for name in event.names] == [1, 1, 1]
    assert (event.address, event.addresses) == ("127.0.0.1", ["127.0.0.1"])
    assert (event.not_before, event.not_after) == (NOW_S - DAY_S, NOW_S + 30 * DAY_S)
    assert event.tls["version"] == "TLSv1.2"
    assert event.tls["suite"] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    assert event.tls["fragment"] == {"asked": None, "negotiated": None, "reason": "off"}
    assert event.took_ms >= 0


def test_root_that_is_presented_too_is_verified_against_the_store(root, leaf):
    with Server(leaf.below() + [root]) as server:
        assert isinstance(dial([root], server), Verified)


def test_two_anchors_of_one_name_are_told_apart(root, leaf):
    twin = authority.root()
    with Server(leaf.below()) as server:
        assert dial([twin, root], server).anchor == root.sha256


def test_unknown_root_is_refused_with_the_names_it_presented(leaf):
    stranger = authority.root("Stranger")
    with Server(leaf.below()) as server:
        event = dial([stranger], server)
    assert outcome(event) == ("trust", "unknown-issuer")
    assert "CN=Test Root" in event.presented[-1]
    assert len(event.presented) == 3
    assert event.address == "127.0.0.1"


def test_missing_intermediate_is_an_unknown_issuer(root, leaf):
    with Server([leaf]) as server:
        event = dial([root], server)
    assert outcome(event) == ("trust", "unknown-issuer")
    assert "CN=Issuing CA" in event.presented[-1]


@pytest.mark.parametrize("which", ["leaf", "issuing"])
def test_leaf_or_intermediate_in_the_store_is_no_anchor(which, issuing, leaf):
    with Server(leaf.below()) as server:
        event = dial([{"leaf": leaf, "issuing": issuing}[which]], server)
    assert outcome(event) == ("trust", "not-an-anchor")
    assert server.visits == []


def test_context_itself_takes_neither_intermediate_nor_common_name(issuing):
    """The store's own check comes first; this is the second lock, which no dial can reach."""
    made = tls.context([issuing.der], profile(), None, False)
    assert not made.verify_flags & tls.PARTIAL_CHAIN
    assert made.hostname_checks_common_name is False
    assert made.verify_mode == ssl.CERT_REQUIRED and made.check_hostname


def test_dial_without_any_anchor_on_the_device_is_refused_before_it_connects(root, leaf):
    with Server(leaf.below()) as server:
        made = dialer([], server.place())
        event, sock = made.dial(order([root]), made.patience())
    assert outcome(event) == ("trust", "no-anchor")
    assert server.visits == []


def test_certificate_for_another_name_is_refused(root, issuing):
    other = issuing.issue("hub", names=["other.example.net"])
    with Server(other.below()) as server:
        event = dial([root], server)
    assert outcome(event) == ("trust", "name-mismatch")


def test_common_name_does_not_count_as_a_name(root, issuing):
    bare = issuing.issue(HOST)
    with Server(bare.below()) as server:
        event = dial([root], server)
    assert outcome(event) == ("trust", "name-mismatch")


@pytest.mark.parametrize("check_time, fault", [(False, "clock"), (True, "trust")])
@pytest.mark.parametrize("begins, ends, verdict", [
    (-9 * DAY_S, -DAY_S, "expired"), (DAY_S, 9 * DAY_S, "not-yet-valid")])
def test_date_failure_is_the_clocks_until_it_is_authenticated(
        root, issuing, check_time, fault, begins, ends, verdict):
    dated = issuing.issue("hub", names=[HOST], begins=begins, ends=ends)
    with Server(dated.below()) as server:
        event = dial([root], server, check_time=check_time)
    assert outcome(event) == (fault, verdict)


@pytest.mark.parametrize("check_time", [False, True])
def test_dates_are_judged_at_the_time_of_the_core_whatever_the_system_says(
        root, issuing, leaf, check_time):
    old = issuing.issue("hub", names=[HOST], begins=-20 * DAY_S, ends=-10 * DAY_S)
    long_ago = authority.root(begins=-30 * DAY_S, ends=-5 * DAY_S)
    below = long_ago.issue("hub", names=[HOST], begins=-20 * DAY_S, ends=-10 * DAY_S)
    with Server(below.below()) as server:
        event = dial([long_ago], server, judge_utc_s=NOW_S - 15 * DAY_S, check_time=check_time)
        assert isinstance(event, Verified)
    with Server(old.below()) as server:  # its issuer is too young for that day
        event = dial([root], server, judge_utc_s=NOW_S - 15 * DAY_S, check_time=check_time)
        assert outcome(event)[1] == "not-yet-valid"


@pytest.mark.parametrize("check_time", [False, True])
def test_a_root_past_its_end_counts_where_the_core_offers_it_with_the_library_s_dates_off(
    check_time,
):
    past = authority.root(begins=-9 * DAY_S, ends=-DAY_S)
    young = past.issue("hub", names=[HOST])
    with Server(young.below()) as server:
        event = dial([past], server, check_time=check_time)
    if check_time:
        assert outcome(event) == ("trust", "expired")
    else:
        assert isinstance(event, Verified)


def test_all_ecc_refuses_an_rsa_root_above_an_ecc_leaf():
    mixed = authority.root(key="rsa")
    below = mixed.issue("hub", names=[HOST])
    with Server(below.below()) as server:
        assert isinstance(dial([mixed], server), Verified)
        assert outcome(dial([mixed], server, all_ecc=True)) == ("policy", "not-ecc")


def test_strict_refuses_what_rfc_5280_forbids_and_lax_takes_it(root):
    """A CA certificate without key identifiers is such a thing."""
    bare = _without_key_ids(root)
    with Server(bare) as server:
        assert isinstance(dial([root], server, strict=False), Verified)
        event = dial([root], server, strict=True)
    assert outcome(event) == ("trust", "chain-refused")


def _without_key_ids(root):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    made = root.issue("hub", names=[HOST])
    builder = (x509.CertificateBuilder().subject_name(made.certificate.subject)
               .issuer_name(root.certificate.subject).public_key(made.key.public_key())
               .serial_number(7).not_valid_before(authority._time(NOW_S - DAY_S))
               .not_valid_after(authority._time(NOW_S + DAY_S)))
    for extension in made.certificate.extensions:
        if not isinstance(extension.value, (x509.AuthorityKeyIdentifier,
                                            x509.SubjectKeyIdentifier)):
            builder = builder.add_extension(extension.value, extension.critical)
    signed = builder.sign(root.key, hashes.SHA256())
    return [authority.Holder(made.key, signed, root)]


def test_server_without_a_common_suite_is_a_matter_of_policy(root, leaf):
    with Server(leaf.below()) as server:  # its key is EC
        event = dial([root], server, suites="rsa")
    assert outcome(event) == ("policy", "no-common-suite")


def _only(version):
    def tune(context):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
        context.minimum_version = context.maximum_version = version
    return tune


def test_server_that_speaks_tls_1_3_only_is_a_matter_of_policy(root, leaf):
    def tune(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.minimum_version = ssl.TLSVersion.TLSv1_3

    with Server(leaf.below(), tune=tune) as server:
        assert outcome(dial([root], server)) == ("policy", "protocol-version")


@pytest.mark.parametrize("version", [b"\x03\x02", b"\x03\x01"])
def test_server_that_chooses_an_older_version_is_a_matter_of_policy(root, leaf, version):
    body = version + bytes(32) + b"\x00" + b"\xc0\x09" + b"\x00"
    flight = b"\x02" + len(body).to_bytes(3, "big") + body + b"\x0e\x00\x00\x00"
    record = b"\x16" + version + len(flight).to_bytes(2, "big") + flight

    def talk(visit):
        visit.sock.recv(4096)
        visit.sock.sendall(record)
        visit.sock.recv(4096)

    with Server(leaf.below(), instead=talk) as server:
        assert outcome(dial([root], server)) == ("policy", "protocol-version")


def test_port_where_nobody_listens_is_refused_by_the_network(root):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = "127.0.0.1:%d" % listener.getsockname()[1]
    made = dialer([root], place)
    event, _ = made.dial(order([root]), made.patience())
    assert outcome(event) == ("network", "refused")
    assert event.address == "127.0.0.1"


def test_server_that_accepts_and_stays_silent_is_given_up_in_time(root, leaf):
    held = threading.Event()
    with Server(leaf.below(), instead=lambda visit: held.wait(TIMEOUT_S)) as server:
        made = dialer([root], server.place(), dial_s=0.2)
        event, _ = made.dial(order([root]), made.patience())
        held.set()
    assert outcome(event) == ("network", "silent")


def test_server_that_trickles_its_flight_is_given_up_in_time(root, leaf):
    held = threading.Event()

    def trickle(visit):
        while not held.wait(0.01):
            visit.sock.sendall(b"\x16\x03\x03\x40\x00"[:1] if not visit.raw else b"")
            visit.raw += b"."

    with Server(leaf.below(), instead=trickle) as server:
        made = dialer([root], server.place(), dial_s=0.2)
        event, _ = made.dial(order([root]), made.patience())
        held.set()
    assert outcome(event) == ("network", "silent")


@pytest.mark.parametrize("said, expected", [
    (b"SSH-2.0-OpenSSH_9.2\r\n", ("policy", "malformed-handshake")),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", ("policy", "malformed-handshake")),
    (b"\x15\x03\x03\x00\x02\x02\x50", ("network", "alert-80")),
    (b"\x15\x03\x03\x00\x02\x02\x70", ("policy", "name-not-served")),
    (b"", ("network", "cut")),
])
def test_what_is_no_flight_is_named(root, leaf, said, expected):
    def talk(visit):
        visit.sock.recv(4096)
        if said:
            visit.sock.sendall(said)

    with Server(leaf.below(), instead=talk) as server:
        assert outcome(dial([root], server)) == expected


def test_connection_cut_after_the_flight_is_the_networks_fault(root, leaf):
    def drop(visit):  # only the flight goes out: the client's answer meets a closed socket
        visit.tls = server.context.wrap_bio(*visit.bios, server_side=True)
        visit.more()
        with pytest.raises(ssl.SSLWantReadError):
            visit.tls.do_handshake()
        visit.flush()

    with Server(leaf.below(), instead=drop) as server:
        assert outcome(dial([root], server)) == ("network", "cut")


def test_probe_shows_no_certificate_and_a_dial_with_a_slot_does(root, leaf, tmp_path):
    tenant = authority.root("Tenant CA")
    device = tenant.issue("dev-7", client=True)
    files = device.write(tmp_path)
    with Server(leaf.below(), client_ca=tenant) as server:
        assert isinstance(dial([root], server, credential=files, slot=None), Verified)
        assert isinstance(dial([root], server, credential=files, slot="a"), Verified)
        assert server.visit(0).certificate is None
        assert server.visit(1).certificate == device.der


def test_client_certificate_that_the_server_refuses_is_a_matter_of_identity(root, leaf, tmp_path):
    stranger = authority.root("Nobody's CA").issue("dev-7", client=True)
    with Server(leaf.below(), client_ca=authority.root("Tenant CA")) as server:
        event = dial([root], server, credential=stranger.write(tmp_path), slot="a")
    assert outcome(event) == ("identity", "certificate-refused")


def test_unreadable_credential_is_a_matter_of_identity(root, leaf, tmp_path):
    with Server(leaf.below()) as server:
        event = dial([root], server, slot="a",
                     credential=(str(tmp_path / "no.pem"), str(tmp_path / "no.key")))
    assert outcome(event) == ("identity", "credential-unreadable")
    assert server.visits == []


def test_nothing_but_the_hello_leaves_before_the_judgement(root, issuing, tmp_path):
    """A wrong name is the judge's to find: OpenSSL would have found it only on the way."""
    wrong = issuing.issue("hub", names=["other.example.net"])
    tenant = authority.root("Tenant CA")
    files = tenant.issue("dev-7", client=True).write(tmp_path)
    with Server(wrong.below(), client_ca=tenant) as server:
        assert outcome(dial([root], server, credential=files, slot="a"))[1] == "name-mismatch"
        _only_a_hello(server.visit())


def test_flight_that_is_there_at_once_is_judged_before_it_is_answered(
        root, issuing, tmp_path, mocker):
    """A server so quick that its flight waits before the library first looks for one."""
    wrong = issuing.issue("hub", names=["other.example.net"])
    tenant = authority.root("Tenant CA")
    device = tenant.issue("dev-7", client=True)
    send = tls.send

    def slow_send(sock, data, patience):
        send(sock, data, patience)
        patience.wait(sock, READ)

    mocker.patch.object(tls, "send", slow_send)
    with Server(wrong.below(), client_ca=tenant) as server:
        event = dial([root], server, credential=device.write(tmp_path), slot="a")
        assert outcome(event) == ("trust", "name-mismatch")
        _only_a_hello(server.visit())


def test_unknown_root_sees_no_client_certificate(leaf, tmp_path):
    tenant = authority.root("Tenant CA")
    device = tenant.issue("dev-7", client=True)
    with Server(leaf.below(), client_ca=tenant) as server:
        event = dial([authority.root("Stranger")], server, credential=device.write(tmp_path),
                     slot="a")
        assert outcome(event) == ("trust", "unknown-issuer")
        assert device.der not in server.visit().raw
        assert not server.visit().shaken.is_set()


def _only_a_hello(visit):
    length = int.from_bytes(visit.raw[3:5], "big")
    assert visit.raw[0] == 22 and len(visit.raw) == 5 + length
    assert hello(visit).server_name == HOST


def test_every_address_is_tried_until_one_answers(root, leaf):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = "127.0.0.1:%d" % listener.getsockname()[1]
    with Server(leaf.below(), address="127.0.0.3") as server:
        made = dialer([root], dead, server.place())
        event, sock = made.dial(order([root]), made.patience())
        sock.close()
    assert (event.address, event.addresses) == ("127.0.0.3", ["127.0.0.1", "127.0.0.3"])


@pytest.mark.parametrize("first", ["dead", "stranger"])
def test_verdict_on_a_chain_outweighs_a_network_failure_of_another_address(root, leaf, first):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = "127.0.0.1:%d" % listener.getsockname()[1]
    stranger = authority.root("Stranger").issue("hub", names=[HOST])
    with Server(stranger.below(), address="127.0.0.3") as server:
        places = [dead, server.place()] if first == "dead" else [server.place(), dead]
        made = dialer([root], *places)
        event, _ = made.dial(order([root]), made.patience())
    assert outcome(event) == ("trust", "unknown-issuer")
    assert event.address == "127.0.0.3"


def test_cancelled_dial_ends_at_once(root, leaf):
    held = threading.Event()
    with Server(leaf.below(), instead=lambda visit: held.wait(TIMEOUT_S)) as server:
        made = dialer([root], server.place(), dial_s=1000)
        patience = made.patience()
        patience.cancel()
        event, _ = made.dial(order([root]), patience)
        held.set()
    assert outcome(event) == ("network", "cancelled")


def test_second_handshake_is_never_a_resumed_one(root, leaf):
    with Server(leaf.below()) as server:
        made = dialer([root], server.place())
        for _ in range(2):
            event, sock = made.dial(order([root]), made.patience())
            assert isinstance(event, Verified) and sock.session_reused is False
            sock.close()
        assert hello(server.visit(1)).session_id == b""


def test_failure_prints_and_compares_like_any_event(root, leaf):
    with Server(leaf.below()) as server:
        event = dial([authority.root("Stranger")], server)
    assert eval(repr(event), {"Failed": Failed}) == event


def test_patience_counts_down_by_its_clock_and_shares_its_end():
    times = iter([0.0, 0.0, 0.0, 4.0, 4.0, 9.0, 11.0])
    patience = Patience(10, lambda: next(times))
    nearer = patience.at_most(3)
    assert nearer.left_s == 0.0 and patience.left_s == 6.0
    assert patience.check() == 1.0
    assert patience.left_s == 0.0
    nearer.cancel()
    assert patience.cancelled


def test_resolver_asks_its_file_anew_before_its_table_and_the_system(tmp_path):
    file = tmp_path / "resolve.json"
    resolver = Resolver({"Hub.Example.Net:8883": ["127.0.0.2:1"]}, str(file))
    assert resolver.addresses(HOST, PORT) == [("127.0.0.2", 1)]
    file.write_text(json.dumps({"hub.example.net:8883": ["127.0.0.9:2", "[::1]:3"]}))
    assert resolver.addresses("HUB.example.net", PORT) == [("127.0.0.9", 2), ("::1", 3)]
    file.write_text(json.dumps({}))
    assert resolver.addresses(HOST, PORT) == [("127.0.0.2", 1)]
    assert ("127.0.0.1", 9) in resolver.addresses("localhost", 9)


@pytest.mark.parametrize("text", ["{", "[]", '{"hub.example.net:8883": "127.0.0.1:1"}',
                                  '{"hub.example.net:8883": ["127.0.0.1"]}',
                                  '{"hub.example.net:8883": [7]}'])
def test_broken_resolve_file_fails_the_dial_and_not_the_agent(root, tmp_path, text):
    file = tmp_path / "resolve.json"
    file.write_text(text)
    made = Dialer(Resolver({}, str(file)), {root.sha256: root.der}.__getitem__, lambda slot: None)
    event, _ = made.dial(order([root]), made.patience())
    assert outcome(event) == ("network", "table-malformed")


def test_unknown_name_is_a_network_failure(root):
    made = Dialer(Resolver({}, None), {root.sha256: root.der}.__getitem__, lambda slot: None)
    asked = order([root])
    asked.host = "x" * 64 + ".invalid"  # no name server need be asked: a label has 63 letters
    event, _ = made.dial(asked, made.patience())
    assert outcome(event) == ("network", "name-unknown")
