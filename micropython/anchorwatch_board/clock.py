"""Time, and the two short HTTPS conversations of the agent: AskTime, AskDate, LookUp.

Rule: each is one errand with a deadline and exactly one event. A Date counts only over a verified
connection and inside the validity of the certificate that it came under. A time that the network
told is given to the board's clock too.
"""

import gc
import os
import socket
import time

from anchorwatch.core import actions
from anchorwatch.core.events import ClockSet, LookedUp, LookUpFailed, TimeFailed
from anchorwatch.errors import LinkError, MalformedMessage

from .patience import Patience
from .selector import READ
from .tcp import network

BODY_AT_MOST = 16_384
_ASK_MS = 2_000
_ASKS = 2
_EXCHANGE_MS = 20_000
_RETRY_MOST_S = 86_400


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


now_ms = Steady(time.ticks_ms, time.ticks_diff)


def known(port):
    """What the board's own clock says at start, or None."""
    utc_s = port.utc_s()
    return None if utc_s is None else ClockSet(utc_s, "rtc")


class Times:
    """Performs AskTime, AskDate, LookUp and SetTime; `post` takes their events.

    sntp_server  "host:port", "" for none; port  see port.py
    crowded      called without arguments: is there no room for another TLS connection
    """

    def __init__(self, errands, dialer, resolver, sntp_server, port, post, crowded):
        self._crowded = crowded
        self._errands, self._dialer, self._resolver = errands, dialer, resolver
        self._sntp, self._port, self._post = sntp_server, port, post
        self.perform = {
            actions.AskTime: lambda order: errands.start(self._time(), self._take),
            actions.AskDate: lambda order: errands.start(self._date(order), self._take),
            actions.LookUp: lambda order: errands.start(self._look_up(order), post),
            actions.SetTime: lambda order: port.set_clock(order.utc_s),
        }

    def _take(self, event):
        if isinstance(event, ClockSet):
            self._port.set_clock(event.utc_s)
        self._post(event)

    def _time(self):
        if not self._sntp:
            return TimeFailed("sntp", "off")
        host, _, port = self._sntp.rpartition(":")
        try:
            places = self._resolver.addresses(host, int(port))
        except LinkError as error:
            return TimeFailed("sntp", error.verdict)
        reason = "silent"
        for address, number in places * _ASKS:
            try:
                patience = Patience(_ASK_MS, now_ms)
                return ClockSet((yield from ask_sntp(address, number, patience)), "sntp")
            except LinkError as error:
                reason = error.verdict
            except MalformedMessage:
                reason = "malformed-reply"
        return TimeFailed("sntp", reason)

    def _date(self, order):
        from anchorwatch.wire import http

        asked = http.request("HEAD", order.host, "/")
        try:
            leaf, answer = yield from self._exchange(order, None, "HEAD", asked)
            utc_s = http.date_utc_s(answer.headers.get("date", ""))
        except LinkError as error:
            return TimeFailed("date", error.verdict)
        except MalformedMessage:
            return TimeFailed("date", "malformed-reply")
        if not leaf.not_before <= utc_s <= leaf.not_after:
            return TimeFailed("date", "outside-certificate")
        return ClockSet(utc_s, "date")

    def _look_up(self, order):
        from anchorwatch.wire import http

        headers = {"Content-Type": "application/json; charset=utf-8"}
        if order.authorization:
            headers["Authorization"] = order.authorization
        asked = http.request("POST", order.host, order.path, headers, order.body)
        try:
            _, answer = yield from self._exchange(order, order.slot, "POST", asked)
        except LinkError as error:
            return LookUpFailed(error.fault, error.verdict)
        except MalformedMessage:
            return LookUpFailed("service", "malformed-reply")
        return LookedUp(answer.status, _retry_after_s(answer), answer.body)

    def _exchange(self, order, slot, method, asked):
        """(the server's leaf, its answer); the connection is closed."""
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
        return opened.chain[0], answer


def _retry_after_s(answer):
    from anchorwatch.wire.encoding import decimal

    try:
        return decimal(answer.headers.get("retry-after", ""), _RETRY_MOST_S)
    except MalformedMessage:
        return None


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
