"""A question to a time server and what its answer says.

Rule: an answer counts only if it echoes our random question; it is still unauthenticated. The
round trip is not corrected: seconds are enough for certificates.

Source: RFC 4330 section 5, RFC 5905 section 7.3.
"""

from ..errors import MalformedMessage

SIZE = 48
_CLIENT = 0x23  # version 4, mode 3
_SERVER_MODE = 4
_UNSYNCHRONISED = 3
_TO_1970_S = 2_208_988_800
_ERA_S = 0x100000000


def request(nonce: bytes) -> bytes:
    """48 bytes; `nonce` is 8 random bytes in the place of our own time, which stays private."""
    if len(nonce) != 8 or nonce == bytes(8):
        raise ValueError("the nonce has 8 bytes, not all zero")
    return bytes([_CLIENT]) + bytes(39) + nonce


def parse(answer: bytes, nonce: bytes) -> int:
    """Seconds since 1970 that the server says it is; MalformedMessage if it does not count."""
    if len(answer) != SIZE:
        raise MalformedMessage("time answer of a wrong length", len(answer))
    if answer[0] & 7 != _SERVER_MODE or not 1 <= answer[0] >> 3 & 7 <= 4:
        raise MalformedMessage("time answer not from a server", answer[0])
    if answer[24:32] != nonce:
        raise MalformedMessage("time answer to another question")
    if answer[1] == 0:
        raise MalformedMessage("time server asks to be left alone")
    if answer[1] > 15 or answer[0] >> 6 == _UNSYNCHRONISED:
        raise MalformedMessage("time server is not synchronised", answer[1])
    stamp = answer[40:48]
    if stamp == bytes(8):
        raise MalformedMessage("time answer without a time")
    seconds = int.from_bytes(stamp[:4], "big")
    if seconds < _ERA_S >> 1:  # the counter wraps in 2036; until 2104 small values mean after it
        seconds += _ERA_S
    return seconds - _TO_1970_S
