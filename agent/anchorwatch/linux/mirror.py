"""The way to a mirror on Linux: TCP or a proxy, and TLS where it is asked for.

Rule: blocking, so it runs in an errand.
"""

from ..errors import LinkError
from ..performers import mirror
from ..wire import http
from ..wire.url import Url
from . import waiting
from .errands import ended
from .patience import Patience
from .proxy import refused
from .veil import Veil

PROGRESS_S = 10.0
CONNECT_S = 10.0
PROXY_ASKS = 407
_PIECE = 4096


class Mirror:
    """The files below an address; `files` is the same for whoever takes generators.

    route       the way there, see route.py; proxy  http://HOST:PORT, "" for none
    veil        TLS where it is asked for, see veil.py
    progress_s  a server that says nothing for so long has gone silent
    """

    def __init__(self, base: Url, route, proxy: str, patience: Patience, veil: Veil,
                 progress_s: float = PROGRESS_S) -> None:
        self.files = mirror.Mirror(base, self)
        self._route, self._proxy, self._patience = route, proxy, patience
        self._veil, self._progress_s = veil, progress_s

    def file(self, name: str, at_most: int) -> bytes | None:
        """See performers/mirror.py."""
        found: bytes | None = ended(self.files.file(name, at_most))
        return found

    def open(self, place: Url, headers: dict[str, str]):
        """A connection, and the request to be sent over it."""
        if self._proxy and place.scheme == "http":
            return self._open_by_proxy(place, headers)
        return self._open(place), http.request("GET", place.authority, place.path, headers)
        yield

    def send(self, sock, data: bytes):
        """All of it."""
        waiting.send(sock, data, self._progress())
        return
        yield

    def receive(self, sock):
        """What comes next."""
        return waiting.receive(sock, _PIECE, self._progress())
        yield

    def passed(self, answer: http.Response, place: Url) -> None:
        """The proxy may have answered itself."""
        if answer.status == PROXY_ASKS and self._proxy:
            raise refused(answer.status, place.text())

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

    def _progress(self) -> Patience:
        return self._patience.at_most(self._progress_s)
