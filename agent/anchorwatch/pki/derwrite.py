"""DER out: the few elements that a request, a signature and a key of ours consist of.

Rule: what it writes is what asn1.py reads.

Source: X.690 sections 8 and 10.
"""

from .asn1 import BIT_STRING, INTEGER


def element(tag: int, *parts: bytes) -> bytes:
    """One element with `parts` as its content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes(3, "big").lstrip(b"\0")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def unsigned(number: int) -> bytes:
    """An INTEGER from 0 on, of at most 66 octets."""
    octets = number.to_bytes(66, "big").lstrip(b"\0")
    if not octets or octets[0] >= 0x80:
        octets = b"\0" + octets
    return element(INTEGER, octets)


def bit_string(data: bytes) -> bytes:
    """Whole octets as a BIT STRING."""
    return element(BIT_STRING, b"\0", data)
