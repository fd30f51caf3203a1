"""A glance: what it says to a server, and what a chain in clear says of our anchors."""

from binascii import a2b_base64

import certificates

from anchorwatch.pki.glance import glance
from anchorwatch.wire.greeting import client_hello, offered
from anchorwatch.wire.hello import ClientHello
from anchorwatch.wire.tls12 import Handshakes

HOST = "hub.example.net"
MAY_2026 = 1780000000
RANDOM = bytes(range(32))


def ders(*names):
    return [a2b_base64(getattr(certificates, name)) for name in names]


def seen(presented, anchors, host=HOST, utc_s=MAY_2026, limits=None):
    """The verdict on a presented chain by these anchors."""
    return glance(ders(*presented), host, utc_s, {}, ders(*anchors), limits or {})[0]


def said(suites):
    """What the parser makes of our hello."""
    reader = Handshakes()
    reader.feed(client_hello(HOST, suites, RANDOM))
    hello = ClientHello(reader.messages[0][1])
    return [hello.server_name, hello.version, hello.suites, hello.groups, hello.session_id,
            hello.max_fragment]  # fmt: skip


def limited(limit):
    from anchorwatch.pki.der import Certificate

    (root,) = ders("ROOT")
    return seen(("LEAF", "ISSUING"), ("ROOT",), limits={Certificate(root).sha256: limit})


_GOOD = ("LEAF", "ISSUING")
_ECC = [0xC023, 0xC024, 0xC02B, 0xC02C]
_RSA = [0xC027, 0xC028, 0xC02F, 0xC030]

CASES = (
    # what it says                      call      arguments                       result
    ("any offers all eight suites", said, ("any",),
     [HOST, 0x0303, sorted(_ECC + _RSA), [23, 24], b"", 0]),
    ("rsa offers four", offered, ("rsa",), _RSA),
    ("ecdsa offers four", offered, ("ecdsa",), _ECC),
    ("a random of another length is a mistake", client_hello, (HOST, "any", b"short"),
     ("raises", "ValueError", "the random of a ClientHello")),
    ("a chain that an anchor may have issued", seen, (_GOOD, ("ROOT",)), "ok"),
    ("with the root behind it", seen, (_GOOD + ("ROOT",), ("ROOT",)), "ok"),
    ("one of several anchors", seen, (_GOOD, ("RSA_ROOT", "ROOT")), "ok"),
    ("an anchor of another name", seen, (_GOOD, ("RSA_ROOT",)), "unknown-issuer"),
    ("an anchor of that name with another key", seen, (_GOOD, ("ROOT_OTHER_KEY",)),
     "unknown-issuer"),
    ("no anchor at all", seen, (_GOOD, ()), "unknown-issuer"),
    ("a leaf without its issuer", seen, (("LEAF",), ("ROOT",)), "unknown-issuer"),
    ("another host", seen, (_GOOD, ("ROOT",), "other.example.net"), "name-mismatch"),
    ("a leaf that has ended", seen, (("LEAF_EXPIRED", "ISSUING"), ("ROOT",)), "expired"),
    ("a leaf that begins later", seen, (("LEAF_FUTURE", "ISSUING"), ("ROOT",)), "not-yet-valid"),
    ("nothing presented", seen, ((), ("ROOT",)), "no-certificate"),
    ("an anchor at sunset", limited, ({"leaf_not_before_max": 0, "issuers": None},), "sunset"),
    ("an anchor on hold", limited, ({"leaf_not_before_max": None, "issuers": []},), "on-hold"),
)  # fmt: skip
