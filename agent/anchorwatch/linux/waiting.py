"""Bytes over a non-blocking socket, plain or TLS, in a thread that may wait.

Rule: nothing waits longer than its patience; a connection that ends is LinkError(network, cut).
"""

from ..errors import LinkError
from .patience import READ, WRITE, Patience
from .tls import WANTS


def ready(sock, event: int, act, patience: Patience):
    """`act()` as soon as the socket lets it; TLS says itself what it waits for."""
    want_read, _ = WANTS
    while True:
        patience.check()
        try:
            return act()
        except BlockingIOError:
            patience.wait(sock, event)
        except WANTS as error:
            patience.wait(sock, READ if isinstance(error, want_read) else WRITE)


def send(sock, data: bytes, patience: Patience) -> None:
    """All of it."""
    try:
        while data:
            data = data[ready(sock, WRITE, lambda: sock.send(data), patience):]  # noqa: B023
    except OSError as error:
        raise LinkError("network", "cut") from error


def receive(sock, at_most: int, patience: Patience) -> bytes:
    """What comes next; b"" when the peer has ended."""
    try:
        data: bytes = ready(sock, READ, lambda: sock.recv(at_most), patience)
        return data
    except OSError as error:
        raise LinkError("network", "cut") from error
