"""The judge: one chain for every verdict, and the reasons why a good one is good."""

from binascii import a2b_base64

import certificates

from anchorwatch.pki.der import Certificate
from anchorwatch.pki.guess import better
from anchorwatch.pki.hostnames import name_fits
from anchorwatch.pki.judge import FAULTS, VERDICTS, fault, judge
from anchorwatch.pki.limits import Anchor, same_name

HOST = "hub.example.net"
MAY_2026 = 1780000000


def chain(*names):
    return [a2b_base64(getattr(certificates, name)) for name in names]


def verdict(names, host=HOST, utc_s=MAY_2026, profile=None):
    judgement = judge(chain(*names), host, utc_s, profile or {})
    return (judgement.verdict, judgement.at)


def of(ders):
    return judge(ders, HOST, MAY_2026, {}).verdict


def sha1_leaf():
    """A leaf that says SHA-1 in both places; its signature is wrong, no matter of the judge's."""
    return chain("LEAF_OF_RSA")[0].replace(b"\xf7\x0d\x01\x01\x0b", b"\xf7\x0d\x01\x01\x05")


def sha1_root():
    return chain("RSA_ROOT")[0].replace(b"\xf7\x0d\x01\x01\x0b", b"\xf7\x0d\x01\x01\x05")


def numbered(serial, name="LEAF", below=(), above=("ISSUING",)):
    """The verdict on a chain with one of this serial number, the content of its INTEGER."""
    der = chain(name)[0]
    body = der[8:13] + b"\x02" + bytes([len(serial)]) + serial + der[15 + der[14] :]
    size = len(body) - len(der) + 8 + (der[6] << 8 | der[7])
    body = b"\x30\x82" + bytes([size >> 8, size & 255]) + body
    made = b"\x30\x82" + bytes([len(body) >> 8, len(body) & 255]) + body
    return of(chain(*below) + [made] + chain(*above))


def constrained(old, new, leaf="LEAF_OF_EXCLUDES"):
    """The verdict on a leaf whose issuer's constraints have other bytes."""
    issuer = chain("ISSUING_EXCLUDES")[0]
    at = issuer.index(b"\xa1\x13\x30\x11\x82\x0fout.example.net")
    end = at + 21
    return of(chain(leaf) + [issuer[:at] + issuer[at:end].replace(old, new) + issuer[end:]])


def for_something_else():
    """A leaf for servers and, where it said `any`, for a purpose of another number."""
    der = chain("LEAF_ANY_PURPOSE")[0]
    return of([der.replace(b"\x55\x1d\x25\x00", b"\x55\x1d\x25\x01")] + chain("ISSUING"))


def key_of(name):
    return Certificate(chain(name)[0]).spki_sha256


def above_an_anchor():
    """A leaf and an issuer that ended, whose own issuer is no anchor: its name's owner is."""
    leaf, issuing = chain("LEAF_OF_OLD", "ISSUING_EXPIRED")
    anchor = Anchor(chain("ROOT")[0])
    anchor.subject = Certificate(leaf).issuer
    return judge([leaf, issuing], HOST, MAY_2026, {}, (anchor,)).verdict


def fresh(name):
    """The same certificate over another key, as one makes who holds its issuer's key."""
    der = chain(name)[0]
    at = der.index(Certificate(der).spki) + len(Certificate(der).spki) - 1
    return der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :]


def offered(limits, names=("ROOT",)):
    """The anchors of these names, each with its limit of `limits`."""
    return tuple([Anchor(chain(name)[0], limits.get(name, {})) for name in names])


def limited(ders, limits, names=("ROOT",), utc_s=MAY_2026):
    """(verdict, limit, names of the anchors withheld)."""
    found = judge(ders, HOST, utc_s, {}, offered(limits, names))
    withheld = [name for name in names if Certificate(chain(name)[0]).sha256 in found.withheld]
    return (found.verdict, found.limit, withheld)


def hold(*names):
    return {"issuers": [key_of(name) for name in names]}


def sunset(utc_s):
    return {"leaf_not_before_max": utc_s}


def told(names):
    judgement = judge(chain(*names), HOST, MAY_2026, {})
    dates = (judgement.not_before, judgement.not_after)
    behind = judgement.presented[len(judgement.names) :]
    return (judgement.names, behind, judgement.root, dates, len(judgement.chain))


def leaf_for(*names):
    return judge(chain(*names), HOST, MAY_2026, {}).presented[0]


_KNOWS_ISSUER = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02"


def guessed(word, names, issuer="", leaf=b""):
    """The better word for a verdict on a chain that shows itself under another issuer's name."""
    seen = judge(chain(*names), HOST, MAY_2026, {})
    seen.presented[-1] = issuer or seen.presented[-1]
    return better(word, seen, leaf)


_GOOD = ("LEAF", "ISSUING")
_BEGAN = 1767225600  # that leaf
_TWINS = ("ROOT", "ROOT_OTHER_KEY")

CASES = (
    ("a leaf and its issuer", verdict, (_GOOD,), ("ok", 0)),
    ("the same with its root", verdict, (_GOOD + ("ROOT",),), ("ok", 0)),
    ("a leaf alone", verdict, (("LEAF",),), ("ok", 0)),
    ("a leaf of RSA", verdict, (("LEAF_OF_RSA", "RSA_ROOT"),), ("ok", 0)),
    ("a leaf without purposes", verdict, (("LEAF_NO_PURPOSE", "ISSUING"),), ("ok", 0)),
    ("what is told of it", told, (_GOOD,),
     (["CN=leaf, O=Example, C=NL", "CN=Test Issuing, O=Example, C=NL"],
     ["CN=Test Root, O=Example, C=NL"],
      "CN=Test Root, O=Example, C=NL", (1767225600, 1798761600), 2)),
    ("a root presented is named once", told, (_GOOD + ("ROOT",),),
     (["CN=leaf, O=Example, C=NL", "CN=Test Issuing, O=Example, C=NL",
     "CN=Test Root, O=Example, C=NL"], [],
      "CN=Test Root, O=Example, C=NL", (1767225600, 1798761600), 3)),
    ("nothing presented", verdict, ((),), ("no-certificate", 0)),
    ("nine certificates", verdict, (("LEAF",) * 9,), ("chain-too-long", 8)),
    ("too many bytes", of, ([bytes(65537)],), "chain-too-long"),
    ("bytes that are no certificate", of, (chain("LEAF") + [b"\x30\x03x"],), "malformed"),
    ("a leaf without its issuer is the library's to refuse", verdict, (("LEAF", "ROOT"),),
     ("ok", 0)),
    ("a certificate too many", verdict, (("LEAF", "ISSUING", "RSA_ROOT"),), ("ok", 0)),
    ("issuers in another order", verdict, (("LEAF", "ROOT", "ISSUING"),), ("ok", 0)),
    ("an expired one that is not on the path", verdict, (("LEAF", "LEAF_EXPIRED", "ISSUING"),),
     ("ok", 0)),
    ("an expired one above our anchor", above_an_anchor, (), "ok"),
    ("the wrong way round", verdict, (("ISSUING", "LEAF"),), ("name-mismatch", 0)),
    ("another name", verdict, (("LEAF_OTHER_NAME", "ISSUING"),), ("name-mismatch", 0)),
    ("the name in CN only", verdict, (("LEAF_CN_ONLY", "ISSUING"),), ("name-mismatch", 0)),
    ("addresses only", verdict, (("LEAF_IP", "ISSUING"),), ("name-mismatch", 0)),
    ("an address that it has", verdict, (("LEAF_IP", "ISSUING"), "127.0.0.1"), ("ok", 0)),
    ("an address of the other kind", verdict, (("LEAF_IP", "ISSUING"), "2001:DB8::7"), ("ok", 0)),
    ("the same with all its groups", verdict, (("LEAF_IP", "ISSUING"), "2001:db8:0:0:0:0:0:7"),
     ("ok", 0)),
    ("an address that it has not", verdict, (("LEAF_IP", "ISSUING"), "127.0.0.2"),
     ("name-mismatch", 0)),
    ("an address with two gaps", verdict, (("LEAF_IP", "ISSUING"), "2001::db8::7"),
     ("name-mismatch", 0)),
    ("another spelling of an address", verdict, (("LEAF_IP", "ISSUING"), "127.0.0.01"),
     ("name-mismatch", 0)),
    ("an address, and a CN that spells it otherwise", verdict,
     (("LEAF_IP_SPELLED", "ISSUING"), "127.0.0.1"), ("name-mismatch", 0)),
    ("a CN that is the address itself", verdict,
     (("LEAF_IP_SPELLED", "ISSUING"), "127.000.000.001"), ("name-mismatch", 0)),
    ("an address where there are names", verdict, (_GOOD, "127.0.0.1"), ("name-mismatch", 0)),
    ("a wildcard", verdict, (("LEAF_WILDCARD", "ISSUING"), "HUB.example.net"), ("ok", 0)),
    ("a wildcard over two labels", verdict, (("LEAF_WILDCARD", "ISSUING"), "a.hub.example.net"),
     ("name-mismatch", 0)),
    ("a wildcard over a top level", verdict, (("LEAF_WILDCARD", "ISSUING"), "other.net"),
     ("name-mismatch", 0)),
    ("a certificate for clients", verdict, (("LEAF_CLIENT", "ISSUING"),), ("wrong-key-use", 0)),
    ("a certificate for servers and for everything", verdict, (("LEAF_ANY_PURPOSE", "ISSUING"),),
     ("wrong-key-use", 0)),
    ("a certificate for servers and for something else", for_something_else, (), "ok"),
    ("a key that may not sign", verdict, (("LEAF_NO_SIGNING", "ISSUING"),), ("wrong-key-use", 0)),
    ("a leaf that is a CA", verdict, (("LEAF_IS_CA", "ISSUING"),), ("wrong-key-use", 0)),
    ("an issuer that is no CA", verdict, (("LEAF_OF_NO_CA", "ISSUING_NO_CA"),), ("wrong-key-use",
     1)),
    ("an issuer that may not issue", verdict, (("LEAF_OF_NO_SIGN", "ISSUING_NO_SIGN"),),
     ("wrong-key-use", 1)),
    ("no serial number", numbered, (b"\x00",), "against-standard"),
    ("the least serial number", numbered, (b"\x01",), "ok"),
    ("a negative serial number", numbered, (b"\x80",), "against-standard"),
    ("a serial number of 20 bytes", numbered, (b"\x00" + b"\xff" * 20,), "ok"),
    ("a serial number of 21 bytes", numbered, (b"\x01" * 21,), "against-standard"),
    ("an issuer without a serial number", numbered, (b"\x00", "ISSUING", ("LEAF",), ()),
     "against-standard"),
    ("a root without a serial number", numbered, (b"\x00", "RSA_ROOT", ("LEAF_OF_RSA",), ()), "ok"),
    ("a name with an empty label", verdict, (("LEAF_EMPTY_LABEL", "ISSUING"),),
     ("against-standard", 0)),
    ("a leaf that constrains others", verdict, (("LEAF_CONSTRAINS", "ISSUING"),),
     ("against-standard", 0)),
    ("access to no information", verdict, (("BROKEN_ACCESS", "ISSUING"),), ("malformed", 0)),
    ("a leaf beside what its issuer must not certify", verdict,
     (("LEAF_OF_EXCLUDES", "ISSUING_EXCLUDES"),), ("ok", 0)),
    ("a leaf of what its issuer must not certify", verdict,
     (("LEAF_EXCLUDED", "ISSUING_EXCLUDES"),), ("excluded-name", 0)),
    ("a wildcard for what its issuer must not certify", verdict,
     (("LEAF_EXCLUDED_WILDCARD", "ISSUING_EXCLUDES"),), ("excluded-name", 0)),
    ("constraints with a list of a third kind", constrained, (b"\xa1", b"\xa2"),
     "against-standard"),
    ("constraints that are no list", constrained, (b"\x30\x11", b"\x31\x11"), "against-standard"),
    ("constraints for names of another kind", constrained,
     (b"\x82", b"\x81", "LEAF_EXCLUDED_WILDCARD"), "ok"),
    ("constraints with a dot in front", constrained,
     (b"\x0fout", b"\x0f.ut", "LEAF_EXCLUDED_WILDCARD"), "excluded-name"),
    ("a key of a length in bits", verdict, (("LEAF_RSA2052", "ISSUING"),), ("unknown-key", 0)),
    ("a short key", verdict, (("LEAF_RSA1024", "ISSUING"),), ("weak-key", 0)),
    ("a key of another kind", verdict, (("LEAF_P521", "ISSUING"),), ("unknown-key", 0)),
    ("RSA where all must be ECC", verdict, (("LEAF_OF_RSA", "RSA_ROOT"), HOST, MAY_2026,
     {"all_ecc": True}), ("not-ecc", 1)),
    ("an RSA leaf where all must be ECC", verdict, (("LEAF_RSA2048", "ISSUING"), HOST, MAY_2026,
     {"all_ecc": True}), ("not-ecc", 0)),
    ("ECC where all must be ECC", verdict, (_GOOD, HOST, MAY_2026, {"all_ecc": True}), ("ok", 0)),
    ("SHA-1 in the leaf", lambda: of([sha1_leaf()]), (), "weak-signature"),
    ("SHA-1 in the root that is sent along", lambda: of(chain("LEAF_OF_RSA") + [sha1_root()]), (),
     "ok"),
    ("a leaf of last year", verdict, (("LEAF_EXPIRED", "ISSUING"),), ("expired", 0)),
    ("a leaf of next year", verdict, (("LEAF_FUTURE", "ISSUING"),), ("not-yet-valid", 0)),
    ("an issuer of last year", verdict, (("LEAF_OF_OLD", "ISSUING_EXPIRED"),), ("expired", 1)),
    ("the first second counts", verdict, (_GOOD, HOST, 1767225600), ("ok", 0)),
    ("the second before does not", verdict, (_GOOD, HOST, 1767225599), ("not-yet-valid", 0)),
    ("the last second counts", verdict, (_GOOD, HOST, 1798761600), ("ok", 0)),
    ("the second after does not", verdict, (_GOOD, HOST, 1798761601), ("expired", 0)),
    ("dates without a time are not judged", verdict, (("LEAF_EXPIRED", "ISSUING"), HOST, None),
     ("ok", 0)),
    ("a wrong name is worse than a wrong date", verdict, (("LEAF_EXPIRED", "ISSUING"), "x.net"),
     ("name-mismatch", 0)),
    ("an anchor without a limit", limited, (chain(*_GOOD), {}), ("ok", "", [])),
    ("a leaf of the last second before sunset", limited,
     (chain(*_GOOD), {"ROOT": sunset(_BEGAN)}), ("ok", "", [])),
    ("a leaf of the second after it", limited, (chain(*_GOOD), {"ROOT": sunset(_BEGAN - 1)}),
     ("sunset", "sunset", ["ROOT"])),
    ("the issuer known before the hold", limited, (chain(*_GOOD), {"ROOT": hold("ISSUING")}),
     ("ok", "", [])),
    ("another issuer's key", limited, (chain(*_GOOD), {"ROOT": hold("ISSUING_NO_CA")}),
     ("on-hold", "on-hold", ["ROOT"])),
    ("an issuer of the same name over another key", limited,
     ([chain("LEAF")[0], fresh("ISSUING")], {"ROOT": hold("ISSUING")}),
     ("on-hold", "on-hold", ["ROOT"])),
    ("the known issuer beside one of its name", limited,
     (chain(*_GOOD) + [fresh("ISSUING")], {"ROOT": hold("ISSUING")}),
     ("on-hold", "on-hold", ["ROOT"])),
    ("one of its name in front of the known issuer", limited,
     ([chain("LEAF")[0], fresh("ISSUING")] + chain("ISSUING"), {"ROOT": hold("ISSUING")}),
     ("on-hold", "on-hold", ["ROOT"])),
    ("a hold that knows no issuer", limited, (chain(*_GOOD), {"ROOT": {"issuers": []}}),
     ("on-hold", "on-hold", ["ROOT"])),
    ("a leaf of the anchor itself, which is known", limited,
     (chain("LEAF_OF_RSA"), {"RSA_ROOT": hold("RSA_ROOT")}, ("RSA_ROOT",)), ("ok", "", [])),
    ("a leaf of the anchor itself, which is not", limited,
     (chain("LEAF_OF_RSA"), {"RSA_ROOT": hold("ISSUING")}, ("RSA_ROOT",)),
     ("on-hold", "on-hold", ["RSA_ROOT"])),
    ("a key beside the anchor's own under its name", limited,
     (chain("LEAF_OF_RSA") + [fresh("RSA_ROOT")], {"RSA_ROOT": hold("RSA_ROOT")}, ("RSA_ROOT",)),
     ("on-hold", "on-hold", ["RSA_ROOT"])),
    ("the hold before the sunset", limited,
     (chain(*_GOOD), {"ROOT": {"leaf_not_before_max": 0, "issuers": []}}),
     ("on-hold", "on-hold", ["ROOT"])),
    ("a hold and a sunset that are kept", limited,
     (chain(*_GOOD), {"ROOT": dict(sunset(_BEGAN), issuers=[key_of("ISSUING")])}),
     ("ok", "", [])),
    ("an anchor of the same name without a limit ends the path", limited,
     (chain(*_GOOD), {"ROOT": hold()}, _TWINS), ("ok", "on-hold", ["ROOT"])),
    ("both anchors of a name with a limit", limited,
     (chain(*_GOOD), {"ROOT": sunset(0), "ROOT_OTHER_KEY": hold()}, _TWINS),
     ("on-hold", "on-hold", ["ROOT", "ROOT_OTHER_KEY"])),
    ("a limited anchor that no path of these names ends in", limited,
     (chain("LEAF_OF_RSA"), {"ROOT": hold()}, ("ROOT", "RSA_ROOT")), ("ok", "", ["ROOT"])),
    ("a limited anchor and a chain of nobody we know", limited,
     (chain("LEAF_OF_RSA"), {"ROOT": hold()}), ("ok", "", ["ROOT"])),
    ("a missing intermediate under a hold is the library's to refuse", limited,
     (chain("LEAF"), {"ROOT": hold("ISSUING")}), ("ok", "", ["ROOT"])),
    ("a limit is worse than a wrong date", limited,
     (chain("LEAF_EXPIRED", "ISSUING"), {"ROOT": sunset(0)}), ("sunset", "sunset", ["ROOT"])),
    ("a wrong name is worse than a limit", limited,
     (chain("LEAF_OTHER_NAME", "ISSUING"), {"ROOT": hold()}),
     ("name-mismatch", "on-hold", ["ROOT"])),
    ("spaces and case do not make two names", same_name, ("CN=An Issuer", "cn= an issuer "), True),
    ("letters do", same_name, ("CN=An Issuer", "CN=An Issuer 2"), False),
    ("a hold is trust's", fault, ("on-hold",), "trust"),
    ("a sunset is trust's", fault, ("sunset",), "trust"),
    ("a name with a NUL fits nothing", name_fits, ("hub.example.net\x00.evil.net", HOST), False),
    ("a star inside a label is no wildcard", name_fits, ("h*.example.net", HOST), False),
    ("a star alone is no wildcard", name_fits, ("*", HOST), False),
    ("a star further right is no wildcard", name_fits, ("hub.*.net", HOST), False),
    ("a wildcard needs a label", name_fits, ("*.example.net", ".example.net"), False),
    ("a wildcard does not cover its parent", name_fits, ("*.example.net", "example.net"), False),
    ("a host with a star fits nothing", name_fits, ("*.example.net", "*.example.net"), False),
    ("no host fits nothing", name_fits, ("", ""), False),
    ("another name is told", leaf_for, ("LEAF_OTHER_NAME", "ISSUING"),
     "CN=leaf, O=Example, C=NL, for other.example.net"),
    ("no name is told as none", leaf_for, ("LEAF_CN_ONLY", "ISSUING"),
     "CN=hub.example.net, O=Example, C=NL, for no name"),
    ("an unknown issuer stays one", guessed, ("unknown-issuer", _GOOD), "unknown-issuer"),
    ("a leaf alone that knows its issuer", guessed,
     ("unknown-issuer", ("LEAF",), "", _KNOWS_ISSUER), "intermediate-missing"),
    ("a leaf alone that does not", guessed, ("unknown-issuer", ("LEAF",)), "unknown-issuer"),
    ("a leaf with its issuer", guessed, ("unknown-issuer", _GOOD, "", _KNOWS_ISSUER),
     "unknown-issuer"),
    ("a root alone", guessed, ("unknown-issuer", ("ROOT",), "", _KNOWS_ISSUER), "unknown-issuer"),
    ("a proxy's root", guessed, ("unknown-issuer", _GOOD, "CN=Zscaler Root CA"), "intercepted"),
    ("a portal's name", guessed, ("name-mismatch", _GOOD, "CN=Hotel Captive Portal"),
     "intercepted"),
    ("a portal's key is still weak", guessed, ("weak-key", _GOOD, "CN=FortiGate CA"), "weak-key"),
    ("a date stays one", guessed, ("expired", ("LEAF",), "", _KNOWS_ISSUER), "expired"),
    ("a date is the clock's fault", fault, ("expired",), "clock"),
    ("a key type is the policy's", fault, ("not-ecc",), "policy"),
    ("a name is trust's", fault, ("name-mismatch",), "trust"),
    ("no fault without a verdict", lambda: [word for word in FAULTS if word not in VERDICTS], (),
     []),
)  # fmt: skip
