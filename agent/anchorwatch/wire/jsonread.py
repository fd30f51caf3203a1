"""JSON, strict and bounded, the same on both runtimes.

Rule: size is checked before parsing and nesting while parsing, without recursion, so no peer can
exhaust a board's stack. Duplicate members, lone surrogates, NaN and numbers too large are refused.
The runtimes' own parsers differ: one takes `[1 2]`, the other NaN and any depth.

Source: RFC 8259.
"""

from ..errors import MalformedMessage
from .encoding import utf8

DEPTH = 16
AT_MOST = 131_072
_SPACE = b" \t\n\r"
_WORDS = ((b"true", True), (b"false", False), (b"null", None))
_ESCAPES = {
    ord('"'): '"', ord("\\"): "\\", ord("/"): "/", ord("b"): "\b",
    ord("f"): "\f", ord("n"): "\n", ord("r"): "\r", ord("t"): "\t",
}  # fmt: skip
_NUMBER = b"+-.0123456789Ee"
_NUMBER_AT_MOST = 64
_OPENED = object()  # what a container with members is while they are read


def parse(data: bytes, at_most: int = AT_MOST) -> object:
    """The value that `data`, UTF-8 JSON of at most `at_most` bytes, stands for."""
    if len(data) > at_most:
        raise MalformedMessage("JSON longer than %d bytes" % at_most, len(data))
    utf8(data)
    return _Reader(bytes(data)).document()


def parse_object(data: bytes, at_most: int = AT_MOST) -> dict[str, object]:
    """Like `parse`, and an object is required."""
    tree = parse(data, at_most)
    if not isinstance(tree, dict):
        raise MalformedMessage("JSON is not an object")
    return tree


class _Reader:
    """One document, read from left to right; `open` holds the containers around the place."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.open: list[list[object] | dict[str, object]] = []
        self.keys: list[str] = []

    def document(self) -> object:
        while True:
            value = self._value()
            while self.open and value is not _OPENED:
                value = self._put(value)
            if value is _OPENED:
                continue
            if self._peek() >= 0:
                raise self._bad("text after the end")
            return value

    def _bad(self, reason: str) -> MalformedMessage:
        return MalformedMessage("JSON: %s" % reason, "at byte %d" % self.at)

    def _peek(self) -> int:
        data = self.data
        while self.at < len(data) and data[self.at] in _SPACE:
            self.at += 1
        return data[self.at] if self.at < len(data) else -1

    def _value(self) -> object:
        """A scalar or an empty container; _OPENED when a container begins that has members."""
        first = self._peek()
        if first == 0x22:
            self.at += 1
            return self._string()
        if first in (0x5B, 0x7B):
            return self._container(first)
        for word, value in _WORDS:
            if self.data[self.at : self.at + len(word)] == word:
                self.at += len(word)
                return value
        return self._number()

    def _container(self, first: int) -> object:
        self.at += 1
        if len(self.open) >= DEPTH:
            raise self._bad("nested deeper than %d" % DEPTH)
        container: list[object] | dict[str, object] = [] if first == 0x5B else {}
        if self._peek() == first + 2:
            self.at += 1
            return container
        self.open.append(container)
        if first == 0x7B:
            self._key()
        return _OPENED

    def _key(self) -> None:
        if self._peek() != 0x22:
            raise self._bad("member without a name")
        self.at += 1
        key = self._string()
        if key in self.open[-1]:
            raise self._bad("member given twice")
        if self._peek() != 0x3A:
            raise self._bad("member without a value")
        self.at += 1
        self.keys.append(key)

    def _put(self, value: object) -> object:
        """Add a member; _OPENED when more follow, else the container that is now complete."""
        container = self.open[-1]
        if isinstance(container, dict):
            container[self.keys.pop()] = value
        else:
            container.append(value)
        after = self._peek()
        self.at += 1
        if after == 0x2C:
            if isinstance(container, dict):
                self._key()
            return _OPENED
        if after != (0x7D if isinstance(container, dict) else 0x5D):
            self.at -= 1
            raise self._bad("no comma and no end")
        return self.open.pop()

    def _string(self) -> str:
        """The rest of a string whose opening quote is read."""
        parts = []
        while True:
            end = self.data.find(b'"', self.at)
            if end < 0:
                raise self._bad("string without an end")
            escape = self.data.find(b"\\", self.at, end)
            chunk = self.data[self.at : end if escape < 0 else escape]
            if chunk and min(chunk) < 0x20:
                raise self._bad("control character in a string")
            parts.append(chunk.decode())
            self.at = end + 1 if escape < 0 else escape + 1
            if escape < 0:
                return "".join(parts)
            parts.append(self._escape())

    def _escape(self) -> str:
        letter = self.data[self.at]
        self.at += 1
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != 0x75:
            raise self._bad("unknown escape")
        code = self._unit()
        if 0xD800 <= code < 0xDC00 and self.data[self.at : self.at + 2] == b"\\u":
            self.at += 2
            low = self._unit()
            code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00 if low >> 10 == 0x37 else 0xD800
        if 0xD800 <= code < 0xE000:
            raise self._bad("half a surrogate pair")
        return chr(code)

    def _unit(self) -> int:
        digits = self.data[self.at : self.at + 4]
        if len(digits) < 4 or [b for b in digits if b not in b"0123456789abcdefABCDEF"]:
            raise self._bad("escape without four digits")
        self.at += 4
        return int(digits.decode(), 16)

    def _number(self) -> object:
        start = self.at
        while self.at < len(self.data) and self.data[self.at] in _NUMBER:
            self.at += 1
        text = self.data[start : self.at].decode()
        if not _is_number(text):
            self.at = start
            raise self._bad("no value")
        if not [c for c in text if c in ".eE"]:
            return int(text)
        value = float(text)
        if value - value != 0:
            raise self._bad("number too large")
        return value


def _is_number(text: str) -> bool:
    if len(text) > _NUMBER_AT_MOST:
        return False
    mantissa, e, exponent = text.replace("E", "e").partition("e")
    whole, dot, fraction = mantissa.partition(".")
    if whole[:1] == "-":
        whole = whole[1:]
    if exponent[:1] in ("+", "-"):
        exponent = exponent[1:]
    return (
        _digits(whole)
        and (whole == "0" or whole[0] != "0")
        and (not dot or _digits(fraction))
        and (not e or _digits(exponent))
    )


def _digits(text: str) -> bool:
    return text != "" and not [c for c in text if not "0" <= c <= "9"]
