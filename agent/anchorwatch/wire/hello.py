"""The hellos of TLS 1.2 and 1.3 and the Certificate message, parsed.

Rule: only what decides is looked into; unknown extensions, groups and suites are kept as numbers.

Source: RFC 5246 section 7.4, RFC 6066 sections 3 and 4, RFC 8446 section 4.2.1, RFC 8422.
"""

from ..errors import MalformedMessage
from .octets import Octets

TLS_1_2, TLS_1_3 = 0x0303, 0x0304
SERVER_NAME, MAX_FRAGMENT_LENGTH, SUPPORTED_GROUPS = 0, 1, 10
SIGNATURE_ALGORITHMS, SUPPORTED_VERSIONS = 13, 43
FRAGMENT_SIZES = {1: 512, 2: 1024, 3: 2048, 4: 4096}
SUITES = {
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    0xC024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
}
_VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", TLS_1_2: "TLSv1.2",
             TLS_1_3: "TLSv1.3"}  # fmt: skip


def suite_name(code: int) -> str:
    """The registered name of a suite the services use, else its number."""
    return SUITES.get(code) or "0x%04x" % code


def version_name(code: int) -> str:
    """`TLSv1.2` for 0x0303."""
    return _VERSIONS.get(code) or "0x%04x" % code


class ClientHello:
    """What a client offers.

    suites, groups, versions, signature_algorithms   lists of numbers in the client's order
    server_name      text, or "" without one
    max_fragment     bytes asked for, or 0
    extensions       {type: body}
    """

    def __init__(self, body: bytes) -> None:
        reader = Octets(body, "ClientHello")
        self.version = reader.number(2)
        reader.take(32)
        self.session_id = reader.vector(1).data
        self.suites = reader.numbers(2, 2)
        self.compressions = reader.numbers(1, 1)
        self.extensions = _extensions(reader)
        self.server_name = _server_name(self.extensions.get(SERVER_NAME))
        self.max_fragment = _fragment(self.extensions.get(MAX_FRAGMENT_LENGTH))
        self.groups = _list(self.extensions.get(SUPPORTED_GROUPS), 2, "supported groups")
        self.versions = _list(self.extensions.get(SUPPORTED_VERSIONS), 1, "supported versions")
        offered = self.extensions.get(SIGNATURE_ALGORITHMS)
        self.signature_algorithms = _list(offered, 2, "signature algorithms")


class ServerHello:
    """What a server chose. max_fragment is 0 where the server did not agree to one."""

    def __init__(self, body: bytes) -> None:
        reader = Octets(body, "ServerHello")
        self.version = reader.number(2)
        reader.take(32)
        self.session_id = reader.vector(1).data
        self.suite = reader.number(2)
        self.compression = reader.number(1)
        self.extensions = _extensions(reader)
        self.max_fragment = _fragment(self.extensions.get(MAX_FRAGMENT_LENGTH))
        chosen = self.extensions.get(SUPPORTED_VERSIONS)
        if chosen is not None:
            inner = Octets(chosen, "supported versions")
            self.version = inner.number(2)
            inner.end()


def parse_certificates(body: bytes, most: int) -> list[bytes]:
    """The DER certificates of a TLS 1.2 Certificate message, leaf first, at most `most`."""
    reader = Octets(body, "Certificate message")
    listed = reader.vector(3)
    reader.end()
    chain = []
    while listed.left():
        chain.append(listed.vector(3).data)
        if len(chain) > most or not chain[-1]:
            raise MalformedMessage("Certificate message with an empty or too many entries")
    return chain


def _extensions(reader: Octets) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    if not reader.left():
        return found
    listed = reader.vector(2)
    reader.end()
    while listed.left():
        kind = listed.number(2)
        if kind in found:
            raise MalformedMessage("%s with an extension twice" % reader.what, kind)
        found[kind] = listed.vector(2).data
    return found


def _list(body: bytes | None, length_size: int, what: str) -> list[int]:
    if body is None:
        return []
    reader = Octets(body, what)
    found = reader.numbers(length_size, 2)
    reader.end()
    return found


def _server_name(body: bytes | None) -> str:
    if not body:
        return ""
    reader = Octets(body, "server name")
    names = reader.vector(2)
    reader.end()
    kind, name = names.number(1), names.vector(2).data
    if kind != 0 or not name or [b for b in name if not 0x21 <= b <= 0x7E]:
        raise MalformedMessage("server name is not a host name")
    return name.decode()


def _fragment(body: bytes | None) -> int:
    if body is None:
        return 0
    size = FRAGMENT_SIZES.get(body[0]) if len(body) == 1 else None
    if size is None:
        raise MalformedMessage("maximum fragment length nobody defined")
    return size
