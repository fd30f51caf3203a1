"""The ClientHello of TLS 1.2 that a glance begins with.

Rule: it offers what a dial would, and nothing that lets an earlier session be resumed: only a full
handshake shows a chain.

Source: RFC 5246 section 7.4.1.2; RFC 6066 section 3; RFC 7627; RFC 8422; RFC 5746.
"""

from .hello import SERVER_NAME, SIGNATURE_ALGORITHMS, SUITES, SUPPORTED_GROUPS, TLS_1_2

_HANDSHAKE, _CLIENT_HELLO, _RECORD_VERSION = 22, 1, 0x0301
_POINT_FORMATS, _EXTENDED_SECRET, _RENEGOTIATION = 11, 23, 0xFF01
_GROUPS = (0x0017, 0x0018)  # P-256, P-384
# ECDSA and RSA PKCS#1 over SHA-256 and SHA-384, and RSA over SHA-512
_SIGNATURES = (0x0403, 0x0503, 0x0401, 0x0501, 0x0601)


def client_hello(host: str, suites: str, random: bytes) -> bytes:
    """One TLS record; suites as in [tls.*], random 32 bytes."""
    if len(random) != 32:
        raise ValueError("the random of a ClientHello has 32 bytes")
    name = b"\0" + _vector(2, host.encode())
    body = _u16(TLS_1_2) + random + b"\0"
    body += _vector(2, b"".join([_u16(code) for code in offered(suites)])) + b"\1\0"
    extensions = _extension(SERVER_NAME, _vector(2, name))
    extensions += _extension(SUPPORTED_GROUPS, _list(_GROUPS))
    extensions += _extension(_POINT_FORMATS, b"\1\0")
    extensions += _extension(SIGNATURE_ALGORITHMS, _list(_SIGNATURES))
    extensions += _extension(_EXTENDED_SECRET, b"") + _extension(_RENEGOTIATION, b"\0")
    body += _vector(2, extensions)
    message = bytes([_CLIENT_HELLO]) + _vector(3, body)
    return bytes([_HANDSHAKE]) + _u16(_RECORD_VERSION) + _vector(2, message)


def offered(suites: str) -> list[int]:
    """The codes of `rsa`, `ecdsa` or `any`, in rising order."""
    word = "" if suites == "any" else "_" + suites.upper() + "_"
    return sorted([code for code in SUITES if word in SUITES[code]])


def _extension(kind: int, body: bytes) -> bytes:
    return _u16(kind) + _vector(2, body)


def _list(codes: tuple[int, ...]) -> bytes:
    return _vector(2, b"".join([_u16(code) for code in codes]))


def _vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "big")
