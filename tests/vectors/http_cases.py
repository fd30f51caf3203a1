"""HTTP answers: the three lengths, and everything that could be read in two ways."""

from anchorwatch.wire import http


def answer(data, size=0, method="GET", close=False):
    """(status, headers, body, done) after feeding `data`, in pieces of `size` if given."""
    response = http.Response(method, 64)
    for at in range(0, len(data), size or len(data)):
        response.feed(data[at : at + (size or len(data))])
    if close:
        response.finish()
    return (response.status, response.headers, response.body, response.done)


def rest(data, before=b"hel"):
    """(status, body, done) of an answer to a request for the rest of a body."""
    response = http.Response("GET", 64, before)
    response.feed(data)
    return (response.status, response.body, response.done)


def _malformed(reason):
    return ("raises", "MalformedMessage", reason)


_OK = b"HTTP/1.1 200 OK\r\n"
_PART = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %s\r\n"
_NOT_ASKED = "HTTP part of a body that was not asked for"
_COUNTED = _OK + b"Content-Length: 5\r\nX-A: b\r\n\r\nhello"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"

CASES = (
    ("a HEAD", http.request, ("HEAD", "h.net", "/"),
     b"HEAD / HTTP/1.1\r\nHost: h.net\r\nConnection: close\r\n\r\n"),
    ("a POST", http.request, ("POST", "h.net", "/x", {"B": "2", "A": "1"}, b"hi"),
     (b"POST /x HTTP/1.1\r\nHost: h.net\r\nConnection: close\r\nA: 1\r\nB: 2\r\n"
     b"Content-Length: 2\r\n\r\nhi")),
    ("a line break in a header", http.request, ("GET", "h.net", "/", {"A": "1\r\nB: 2"}),
     ("raises", "ValueError", "a request holds printable ASCII only")),
    ("a space in a target", http.request, ("GET", "h.net", "/a b"), ("raises", "ValueError",
     "a request target holds no spaces")),
    ("a counted body", answer, (_COUNTED,), (200, {"content-length": "5", "x-a": "b"}, b"hello",
     True)),
    ("a counted body, byte by byte", answer, (_COUNTED, 1), (200, {"content-length": "5",
     "x-a": "b"}, b"hello", True)),
    ("a chunked body", answer, (_CHUNKED,), (200, {"transfer-encoding": "chunked"}, b"hello",
     True)),
    ("a chunked body, byte by byte", answer, (_CHUNKED, 1), (200, {"transfer-encoding": "chunked"},
     b"hello", True)),
    ("a body until the end", answer, (_OK + b"\r\nhello", 0, "GET", True), (200, {}, b"hello",
     True)),
    ("a body of nothing", answer, (_OK + b"Content-Length: 0\r\n\r\n",), (200,
     {"content-length": "0"}, b"", True)),
    ("an answer to HEAD has no body", answer, (_OK + b"Content-Length: 999\r\n\r\n", 0, "HEAD"),
     (200, {"content-length": "999"}, b"", True)),
    ("204 has no body", answer, (b"HTTP/1.1 204 No Content\r\n\r\n",), (204, {}, b"", True)),
    ("a status without a phrase", answer, (b"HTTP/1.0 404\r\n\r\n", 0, "HEAD"), (404, {}, b"",
     True)),
    ("100 comes before", answer, (b"HTTP/1.1 100 Continue\r\n\r\n" + _COUNTED,),
     (200, {"content-length": "5", "x-a": "b"}, b"hello", True)),
    ("a header given twice", answer, (_OK + b"A: 1\r\nA: 2\r\nContent-Length: 0\r\n\r\n",),
     (200, {"a": "1, 2", "content-length": "0"}, b"", True)),
    ("cut in the head", answer, (_OK, 0, "GET", True), _malformed("HTTP answer ends early")),
    ("cut in the body", answer, (_COUNTED[:-1], 0, "GET", True),
     _malformed("HTTP answer ends early")),
    ("cut in a chunk", answer, (_CHUNKED[:-9], 0, "GET", True),
     _malformed("HTTP answer ends early")),
    ("bytes after the end", answer, (_COUNTED + b"x",),
     _malformed("HTTP answer with bytes after its end")),
    ("a body announced too long", answer, (_OK + b"Content-Length: 65\r\n\r\n",),
     ("raises", "TooLong", "HTTP body longer than 64 bytes")),
    ("a body too long until the end", answer, (_OK + b"\r\n" + b"x" * 65,),
     ("raises", "TooLong", "HTTP body longer than 64 bytes")),
    ("chunks too long together", answer,
     (_OK + b"Transfer-Encoding: chunked\r\n\r\n40\r\n" + b"x" * 64 + b"\r\n1\r\n",),
     ("raises", "TooLong", "HTTP body longer than 64 bytes")),
    ("a chunk longer than it says", answer, (_OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nhello",
     ),
     _malformed("HTTP chunk longer than its size")),
    ("a chunk with an extension", answer, (_OK + b"Transfer-Encoding: chunked\r\n\r\n1;a=b\r\n",),
     _malformed("HTTP chunk without a plain size")),
    ("a chunk of a negative size", answer, (_OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",),
     _malformed("HTTP chunk without a plain size")),
    ("two ways to count", answer, (_OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
     ),
     _malformed("HTTP answer with two lengths")),
    ("two lengths", answer, (_OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",),
     _malformed("HTTP header given twice")),
    ("the same length twice", answer, (_OK + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",),
     (200, {"content-length": "0"}, b"", True)),
    ("another transfer coding", answer, (_OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",),
     _malformed("HTTP transfer coding nobody asked for")),
    ("a length with a plus", answer, (_OK + b"Content-Length: +5\r\n\r\n",),
     _malformed("not a number")),
    ("a header without a colon", answer, (_OK + b"hello\r\n\r\n",),
     _malformed("HTTP header without a name")),
    ("a space before the colon", answer, (_OK + b"A : 1\r\n\r\n",),
     _malformed("HTTP header without a name")),
    ("a folded header", answer, (_OK + b"A: 1\r\n b\r\n\r\n",),
     _malformed("HTTP header without a name")),
    ("a bare line feed", answer, (b"HTTP/1.1 200 OK\nA: 1\r\n\r\n",),
     _malformed("HTTP head with other than printable")),
    ("not HTTP", answer, (b"SSH-2.0-x\r\n\r\n",), _malformed("not an HTTP answer")),
    ("HTTP of the future", answer, (b"HTTP/2 200\r\n\r\n",), _malformed("not an HTTP answer")),
    ("a status of four digits", answer, (b"HTTP/1.1 2000 OK\r\n\r\n",),
     _malformed("not an HTTP answer")),
    ("a head too long", answer, (_OK + b"A: " + b"x" * 16384,),
     ("raises", "TooLong", "HTTP head is too long")),
    ("the rest of a body", rest, (_PART % b"3-4/5" + b"Content-Length: 2\r\n\r\nlo",),
     (206, b"hello", True)),
    ("the rest in chunks, of no known whole", rest,
     (_PART % b"3-4/*" + b"Transfer-Encoding: chunked\r\n\r\n2\r\nlo\r\n0\r\n\r\n",),
     (206, b"hello", True)),
    ("the whole in place of the rest", rest, (_COUNTED,), (200, b"hello", True)),
    ("a refusal in place of the rest", rest,
     (b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n",), (416, b"", True)),
    ("the rest that nobody asked for", rest, (_PART % b"0-4/5" + b"\r\n", b""),
     _malformed(_NOT_ASKED)),
    ("the rest from another place", rest, (_PART % b"2-4/5" + b"\r\n",), _malformed(_NOT_ASKED)),
    ("the rest without its place", rest, (b"HTTP/1.1 206 P\r\nContent-Length: 2\r\n\r\nlo",),
     _malformed(_NOT_ASKED)),
    ("the rest that is not all of it", rest, (_PART % b"3-4/6" + b"\r\n",),
     _malformed(_NOT_ASKED)),
    ("the rest of no whole", rest, (_PART % b"3-4" + b"\r\n",), _malformed(_NOT_ASKED)),
    ("the rest ends nowhere", rest, (_PART % b"3-/5" + b"\r\n",), _malformed("not a number")),
    ("the rest of two lengths", rest, (_PART % b"3-4/5" + b"Content-Length: 3\r\n\r\nlox",),
     _malformed("HTTP answer with two lengths")),
    ("the rest ends before it begins", rest, (_PART % b"3-1/2" + b"Content-Length: 0\r\n\r\n",),
     _malformed("HTTP answer with two lengths")),
    ("the rest is too long", rest, (_PART % b"3-64/65" + b"Content-Length: 62\r\n\r\n",),
     ("raises", "TooLong", "HTTP body longer than 64 bytes")),
    ("a date", http.date_utc_s, ("Sun, 06 Nov 1994 08:49:37 GMT",), 784111777),
    ("the first second", http.date_utc_s, ("Thu, 01 Jan 1970 00:00:00 GMT",), 0),
    ("a leap day", http.date_utc_s, ("Thu, 29 Feb 2024 23:59:59 GMT",), 1709251199),
    ("a leap second", http.date_utc_s, ("Sat, 31 Dec 2016 23:59:60 GMT",), 1483228799),
    ("past 32 bits", http.date_utc_s, ("Fri, 01 Jan 2100 00:00:00 GMT",), 4102444800),
    ("no such day", http.date_utc_s, ("Wed, 29 Feb 2023 00:00:00 GMT",),
     _malformed("no such date")),
    ("no such hour", http.date_utc_s, ("Sun, 06 Nov 1994 24:00:00 GMT",),
     _malformed("no such time")),
    ("another zone", http.date_utc_s, ("Sun, 06 Nov 1994 08:49:37 UTC",),
     _malformed("not an HTTP date")),
    ("the old form", http.date_utc_s, ("Sunday, 06-Nov-94 08:49:37 GMT",),
     _malformed("not an HTTP date")),
    ("no date", http.date_utc_s, ("",), _malformed("not an HTTP date")),
)  # fmt: skip
