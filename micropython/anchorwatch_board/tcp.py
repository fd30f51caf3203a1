"""TCP: a connected socket, or the word for what came in between; and plain bytes over one.

Rule: the words are those of the Linux driver. A failed connect is told by the next call on it.
"""

import errno
import socket

from anchorwatch.errors import LinkError

from .selector import BROKEN, WRITE

NETWORK = {
    "ECONNREFUSED": "refused", "EHOSTUNREACH": "unreachable", "ENETUNREACH": "unreachable",
    "ETIMEDOUT": "silent", "ECONNRESET": "cut", "EPIPE": "cut", "ECONNABORTED": "cut",
    "ENOTCONN": "refused",
}  # fmt: skip
OTHER_NETWORK = "socket-failed"


def connect(address, port, patience):
    """A connected, non-blocking socket, as an errand; LinkError."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, AttributeError) as error:
        raise network(error)
    try:
        sock.setblocking(False)
        yield from _connected(sock, address, port, patience)
    except BaseException:
        sock.close()
        raise
    return sock


def _connected(sock, address, port, patience):
    try:
        sock.connect(socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM)[0][-1])
    except OSError as error:
        if error.errno not in (errno.EINPROGRESS, errno.EAGAIN):
            raise network(error)
    mask = yield from patience.wait(sock, WRITE)
    if mask & BROKEN:
        try:
            sock.recv(1)
        except OSError as error:
            raise network(error)
        raise LinkError("network", "cut")


def network(error):
    """An OSError of a socket as a LinkError."""
    code = getattr(error, "errno", None)
    return LinkError("network", _word(code), code or "",
                     "check the line, the firewall and the port")


def _word(code):
    for name in NETWORK:
        if code is not None and getattr(errno, name, None) == code:
            return NETWORK[name]
    return OTHER_NETWORK


class Plain:
    """A connected socket with the calls of tls.Stream."""

    def __init__(self, sock):
        self.sock = sock

    def read(self, at_most):
        """Bytes; None when none are there yet, b"" at the end; OSError."""
        return self.sock.read(at_most)

    def write(self, data):
        """How much of it the socket took; None for nothing yet; OSError."""
        return self.sock.write(data)

    def close(self):
        """Close the socket."""
        self.sock.close()
