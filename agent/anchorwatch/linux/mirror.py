"""A mirror: signed files over HTTP or HTTPS, from whoever answers at its address.

Rule: blocking, so it runs in an errand. Nothing it says is believed, so nobody asks whose
certificate it has; every answer is bounded in bytes and in time, and a body that breaks off is
continued where it ended.

Source: RFC 9110 sections 13.1.5, 14.2 and 15.4.
"""

from ..errors import LinkError, MalformedMessage
from ..wire import http
from ..wire.encoding import quote
from ..wire.url import Url
from . import waiting
from .patience import Patience
from .proxy import refused
from .veil import Veil

REDIRECTS_AT_MOST = 3
RESUMES_AT_MOST = 2
PROGRESS_S = 10.0
CONNECT_S = 10.0
PROXY_ASKS = 407
_REDIRECTS = (301, 302, 303, 307, 308)
# What object stores without a right to list say of a file that is not there.
_MISSING = (403, 404, 410)
_PIECE = 4096
_ETAG_AT_MOST = 128


class Mirror:
    """The files below an address, one connection each.

    route       the way there, see route.py; proxy  http://HOST:PORT, "" for none
    veil        TLS where it is asked for, see veil.py
    progress_s  a server that says nothing for so long has gone silent
    """

    def __init__(self, base: Url, route, proxy: str, patience: Patience, veil: Veil,
                 progress_s: float = PROGRESS_S) -> None:
        self._base, self._route, self._proxy, self._patience = base, route, proxy, patience
        self._veil, self._progress_s = veil, progress_s
        self._came = False  # something of the answer that is waited for

    def close(self) -> None:
        """Every connection is closed already."""

    def file(self, name: str, at_most: int) -> bytes | None:
        """A file of at most `at_most` bytes; None if the mirror has none of that name.

        Raises  LinkError, MalformedMessage (http.TooLong): no answer, or none that can be taken
        """
        place = self._base.file(quote(name))
        for _ in range(1 + REDIRECTS_AT_MOST):
            answer = self._whole(place, at_most)
            if answer.status == PROXY_ASKS and self._proxy:
                raise refused(answer.status, place.text())
            if answer.status not in _REDIRECTS:
                return _body(answer, place)
            location = answer.headers.get("location", "")
            further = place.redirected(location)
            if further is None:
                break
            place = further
        raise LinkError("network", "redirected", location, "name the address itself")

    def _whole(self, place: Url, at_most: int) -> http.Response:
        """The answer, continued as often as its body breaks off with something new in hand."""
        before, etag = b"", ""
        for resumes_left in range(RESUMES_AT_MOST, -1, -1):
            answer = http.Response("GET", at_most, before)
            try:
                self._ask(place, answer, before, etag)
                if answer.status != 416:
                    return answer
                before, etag = b"", ""  # it is another file now
            except LinkError as error:
                further = answer.status in (200, 206) and len(answer.body) > len(before)
                if error.verdict != "cut" or not further or not resumes_left:
                    raise
                before, etag = answer.body, answer.headers.get("etag", etag)
        return answer

    def _ask(self, place: Url, answer: http.Response, before: bytes, etag: str) -> None:
        headers = {"User-Agent": "anchorwatch"}
        if before:
            headers["Range"] = "bytes=%d-" % len(before)
            if etag[:1] == '"' and len(etag) <= _ETAG_AT_MOST and "\t" not in etag:
                headers["If-Range"] = etag
        self._came = False
        if self._proxy and place.scheme == "http":
            sock, asked = self._open_by_proxy(place, headers)
        else:
            sock = self._open(place)
            asked = http.request("GET", place.authority, place.path, headers)
        try:
            waiting.send(sock, asked, self._progress())
            self._receive(sock, answer)
        except LinkError as error:
            slow = error.verdict == "silent" and self._came
            raise LinkError("network", "slow" if slow else error.verdict, place.text(),
                            error.remedy) from error
        finally:
            sock.close()

    def _open(self, place: Url):
        """A connection to the first address that takes one, through TLS where it is asked for."""
        failed = LinkError("network", "name-unknown", place.authority)
        for address, port in self._route.places(self._proxy, place.host, place.port):
            try:
                sock = self._route.connect(self._proxy, address, port, self._patience)
                if place.scheme == "http":
                    return sock
                return self._veil.draw(sock, place.host, self._patience.at_most(CONNECT_S))
            except LinkError as error:
                failed = LinkError(error.fault, error.verdict, place.authority, error.remedy)
            self._patience.check()
        raise failed

    def _open_by_proxy(self, place: Url, headers: dict[str, str]):
        """Without TLS a proxy is asked for the file itself: few give a tunnel to such a port."""
        (host, port), *_ = self._route.places(self._proxy, place.host, place.port)
        there = Url(place.scheme, host, port, place.path)
        headers = {**headers, **self._route.proxy.headers()}
        asked = http.request("GET", place.authority, there.text(), headers)
        sock = self._route.proxy.reach(self._proxy, self._patience.at_most(CONNECT_S))
        return sock, asked

    def _receive(self, sock, answer: http.Response) -> None:
        """Bytes on the wire are counted too: heads, trailers and chunks of nothing have no end. Of
        an answer without a file the head is enough."""
        left = 2 * http.HEAD_AT_MOST + 2 * answer.body_at_most
        while not answer.done and answer.status < 300:
            data = waiting.receive(sock, _PIECE, self._progress())
            self._came = True
            left -= len(data)
            if left < 0:
                raise http.TooLong("HTTP answer longer than its parts")
            try:
                _feed(answer, data)
            except http.TooLong:
                if answer.status < 300:
                    raise

    def _progress(self) -> Patience:
        return self._patience.at_most(self._progress_s)


def _feed(answer: http.Response, data: bytes) -> None:
    if data:
        answer.feed(data)
        return
    try:
        answer.finish()
    except MalformedMessage as error:
        raise LinkError("network", "cut") from error


def _body(answer: http.Response, place: Url) -> bytes | None:
    if answer.status in _MISSING:
        return None
    if answer.status not in (200, 206):
        raise LinkError("network", "no-file", "%s, status %d" % (place.text(), answer.status),
                        "see what the mirror serves there", "mirror gives no file")
    return answer.body
