"""Time, and the two short HTTPS conversations of the agent: AskTime, AskDate, LookUp.

Rule: each is one errand with a deadline and exactly one event. A Date counts only over a verified
connection and inside the validity of the certificate that it came under.
"""

import os
import socket
import time

from ..core import actions
from ..core.events import ClockSet, LookedUp, LookUpFailed, TimeFailed
from ..errors import LinkError, MalformedMessage
from ..wire import http, sntp
from ..wire.encoding import decimal
from . import waiting
from .patience import READ, Patience

SNTP_PORT = 123
STEP_S = 300
BODY_AT_MOST = 65_536
_SYNCHRONISED = "/run/systemd/timesync/synchronized"
_RTC = "/sys/class/rtc/rtc0"
_ASK_S = 2.0
_ASKS = 2
_EXCHANGE_S = 20.0
_RETRY_MOST_S = 86_400
_PIECE = 16_384


def now_ms() -> int:
    """Monotonic milliseconds; suspended time counts, since sessions end in it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def known(marks: tuple[str, str] = (_SYNCHRONISED, _RTC)) -> ClockSet | None:
    """What the system knows of the time at start: from its own time service, or from an RTC."""
    for path, source in zip(marks, ("kernel", "rtc")):
        if os.path.exists(path):
            return ClockSet(int(time.time()), source)
    return None


class Steps:
    """Somebody sets the system's clock: what was reckoned from dates is no longer right.

    post  takes what the system knows of the time after a step
    """

    def __init__(self, post) -> None:
        self._post, self._offset_s = post, _offset_s()

    def look(self) -> None:
        """To be called whenever the loop turns."""
        offset_s = _offset_s()
        if abs(offset_s - self._offset_s) > STEP_S:
            self._offset_s = offset_s
            time_known = known()
            if time_known is not None:
                self._post(time_known)


def _offset_s() -> int:
    return int(time.time()) - now_ms() // 1000


class Times:
    """Performs AskTime, AskDate and LookUp; `post` takes their events.

    sntp  "host:port", "" for none
    """

    def __init__(self, errands, dialer, resolver, sntp_server: str, post) -> None:
        self._errands, self._dialer, self._resolver = errands, dialer, resolver
        self._sntp, self._post = sntp_server, post
        self.perform = {actions.AskTime: self.ask_time, actions.AskDate: self.ask_date,
                        actions.LookUp: self.look_up, actions.SetTime: self.set_time}  # fmt: skip

    def ask_time(self, order) -> None:
        """SNTP: ClockSet("sntp") or TimeFailed."""
        self._errands.start(self._time, self._post)

    def ask_date(self, order) -> None:
        """HTTPS HEAD: ClockSet("date") or TimeFailed."""
        self._errands.start(lambda: self._date(order), self._post)

    def look_up(self, order) -> None:
        """HTTPS POST: LookedUp or LookUpFailed."""
        self._errands.start(lambda: self._look_up(order), self._post)

    def set_time(self, order) -> None:
        """The system's clock is not ours to set."""

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
                return ClockSet(ask_sntp(address, number, Patience(_ASK_S)), "sntp")
            except LinkError as error:
                reason = error.verdict
            except MalformedMessage:
                reason = "malformed-reply"
        return TimeFailed("sntp", reason)

    def _date(self, order):
        asked = http.request("HEAD", order.host, "/")
        try:
            opened, answer = self._exchange(order, None, "HEAD", asked)
            utc_s = http.date_utc_s(answer.headers.get("date", ""))
        except LinkError as error:
            return TimeFailed("date", error.verdict)
        except MalformedMessage:
            return TimeFailed("date", "malformed-reply")
        leaf = opened.chain[0]
        if not leaf.not_before <= utc_s <= leaf.not_after:
            return TimeFailed("date", "outside-certificate")
        return ClockSet(utc_s, "date")

    def _look_up(self, order):
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if order.authorization:
            headers["Authorization"] = order.authorization
        asked = http.request("POST", order.host, order.path, headers, order.body)
        try:
            _, answer = self._exchange(order, order.slot, "POST", asked)
        except LinkError as error:
            return LookUpFailed(error.fault, error.verdict)
        except MalformedMessage:
            return LookUpFailed("service", "malformed-reply")
        return LookedUp(answer.status, _retry_after_s(answer), answer.body)

    def _exchange(self, order, slot, method: str, asked: bytes):
        """(the opened connection, its answer); the connection is closed."""
        patience = self._dialer.patience()
        opened = self._dialer.open(order, slot, patience)
        try:
            return opened, converse(opened.sock, asked, http.Response(method, BODY_AT_MOST),
                                    patience.at_most(_EXCHANGE_S))
        finally:
            opened.sock.close()


def _retry_after_s(answer: http.Response) -> int | None:
    try:
        return decimal(answer.headers.get("retry-after", ""), _RETRY_MOST_S)
    except MalformedMessage:
        return None


def ask_sntp(address: str, port: int, patience: Patience) -> int:
    """Seconds since 1970 by one server; LinkError or MalformedMessage."""
    nonce = os.urandom(8)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            sock.connect((address, port))
            sock.send(sntp.request(nonce))
            patience.wait(sock, READ)
            return sntp.parse(sock.recv(1024), nonce)
        except OSError as error:
            raise LinkError("network", "refused") from error


def converse(sock, asked: bytes, answer: http.Response, patience: Patience) -> http.Response:
    """Send a request over a non-blocking socket, read its answer; LinkError or MalformedMessage."""
    waiting.send(sock, asked, patience)
    while not answer.done:
        data = waiting.receive(sock, _PIECE, patience)
        if not data:
            answer.finish()
        answer.feed(data)
    return answer
