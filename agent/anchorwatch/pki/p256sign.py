"""A P-256 key of our own: its public point, and ECDSA with SHA-256, for boards without a library.

Rule: it signs certificate requests and nothing else. Python's integers take a time that depends on
their values, so no code here can be constant in time; a request is signed once in a key's life, at
a moment that no peer chooses, and every other signature is the TLS library's or the secure
element's. The steps are the same for every number all the same, and the nonce needs no chance.

Source: FIPS 186-5 section 6.4.1, SEC 1 section 4.1.3, RFC 6979 section 3.2.
"""

import hashlib

from ..wire.sas import hmac_sha256
from .asn1 import SEQUENCE
from .derwrite import element, unsigned
from .p256 import NOWHERE, G, N, P, add, double
from .shapes import Pause, Random

_TRIES = 64
_BITS_A_PAUSE = 16


def quiet() -> None:
    """No pause."""


def new(random: Random) -> int:
    """A private key out of `random(n)`, n secret bytes; every one is as likely as another."""
    for _ in range(_TRIES):
        number = int.from_bytes(random(32), "big")
        if 0 < number < N:
            return number
    raise ValueError("random bytes are not random")


def public(secret: int, pause: Pause = quiet) -> bytes:
    """The point, 65 bytes, of a private key.

    pause  called every few milliseconds of a PC, some tens of a board's: it feeds a watchdog
    """
    x, y = _times_g(secret, pause)
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def sign(secret: int, message: bytes, pause: Pause = quiet) -> bytes:
    """The signature, DER, of the SHA-256 of `message`."""
    digest = hashlib.sha256(message).digest()
    number = int.from_bytes(digest, "big") % N
    for k in _nonces(secret, number):
        r = _times_g(k, pause)[0] % N
        s = pow(k, N - 2, N) * (number + r * secret) % N
        if r and s:
            break
    return element(SEQUENCE, unsigned(r), unsigned(s))


def _nonces(secret: int, number: int):  # type: ignore[no-untyped-def]
    """Candidates for k: of this key and this message, and of nothing else."""
    seed = secret.to_bytes(32, "big") + number.to_bytes(32, "big")
    key, value = bytes(32), b"\x01" * 32
    for mark in (b"\0", b"\x01"):
        key = hmac_sha256(key, value + mark + seed)
        value = hmac_sha256(key, value)
    while True:
        value = hmac_sha256(key, value)
        k = int.from_bytes(value, "big")
        if 0 < k < N:
            yield k
        key = hmac_sha256(key, value + b"\0")
        value = hmac_sha256(key, value)


def _times_g(number: int, pause: Pause) -> tuple[int, int]:
    """number * G, affine: one sum and one doubling for every bit, whatever it is."""
    low, high = NOWHERE, G
    for at in range(255, -1, -1):
        total = add(low, high)
        if number >> at & 1:
            low, high = total, double(high)
        else:
            low, high = double(low), total
        if at % _BITS_A_PAUSE == 0:
            pause()
    inverse = pow(low[2], P - 2, P)
    square = inverse * inverse % P
    return low[0] * square % P, low[1] * square * inverse % P
