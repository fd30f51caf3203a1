"""HTTP/1.1 as a server of small requests needs it.

Bytes in, requests out, responses to bytes; no socket. Bodies come with Content-Length only.
Source: RFC 9112.
"""

from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

MOST_HEAD = 16 * 1024
MOST_BODY = 4 * 1024 * 1024


class MalformedRequest(Exception):
    """The peer broke HTTP/1.1; answer 400 and close."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Request:
    """One request; header names in lower case, path still escaped."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def parts(self) -> list[str]:
        """The path's segments, unescaped: /devices/a%20b -> ["devices", "a b"]."""
        return [unquote(part) for part in self.path.split("/") if part]

    def is_last(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return self.headers.get("connection", "").lower() == "close"


class Reader:
    """Cuts a stream of bytes into requests."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> None:
        self._kept += data

    def next(self) -> Request | None:
        """The next request, or None until more bytes have come."""
        head, found, rest = self._kept.partition(b"\r\n\r\n")
        if not found:
            if len(self._kept) > MOST_HEAD:
                raise MalformedRequest("the head is too long")
            return None
        request = parsed_head(head)
        length = _length_of(request)
        if len(rest) < length:
            return None
        request.body, self._kept = rest[:length], rest[length:]
        return request

    def rest(self) -> bytes:
        """What came after the last request, once and for all: it is not HTTP any more."""
        rest, self._kept = self._kept, b""
        return rest


def parsed_head(head: bytes) -> Request:
    """The request line and headers."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise MalformedRequest("not a request line of HTTP/1.1")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise MalformedRequest("a header is not NAME: VALUE")
        headers[name.lower()] = value.strip()
    path, _, query = words[1].partition("?")
    return Request(words[0], path, dict(parse_qsl(query, keep_blank_values=True)), headers)


def _length_of(request: Request) -> int:
    if "transfer-encoding" in request.headers:
        raise MalformedRequest("Transfer-Encoding is not read here; send Content-Length")
    text = request.headers.get("content-length", "0")
    if not text.isascii() or not text.isdigit() or int(text) > MOST_BODY:
        raise MalformedRequest(f"Content-Length is not a number up to {MOST_BODY}")
    return int(text)


def response(
    status: int, headers: dict[str, str] | None = None, body: bytes = b"", to: str = "GET"
) -> bytes:
    """The bytes of an answer; to a HEAD they carry the length and no body."""
    begun = head(status, {"Content-Length": str(len(body)), **(headers or {})})
    return begun if to == "HEAD" else begun + body


def head(status: int, headers: dict[str, str]) -> bytes:
    """The status line and these headers, no other."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def date(utc_s: int) -> str:
    """Sun, 06 Nov 1994 08:49:37 GMT."""
    return formatdate(utc_s, usegmt=True)
