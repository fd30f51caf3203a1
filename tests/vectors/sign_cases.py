"""A P-256 key of our own: the published signatures, requests, and keys that are read back."""

from binascii import hexlify, unhexlify

from anchorwatch.pki import csr, p256sign, private
from anchorwatch.pki.p256 import G, N, P, spki_of_point, verify

_SECRET = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
_POINT = unhexlify(
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)


def point(x, y):
    return b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


class Chance:
    """Random bytes that were drawn before."""

    def __init__(self, *drawn):
        self.drawn = list(drawn)

    def __call__(self, size):
        return self.drawn.pop(0).to_bytes(size, "big")


def _signed(message):
    return hexlify(p256sign.sign(_SECRET, message)).decode()


def _fits(secret):
    """A signature by any key is one that the verifier takes, of this message alone."""
    made = p256sign.sign(secret, b"a message")
    key = p256sign.public(secret)
    return verify(key, b"a message", made), verify(key, b"another", made)


def _pauses():
    count = []
    p256sign.public(7, lambda: count.append(1))
    return len(count)


def _request(cn):
    der = csr.request(cn, spki_of_point(_POINT), lambda body: p256sign.sign(_SECRET, body))
    read = csr.Request(der)
    return hexlify(der).decode(), read.cn, read.spki == spki_of_point(_POINT)


def _request_is_signed():
    bodies = []
    der = csr.request(
        "dev-7",
        spki_of_point(_POINT),
        lambda body: bodies.append(body) or p256sign.sign(_SECRET, body),
    )
    return bodies[0] in der and verify(_POINT, bodies[0], p256sign.sign(_SECRET, bodies[0]))


def _key(der):
    read = private.Private(der, "key file")
    return read.kind, hexlify(read.spki).decode()[-16:], read.secret == _SECRET


_SEC1 = private.p256_der(_SECRET, _POINT)
_BARE = unhexlify("30310201010420") + _SECRET.to_bytes(32, "big") + _SEC1[39:51]
_PKCS8 = (unhexlify("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420")
          + _SECRET.to_bytes(32, "big") + unhexlify("a144034200") + _POINT)  # fmt: skip
_OURS = ("ec-p256", hexlify(_POINT).decode()[-16:], True)
_NO_KEY = ("raises", "ConfigError", "private key cannot be read: key file")
_REQUEST = (
    "30720201003010310e300c06035504030c056465762d37"
    + hexlify(spki_of_point(_POINT)).decode()
    + "a000"
)

CASES = (
    ("the first published signature", _signed, (b"sample",),
     ("3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
      "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8")),
    ("the second, whose s is short", _signed, (b"test",),
     ("3045022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
      "0220019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083")),
    ("the published public key", p256sign.public, (_SECRET,), _POINT),
    ("the least key's is the generator", p256sign.public, (1,), point(G[0], G[1])),
    ("the greatest key's is its mirror image", p256sign.public, (N - 1,), point(G[0], P - G[1])),
    ("the least key signs", _fits, (1,), (True, False)),
    ("the greatest key signs", _fits, (N - 1,), (True, False)),
    ("a key in the middle signs", _fits, (N >> 1,), (True, False)),
    ("a short key signs", _fits, (3,), (True, False)),
    ("long arithmetic pauses", _pauses, (), 16),
    ("a new key is what chance says", p256sign.new, (Chance(_SECRET),), _SECRET),
    ("a key out of range is drawn again", p256sign.new, (Chance(0, N, 2**256 - 1, N - 1),), N - 1),
    ("chance that gives zeros only is none", p256sign.new, (bytes,),
     ("raises", "ValueError", "random bytes are not random")),
    ("a request", _request, ("dev-7",),
     lambda found: found[0][6:].startswith(_REQUEST) and found[1:] == ("dev-7", True)),
    ("a request for a name of other letters", _request, ("ger\u00e4t-\u4e03",),
     lambda found: found[1:] == ("ger\u00e4t-\u4e03", True)),
    ("a request carries its signature", _request_is_signed, (), True),
    ("a request for nobody", _request, ("",), ("raises", "ConfigError", "not a common name")),
    ("a request for too long a name", _request, ("x" * 65,),
     ("raises", "ConfigError", "not a common name: xxx")),
    ("a request cut off", csr.Request, (b"\x30\x03\x02\x01\x00",),
     ("raises", "TrustError", "certificate request of a wrong shape")),
    ("our own key", _key, (_SEC1,), _OURS),
    ("a key without its public point", _key, (_BARE,), _OURS),
    ("the same in PKCS#8", _key, (_PKCS8,), _OURS),
    ("a key cut off", _key, (_SEC1[:-1],), _NO_KEY),
    ("no key at all", _key, (b"",), _NO_KEY),
    ("a key on no curve", _key, (_BARE[:-1] + b"\x09",), _NO_KEY),
    ("RSA of nothing", _key, (b"\x30\x1b" + 9 * b"\x02\x01\x00",), _NO_KEY),
    ("RSA too short", _key, (b"\x30\x1b" + b"\x02\x01\x00" + 8 * b"\x02\x01\x03",),
     ("raises", "ConfigError", "private key of a kind that is not used here: key file")),
)  # fmt: skip
