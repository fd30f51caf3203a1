"""What may be an anchor: self-signed CAs, and nothing that would be a pin."""

from binascii import a2b_base64

import certificates

from anchorwatch.pki.der import anchor_entry


def entry(name):
    found = anchor_entry(a2b_base64(getattr(certificates, name)))
    same = found.pop("der") == getattr(certificates, name)
    size = len(found["sha256"])
    return sorted(found), found["name"], found["key"], found["not_after"], size, same


_FIELDS = ["key", "name", "not_after", "not_before", "sha256", "spki_sha256"]
_PIN = ("raises", "TrustError", "leaf or intermediate offered as a root: CN=")

CASES = (
    ("a root", entry, ("ROOT",), (_FIELDS, "CN=Test Root, O=Example, C=NL", "ec-p384", 2208988800,
     64, True)),
    ("a root of RSA", entry, ("RSA_ROOT",), (_FIELDS, "CN=Test RSA Root, O=Example, C=NL",
     "rsa-2048", 2208988800, 64, True)),
    ("a root without key usage and identifiers", entry, ("ROOT_NO_IDS",),
     (_FIELDS, "CN=Test Root Plain, O=Example, C=NL", "ec-p256", 1798761600, 64, True)),
    ("a leaf", entry, ("LEAF",), _PIN),
    ("an intermediate", entry, ("ISSUING",), _PIN),
    ("an intermediate of the root's own name", entry, ("ROOT_OTHER_KEY",), _PIN),
    ("a self-signed leaf", entry, ("ROOT_NO_CA",), _PIN),
    ("a root that may not sign certificates", entry, ("ROOT_NO_SIGN",), _PIN),
    ("a root with a short key", entry, ("ROOT_WEAK",),
     ("raises", "TrustError",
     "root with a key too weak: CN=Test Root Weak, O=Example, C=NL, rsa-1024")),
    ("no certificate at all", anchor_entry, (b"",), ("raises", "TrustError",
     "certificate is malformed: element cut off")),
)  # fmt: skip
