"""A TLS socket as paho sees it.

Rule: passes everything on and only remembers how the connection ended, which paho does not tell.
"""

from .tls import PEER_ENDED


class Wire:
    """The socket as paho sees it; remembers how it ended."""

    def __init__(self, sock) -> None:
        self.sock = sock
        self.error: OSError | None = None
        self.recv, self.send = self._noting(sock.recv), self._noting(sock.send)
        self.fileno, self.setblocking, self.pending = sock.fileno, sock.setblocking, sock.pending
        self.closing = lambda: None

    def _noting(self, call):
        def noted(argument):
            self.error = None
            try:
                return call(argument)
            except OSError as error:
                self.error = error
                raise

        return noted

    def close(self) -> None:
        """Close the socket, once the selector has let go of it; again is nothing."""
        if self.sock.fileno() >= 0:
            self.closing()
            self.sock.close()

    @property
    def reason(self) -> str:
        """closed: the peer ended it; network: the line did."""
        return "closed" if self.error is None or isinstance(self.error, PEER_ENDED) else "network"
