"""TCP without TLS, for the mirror: an open port and its connections, as front.py has them with TLS.

Source: asyncio's Protocol.
"""

import asyncio
from collections.abc import Callable

from .clock import Clock
from .connection import Peer
from .listening import Listening


class PlainListener(Listening):
    """The open port of one service.

    accept  called with (write, close, peer, now_ms); returns an object with
            receive(data, now_ms) and lost(now_ms)
    """

    def __init__(self, accept: Callable, clock: Clock) -> None:
        self.accept, self.clock = accept, clock
        super().__init__()


class Unsecured(asyncio.Protocol):
    """One TCP connection at a listener."""

    def __init__(self, listener: PlainListener) -> None:
        self._listener = listener
        self._frozen = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        peer = Peer(address="%s:%d" % transport.get_extra_info("peername")[:2])
        self._listener.connections.add(self)
        self._application = self._listener.accept(self._write, self._close, peer, self._now())

    def data_received(self, data: bytes) -> None:
        self._application.receive(data, self._now())

    def connection_lost(self, error: Exception | None) -> None:
        self._listener.connections.discard(self)
        self._application.lost(self._now())

    def abort(self) -> None:
        self._transport.abort()

    def freeze(self) -> None:
        self._frozen = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _now(self) -> int:
        return self._listener.clock.now_ms()

    def _write(self, data: bytes) -> int:
        """How many bytes now wait for the peer to read."""
        if not self._frozen and not self._transport.is_closing():
            self._transport.write(data)
        return self._transport.get_write_buffer_size()

    def _close(self) -> None:
        if not self._frozen:
            self._transport.close()


PlainListener.made = Unsecured
