"""DER elements: where they begin and end, and the few primitive values a certificate needs.

Rule: strict DER (definite, minimal lengths), no recursion, no copies before a value is asked for;
bad bytes are a TrustError and nothing else.

Source: X.690 sections 8 and 10.
"""

from ..errors import MalformedMessage, TrustError
from ..wire import civil

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
_LENGTH_OCTETS_AT_MOST = 3
_MEMBERS_AT_MOST = 1024


def bad(reason: str) -> TrustError:
    """The one error of this package for bytes that are no certificate."""
    return TrustError("certificate is malformed", reason, "get the file again from its source")


class Element:
    """One element of `data`: its tag, and where header, content and end are."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.at = data, at
        if end - at < 2:
            raise bad("element cut off")
        self.tag = data[at]
        if self.tag & 0x1F == 0x1F:
            raise bad("tag nobody uses")
        size, self.start = data[at + 1], at + 2
        if size >= 0x80:
            count = size & 0x7F
            octets = data[self.start : min(self.start + count, end)]
            size = int.from_bytes(octets, "big")
            if not 0 < count <= _LENGTH_OCTETS_AT_MOST or len(octets) < count:
                raise bad("length of a form DER does not have")
            if size < 0x80 or octets[0] == 0:
                raise bad("length longer than needed")
            self.start += count
        self.stop = self.start + size
        if self.stop > end:
            raise bad("element longer than what holds it")

    def raw(self) -> bytes:
        """Header and content."""
        return self.data[self.at : self.stop]

    def content(self) -> bytes:
        """The content alone."""
        return self.data[self.start : self.stop]

    def members(self) -> "list[Element]":
        """The elements inside a constructed one."""
        found = []
        at = self.start
        while at < self.stop:
            found.append(Element(self.data, at, self.stop))
            at = found[-1].stop
            if len(found) > _MEMBERS_AT_MOST:
                raise bad("too many elements")
        return found

    def expect(self, tag: int, what: str) -> "Element":
        """Itself, if its tag is `tag`."""
        if self.tag != tag:
            raise bad("%s expected" % what)
        return self

    def sequence(self, what: str) -> "list[Element]":
        """The members of a SEQUENCE."""
        return self.expect(SEQUENCE, what).members()


def only(data: bytes) -> Element:
    """The one element that `data` is, with nothing after it."""
    element = Element(data, 0, len(data))
    if element.stop != len(data):
        raise bad("bytes after the end")
    return element


def boolean(element: Element) -> bool:
    """TRUE or FALSE, as 0xff or 0x00."""
    content = element.expect(BOOLEAN, "boolean").content()
    if content not in (b"\x00", b"\xff"):
        raise bad("boolean of a wrong value")
    return content == b"\xff"


def integer_bytes(element: Element) -> bytes:
    """The content of an INTEGER, minimal, without the zero that only marks it as positive."""
    content = element.expect(INTEGER, "integer").content()
    if not content:
        raise bad("integer without a value")
    if len(content) > 1 and (
        (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)
    ):
        raise bad("integer longer than needed")
    return content[1:] if len(content) > 1 and content[0] == 0 else content


def small(element: Element) -> int:
    """A number from 0 to 127, the only ones that decide here."""
    content = integer_bytes(element)
    if len(content) != 1 or content[0] > 0x7F or element.stop - element.start != 1:
        raise bad("number out of range")
    return content[0]


def bits(element: Element) -> tuple[int, bytes]:
    """(unused bits, octets) of a BIT STRING."""
    content = element.expect(BIT_STRING, "bit string").content()
    if not content or content[0] > 7 or (len(content) == 1 and content[0]):
        raise bad("bit string without its count")
    if content[0] and content[-1] & ((1 << content[0]) - 1):
        raise bad("bit string with spare bits set")
    return content[0], content[1:]


def octets(element: Element) -> bytes:
    """The content of an OCTET STRING."""
    return element.expect(OCTET_STRING, "octet string").content()


def oid(element: Element) -> str:
    """`1.2.840.113549.1.1.11`."""
    content = element.expect(OID, "object identifier").content()
    if not content or content[-1] >= 0x80 or len(content) > 64:
        raise bad("object identifier cut off")
    arcs, arc, fresh = [], 0, True
    for b in content:
        if fresh and b == 0x80:
            raise bad("object identifier longer than needed")
        arc, fresh = arc << 7 | b & 0x7F, b < 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join([str(a) for a in [first, arcs[0] - 40 * first] + arcs[1:]])


def utc_s(element: Element) -> int:
    """A UTCTime or GeneralizedTime in seconds since 1970; seconds and `Z` are required."""
    text = element.content()
    century = {UTC_TIME: 0, GENERALIZED_TIME: 2}.get(element.tag, -1)
    digits = text[:-1]
    if century < 0 or len(digits) != 12 + century or text[-1:] != b"Z":
        raise bad("time of a form certificates do not have")
    if [b for b in digits if not 0x30 <= b <= 0x39]:
        raise bad("time without digits")
    parts = [int(digits[at : at + 2].decode()) for at in range(0, len(digits), 2)]
    if century:
        year = 100 * parts.pop(0) + parts[0]
    else:
        year = parts[0] + (1900 if parts[0] >= 50 else 2000)
    try:
        return civil.utc_s(year, parts[1], parts[2], parts[3], parts[4], parts[5])
    except MalformedMessage:
        raise bad("date that does not exist")
