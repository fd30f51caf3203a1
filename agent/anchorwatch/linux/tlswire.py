"""A TLS socket as paho sees it.

Rule: passes everything on and only remembers how the connection ended, which paho does not tell.
Once closed it lets the socket go: a session that is over is part of cycles, and its TLS context
must not wait for the garbage collector.
"""

import errno

from .tls import PEER_ENDED


class Wire:
    """The socket as paho sees it; remembers how it ended. `sock` is None once it is closed.

    closing  called before the socket is closed: the selector must let go of it first
    """

    def __init__(self, sock) -> None:
        self.sock = sock
        self.error: OSError | None = None
        self.closing = _nothing

    def recv(self, size: int) -> bytes:
        """As a socket's."""
        return self._noted("recv", size)

    def send(self, data: bytes) -> int:
        """As a socket's."""
        return self._noted("send", data)

    def fileno(self) -> int:
        """As a socket's: -1 once closed."""
        return self.sock.fileno() if self.sock else -1

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        if self.sock:
            self.sock.setblocking(flag)

    def pending(self) -> int:
        """Bytes that TLS has read and nobody has taken."""
        return self.sock.pending() if self.sock else 0

    @property
    def unsent(self) -> bool:
        """A layer below paho has something left to write, of which paho does not know."""
        return bool(getattr(self.sock, "unsent", 0))

    def flush(self) -> None:
        """Write what is unsent, as far as the socket takes it."""
        if self.unsent:
            self._noted("flush")

    def close(self) -> None:
        """Close the socket; again is nothing."""
        if self.sock:
            self.closing()
            self.sock.close()
            self.sock, self.closing = None, _nothing

    @property
    def reason(self) -> str:
        """closed: the peer ended it; network: the line did."""
        return "closed" if self.error is None or isinstance(self.error, PEER_ENDED) else "network"

    def _noted(self, call: str, *arguments):
        self.error = None
        try:
            if not self.sock:
                raise OSError(errno.EBADF, "closed")
            return getattr(self.sock, call)(*arguments)
        except OSError as error:
            self.error = error
            raise


def _nothing() -> None:
    """The selector does not have the socket."""
