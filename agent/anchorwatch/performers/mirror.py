"""A mirror: signed files over HTTP or HTTPS, from whoever answers at its address.

Rule: nothing it says is believed, so nobody asks whose certificate it has; every answer is bounded
in bytes and in time, and a body that breaks off is continued where it ended.

Source: RFC 9110 sections 13.1.5, 14.2 and 15.4.
"""

from ..core.shapes import Any_
from ..errors import LinkError, MalformedMessage
from ..wire import http
from ..wire.encoding import quote
from ..wire.url import Url

REDIRECTS_AT_MOST = 3
RESUMES_AT_MOST = 2
_REDIRECTS = (301, 302, 303, 307, 308)
# What object stores without a right to list say of a file that is not there.
_MISSING = (403, 404, 410)
_ETAG_AT_MOST = 128


class Mirror:
    """The files below an address, one connection each; what waits is a generator.

    way  open(place, headers) -> (connection, the request), send(connection, data),
         receive(connection) -> bytes, b"" at its end: generators that raise LinkError;
         passed(answer, place) raises it for an answer that somebody on the way has given
    """

    def __init__(self, base: Url, way: Any_) -> None:
        self._base, self._way = base, way
        self._came = False  # something of the answer that is waited for

    def close(self) -> None:
        """Every connection is closed already."""

    def file(self, name: str, at_most: int) -> Any_:
        """A file of at most `at_most` bytes; None if the mirror has none of that name.

        Raises  LinkError, MalformedMessage (http.TooLong): no answer, or none that can be taken
        """
        place, location = self._base.file(quote(name)), ""
        for _ in range(1 + REDIRECTS_AT_MOST):
            answer = yield from self._whole(place, at_most)
            self._way.passed(answer, place)
            if answer.status not in _REDIRECTS:
                return _body(answer, place)
            location = answer.headers.get("location", "")
            further = place.redirected(location)
            if further is None:
                break
            place = further
        raise LinkError("network", "redirected", location, "name the address itself")

    def _whole(self, place: Url, at_most: int) -> Any_:
        """The answer, continued as often as its body breaks off with something new in hand."""
        before, etag = b"", ""
        for resumes_left in range(RESUMES_AT_MOST, -1, -1):
            answer = http.Response("GET", at_most, before)
            try:
                yield from self._ask(place, answer, before, etag)
                if answer.status != 416:
                    return answer
                before, etag = b"", ""  # it is another file now
            except LinkError as error:
                further = answer.status in (200, 206) and len(answer.body) > len(before)
                if error.verdict != "cut" or not further or not resumes_left:
                    raise
                before, etag = answer.body, answer.headers.get("etag", etag)
        return answer

    def _ask(self, place: Url, answer: http.Response, before: bytes, etag: str) -> Any_:
        headers = {"User-Agent": "anchorwatch"}
        if before:
            headers["Range"] = "bytes=%d-" % len(before)
            if etag[:1] == '"' and len(etag) <= _ETAG_AT_MOST and "\t" not in etag:
                headers["If-Range"] = etag
        self._came = False
        stream, asked = yield from self._way.open(place, headers)
        try:
            yield from self._way.send(stream, asked)
            yield from self._receive(stream, answer)
        except LinkError as error:
            slow = error.verdict == "silent" and self._came
            raise LinkError("network", "slow" if slow else error.verdict, place.text(),
                            error.remedy)
        finally:
            stream.close()

    def _receive(self, stream: Any_, answer: http.Response) -> Any_:
        """Bytes on the wire are counted too: heads, trailers and chunks of nothing have no end. Of
        an answer without a file the head is enough."""
        left = 2 * http.HEAD_AT_MOST + 2 * answer.body_at_most
        while not answer.done and answer.status < 300:
            data = yield from self._way.receive(stream)
            self._came = True
            left -= len(data)
            if left < 0:
                raise http.TooLong("HTTP answer longer than its parts")
            try:
                _feed(answer, data)
            except http.TooLong:
                if answer.status < 300:
                    raise


def _feed(answer: http.Response, data: bytes) -> None:
    if data:
        answer.feed(data)
        return
    try:
        answer.finish()
    except MalformedMessage:
        raise LinkError("network", "cut")


def _body(answer: http.Response, place: Url) -> bytes | None:
    if answer.status in _MISSING:
        return None
    if answer.status not in (200, 206):
        raise LinkError("network", "no-file", "%s, status %d" % (place.text(), answer.status),
                        "see what the mirror serves there", "mirror gives no file")
    return answer.body
