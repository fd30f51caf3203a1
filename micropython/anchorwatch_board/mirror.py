"""A mirror: signed files over HTTP or HTTPS, from whoever answers at its address.

Rule: nothing it says is believed, so nobody asks whose certificate it has; every answer is bounded
in bytes and in time, and a body that breaks off is continued where it ended.

Source: RFC 9110 sections 13.1.5, 14.2 and 15.4.
"""

from anchorwatch.errors import LinkError, MalformedMessage
from anchorwatch.wire import http
from anchorwatch.wire.encoding import quote

from . import tcp, tls, waiting

REDIRECTS_AT_MOST = 3
RESUMES_AT_MOST = 2
PROGRESS_MS = 10_000
CONNECT_MS = 10_000
SECURE_MS = 20_000
_REDIRECTS = (301, 302, 303, 307, 308)
# What object stores without a right to list say of a file that is not there.
_MISSING = (403, 404, 410)
_ETAG_AT_MOST = 128


class Mirror:
    """The files below an address, one connection each; profile  the settings of [tls.mirror]."""

    def __init__(self, base, resolver, patience, profile):
        self._base, self._resolver, self._patience = base, resolver, patience
        self._profile = profile
        self._came = False  # something of the answer that is waited for

    def file(self, name, at_most):
        """A file of at most `at_most` bytes; None if the mirror has none of that name.

        Raises  LinkError, MalformedMessage (http.TooLong): no answer, or none that can be taken
        """
        place, location = self._base.file(quote(name)), ""
        for _ in range(1 + REDIRECTS_AT_MOST):
            answer = yield from self._whole(place, at_most)
            if answer.status not in _REDIRECTS:
                return _body(answer, place)
            location = answer.headers.get("location", "")
            place = place.redirected(location)
            if place is None:
                break
        raise LinkError("network", "redirected", location, "name the address itself")

    def _whole(self, place, at_most):
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

    def _ask(self, place, answer, before, etag):
        headers = {"User-Agent": "anchorwatch"}
        if before:
            headers["Range"] = "bytes=%d-" % len(before)
            if etag[:1] == '"' and len(etag) <= _ETAG_AT_MOST and "\t" not in etag:
                headers["If-Range"] = etag
        self._came = False
        stream = yield from self._open(place)
        try:
            asked = http.request("GET", place.authority, place.path, headers)
            yield from waiting.send(stream, asked, self._progress())
            yield from self._receive(stream, answer)
        except LinkError as error:
            slow = error.verdict == "silent" and self._came
            raise LinkError("network", "slow" if slow else error.verdict, place.text(),
                            error.remedy)
        finally:
            stream.close()

    def _open(self, place):
        """A connection to the first address that takes one, through TLS where it is asked for."""
        failed = LinkError("network", "name-unknown", place.authority)
        for address, port in self._resolver.addresses(place.host, place.port):
            try:
                reached = self._patience.at_most(CONNECT_MS)
                sock = yield from tcp.connect(address, port, reached)
                if place.scheme == "http":
                    return tcp.Plain(sock)
                return (yield from self._secured(sock, place.host))
            except LinkError as error:
                failed = LinkError(error.fault, error.verdict, place.authority, error.remedy)
        raise failed

    def _secured(self, sock, host):
        try:
            made = tls.veil(self._profile)
        except (OSError, MemoryError):
            sock.close()
            raise LinkError("memory", "no-memory")
        patience = self._patience.at_most(SECURE_MS)
        secured = yield from tls.handshake(sock, made, host, None, patience, lambda call: call())
        return secured.stream

    def _receive(self, stream, answer):
        """Bytes on the wire are counted too: heads, trailers and chunks of nothing have no end. Of
        an answer without a file the head is enough."""
        left = 2 * http.HEAD_AT_MOST + 2 * answer.body_at_most
        while not answer.done and answer.status < 300:
            data = yield from waiting.receive(stream, self._progress())
            self._came = True
            left -= len(data)
            if left < 0:
                raise http.TooLong("HTTP answer longer than its parts")
            try:
                _feed(answer, data)
            except http.TooLong:
                if answer.status < 300:
                    raise

    def _progress(self):
        return self._patience.at_most(PROGRESS_MS)


def _feed(answer, data):
    if data:
        answer.feed(data)
        return
    try:
        answer.finish()
    except MalformedMessage:
        raise LinkError("network", "cut")


def _body(answer, place):
    if answer.status in _MISSING:
        return None
    if answer.status not in (200, 206):
        raise LinkError("network", "no-file", "%s, status %d" % (place.text(), answer.status),
                        "see what the mirror serves there", "mirror gives no file")
    return answer.body
