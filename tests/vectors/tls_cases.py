"""Hellos and flights: a real one, cut in every way, and made ones that are wrong."""

from binascii import a2b_base64

import certificates

from anchorwatch.pki.judge import judge
from anchorwatch.wire import hello, tls12

_FLIGHT = a2b_base64(certificates.SERVER_FLIGHT)
_HELLO = a2b_base64(certificates.CLIENT_HELLO)
_CHAIN = [a2b_base64(certificates.LEAF), a2b_base64(certificates.ISSUING)]
_RANDOM = bytes(32)


def record(kind, body, version=3):
    return bytes([kind, 3, version]) + len(body).to_bytes(2, "big") + body


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def server_hello(extensions=b"", version=b"\x03\x03"):
    body = version + _RANDOM + b"\x00\xc0\x2f\x00"
    if extensions:
        body += len(extensions).to_bytes(2, "big") + extensions
    return message(2, body)


def certificate_message(chain):
    listed = b"".join([len(der).to_bytes(3, "big") + der for der in chain])
    return message(11, len(listed).to_bytes(3, "big") + listed)


def told(*pieces):
    """What a Flight says after these pieces."""
    flight = tls12.Flight()
    for piece in pieces:
        flight.feed(piece)
    suite = hello.suite_name(flight.suite)
    version = hello.version_name(flight.version)
    return (flight.ended, len(flight.chain), version, suite, flight.max_fragment, flight.alert)


def cut(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def in_small_records(size):
    """The real flight again, its handshake bytes in records of `size`."""
    taken = tls12.Handshakes()
    taken.feed(_FLIGHT)
    whole = b"".join([message(kind, body) for kind, body in taken.messages])
    return told(*[record(22, piece) for piece in cut(whole, size)])


def endless():
    """Each message is as long as one may be, and there are too many of them."""
    pieces, zeros = [record(22, server_hello())], record(22, bytes(16_000))
    for kind in (12, 13, 22):
        pieces += [record(22, bytes([kind]) + (64_000).to_bytes(3, "big"))] + [zeros] * 4
    return told(*pieces)


def in_version(version):
    """The version of the record that an alert came in."""
    flight = tls12.Flight()
    flight.feed(b"\x15" + version + b"\x00\x02\x02\x28")
    return hello.version_name(flight.alert_version)


def in_pieces(size):
    return told(*cut(_FLIGHT, size))


def presented(data):
    flight = tls12.Flight()
    flight.feed(data)
    return flight.chain == _CHAIN, flight.asks_client_certificate


def judged(data):
    flight = tls12.Flight()
    flight.feed(data)
    return judge(flight.chain, "hub.example.net", 1780000000, {}).presented


def offered(data):
    taken = tls12.Handshakes()
    taken.feed(data)
    kind, body = taken.messages[0]
    seen = hello.ClientHello(body)
    suites = [hello.suite_name(code) for code in seen.suites]
    return (kind, seen.server_name, suites, seen.versions, seen.max_fragment, 23 in seen.groups)


def client_hello(extensions):
    body = b"\x03\x03" + _RANDOM + b"\x00\x00\x02\xc0\x2b\x01\x00"
    return record(22, message(1, body + len(extensions).to_bytes(2, "big") + extensions))


def _malformed(reason):
    return ("raises", "MalformedMessage", reason)


_REAL = ("complete", 2, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0, None)
_DONE = message(14, b"")
_FRAGMENT = b"\x00\x01\x00\x01\x02"
_VERSIONS = b"\x00\x2b\x00\x05\x04\x03\x04\x03\x03"
_GROUPS = b"\x00\x0a\x00\x04\x00\x02\x00\x17"
_NAME = b"\x00\x00\x00\x06\x00\x04\x00\x00\x01h"

CASES = (
    ("a real flight", told, (_FLIGHT,), _REAL),
    ("a real flight, byte by byte", in_pieces, (1,), _REAL),
    ("a real flight in pieces of 7", in_pieces, (7,), _REAL),
    ("a real flight in records of 3", in_small_records, (3,), _REAL),
    ("a real flight in records of 512", in_small_records, (512,), _REAL),
    ("its chain, and that it asks for ours", presented, (_FLIGHT,), (True, True)),
    ("its chain judged", judged, (_FLIGHT,),
     ["CN=leaf, O=Example, C=NL", "CN=Test Issuing, O=Example, C=NL",
     "CN=Test Root, O=Example, C=NL"]),
    ("half a flight is not done", told, (_FLIGHT[:400],),
     ("", 0, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0, None)),
    ("nothing yet", told, (b"",), ("", 0, "0x0000", "0x0000", 0, None)),
    ("an alert instead", told, (record(21, b"\x02\x28"),), ("alert", 0, "0x0000", "0x0000", 0, 40)),
    ("an alert after the hello", told, (record(22, server_hello()), record(21, b"\x02\x50")),
     ("alert", 0, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0, 80)),
    ("an alert tells the version settled on", in_version, (b"\x03\x01",), "TLSv1"),
    ("and so does one of today", in_version, (b"\x03\x03",), "TLSv1.2"),
    ("the name of an alert", tls12.alert_name, (40,), "handshake_failure"),
    ("the name of an alert nobody knows", tls12.alert_name, (200,), "alert_200"),
    ("TLS 1.3 shows no chain", told, (record(22, server_hello(b"\x00\x2b\x00\x02\x03\x04")),),
     ("tls13", 0, "TLSv1.3", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0, None)),
    ("an old version is told", told, (record(22, server_hello(version=b"\x03\x02") + _DONE),),
     ("complete", 0, "TLSv1.1", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0, None)),
    ("a resumed session shows no chain", told, (record(22, server_hello()) + record(20, b"\x01"),),
     ("resumed", 0, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0, None)),
    ("a fragment length agreed", told, (record(22, server_hello(b"\x00\x01\x00\x01\x04")),),
     ("", 0, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 4096, None)),
    ("bytes after the end do no harm", told, (_FLIGHT, b"HTTP/1.1 400"), _REAL),
    ("HTTP on the port", told, (b"HTTP/1.1 400 Bad",), _malformed("not a TLS record")),
    ("MQTT on the port", told, (b"\x20\x02\x00\x05\x00",), _malformed("not a TLS record")),
    ("application data first", told, (record(23, b"x"),), _malformed("TLS record out of place")),
    ("an empty record", told, (b"\x16\x03\x03\x00\x00",), _malformed("not a TLS record")),
    ("a record too long", told, (b"\x16\x03\x03\x40\x01",), _malformed("not a TLS record")),
    ("an alert of one byte", told, (record(21, b"\x02"),),
     _malformed("TLS alert of a wrong length")),
    ("a message too long", told, (record(22, b"\x0b\xff\xff\xff"),),
     _malformed("handshake message is too long")),
    ("a message longer than any chain", told, (record(22, server_hello() + b"\x0b\x01\x01\xd0"),),
     _malformed("handshake message is too long")),
    ("a flight without end", endless, (), _malformed("TLS flight is too long")),
    ("a certificate first", told, (record(22, certificate_message([])),),
     _malformed("flight without a ServerHello")),
    ("two hellos", told, (record(22, server_hello() * 2),),
     _malformed("handshake message out of place")),
    ("two chains", told, (record(22, server_hello() + certificate_message([b"x"]) * 2),),
     _malformed("handshake message out of place")),
    ("a message of the client", told, (record(22, server_hello() + message(16, b"")),),
     _malformed("handshake message out of place")),
    ("a chain with an empty entry", told, (record(22, server_hello() + certificate_message([b""])),
     ),
     _malformed("Certificate message with an empty")),
    ("seventeen certificates", told, (record(22, server_hello() + certificate_message([b"x"] * 17)),
     ),
     _malformed("Certificate message with an empty or too many")),
    ("a chain longer than its message", told, (record(22, server_hello() + message(11,
     b"\x00\x00\x05\x00")),),
     _malformed("Certificate message ends early")),
    ("a chain shorter than its message", told, (record(22, server_hello() + message(11,
     b"\x00\x00\x00\x00")),),
     _malformed("Certificate message is too long")),
    ("an end that is not empty", told, (record(22, server_hello() + message(14, b"x")),),
     _malformed("ServerHelloDone is not empty")),
    ("a hello cut off", told, (record(22, message(2, b"\x03\x03")),),
     _malformed("ServerHello ends early")),
    ("an extension twice", told, (record(22, server_hello(b"\x00\x05\x00\x00" * 2)),),
     _malformed("ServerHello with an extension twice")),
    ("a fragment length of 9", told, (record(22, server_hello(b"\x00\x01\x00\x01\x09")),),
     _malformed("maximum fragment length nobody defined")),
    ("a switch of keys before the hello", told, (record(20, b"\x01"),),
     _malformed("ChangeCipherSpec in a server's")),
    ("a switch of keys after the chain", told,
     (record(22, server_hello() + certificate_message([b"x"])) + record(20, b"\x01"),),
     _malformed("ChangeCipherSpec in a server's")),
    ("a switch of keys inside a message", told, (record(22, b"\x02\x00"), record(20, b"\x01")),
     _malformed("ChangeCipherSpec inside")),
    ("a real ClientHello", offered, (_HELLO,),
     (1, "hub.example.net", ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "0x00ff"], [], 0, True)),
    ("a made ClientHello", offered,
     (client_hello(_NAME + _FRAGMENT + _VERSIONS + _GROUPS),),
     (1, "h", ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"], [0x0304, 0x0303], 1024, True)),
    ("a server name with a NUL", offered,
     (client_hello(b"\x00\x00\x00\x06\x00\x04\x00\x00\x01\x00"),),
     _malformed("server name is not a host name")),
    ("groups of an odd length", offered, (client_hello(b"\x00\x0a\x00\x03\x00\x01\x17"),),
     _malformed("supported groups ends early")),
)  # fmt: skip
