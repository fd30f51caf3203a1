"""One range of a file, as a client asks for it that goes on where it was cut.

Source: RFC 9110, sections 8.8.3 (ETag), 13.1.5 (If-Range) and 14 (Range).
"""

from .http1 import Request
from .trustjson import digest

Part = tuple[int, dict[str, str], bytes]


def part_asked(request: Request, data: bytes) -> Part:
    """Status, headers and body: 200 with the whole, 206 with a part, 416 outside of it."""
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{digest(data)[:32]}"'}
    if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        return 200, headers, data
    asked = request.headers.get("range", "")
    unit, equals, span = asked.partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not equals or not dash or not _are_numbers(first, last):
        return 200, headers, data  # what we do not understand, also several ranges, is ignored
    begin, end = _bounds(first, last, len(data))
    if begin >= end:
        return 416, {**headers, "Content-Range": f"bytes */{len(data)}"}, b""
    told = f"bytes {begin}-{end - 1}/{len(data)}"
    return 206, {**headers, "Content-Range": told}, data[begin:end]


def _are_numbers(first: str, last: str) -> bool:
    both = first + last
    return bool(both) and len(both) < 30 and both.isascii() and both.isdigit()


def _bounds(first: str, last: str, length: int) -> tuple[int, int]:
    """bytes=5-9 as (5, 10); bytes=-3 as the last three."""
    if not first:
        return max(length - int(last), 0), length
    return int(first), min(int(last) + 1, length) if last else length
