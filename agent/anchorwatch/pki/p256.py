"""ECDSA over P-256 with SHA-256: is a signature right? In integers, for boards without a library.

Rule: it verifies and never signs, so nothing here is secret and nothing needs constant time. What
is no strict DER pair of numbers in range is a wrong signature, never an exception.

Source: FIPS 186-5 section 6.4.2, SEC 1 section 4.1.4, RFC 5480; the Jacobian formulas for a = -3.
"""

import binascii
import hashlib

from ..errors import TrustError
from . import asn1

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
NOWHERE = (1, 1, 0)
_SPKI_HEAD = binascii.unhexlify("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_SIGNATURE_AT_MOST = 72


def point_of_spki(der: bytes) -> bytes:
    """The point, 65 bytes, in a SubjectPublicKeyInfo of an uncompressed P-256 key."""
    head, point = bytes(der[: len(_SPKI_HEAD)]), bytes(der[len(_SPKI_HEAD) :])
    if head != _SPKI_HEAD or not is_point(point):
        raise TrustError("public key is not a P-256 key", "", "sign with keys on P-256")
    return point


def spki_of_point(point: bytes) -> bytes:
    """The SubjectPublicKeyInfo of an uncompressed point."""
    return _SPKI_HEAD + point


def is_point(point: bytes) -> bool:
    """Whether `point` is an uncompressed point on the curve."""
    if len(point) != 65 or point[0] != 4:
        return False
    x, y, _ = _coordinates(point)
    return x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0


def verify(point: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature`, DER, over `message` was made by the key whose public point this is."""
    return verify_digest(point, hashlib.sha256(message).digest(), signature)


def verify_digest(point: bytes, digest: bytes, signature: bytes) -> bool:
    """The same over the SHA-256 of a message."""
    numbers = _numbers(signature)
    if numbers is None or not is_point(point):
        return False
    r, s = numbers
    inverse = pow(s, N - 2, N)
    number = int.from_bytes(digest, "big")
    x, _, z = _sum(number * inverse % N, r * inverse % N, _coordinates(point))
    if not z:
        return False
    square = z * z % P
    return r * square % P == x or (r + N < P and (r + N) * square % P == x)


def _coordinates(point: bytes) -> tuple[int, int, int]:
    return int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big"), 1


def _numbers(signature: bytes) -> tuple[int, int] | None:
    """(r, s), each from 1 to N - 1, or None."""
    if len(signature) > _SIGNATURE_AT_MOST:
        return None
    try:
        members = asn1.only(bytes(signature)).sequence("signature")
        octets = [asn1.integer_bytes(member) for member in members]
    except TrustError:
        return None
    if len(members) != 2 or [m for m in members if m.data[m.start] >= 0x80]:
        return None
    r, s = int.from_bytes(octets[0], "big"), int.from_bytes(octets[1], "big")
    return (r, s) if 0 < r < N and 0 < s < N else None


def _sum(u: int, v: int, q: tuple[int, int, int]) -> tuple[int, int, int]:
    """u * G + v * q, two bits of both numbers at a time."""
    of_g, of_q = _multiples(G), _multiples(q)
    table = [add(g, k) for g in of_g for k in of_q]
    total = NOWHERE
    for at in range(254, -1, -2):
        total = double(double(total))
        index = (u >> at & 3) << 2 | v >> at & 3
        if index:
            total = add(total, table[index])
    return total


def _multiples(point: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    twice = double(point)
    return [NOWHERE, point, twice, add(twice, point)]


def double(point: tuple[int, int, int]) -> tuple[int, int, int]:
    """Twice a point, in Jacobian coordinates."""
    x, y, z = point
    yy = y * y % P
    s = 4 * x * yy % P
    zz = z * z % P
    m = 3 * (x - zz) * (x + zz) % P
    x2 = (m * m - 2 * s) % P
    return x2, (m * (s - x2) - 8 * yy * yy) % P, 2 * y * z % P


def add(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
    """The sum of two points, in Jacobian coordinates."""
    if not a[2] or not b[2]:
        return a if a[2] else b
    aa, bb = a[2] * a[2] % P, b[2] * b[2] % P
    u, s = a[0] * bb % P, a[1] * bb * b[2] % P
    h, r = (b[0] * aa - u) % P, (b[1] * aa * a[2] - s) % P
    if not h:
        return NOWHERE if r else double(a)
    hh = h * h % P
    hhh, v = h * hh % P, u * hh % P
    x = (r * r - hhh - 2 * v) % P
    return x, (r * (v - x) - s * hhh) % P, a[2] * b[2] * h % P
