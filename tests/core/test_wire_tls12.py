"""Flights of a real server, for every suite the services accept, in pieces of every size."""

import datetime
import random
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from anchorwatch.errors import MalformedMessage
from anchorwatch.pki.der import Certificate
from anchorwatch.wire import hello, tls12

OPENSSL_NAMES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": 0xC02B,
    "ECDHE-ECDSA-AES256-GCM-SHA384": 0xC02C,
    "ECDHE-ECDSA-AES128-SHA256": 0xC023,
    "ECDHE-ECDSA-AES256-SHA384": 0xC024,
    "ECDHE-RSA-AES128-GCM-SHA256": 0xC02F,
    "ECDHE-RSA-AES256-GCM-SHA384": 0xC030,
    "ECDHE-RSA-AES128-SHA256": 0xC027,
    "ECDHE-RSA-AES256-SHA384": 0xC028,
}


def server_file(folder, key):
    """A PEM file with a key and a self-signed certificate."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub.example.net")])
    begin = datetime.datetime(2026, 1, 1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
        .public_key(key.public_key()).not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=3650)).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    path = folder / ("%s.pem" % type(key).__name__)
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return str(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    return {
        "ECDSA": server_file(folder, ec.generate_private_key(ec.SECP256R1())),
        "RSA": server_file(folder, rsa.generate_private_key(65537, 2048)),
    }


def exchange(file, suite, newest=ssl.TLSVersion.TLSv1_2, oldest=ssl.TLSVersion.TLSv1_2):
    """(the client's hello, what the server answers)."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.minimum_version, client.maximum_version = oldest, newest
    client.set_ciphers(suite)
    to_server, to_client, nothing = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(nothing, to_server, server_hostname="hub.example.net")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        ours.do_handshake()
    sent = to_server.read()
    to_server.write(sent)
    try:
        theirs.do_handshake()
    except ssl.SSLError:
        pass
    return sent, to_client.read()


def offered(data):
    taken = tls12.Handshakes()
    taken.feed(data)
    ((kind, body),) = taken.messages
    assert kind == tls12.CLIENT_HELLO
    return hello.ClientHello(body)


@pytest.mark.parametrize("suite", OPENSSL_NAMES)
def test_flight_of_a_real_server_tells_suite_version_and_chain(suite, files):
    sent, answer = exchange(files[suite.split("-")[1]], suite)
    seen = offered(sent)
    assert OPENSSL_NAMES[suite] in seen.suites
    assert seen.server_name == "hub.example.net"
    assert seen.versions == [] and seen.version == hello.TLS_1_2
    flight = tls12.Flight()
    flight.feed(answer)
    assert (flight.ended, flight.version, flight.suite) == (
        "complete",
        0x0303,
        OPENSSL_NAMES[suite],
    )
    assert Certificate(flight.chain[0]).subject_name == "CN=hub.example.net"


def test_flight_in_random_pieces_tells_the_same(files):
    _, answer = exchange(files["RSA"], "ECDHE-RSA-AES128-GCM-SHA256")
    chance = random.Random(5)
    for _ in range(200):
        flight, at = tls12.Flight(), 0
        while at < len(answer):
            assert not flight.done
            size = chance.randrange(1, 400)
            flight.feed(answer[at : at + size])
            at += size
        assert flight.ended == "complete" and len(flight.chain) == 1


def test_flight_cut_anywhere_is_not_done(files):
    _, answer = exchange(files["ECDSA"], "ECDHE-ECDSA-AES128-GCM-SHA256")
    for size in range(len(answer)):
        flight = tls12.Flight()
        flight.feed(answer[:size])
        assert not flight.done


def test_no_common_suite_is_an_alert(files):
    _, answer = exchange(files["RSA"], "ECDHE-ECDSA-AES128-GCM-SHA256")
    flight = tls12.Flight()
    flight.feed(answer)
    assert flight.ended == "alert" and tls12.alert_name(flight.alert) == "handshake_failure"


def test_server_that_chooses_tls13_is_told_without_a_chain(files):
    newest = ssl.TLSVersion.TLSv1_3
    sent, answer = exchange(files["RSA"], "ECDHE-RSA-AES128-GCM-SHA256", newest)
    assert hello.TLS_1_3 in offered(sent).versions
    flight = tls12.Flight()
    flight.feed(answer)
    assert (flight.ended, flight.version, flight.chain) == ("tls13", hello.TLS_1_3, [])


def test_broken_flight_is_read_or_malformed(files):
    sent, answer = exchange(files["ECDSA"], "ECDHE-ECDSA-AES128-GCM-SHA256")
    chance = random.Random(9)
    refused = 0
    for number in range(6_000):
        data = bytearray(answer if number % 2 else sent)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(min(len(data), 200))] = chance.randrange(256)
        try:
            if number % 2:
                tls12.Flight().feed(bytes(data))
            else:
                taken = tls12.Handshakes()
                taken.feed(bytes(data))
                [hello.ClientHello(body) for _, body in taken.messages]
        except MalformedMessage:
            refused += 1
    assert refused > 1_000
