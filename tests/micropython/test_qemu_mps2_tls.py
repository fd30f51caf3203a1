"""The board `qemu-mps2` at TLS: sessions with CPython's ssl on the host's loopback.

Rule: what the guest prints and what stands on the wire is all that counts.
"""

import contextlib
import json
import ssl

import pytest
from cryptography.hazmat.primitives import serialization

from anchorwatch.wire.hello import ClientHello
from anchorwatch.wire.tls12 import Handshakes
from tests.linux import authority
from tests.linux.servers import Server
from tests.linux.taps import APPLICATION, HANDSHAKE, longest
from tests.micropython import guest

pytestmark = [pytest.mark.micropython, pytest.mark.tls, pytest.mark.lane_firmware]

HOST = "hub.example.net"
GCM = 24  # what AES-GCM adds to a record: a nonce and a tag


def put(files, name, holder):
    """A certificate and its key, as the guest reads them."""
    files[name + ".der"] = holder.der
    files[name + ".key"] = holder.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def outcomes(folder, cases, files, **how):
    """{name of a case: its line} of one boot, all sessions one after the other."""
    listed = {**files, "cases.json": json.dumps(cases).encode()}
    status, text = guest.run(folder, guest.ROOT / "tests/micropython/guest_tls.py", listed, **how)
    assert status == 0, text
    return dict(line.split(": ", 1) for line in text.splitlines())


class Kept:
    """A socket that keeps what is sent over it."""

    def __init__(self, sock):
        self._sock, self.sent = sock, bytearray()

    def sendall(self, data):
        self.sent += data
        self._sock.sendall(data)

    def __getattr__(self, name):
        return getattr(self._sock, name)


def echo(visit):
    while data := visit.read():
        visit.write(data)


def kept_echo(visit, server):
    """Serve one client that has its words back; visit.sock.sent is all that went to it."""
    visit.sock = Kept(visit.sock)
    visit.shake(server.context)
    echo(visit)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """(outcomes, servers) of all TLS cases, in one boot."""
    files, servers, cases = {}, {}, []
    roots = {kind: authority.root("Root " + kind, key=kind) for kind in ("p256", "rsa")}
    client = roots["p256"].issue("Issuing devices", ca=True).issue("dev-7", client=True)
    for name, holder in [*roots.items(), ("dev", client), ("above", client.issuer)]:
        put(files, name, holder)
    many = [HOST] + ["host-%03d.of-many.example.net" % n for n in range(40)]
    with contextlib.ExitStack() as stack:

        def case(name, kind, root=None, leaf=None, serve=None, **more):
            below = roots[kind].issue("Issuing " + kind, ca=True, key=kind)
            chain = below.issue(HOST, **{"names": [HOST], "key": kind, **(leaf or {})}).below()
            servers[name] = stack.enter_context(Server(chain, echo, **(serve or {})))
            cases.append({"name": name, "port": servers[name].port, "host": HOST, "size": 3000,
                          "root": (root or kind) + ".der", **more})  # fmt: skip

        case("EC", "p256")
        case("RSA", "rsa")
        case("wrong root", "p256", root="rsa")
        case("other name", "p256", leaf={"names": ["other.example.net"]})
        case("expired", "p256", leaf={"begins": -9 * authority.DAY_S, "ends": -authority.DAY_S})
        case("mutual", "p256", serve={"client_ca": roots["p256"], "ask": ssl.CERT_REQUIRED},
             chain=["dev.der", "above.der"], key="dev.key")  # fmt: skip
        case("short", "rsa", leaf={"names": many}, fragment=512,
             serve={"instead": lambda visit: kept_echo(visit, servers["short"])})  # fmt: skip
        found = outcomes(tmp_path_factory.mktemp("tls"), cases, files)
        yield found, servers


@pytest.mark.parametrize("kind, suite", [("EC", "TLS-ECDHE-ECDSA-"), ("RSA", "TLS-ECDHE-RSA-")])
def test_verified_session_of_tls_1_2_carries_data_both_ways(sessions, kind, suite):
    found, _ = sessions
    assert found[kind].startswith("TLSv1.2 " + suite) and "GCM" in found[kind]
    assert "another echo" not in found[kind]


@pytest.mark.parametrize(
    "case, why",
    [
        ("wrong root", "not correctly signed by the trusted CA"),
        ("other name", "does not match with the expected CN"),
        ("expired", "validity has expired"),
    ],
)
def test_chain_that_does_not_fit_is_refused_before_a_word_is_said(sessions, case, why):
    found, servers = sessions
    assert found[case].startswith("ValueError") and why in found[case]
    assert longest(servers[case].visit().raw, APPLICATION) == 0


def test_server_that_trusts_the_root_alone_takes_the_boards_certificate(sessions):
    found, servers = sessions
    assert found["mutual"].startswith("TLSv1.2")
    shown = servers["mutual"].visit().certificate
    assert shown is not None and b"dev-7" in shown


def test_records_of_both_directions_have_the_length_that_was_asked(sessions):
    found, servers = sessions
    visit = servers["short"].visit()
    reader = Handshakes()
    reader.feed(bytes(visit.raw))
    assert found["short"].startswith("TLSv1.2")
    assert ClientHello(reader.messages[0][1]).max_fragment == 512
    assert longest(visit.sock.sent, HANDSHAKE) == 512
    assert longest(visit.sock.sent, APPLICATION) == 512 + GCM
    assert longest(visit.raw, APPLICATION) == 512 + GCM


def test_small_buffer_serves_a_session_in_64_kb_of_heap(tmp_path):
    root = authority.root(key="rsa")
    leaf = root.issue("Issuing", ca=True, key="rsa").issue(HOST, names=[HOST], key="rsa")
    with Server(leaf.below(), echo) as server:
        case = {"name": "small", "port": server.port, "host": HOST, "root": "root.der",
                "fragment": 4096, "size": 9000}  # fmt: skip
        found = outcomes(tmp_path, [case], {"root.der": root.der}, heap=65_536,
                         elf=guest.firmware("4k"))  # fmt: skip
    assert found["small"].startswith("TLSv1.2 TLS-ECDHE-RSA")
