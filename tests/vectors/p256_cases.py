"""ECDSA P-256: the published examples, and signatures that are wrong in one place."""

from binascii import unhexlify

from anchorwatch.pki.p256 import G, N, P, is_point, point_of_spki, verify


def number(value):
    """A DER INTEGER."""
    octets = value.to_bytes(33, "big").lstrip(b"\0") or b"\0"
    octets = b"\0" + octets if octets[0] >= 0x80 else octets
    return bytes([2, len(octets)]) + octets


def pair(r, s):
    """A DER signature."""
    inner = number(r) + number(s)
    return bytes([0x30, len(inner)]) + inner


def point(x, y):
    return b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


# RFC 6979, A.2.5
_KEY = point(0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
             0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299)  # fmt: skip
_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
_R2 = 0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367
_S2 = 0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083
_GOOD = pair(_R, _S)
_HEAD = unhexlify("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_NO_KEY = ("raises", "TrustError", "public key is not a P-256 key")


def _sample(signature, key=_KEY, message=b"sample"):
    return verify(key, message, signature)


CASES = (
    ("the first published example", _sample, (_GOOD,), True),
    ("the second", _sample, (pair(_R2, _S2), _KEY, b"test"), True),
    ("the other half of s", _sample, (pair(_R, N - _S),), True),
    ("another message", _sample, (_GOOD, _KEY, b"Sample"), False),
    ("another key", _sample, (_GOOD, point(G[0], G[1])), False),
    ("r and s changed places", _sample, (pair(_S, _R),), False),
    ("r of zero", _sample, (pair(0, _S),), False),
    ("s of zero", _sample, (pair(_R, 0),), False),
    ("r too large by the order", _sample, (pair(_R + N, _S),), False),
    ("s as large as the order", _sample, (pair(_R, N),), False),
    ("s too large by the order", _sample, (pair(_R2, _S2 + N), _KEY, b"test"), False),
    ("a negative r", _sample, (b"\x30\x44" + number(_R)[:1] + b"\x20" + number(_R)[3:]
     + b"\x02\x20" + number(_S)[3:],), False),
    ("a needless zero", _sample, (b"\x30\x47\x02\x22\0" + number(_R)[2:] + number(_S),), False),
    ("a length of a long form", _sample, (b"\x30\x81" + _GOOD[1:],), False),
    ("a byte after the end", _sample, (_GOOD + b"\0",), False),
    ("a third number", _sample, (b"\x30\x47" + number(_R2) + number(_S2) + b"\2\1\1", _KEY,
     b"test"), False),
    ("a set instead of a sequence", _sample, (b"\x31" + _GOOD[1:],), False),
    ("nothing", _sample, (b"",), False),
    ("a thousand zeros", _sample, (bytes(1000),), False),
    ("the generator is on the curve", is_point, (point(G[0], G[1]),), True),
    ("a point beside the curve", is_point, (point(G[0], G[1] + 1),), False),
    ("the point of zeros", is_point, (point(0, 0),), False),
    ("a coordinate as large as the field", is_point, (point(P, G[1]),), False),
    ("a compressed point", is_point, (b"\3" + point(G[0], G[1])[1:33],), False),
    ("the same after its tag", is_point, (b"\2" + point(G[0], G[1])[1:],), False),
    ("a key that is on no curve", _sample, (_GOOD, point(G[0], G[1] + 1)), False),
    ("a public key", point_of_spki, (_HEAD + _KEY,), _KEY),
    ("a public key cut off", point_of_spki, (_HEAD + _KEY[:-1],), _NO_KEY),
    ("a public key beside the curve", point_of_spki, (_HEAD + point(G[0], 7),), _NO_KEY),
    ("a public key of another curve", point_of_spki, (_HEAD[:-8] + b"\0" + _HEAD[-7:] + _KEY,),
     _NO_KEY),
)  # fmt: skip
