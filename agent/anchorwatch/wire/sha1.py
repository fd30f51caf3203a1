"""SHA-1, where a protocol of today still asks for it: the websocket's handshake, and thumbprints as
the service shows them.

Rule: no security rests on it. Not every board's `hashlib` has it; where it has, it is used.

Source: RFC 3174.
"""

import hashlib
import struct

_MASK = 0xFFFFFFFF
_BEGIN = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)


def digest(data: bytes) -> bytes:
    """The twenty bytes."""
    native = getattr(hashlib, "sha1", None)
    digested: bytes = own(data) if native is None else native(data).digest()
    return digested


def own(data: bytes) -> bytes:
    """What `hashlib` lacks."""
    size = len(data)
    padded = data + b"\x80" + bytes((55 - size) % 64) + (8 * size).to_bytes(8, "big")
    state = list(_BEGIN)
    for at in range(0, len(padded), 64):
        mixed = _mixed(state, list(struct.unpack(">16I", padded[at : at + 64])))
        state = [(a + b) & _MASK for a, b in zip(state, mixed)]
    return struct.pack(">5I", *state)


def _mixed(state: list[int], words: list[int]) -> list[int]:
    for n in range(16, 80):
        words.append(_left(words[n - 3] ^ words[n - 8] ^ words[n - 14] ^ words[n - 16], 1))
    a, b, c, d, e = state
    for n in range(80):
        if n < 20:
            f, k = (b & c) | (~b & d), 0x5A827999
        elif n < 40:
            f, k = b ^ c ^ d, 0x6ED9EBA1
        elif n < 60:
            f, k = (b & c) | (b & d) | (c & d), 0x8F1BBCDC
        else:
            f, k = b ^ c ^ d, 0xCA62C1D6
        a, b, c, d, e = (_left(a, 5) + f + e + k + words[n]) & _MASK, a, _left(b, 30), c, d
    return [a, b, c, d, e]


def _left(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & _MASK
