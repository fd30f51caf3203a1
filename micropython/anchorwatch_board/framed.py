"""A secured connection with a websocket in it, as a stream: what MQTT says goes in frames, and
comes so.

Rule: what write() could not write whole is its caller's to give again, as with TLS itself.
"""

import os

from anchorwatch.performers.upgrade import upgraded

from . import waiting

_PIECE = 1024


def upgrade(stream, host, target, patience):
    """Ask the server behind a stream for a websocket, as an errand; LinkError, and it is closed."""
    socket = yield from upgraded(
        stream, host, target, lambda data: waiting.send(stream, data, patience),
        lambda: waiting.receive(stream, patience), os.urandom)
    return Framed(stream, socket)


class Framed:
    """The stream."""

    def __init__(self, stream, socket):
        self.sock = stream.sock
        self._stream, self._socket = stream, socket
        self._out = b""
        self._accepted = 0  # of the message whose frame is being written

    def read(self, at_most):
        """The next bytes of messages; None when none are there yet, b"" at the end; OSError, and
        MalformedMessage for no such websocket."""
        while not self._socket.waiting:
            if self._socket.closed is not None:
                return b""
            data = self._stream.read(_PIECE)
            if not data:
                return data
            self._socket.feed(data)
            self._out += self._socket.answer()
            self._flush()
        return self._socket.take(at_most)

    def write(self, data):
        """All of it in a frame, once that is written whole; None before."""
        if not self._accepted and len(data):
            self._out += self._socket.frame(bytes(data))
            self._accepted = len(data)
        self._flush()
        if self._out:
            return None
        accepted, self._accepted = self._accepted, 0
        return accepted

    def close(self):
        """Say farewell if the connection takes it at once, and close it."""
        try:
            if self._socket.closed is None:
                self._out += self._socket.close()
            self._flush()
        except OSError:
            pass  # it is over either way
        self._stream.close()

    def _flush(self):
        while self._out:
            count = self._stream.write(self._out)
            if not count:
                return
            self._out = self._out[count:]
