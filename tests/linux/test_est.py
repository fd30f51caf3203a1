"""Issuer est on real sockets: what leaves the device, what comes of each answer."""

import base64
import email.utils
import hashlib
import ssl

import pytest

from anchorwatch.core import actions
from anchorwatch.core.events import Installed, Issued, IssueLater, KeyMade
from anchorwatch.linux.clock import now_ms
from tests.linux import authority
from tests.linux.authority import NOW_S
from tests.linux.dialling import profile
from tests.linux.estserver import HOST, NONE, EstServer, certificates
from tests.linux.identities import CN, Device
from tests.linux.issuing import Ca
from tests.linux.proxies import Proxy

pytestmark = pytest.mark.tls
CA = Ca()
PORT = 8443


@pytest.fixture
def est():
    """est(answers, ...) -> a server; ended after the test."""
    running = []

    def begin(answers, **more):
        running.append(EstServer(answers, **more).__enter__())
        return running[-1]

    yield begin
    for one in running:
        one.__exit__()


@pytest.fixture
def ready(tmp_path):
    """ready(server, ...) -> a device with a request in slot a, and that request."""

    def make(server, files=("", ""), **settings):
        device = Device(tmp_path, files, lines={"%s:%d" % (HOST, PORT): [server.place()]},
                        ders=[server.root], **settings)
        assert device.key() == KeyMade("a")
        return device, device.csr().csr

    return make


def order(server, csr, **changes):
    fields = {"issuer": "est", "slot": "a", "cn": CN, "csr": csr, "renew": False,
              "with_slot": None, "host": HOST, "port": PORT, "anchors": [server.root.sha256],
              "limits": {}, "profile": profile(strict=False), "judge_utc_s": NOW_S, "proxy": "",
              "until_ms": now_ms() + 60_000}
    return actions.Enroll(**{**fields, **changes})


def issuing(asked):
    return certificates(CA.chain(asked.csr)[:1])


def chain_of(event):
    assert isinstance(event, Issued), event
    return [hashlib.sha256(der).hexdigest() for der in event.chain]


def test_leaf_is_completed_by_the_servers_list_and_can_be_installed(est, ready):
    others = [CA.root.der, authority.root("Other").der, CA.ca.der]
    server = est({"simpleenroll": issuing, "cacerts": certificates(others, lines=True)})
    device, csr = ready(server)
    event = device.one(order(server, csr))
    assert chain_of(event)[1:] == [CA.ca.sha256, CA.root.sha256]
    assert server.operations() == ["csrattrs", "simpleenroll", "cacerts"]
    enrolled = server.asked[1]
    assert (enrolled.method, enrolled.path) == ("POST", "/.well-known/est/simpleenroll")
    assert enrolled.headers["content-type"] == "application/pkcs10"
    assert enrolled.headers["host"] == "%s:%d" % (HOST, PORT) and enrolled.csr == csr
    assert isinstance(device.install(event.chain), Installed) and not device.warned


def test_whole_chain_needs_no_list(est, ready):
    server = est({"simpleenroll": lambda asked: certificates(
        [CA.root.der, CA.ca.der, CA.issue(asked.csr)])})
    device, csr = ready(server)
    assert chain_of(device.one(order(server, csr)))[1:] == [CA.ca.sha256, CA.root.sha256]
    assert server.operations() == ["csrattrs", "simpleenroll"]


@pytest.mark.parametrize("listed", [NONE, (500, {}, b""), (200, {}, b"?"), (200, {}, b"AAAA")])
def test_list_that_is_none_is_told_and_the_leaf_goes_alone(est, ready, listed):
    server = est({"simpleenroll": issuing, "cacerts": listed})
    device, csr = ready(server)
    assert len(chain_of(device.one(order(server, csr)))) == 1
    assert device.warned[-1][0] == "EST server does not list its CAs"


def test_label_is_a_part_of_every_path(est, ready):
    server = est({"simpleenroll": issuing})
    device, csr = ready(server, label="gateways")
    device.one(order(server, csr))
    assert {one.path.rpartition("/")[0] for one in server.asked} == {"/.well-known/est/gateways"}


def test_renewal_shows_the_slot_that_serves_and_enrolls_where_there_is_no_renewal(est, ready):
    server = est({"simplereenroll": (404, {}, b""), "simpleenroll": issuing},
                 client_ca=CA.root, ask=ssl.CERT_REQUIRED)
    device, csr = ready(server)
    device.install([*CA.chain(csr), CA.root.der])
    shown = device.slots.held("a")["chain"][0]
    device.key("b")
    csr = device.csr("b").csr
    event = device.one(order(server, csr, slot="b", renew=True, with_slot="a"))
    assert event.slot == "b" and chain_of(event)
    assert server.operations()[:3] == ["csrattrs", "simplereenroll", "simpleenroll"]
    assert {one.certificate for one in server.asked} == {base64.b64decode(shown)}


def test_configured_credential_is_shown_when_it_is_named(est, ready, tmp_path):
    first = CA.ca.issue(CN, client=True)
    server = est({"simpleenroll": issuing}, client_ca=CA.root)
    device, csr = ready(server, first.write(tmp_path))
    assert chain_of(device.one(order(server, csr, with_slot="onboarding")))
    assert server.asked[1].certificate == first.der


@pytest.mark.parametrize("status, headers, event", [
    (202, {"Retry-After": "3600"}, IssueLater("a", 3600, "the EST server has not decided yet")),
    (202, {}, IssueLater("a", 0, "the EST server has not decided yet")),
    (202, {"Date": email.utils.formatdate(NOW_S, usegmt=True),
           "Retry-After": email.utils.formatdate(NOW_S + 90, usegmt=True)},
     IssueLater("a", 90, "the EST server has not decided yet")),
    (202, {"Retry-After": "soon"}, IssueLater("a", 0, "the EST server has not decided yet")),
])
def test_not_yet_is_as_long_as_the_server_says(est, ready, status, headers, event):
    server = est({"simpleenroll": (status, headers, b"")})
    device, csr = ready(server)
    assert device.one(order(server, csr)) == event


@pytest.mark.parametrize("status, headers, fault, verdict, wait_s", [
    (401, {}, "identity", "issuer-unauthorized", 0),
    (403, {}, "identity", "issuer-unauthorized", 0),
    (400, {}, "policy", "issuer-refused", 0),
    (404, {}, "policy", "issuer-refused", 0),
    (302, {"Location": "https://elsewhere.example/"}, "policy", "issuer-moved", 0),
    (429, {"Retry-After": "30"}, "throttled", "issuer-busy", 30),
    (503, {"Retry-After": "60"}, "service", "issuer-busy", 60),
    (500, {}, "service", "issuer-failed", 0),
])
def test_no_is_told_with_its_class_and_the_servers_words(
        est, ready, status, headers, fault, verdict, wait_s):
    server = est({"simpleenroll": (status, headers, b"CN is\r\nnot \x1b[31myours\n" + b"x" * 999)})
    device, csr = ready(server)
    event = device.one(order(server, csr))
    assert (event.fault, event.verdict, event.retry_after_s) == (fault, verdict, wait_s)
    assert event.value.startswith("%d CN is not \\x1b[31myours" % status) and len(event.value) < 220
    assert event.presented == event.chain == []


@pytest.mark.parametrize("body", [
    b"", b"not base64!", b"AAAA", b"\xff" * 40, base64.b64encode(CA.ca.der),
    b"MAsGCSqGSIb3DQEHAqACMAA="])
def test_answer_without_certificates_is_malformed(est, ready, body):
    server = est({"simpleenroll": (200, {}, body)})
    device, csr = ready(server)
    event = device.one(order(server, csr))
    assert (event.fault, event.verdict) == ("policy", "issuer-malformed") and event.value


@pytest.mark.parametrize("said", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b"SSH-2.0-x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"])
def test_answer_that_is_too_long_or_no_answer_is_malformed(est, ready, said):
    server = est({"simpleenroll": lambda asked: said})
    device, csr = ready(server)
    assert device.one(order(server, csr)).verdict == "issuer-malformed"


def test_pem_lines_around_the_answer_are_taken(est, ready):
    def lined(asked):
        status, headers, text = certificates([CA.issue(asked.csr)], lines=True)
        return status, headers, b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n"

    server = est({"simpleenroll": lined})
    device, csr = ready(server)
    assert chain_of(device.one(order(server, csr)))


def test_server_that_is_not_trusted_gets_neither_request_nor_certificate(est, ready, tmp_path):
    server = est({"simpleenroll": issuing}, client_ca=CA.root)
    stranger = authority.root("Stranger")
    file = tmp_path / "anchors.pem"
    file.write_bytes(stranger.pem)
    files = CA.ca.issue(CN, client=True).write(tmp_path)
    device, csr = ready(server, files, anchors_file=str(file))
    event = device.one(order(server, csr, with_slot="onboarding"))
    assert (event.fault, event.verdict) == ("trust", "unknown-issuer")
    assert event.presented and len(event.chain) == 2
    assert server.asked == [] and server.visit().certificate is None


def test_explicit_anchors_stand_alone(est, ready, tmp_path):
    server = est({"simpleenroll": issuing})
    file = tmp_path / "anchors.pem"
    file.write_bytes(server.root.pem)
    device, csr = ready(server, anchors_file=str(file))
    assert chain_of(device.one(order(server, csr, anchors=[])))


@pytest.mark.parametrize("text", [None, b"hello", CA.ca.issue("leaf").pem])
def test_anchors_file_without_roots_is_told(est, ready, tmp_path, text):
    server = est({"simpleenroll": issuing})
    file = tmp_path / "anchors.pem"
    if text is not None:
        file.write_bytes(text)
    device, csr = ready(server, anchors_file=str(file))
    event = device.one(order(server, csr))
    assert (event.fault, event.verdict) == ("policy", "est-anchors") and str(file) in event.value
    assert server.visits == []


def test_proxy_is_on_the_way_of_every_operation(est, ready):
    server = est({"simpleenroll": issuing, "cacerts": certificates([CA.ca.der])})
    device, csr = ready(server)
    with Proxy() as proxy:
        assert chain_of(device.one(order(server, csr, proxy=proxy.url())))
        assert len(proxy.asked) == len(server.asked) == 3


def secret(tmp_path, text=b"dev-7:s3cret\n", mode=0o600):
    file = tmp_path / "est.secret"
    file.write_bytes(text)
    file.chmod(mode)
    return str(file)


def test_password_goes_to_the_verified_server_with_the_request_alone(est, ready, tmp_path):
    server = est({"simpleenroll": issuing})
    device, csr = ready(server, auth_file=secret(tmp_path))
    assert chain_of(device.one(order(server, csr)))
    told = {one.operation: one.headers.get("authorization") for one in server.asked}
    basic = "Basic " + base64.b64encode(b"dev-7:s3cret").decode()
    assert told == {"csrattrs": None, "simpleenroll": basic, "cacerts": None}


@pytest.mark.parametrize("text, mode", [(b"dev-7:s3cret", 0o644), (b"no colon", 0o600),
                                        (b"a:b\r\nX: y", 0o600)])
def test_password_file_that_cannot_be_used_is_told_and_not_shown(est, ready, tmp_path, text, mode):
    server = est({"simpleenroll": issuing})
    device, csr = ready(server, auth_file=secret(tmp_path, text, mode))
    event = device.one(order(server, csr))
    assert (event.fault, event.verdict) == ("policy", "est-credentials")
    assert "s3cret" not in repr(event) and server.visits == []


# A CA that asks for a key on P-384: SEQUENCE of an attribute ecPublicKey with that curve.
P384_WANTED = base64.b64encode(bytes.fromhex("3014301206072a8648ce3d0201310706052b81040022"))


@pytest.mark.parametrize("body, words", [
    (P384_WANTED, "1.3.132.0.34"), (b"AAAA", "malformed"), (b"MAA=", None), (b"", None)])
def test_what_the_ca_wants_and_we_have_not_is_told_and_it_decides(est, ready, body, words):
    server = est({"simpleenroll": issuing, "cacerts": certificates([CA.ca.der]),
                  "csrattrs": (200, {}, body)})
    device, csr = ready(server)
    assert chain_of(device.one(order(server, csr)))
    assert bool(device.warned) == bool(words)
    assert words is None or words in device.warned[0][0] + device.warned[0][1]


def test_server_that_is_silent_ends_with_the_order(est, ready):
    server = est({"simpleenroll": issuing}, instead=lambda visit: [visit.more() for _ in "12"])
    device, csr = ready(server)
    event = device.one(order(server, csr, until_ms=now_ms() + 300))
    assert (event.fault, event.verdict) == ("network", "silent")
