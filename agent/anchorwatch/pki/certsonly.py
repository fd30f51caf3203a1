"""The certificates of a PKCS#7 file that holds nothing else, and what a CA wants in a request.

Rule: DER alone, as RFC 7030 has it; a signature in it is not looked at, since nobody trusts it.

Source: RFC 5652 section 5.1; RFC 7030 sections 4.1.3 and 4.5.2.
"""

from . import asn1
from .asn1 import OID, SEQUENCE, Element, bad

SIGNED_DATA = "1.2.840.113549.1.7.2"
_CERTIFICATES, _CONTENT = 0xA0, 0xA0
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"


def certificates(data: bytes, count_at_most: int) -> list[bytes]:
    """[DER] in the order of the file; TrustError for anything else."""
    outer = asn1.only(data).sequence("PKCS#7")
    if len(outer) != 2 or asn1.oid(outer[0]) != SIGNED_DATA or outer[1].tag != _CONTENT:
        raise bad("no PKCS#7 of certificates")
    inner = outer[1].members()
    body = inner[0].sequence("signed data") if len(inner) == 1 else []
    found = [part for part in body[3:] if part.tag == _CERTIFICATES]
    if len(found) != 1:
        raise bad("PKCS#7 without certificates")
    listed = [one.raw() for one in found[0].members() if one.tag == SEQUENCE]
    if not 0 < len(listed) <= count_at_most:
        raise bad("PKCS#7 with %d certificates" % len(listed))
    return listed


def wanted(data: bytes) -> list[str]:
    """What a CA asks for: object identifiers, those of an attribute's values behind its own."""
    found: list[str] = []
    for item in asn1.only(data).sequence("attributes"):
        found += _identifiers(item)
    return found


def _identifiers(item: Element) -> list[str]:
    if item.tag == OID:
        return [asn1.oid(item)]
    members = item.sequence("attribute")
    if len(members) != 2:
        raise bad("attribute of a wrong shape")
    values = [asn1.oid(value) for value in members[1].members() if value.tag == OID]
    return [asn1.oid(members[0])] + values
