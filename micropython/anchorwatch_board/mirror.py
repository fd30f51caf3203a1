"""The way to a mirror on a board: TCP, and TLS where it is asked for.

Rule: as an errand; every wait ends by its patience.
"""

from anchorwatch.errors import LinkError
from anchorwatch.wire import http

from . import tcp, tls, waiting

PROGRESS_MS = 10_000
CONNECT_MS = 10_000
SECURE_MS = 20_000


class Way:
    """See performers/mirror.py; profile  the settings of [tls.mirror]; reserve  see memory.py."""

    def __init__(self, resolver, patience, profile, reserve):
        self._resolver, self._patience, self._profile = resolver, patience, profile
        self._reserve = reserve

    def open(self, place, headers):
        """A connection to the first address that takes one, and the request for it."""
        failed = LinkError("network", "name-unknown", place.authority)
        for address, port in self._resolver.addresses(place.host, place.port):
            try:
                stream = yield from self._open(place, address, port)
                return stream, http.request("GET", place.authority, place.path, headers)
            except LinkError as error:
                failed = LinkError(error.fault, error.verdict, place.authority, error.remedy)
        raise failed

    def send(self, stream, data):
        """All of it."""
        yield from waiting.send(stream, data, self._patience.at_most(PROGRESS_MS))

    def receive(self, stream):
        """What comes next."""
        return (yield from waiting.receive(stream, self._patience.at_most(PROGRESS_MS)))

    def passed(self, answer, place):
        """There is nobody on the way."""

    def _open(self, place, address, port):
        sock = yield from tcp.connect(address, port, self._patience.at_most(CONNECT_MS))
        if place.scheme == "http":
            return tcp.Plain(sock)
        try:
            made = tls.veil(self._profile)
        except (OSError, MemoryError):
            sock.close()
            raise LinkError("memory", "no-memory")
        patience = self._patience.at_most(SECURE_MS)
        secured = yield from tls.handshake(sock, made, place.host, None, patience,
                                           lambda call: call(), self._reserve)
        return secured.stream
