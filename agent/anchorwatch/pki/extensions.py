"""The X.509 extensions that decide, read into plain values.

Rule: an extension given twice or with a wrong shape spoils the certificate; one we do not know is
left to the TLS library, which refuses it when it is critical.

Source: RFC 5280 section 4.2.1.
"""

from . import asn1
from .asn1 import BOOLEAN, INTEGER, Element, bad

SERVER_AUTH, ANY_PURPOSE = "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"
KEY_CERT_SIGN, DIGITAL_SIGNATURE = "keyCertSign", "digitalSignature"
_USAGES = (
    DIGITAL_SIGNATURE, "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    KEY_CERT_SIGN, "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip
_DNS_NAME, _IP_ADDRESS, _KEY_ID = 0x82, 0x87, 0x80


class Extensions:
    """What the extensions of one certificate say; absent ones keep the values set here.

    key_usage, extended_key_usage   None where absent: no restriction
    path_length                     None where absent: no limit
    constraints                     name constraints, not looked into; None where absent
    """

    def __init__(self) -> None:
        self.is_ca = False
        self.path_length: int | None = None
        self.key_usage: list[str] | None = None
        self.extended_key_usage: list[str] | None = None
        self.dns_names: list[str] = []
        self.ip_addresses: list[str] = []
        self.ski = b""
        self.aki = b""
        self.constraints: Element | None = None

    def read(self, listed: Element) -> None:
        """Take the SEQUENCE of extensions."""
        seen: list[str] = []
        for item in listed.sequence("extensions"):
            members = item.sequence("extension")
            if len(members) == 3:
                asn1.boolean(members[1])
            elif len(members) != 2:
                raise bad("extension of a wrong shape")
            kind = asn1.oid(members[0])
            if kind in seen:
                raise bad("extension %s twice" % kind)
            seen.append(kind)
            value = asn1.octets(members[-1])
            if kind in _READERS:
                _READERS[kind](self, asn1.only(value))


def _basic_constraints(found: Extensions, value: Element) -> None:
    members = value.sequence("basic constraints")
    if members and members[0].tag == BOOLEAN:
        found.is_ca = asn1.boolean(members.pop(0))
    if members and members[0].tag == INTEGER:
        found.path_length = asn1.small(members.pop(0))
    if members or (found.path_length is not None and not found.is_ca):
        raise bad("basic constraints of a wrong shape")


def _key_usage(found: Extensions, value: Element) -> None:
    _, octets = asn1.bits(value)
    found.key_usage = [
        name
        for number, name in enumerate(_USAGES)
        if number // 8 < len(octets) and octets[number // 8] & 0x80 >> number % 8
    ]


def _extended_key_usage(found: Extensions, value: Element) -> None:
    found.extended_key_usage = [asn1.oid(item) for item in value.sequence("extended key usage")]


def _subject_alternative_names(found: Extensions, value: Element) -> None:
    for item in value.sequence("alternative names"):
        content = item.content()
        if item.tag == _DNS_NAME:
            found.dns_names.append("".join([chr(b) for b in content]))
        elif item.tag == _IP_ADDRESS:
            found.ip_addresses.append(_address(content))


def _address(content: bytes) -> str:
    if len(content) == 4:
        return ".".join([str(b) for b in content])
    if len(content) != 16:
        raise bad("IP address of a wrong length")
    return ":".join(["%x" % (256 * content[at] + content[at + 1]) for at in range(0, 16, 2)])


def _subject_key(found: Extensions, value: Element) -> None:
    found.ski = asn1.octets(value)


def _authority_key(found: Extensions, value: Element) -> None:
    for item in value.sequence("authority key identifier"):
        if item.tag == _KEY_ID:
            found.aki = item.content()


def _name_constraints(found: Extensions, value: Element) -> None:
    found.constraints = value


def _information_access(found: Extensions, value: Element) -> None:
    access = value.sequence("information access")
    if not access or [one for one in access if len(one.sequence("access description")) != 2]:
        raise bad("information access of a wrong shape")


_READERS = {
    "2.5.29.19": _basic_constraints,
    "2.5.29.15": _key_usage,
    "2.5.29.37": _extended_key_usage,
    "2.5.29.17": _subject_alternative_names,
    "2.5.29.14": _subject_key,
    "2.5.29.35": _authority_key,
    "2.5.29.30": _name_constraints,
    "1.3.6.1.5.5.7.1.1": _information_access,
}
