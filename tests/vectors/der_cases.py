"""What a certificate says, and bytes that are none."""

from binascii import a2b_base64

import certificates

from anchorwatch.pki import asn1
from anchorwatch.pki.der import Certificate


def der(name):
    return a2b_base64(getattr(certificates, name))


def said(name, *fields):
    certificate = Certificate(der(name))
    return [getattr(certificate, field) for field in fields]


def changed(name, old, new):
    """The certificate with one piece of its bytes replaced by another of the same length."""
    data = der(name)
    if data.count(old) < 1 or len(old) != len(new):
        raise ValueError("nothing to change")
    return Certificate(data.replace(old, new)).signature


def changed_outside(name, old, new):
    """The same at the last place only, which is the algorithm beside the signature."""
    head, _, tail = der(name).rpartition(old)
    return Certificate(head + new + tail).signature


def read(call, data):
    return call(asn1.only(data))


def _bad(reason):
    return ("raises", "TrustError", "certificate is malformed: " + reason)


_IN = (
    ("a small number", asn1.small, b"\x02\x01\x05", 5),
    ("a number with a needless zero", asn1.small, b"\x02\x02\x00\x05",
     _bad("integer longer than needed")),
    ("a number with a needless ff", asn1.integer_bytes, b"\x02\x02\xff\x80",
     _bad("integer longer than needed")),
    ("a negative number", asn1.small, b"\x02\x01\xff", _bad("number out of range")),
    ("a large number", asn1.small, b"\x02\x02\x00\x80", _bad("number out of range")),
    ("a number without digits", asn1.small, b"\x02\x00", _bad("integer without a value")),
    ("true", asn1.boolean, b"\x01\x01\xff", True),
    ("nearly true", asn1.boolean, b"\x01\x01\x01", _bad("boolean of a wrong value")),
    ("an object identifier", asn1.oid, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
     "1.2.840.113549.1.1.11"),
    ("one of the third tree", asn1.oid, b"\x06\x03\x88\x37\x03", "2.999.3"),
    ("one with padding", asn1.oid, b"\x06\x03\x2a\x80\x01",
     _bad("object identifier longer than needed")),
    ("one cut off", asn1.oid, b"\x06\x02\x2a\x86", _bad("object identifier cut off")),
    ("an empty one", asn1.oid, b"\x06\x00", _bad("object identifier cut off")),
    ("bits", asn1.bits, b"\x03\x02\x05\xa0", (5, b"\xa0")),
    ("bits with spare ones set", asn1.bits, b"\x03\x02\x05\xa1",
     _bad("bit string with spare bits set")),
    ("bits without a count", asn1.bits, b"\x03\x00", _bad("bit string without its count")),
    ("nine spare bits", asn1.bits, b"\x03\x02\x09\x00", _bad("bit string without its count")),
    ("a time of two digits", asn1.utc_s, b"\x17\x0d700101000000Z", 0),
    ("a time before 1970", asn1.utc_s, b"\x17\x0d500101000000Z", -631152000),
    ("a time of four digits", asn1.utc_s, b"\x18\x0f99991231235959Z", 253402300799),
    ("a time without seconds", asn1.utc_s, b"\x17\x0b7001010000Z",
     _bad("time of a form certificates do not have")),
    ("a time with a zone", asn1.utc_s, b"\x17\x1170010100000+0100",
     _bad("element longer than what holds it")),
    ("a local time", asn1.utc_s, b"\x17\x0d7001010000000",
     _bad("time of a form certificates do not have")),
    ("a time with a space", asn1.utc_s, b"\x17\x0d70 101000000Z", _bad("time without digits")),
    ("the 30th of February", asn1.utc_s, b"\x17\x0d700230000000Z",
     _bad("date that does not exist")),
    ("an indefinite length", asn1.Element.members, b"\x30\x80\x00\x00",
     _bad("length of a form DER does not have")),
    ("a length longer than needed", asn1.Element.members, b"\x30\x81\x02\x05\x00",
     _bad("length longer than needed")),
    ("a length with a zero in front", asn1.Element.members, b"\x30\x82\x00\x80" + bytes(128),
     _bad("length longer than needed")),
    ("a length of four octets", asn1.Element.members, b"\x30\x84\x01\x00\x00\x00",
     _bad("length of a form DER does not have")),
    ("a length cut off", asn1.Element.members, b"\x30\x82\x01",
     _bad("length of a form DER does not have")),
    ("a tag of several octets", asn1.Element.members, b"\x1f\x81\x01\x00", _bad("tag nobody uses")),
    ("bytes after the end", asn1.Element.members, b"\x30\x00\x00", _bad("bytes after the end")),
    ("a member longer than its sequence", asn1.Element.members, b"\x30\x03\x04\x05\x00",
     _bad("element longer than")),
    ("nothing", asn1.Element.members, b"", _bad("element cut off")),
)  # fmt: skip

CASES = tuple([(sentence, read, (call, data), expected) for sentence, call, data,
expected in _IN]) + (
    ("a leaf", said, ("LEAF", "subject_name", "issuer_name", "key", "signature", "is_ca",
     "key_usage"),
     ["CN=leaf, O=Example, C=NL", "CN=Test Issuing, O=Example, C=NL", "ec-p256", "sha256-ecdsa",
     False, ["digitalSignature"]]),
    ("its dates", said, ("LEAF", "not_before", "not_after"), [1767225600, 1798761600]),
    ("its names and purposes", said, ("LEAF", "dns_names", "ip_addresses", "extended_key_usage"),
     [["hub.example.net"], [], ["1.3.6.1.5.5.7.3.1"]]),
    ("a date past 2050", said, ("LEAF_FAR", "not_after"), [2840140800]),
    ("addresses", said, ("LEAF_IP", "dns_names", "ip_addresses"), [[], ["127.0.0.1",
     "2001:db8:0:0:0:0:0:7"]]),
    ("keys of other kinds", said, ("LEAF_P521", "key"), ["ec-p521"]),
    ("a key of RSA", said, ("LEAF_RSA2048", "key"), ["rsa-2048"]),
    ("a short key of RSA", said, ("LEAF_RSA1024", "key"), ["rsa-1024"]),
    ("no extensions that restrict", said, ("LEAF_NO_PURPOSE", "key_usage", "extended_key_usage",
     "path_length"), [None, None, None]),
    ("a root", said, ("ROOT", "self_issued", "is_ca", "key_usage", "key"), [True, True,
     ["keyCertSign", "cRLSign"], "ec-p384"]),
    ("a name that pretends", said, ("STRANGE_NAME", "subject_name"),
     ["CN=a\\, O=Big\\\\ \\xe4\\x0a\\u202e, O=Example, C=NL"]),
    ("two signature algorithms", changed_outside, ("LEAF_OF_RSA", b"\xf7\x0d\x01\x01\x0b",
     b"\xf7\x0d\x01\x01\x0c"),
     _bad("two different signature algorithms")),
    ("a version nobody defined", changed, ("LEAF", b"\xa0\x03\x02\x01\x02",
     b"\xa0\x03\x02\x01\x03"), _bad("version nobody defined")),
    ("extensions in version 2", changed, ("LEAF", b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01"),
     _bad("extensions out of place")),
    ("an extension twice", changed, ("LEAF", b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x0e"),
     _bad("extension 2.5.29.14 twice")),
    ("SHA-1 in both places", changed, ("LEAF_OF_RSA", b"\xf7\x0d\x01\x01\x0b",
     b"\xf7\x0d\x01\x01\x05"), "sha1-rsa"),
    ("an algorithm nobody knows", changed, ("LEAF_OF_RSA", b"\xf7\x0d\x01\x01\x0b",
     b"\xf7\x0d\x01\x01\x63"),
     "signature-1.2.840.113549.1.1.99"),
    ("not a certificate", Certificate, (b"\x30\x00",), _bad("certificate of a wrong shape")),
    ("text", Certificate, (b"-----BEGIN",), _bad("")),
    ("a certificate of 17 KB", Certificate, (b"\x30\x82\x40\x00" + bytes(16384),),
     _bad("longer than 16384 bytes")),
)  # fmt: skip
