"""Text encodings the services use: percent, base64, UTF-8.

Rule: decoding is strict and the same on both runtimes, whose own decoders are lenient in different
ways; bad bytes are a MalformedMessage.

Source: RFC 3986 section 2.1, RFC 4648 section 4, RFC 3629.
"""

import binascii

from ..errors import MalformedMessage

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SECOND_BYTES = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
_HEX = b"0123456789abcdef"


def quote(text: str) -> str:
    """Percent-encode everything but letters, digits and `-._~`: `a/b c` is `a%2Fb%20c`."""
    return "".join([chr(b) if b in _UNRESERVED else "%%%02X" % b for b in text.encode()])


def unquote(text: str) -> str:
    """Undo `quote`, once; other characters stand for themselves."""
    head, *rest = text.encode().split(b"%")
    parts = [head]
    for part in rest:
        high, low = _hex(part[:1]), _hex(part[1:2])
        if high < 0 or low < 0:
            raise MalformedMessage("percent sign without two hexadecimal digits", text)
        parts.append(bytes([16 * high + low]) + part[2:])
    return utf8(b"".join(parts))


def _hex(digit: bytes) -> int:
    return _HEX.find(digit.lower()) if digit else -1


def base64_text(data: bytes) -> str:
    """Base64 on one line."""
    return binascii.b2a_base64(data).strip().decode()


def base64_bytes(text: str) -> bytes:
    """Undo `base64_text`: one line, padded, no spare bits, nothing else. Never shows the text."""
    raw = text.encode()
    body = raw.rstrip(b"=")
    if len(raw) % 4 or len(raw) - len(body) > 2 or [b for b in body if b not in _BASE64]:
        raise MalformedMessage("not base64")
    data = binascii.a2b_base64(raw) if raw else b""
    if base64_text(data) != text:
        raise MalformedMessage("not base64")
    return data


def utf8(data: bytes) -> str:
    """Decode UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF."""
    if data and max(data) > 0x7F:
        at = 0
        while at < len(data):
            at += _utf8_length(data, at)
    return bytes(data).decode()


def _utf8_length(data: bytes, at: int) -> int:
    first = data[at]
    if first < 0x80:
        return 1
    size = 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4
    low, high = _SECOND_BYTES.get(first, (0x80, 0xBF))
    rest = data[at + 1 : at + size]
    if not 0xC2 <= first <= 0xF4 or len(rest) != size - 1 or not low <= rest[0] <= high:
        raise MalformedMessage("not UTF-8")
    if [b for b in rest[1:] if not 0x80 <= b <= 0xBF]:
        raise MalformedMessage("not UTF-8")
    return size


def decimal(text: str, most: int) -> int:
    """A plain decimal number from 0 to `most`, or MalformedMessage."""
    if not text or len(text) > 20 or [c for c in text if not "0" <= c <= "9"] or int(text) > most:
        raise MalformedMessage("not a number from 0 to %d" % most, text)
    return int(text)
