"""A TLS socket with a websocket in it, as a socket: what MQTT says goes in frames, and comes so.

Rule: it behaves as the TLS socket does. What send() could not write whole is its caller's to give
again, so whoever waits for that waits for writing; what was read and not taken is pending().
"""

import os

from ..performers.upgrade import upgraded
from ..wire.websocket import Websocket
from . import waiting
from .errands import ended
from .patience import Patience
from .tls import WANTS

_PIECE = 16_384


def upgrade(sock, host: str, target: str, patience: Patience) -> "Framed":
    """Ask the server behind a TLS socket for a websocket; LinkError, and the socket is closed."""

    def send(data):
        waiting.send(sock, data, patience)
        return
        yield

    def receive():
        return waiting.receive(sock, _PIECE, patience)
        yield

    return Framed(sock, ended(upgraded(sock, host, target, send, receive, os.urandom)))


class Framed:
    """The socket."""

    def __init__(self, sock, socket: Websocket) -> None:
        self._sock, self._socket = sock, socket
        self._out = b""
        self._accepted = 0  # of the message whose frame is being written

    def fileno(self) -> int:
        """As a socket's."""
        number: int = self._sock.fileno()
        return number

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        self._sock.setblocking(flag)

    def pending(self) -> int:
        """Bytes that are here already, whether or not a whole message is among them."""
        return self._socket.waiting + int(self._sock.pending())

    @property
    def unsent(self) -> int:
        """Bytes that wait for the socket to be writable."""
        return len(self._out)

    def recv(self, size: int) -> bytes:
        """The next bytes of messages; b"" at the end; MalformedMessage for no such websocket."""
        while not self._socket.waiting:
            if self._socket.closed is not None:
                return b""
            data = self._sock.recv(_PIECE)
            if not data:
                return b""
            self._socket.feed(data)
            self._out += self._socket.answer()
            self.flush()
        return self._socket.take(size)

    def send(self, data: bytes) -> int:
        """All of `data` in a frame, once that is written whole; before it raises as TLS does."""
        if not self._accepted:
            data = bytes(data)
            self._out += self._socket.frame(data)
            self._accepted = len(data)
        self._write()
        accepted, self._accepted = self._accepted, 0
        return accepted

    def flush(self) -> None:
        """Write what the socket takes now."""
        try:
            self._write()
        except WANTS:
            pass

    def close(self) -> None:
        """Say farewell if the socket takes it at once, and close it."""
        if self._socket.closed is None:
            self._out += self._socket.close()
        try:
            self._write()
        except OSError:
            pass  # it is over either way
        self._sock.close()

    def _write(self) -> None:
        while self._out:
            self._out = self._out[self._sock.send(self._out):]
