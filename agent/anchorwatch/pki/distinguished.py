"""Distinguished names, readable: `CN=DigiCert Global Root G2, OU=www.digicert.com, O=...`.

Rule: for humans and logs, most specific part first, ASCII only; commas inside a value are escaped,
so no value can pretend to be another part. Trust never hangs on this text.

Source: RFC 5280 section 4.1.2.4.
"""

from ..errors import MalformedMessage, plain
from ..wire.encoding import utf8
from .asn1 import SET, Element, bad, oid

_PARTS = {
    "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O",
    "2.5.4.11": "OU", "2.5.4.5": "serialNumber", "0.9.2342.19200300.100.1.25": "DC",
}  # fmt: skip
_UTF8, _BMP = 0x0C, 0x1E
_SPECIAL = b",\\"
_AT_MOST = 300


def readable(name: Element) -> str:
    """The text of a Name element."""
    parts = []
    for relative in name.sequence("name"):
        for pair in relative.expect(SET, "part of a name").members():
            members = pair.sequence("attribute")
            if len(members) != 2:
                raise bad("attribute of a name without a value")
            kind = oid(members[0])
            parts.append("%s=%s" % (_PARTS.get(kind) or kind, _value(members[1])))
    parts.reverse()
    shown = ", ".join(parts)
    return shown if len(shown) <= _AT_MOST else shown[:_AT_MOST] + "..."


def _value(value: Element) -> str:
    """Escaped text. Most needs none; letter by letter a board would keep each in its heap."""
    raw = value.content()
    if value.tag != _BMP and not [b for b in raw if not 0x20 <= b <= 0x7E or b in _SPECIAL]:
        return raw.decode()
    return _escaped(text(value))


def common_names(name: Element) -> list[str]:
    """Every CN of a Name element, as it is, in its order."""
    found = []
    for relative in name.sequence("name"):
        for pair in relative.expect(SET, "part of a name").members():
            members = pair.sequence("attribute")
            if len(members) == 2 and _PARTS.get(oid(members[0])) == "CN":
                found.append(text(members[1]))
    return found


def text(value: Element) -> str:
    """A string of any of the types that names use."""
    raw = value.content()
    if value.tag == _BMP:
        return "".join([chr(256 * raw[at] + raw[at + 1]) for at in range(0, len(raw) - 1, 2)])
    if value.tag == _UTF8:
        try:
            return utf8(raw)
        except MalformedMessage:
            raise bad("name is not UTF-8")
    return "".join([chr(b) for b in raw])


def _escaped(value: str) -> str:
    return "".join(["\\" + c if c in ",\\" else plain(c) for c in value])
