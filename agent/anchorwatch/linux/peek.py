"""A server's first flight, looked at before the library reads it.

Rule: nothing is taken off the socket; TLS 1.2 sends hello and chain in clear. It waits as long as
the patience that it is given, and holds no more than AT_MOST bytes.

Source: recv(2), MSG_PEEK; RFC 5246 section 7.4.
"""

import select
import socket

from ..errors import LinkError, MalformedMessage
from ..wire.hello import TLS_1_2, version_name
from ..wire.tls12 import Flight
from .patience import READ, WRITE, Patience

AT_MOST = 128 * 1024
_GROWS_WITHIN_S = 0.01


def send(sock: socket.socket, data: bytes, patience: Patience) -> None:
    """All of it; LinkError."""
    while data:
        patience.wait(sock, WRITE)
        try:
            data = data[sock.send(data):]
        except OSError as error:
            raise cut() from error


def peek(tls: socket.socket, patience: Patience) -> Flight:
    """The server's hello and chain, not taken off the socket; LinkError for anything else."""
    flight, seen = Flight(), 0
    while not flight.done:
        patience.wait(tls, READ)
        over = _is_over(tls)
        data = _waiting(tls)
        if len(data) == seen:  # poll() does not say "more than before"
            if over:
                raise cut()
            patience.pause(_GROWS_WITHIN_S)
            continue
        try:
            flight.feed(data[seen:])
        except MalformedMessage as error:
            from . import verdicts  # a handshake that succeeds does without

            raise verdicts.of_flight(error.reason) from error
        seen = len(data)
    _complete(flight)
    return flight


def _is_over(tls: socket.socket) -> bool:
    """The server says no more than what is there already: a peek never gets to the end."""
    poll = select.poll()
    poll.register(tls.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))


def _waiting(tls: socket.socket) -> bytes:
    try:
        data = socket.socket.recv(tls, AT_MOST, socket.MSG_PEEK)
    except OSError as error:
        raise cut() from error
    if not data:
        raise cut()
    return data


def _complete(flight: Flight) -> None:
    if flight.alert is not None:
        from . import verdicts

        raise verdicts.of_alert(flight.alert, flight.alert_version)
    if flight.ended != "complete" or flight.version != TLS_1_2:
        raise LinkError("policy", "protocol-version", version_name(flight.version))


def cut() -> LinkError:
    """The connection ended before its time."""
    return LinkError("network", "cut")
