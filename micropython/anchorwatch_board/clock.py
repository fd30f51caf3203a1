"""The clock of a board, and how its time is asked for over sockets.

Rule: what waits is an errand. A time that the network told is given to the board's clock too.
"""

import gc
import os
import socket
import time

from anchorwatch.core import actions
from anchorwatch.core.events import ClockSet
from anchorwatch.errors import LinkError
from anchorwatch.performers import times

from .selector import READ
from .tcp import network

BODY_AT_MOST = 16_384
_ASK_MS = 2_000
_EXCHANGE_MS = 20_000


class Steady:
    """Turns a counter that wraps into milliseconds that never go back.

    Right as long as it is read at least once per half period: the loop never waits so long.
    """

    def __init__(self, ticks, since):
        self._ticks, self._since = ticks, since
        self._last, self._total = ticks(), 0

    def __call__(self):
        ticks = self._ticks()
        self._total += self._since(ticks, self._last)
        self._last = ticks
        return self._total


def steady():
    """The agent's clock: milliseconds since it was made."""
    return Steady(time.ticks_ms, time.ticks_diff)


def known(port):
    """What the board's own clock says at start, or None."""
    utc_s = port.utc_s()
    return None if utc_s is None else ClockSet(utc_s, "rtc")


class Times(times.Times):
    """Performs AskTime, AskDate, LookUp and SetTime; `post` takes their events.

    sntp_server  "host:port", "" for none; port  see port.py
    crowded      called without arguments: is there no room for another TLS connection
    """

    def __init__(self, errands, dialer, resolver, sntp_server, port, post, crowded):
        def ask(address, port):
            return ask_sntp(address, port, dialer.patience().at_most(_ASK_MS))

        super().__init__(errands.start, resolver, sntp_server, ask, self._exchanged, post,
                         self._told)
        self._dialer, self._port, self._post, self._crowded = dialer, port, post, crowded
        self.perform[actions.SetTime] = lambda order: port.set_clock(order.utc_s)

    def _told(self, event):
        if isinstance(event, ClockSet):
            self._port.set_clock(event.utc_s)
        self._post(event)

    def _exchanged(self, order, slot, method, asked):
        if self._crowded():
            raise LinkError("memory", "one-session")
        from anchorwatch.wire import http

        from . import waiting

        patience = self._dialer.patience()
        opened = yield from self._dialer.open(order, slot, patience)
        try:
            answer = yield from waiting.converse(opened.stream, asked,
                                                 http.Response(method, BODY_AT_MOST),
                                                 patience.at_most(_EXCHANGE_MS))
        except MemoryError:
            gc.collect()
            raise LinkError("memory", "no-memory")
        finally:
            opened.stream.close()
        return opened.seen, answer


def ask_sntp(address, port, patience):
    """Seconds since 1970 by one server, as an errand; LinkError or MalformedMessage."""
    from anchorwatch.wire import sntp

    nonce = os.urandom(8)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        place = socket.getaddrinfo(address, port, 0, socket.SOCK_DGRAM)[0][-1]
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise network(error)
    try:
        sock.setblocking(False)
        sock.connect(place)
        sock.send(sntp.request(nonce))
        yield from patience.wait(sock, READ)
        return sntp.parse(sock.recv(sntp.SIZE + 1), nonce)
    except OSError:
        raise LinkError("network", "refused")
    finally:
        sock.close()
