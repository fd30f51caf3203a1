"""Percent, base64 and UTF-8: what is taken, and what only looks like it."""

from anchorwatch.errors import plain
from anchorwatch.wire import encoding

_NO_UTF8 = ("raises", "MalformedMessage", "not UTF-8")
_NO_BASE64 = ("raises", "MalformedMessage", "not base64")
_NO_PERCENT = ("raises", "MalformedMessage", "percent sign without two hexadecimal digits")

CASES = (
    ("letters, digits and -._~ stay", encoding.quote, ("aZ09-._~",), "aZ09-._~"),
    ("a space is %20, never a plus", encoding.quote, ("a b+c",), "a%20b%2Bc"),
    ("wildcards and slashes are encoded", encoding.quote, ("#/&=?%",), "%23%2F%26%3D%3F%25"),
    ("other text is encoded as UTF-8", encoding.quote, ("\u00e4\U0001f600",), "%C3%A4%F0%9F%98%80"),
    ("decoding undoes it", encoding.unquote, ("%C3%A4%F0%9F%98%80%2f",), "\u00e4\U0001f600/"),
    ("decoding happens once", encoding.unquote, ("%2525",), "%25"),
    ("a plus stays a plus", encoding.unquote, ("a+b",), "a+b"),
    ("half a percent sequence is refused", encoding.unquote, ("a%2",), _NO_PERCENT),
    ("a bare percent sign is refused", encoding.unquote, ("%",), _NO_PERCENT),
    ("a sign is no hexadecimal digit", encoding.unquote, ("%+1",), _NO_PERCENT),
    ("percent-encoded bytes must be UTF-8", encoding.unquote, ("%ff",), _NO_UTF8),
    ("nothing is empty base64", encoding.base64_bytes, ("",), b""),
    ("padded base64 is taken", encoding.base64_bytes, ("AQ==",), b"\x01"),
    ("two octets", encoding.base64_bytes, ("AQI=",), b"\x01\x02"),
    ("base64 without padding is refused", encoding.base64_bytes, ("AQ",), _NO_BASE64),
    ("spare bits must be zero", encoding.base64_bytes, ("AR==",), _NO_BASE64),
    ("a line break is not base64", encoding.base64_bytes, ("AQ\n=",), _NO_BASE64),
    ("the other alphabet is refused", encoding.base64_bytes, ("A-_=",), _NO_BASE64),
    ("padding alone is refused", encoding.base64_bytes, ("====",), _NO_BASE64),
    ("padding in the middle is refused", encoding.base64_bytes, ("AQ==AQ==",), _NO_BASE64),
    ("other text is not base64", encoding.base64_bytes, ("\u00e4\u00e4",), _NO_BASE64),
    ("UTF-8 of all lengths", encoding.utf8, (b"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",),
     "a\u00e4\u20ac\U0001f600"),
    ("the last code point", encoding.utf8, (b"\xf4\x8f\xbf\xbf",), "\U0010ffff"),
    ("past the last code point", encoding.utf8, (b"\xf4\x90\x80\x80",), _NO_UTF8),
    ("an overlong slash", encoding.utf8, (b"\xc0\xaf",), _NO_UTF8),
    ("an overlong slash in three", encoding.utf8, (b"\xe0\x80\xaf",), _NO_UTF8),
    ("an overlong slash in four", encoding.utf8, (b"\xf0\x80\x80\xaf",), _NO_UTF8),
    ("a surrogate", encoding.utf8, (b"\xed\xa0\x80",), _NO_UTF8),
    ("cut off", encoding.utf8, (b"\xe2\x82",), _NO_UTF8),
    ("a continuation alone", encoding.utf8, (b"\x80",), _NO_UTF8),
    ("a start in the place of a continuation", encoding.utf8, (b"\xe2\x82\xc3",), _NO_UTF8),
    ("a byte UTF-8 never has", encoding.utf8, (b"\xff",), _NO_UTF8),
    ("a number", encoding.decimal, ("604800", 604800), 604800),
    ("a number too large", encoding.decimal, ("604801", 604800), ("raises", "MalformedMessage",
     "not a number")),
    ("a sign", encoding.decimal, ("-1", 9), ("raises", "MalformedMessage", "not a number")),
    ("digits of another script", encoding.decimal, ("\u0663", 9), ("raises", "MalformedMessage",
     "not a number")),
    ("no digit at all", encoding.decimal, ("", 9), ("raises", "MalformedMessage", "not a number")),
    ("a number of a thousand digits", encoding.decimal, ("1" * 1000, 9),
     ("raises", "MalformedMessage", "not a number")),
    ("text for a log is ASCII without control characters", plain,
     ("a\r\n\x1b[31m\u2028\u202e\U0001f600\x7f",),
     "a\\x0d\\x0a\\x1b[31m\\u2028\\u202e\\U0001f600\\x7f"),
    ("text for a log is cut", plain, ("abcdef", 3), "abc..."),
)  # fmt: skip
