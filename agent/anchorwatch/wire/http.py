"""HTTP/1.1 as far as the agent needs it: one request, one answer, connection closed.

Rule: no I/O, no cookies; every length is capped before bytes are kept, and an answer whose length
could be read in two ways is refused. A redirect is an answer like any other.

Source: RFC 9110 sections 5.6.7 and 14.4, RFC 9112.
"""

from ..errors import MalformedMessage
from . import civil
from .encoding import decimal

HEAD_AT_MOST = 16_384
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LENGTH_MOST = 0x7FFFFFFF
_NO_HEADERS: dict[str, str] = {}


class TooLong(MalformedMessage):
    """An answer that is longer than anybody asked for."""


def request(
    method: str,
    host: str,
    target: str,
    headers: dict[str, str] = _NO_HEADERS,
    body: bytes = b"",
    connection: str = "close",
) -> bytes:
    """The bytes of a request; headers in sorted order, ValueError for a line break in any part."""
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: " + host]
    lines += ["Connection: " + connection] if connection else []
    lines += ["%s: %s" % (name, headers[name]) for name in sorted(headers)]
    if body or method in ("POST", "PUT"):
        lines.append("Content-Length: %d" % len(body))
    for line in lines:
        if [c for c in line if not " " <= c <= "~"]:
            raise ValueError("a request holds printable ASCII only")
    if " " in target:
        raise ValueError("a request target holds no spaces")
    return "\r\n".join(lines + ["", ""]).encode() + body


class Response:
    """An answer, read while it comes in.

    done      the answer is complete; status, headers (names in lower case) and body hold it
    body_at_most  a longer body is refused as soon as it is announced or read
    method    of the request: an answer to HEAD or CONNECT has no body
    before    what is here of the body, where only the rest of it was asked for (`Range`); an answer
              that gives the whole again takes its place
    """

    def __init__(self, method: str, body_at_most: int, before: bytes = b"") -> None:
        self.done = False
        self._before = before
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self._bodiless = method in ("HEAD", "CONNECT")
        self.body_at_most = body_at_most
        self._raw = b""
        self._part = "head"

    def feed(self, data: bytes) -> None:
        """Take the next bytes; raises MalformedMessage, also for bytes after the end."""
        self._raw += bytes(data)
        while not self.done and getattr(self, "_" + self._part)():
            pass
        if self.done and self._raw:
            raise MalformedMessage("HTTP answer with bytes after its end")

    def finish(self) -> None:
        """The peer closed: complete a body without a length, refuse anything cut off."""
        if self._part == "until_close":
            self.done = True
        if not self.done:
            raise MalformedMessage("HTTP answer ends early")

    def _line(self) -> str | None:
        end = self._raw.find(b"\r\n")
        if end < 0:
            if len(self._raw) > HEAD_AT_MOST:
                raise TooLong("HTTP line is too long")
            return None
        line, self._raw = self._raw[:end], self._raw[end + 2 :]
        return _ascii(line)

    def _head(self) -> bool:
        found = head(self._raw)
        if found is None:
            return False
        self.status, self.headers, self._raw = found
        if self.status >= 200:
            self._choose_body()
        return True

    def _choose_body(self) -> None:
        length = self.headers.get("content-length")
        coding = self.headers.get("transfer-encoding")
        if length is not None and coding is not None:
            raise MalformedMessage("HTTP answer with two lengths")
        self._left = 0 if length is None else decimal(length, _LENGTH_MOST)
        if self._bodiless or self.status in (204, 304):
            self.done = True
            return
        if self.status == 206:
            self._continue(length)
        if coding is not None:
            if coding.lower() != "chunked":
                raise MalformedMessage("HTTP transfer coding nobody asked for", coding)
            self._part = "chunk_size"
        else:
            self._check_room(self._left)
            self._part = "until_close" if length is None else "counted"

    def _continue(self, length: str | None) -> None:
        """The rest of a body must begin where it broke off and go to its end."""
        text = self.headers.get("content-range", "")
        span, slash, total = text.partition("/")
        first, dash, last = span.partition("-")
        if not self._before or first != "bytes %d" % len(self._before) or not dash or not slash:
            raise MalformedMessage("HTTP part of a body that was not asked for", text)
        end = decimal(last, _LENGTH_MOST) + 1
        if total != "*" and decimal(total, _LENGTH_MOST) != end:
            raise MalformedMessage("HTTP part of a body that was not asked for", text)
        if length is not None and self._left != end - len(self._before):
            raise MalformedMessage("HTTP answer with two lengths", text)
        self.body = self._before

    def _check_room(self, more: int) -> None:
        if len(self.body) + more > self.body_at_most:
            raise TooLong("HTTP body longer than %d bytes" % self.body_at_most)

    def _until_close(self) -> bool:
        self._check_room(len(self._raw))
        self.body, self._raw = self.body + self._raw, b""
        return False

    def _counted(self) -> bool:
        self._take()
        self.done = self._left == 0
        return False

    def _take(self) -> None:
        piece, self._raw = self._raw[: self._left], self._raw[self._left :]
        self.body += piece
        self._left -= len(piece)

    def _chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not 0 < len(line) <= 8 or [c for c in line.lower() if c not in "0123456789abcdef"]:
            raise MalformedMessage("HTTP chunk without a plain size", line)
        self._left = int(line, 16)
        self._check_room(self._left)
        self._part = "chunk" if self._left else "trailer"
        return True

    def _chunk(self) -> bool:
        self._take()
        if self._left or len(self._raw) < 2:
            return False
        if self._raw[:2] != b"\r\n":
            raise MalformedMessage("HTTP chunk longer than its size")
        self._raw = self._raw[2:]
        self._part = "chunk_size"
        return True

    def _trailer(self) -> bool:
        line = self._line()
        self.done = line == ""
        return line is not None


def head(raw: bytes) -> tuple[int, dict[str, str], bytes] | None:
    """(status, headers with names in lower case, what follows); None until the head is whole."""
    end = raw.find(b"\r\n\r\n")
    if end > HEAD_AT_MOST or (end < 0 and len(raw) > HEAD_AT_MOST):
        raise TooLong("HTTP head is too long")
    if end < 0:
        return None
    status_line, *lines = [_ascii(line) for line in raw[:end].split(b"\r\n")]
    return _status(status_line), _headers(lines), raw[end + 4 :]


def _ascii(line: bytes) -> str:
    if [b for b in line if not (0x20 <= b <= 0x7E or b == 9)]:
        raise MalformedMessage("HTTP head with other than printable ASCII")
    return line.decode()


def _status(line: str) -> int:
    version, _, rest = line.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or rest[3:4] not in ("", " "):
        raise MalformedMessage("not an HTTP answer", line)
    status = decimal(rest[:3], 599)
    if status < 100:
        raise MalformedMessage("not an HTTP answer", line)
    return status


def _headers(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or [c for c in name if c not in _TOKEN]:
            raise MalformedMessage("HTTP header without a name", line)
        name, value = name.lower(), value.strip()
        if (
            name in found
            and found[name] != value
            and name in ("content-length", "transfer-encoding")
        ):
            raise MalformedMessage("HTTP header given twice", name)
        found[name] = (
            found[name] + ", " + value if name in found and found[name] != value else value
        )
    return found


def date_utc_s(text: str) -> int:
    """`Sun, 06 Nov 1994 08:49:37 GMT` in seconds since 1970; the other old forms are refused."""
    words = text.split(" ")
    clock = words[4].split(":") if len(words) == 6 else []
    if len(text) != 29 or len(clock) != 3 or words[5] != "GMT" or words[2] not in _MONTHS:
        raise MalformedMessage("not an HTTP date", text)
    if words[0][:-1] not in _DAYS or words[0][-1:] != ",":
        raise MalformedMessage("not an HTTP date", text)
    hour, minute, second = [decimal(part, 60) for part in clock]
    month = _MONTHS.index(words[2]) + 1
    return civil.utc_s(decimal(words[3], 9999), month, decimal(words[1], 31), hour, minute, second)
