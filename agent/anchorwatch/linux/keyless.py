"""A server that has a chain and no key: what would the TLS library say of it?

Rule: the very handshake of tls.py, over a socket pair. The flight is complete but for its
signature, which is nobody's; the library looks at the chain first, so its complaint about the
signature, and nothing else, means that the chain was accepted.

Source: RFC 5246 section 7.4, RFC 8422 section 5.4, RFC 5746.
"""

import socket

from ..errors import LinkError
from ..pki.p256 import G
from . import tls
from .patience import Patience

# Suite and signature scheme by the leaf's key.
_KINDS = {"rsa": (b"\xc0\x2f", b"\x04\x01"), "ec": (b"\xc0\x2b", b"\x04\x03")}
# Secure renegotiation is spoken, points are uncompressed.
_EXTENSIONS = b"\xff\x01\x00\x01\x00" + b"\x00\x0b\x00\x02\x01\x00"
_P256 = b"\x03\x00\x17"
_RECORD = 16_384
_ROOM = 262_144
_LONGEST_S = 10.0
ACCEPTED = "BAD_SIGNATURE"


def verdict(chain: list[bytes], anchors: list[bytes], profile: dict, host: str, kind: str) -> str:
    """"ok", or the word for why a chain [DER], leaf first, is refused; dates are not judged.

    anchors  DER; kind  the leaf's key, rsa | ec, for which the profile must offer a suite
    """
    near, far = server(chain, kind)
    with far:
        made = tls.context(anchors, profile, None, False)
        try:
            tls.handshake(near, made, host, lambda presented: None, Patience(_LONGEST_S))
        except LinkError as error:
            return "ok" if error.value == ACCEPTED else error.verdict
    return "chain-refused"  # it cannot be: there is no key that could have finished it


def server(chain: list[bytes], kind: str) -> tuple[socket.socket, socket.socket]:
    """(the end for a client, the other one, to be kept open as long): a server that has said all
    that it ever will. An error of a handshake whose value is ACCEPTED means a trusted chain."""
    near, far = socket.socketpair()
    far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
    far.settimeout(_LONGEST_S)
    far.sendall(_flight(chain, kind))
    near.setblocking(False)
    return near, far


def _flight(chain: list[bytes], kind: str) -> bytes:
    """ServerHello, Certificate, ServerKeyExchange and ServerHelloDone, as records."""
    suite, scheme = _KINDS[kind]
    hello = b"\x03\x03" + bytes(32) + b"\x00" + suite + b"\x00" + _sized(2, _EXTENSIONS)
    point = b"\x04" + G[0].to_bytes(32, "big") + G[1].to_bytes(32, "big")
    exchange = _P256 + _sized(1, point) + scheme + _sized(2, bytes(64))
    listed = _sized(3, b"".join(_sized(3, der) for der in chain))
    data = b"".join(bytes([number]) + _sized(3, body) for number, body in (
        (2, hello), (11, listed), (12, exchange), (14, b"")))
    pieces = [data[at:at + _RECORD] for at in range(0, len(data), _RECORD)]
    return b"".join(b"\x16\x03\x03" + _sized(2, piece) for piece in pieces)


def _sized(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data
