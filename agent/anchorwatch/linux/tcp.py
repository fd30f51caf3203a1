"""TCP: a connected socket, or the word for what came in between.

Rule: blocking by its patience, so it runs in an errand; the words are those of `NETWORK`.
"""

import errno
import socket

from ..errors import LinkError
from .patience import WRITE, Patience

NETWORK = {
    errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable", errno.ENETDOWN: "unreachable", errno.ETIMEDOUT: "silent",
    errno.ECONNRESET: "cut", errno.EPIPE: "cut",
}  # fmt: skip
OTHER_NETWORK = "socket-failed"

_UNANSWERED_MS = 60_000
_TCP_USER_TIMEOUT = 18


def connect(address: str, port: int, patience: Patience) -> socket.socket:
    """A connected TCP socket, non-blocking, or LinkError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _network(error.errno) from error
    try:
        sock.setblocking(False)
        code = sock.connect_ex((address, port))
        if code == errno.EINPROGRESS:
            patience.wait(sock, WRITE)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise _network(code)
        _tune(sock)
        return sock
    except BaseException:
        sock.close()
        raise


def _tune(sock: socket.socket) -> None:
    """Small packets at once; and what stays unacknowledged for a minute ends the connection."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, _UNANSWERED_MS)


def _network(code: int | None) -> LinkError:
    return LinkError("network", NETWORK.get(code or 0, OTHER_NETWORK),
                     remedy="check the line, the firewall and the port")
