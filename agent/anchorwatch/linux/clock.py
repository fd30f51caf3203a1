"""The clocks of Linux, and how its time is asked for over sockets.

Rule: blocking, so it runs in an errand; the system's clock is read and never set.
"""

import os
import socket
import time

from ..core import actions
from ..core.events import ClockSet
from ..errors import LinkError
from ..performers import times
from .errands import ended
from .patience import READ, Patience

SNTP_PORT = 123
STEP_S = 300
BODY_AT_MOST = 65_536
_SYNCHRONISED = "/run/systemd/timesync/synchronized"
_RTC = "/sys/class/rtc/rtc0"
_ASK_S = 2.0
_EXCHANGE_S = 20.0
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


class Times(times.Times):
    """Performs AskTime, AskDate, LookUp and SetTime; `post` takes their events.

    sntp_server  "host:port", "" for none
    """

    def __init__(self, errands, dialer, resolver, sntp_server: str, post) -> None:
        super().__init__(lambda work, done: errands.start(lambda: ended(work), done), resolver,
                         sntp_server, _asked, self._exchanged, post, post)
        self._dialer = dialer
        self.perform[actions.SetTime] = self.set_time

    def set_time(self, order) -> None:
        """The system's clock is not ours to set."""

    def _exchanged(self, order, slot, method: str, asked: bytes):
        from ..wire import http

        patience = self._dialer.patience()
        opened = self._dialer.open(order, slot, patience)
        try:
            answer = converse(opened.sock, asked, http.Response(method, BODY_AT_MOST),
                              patience.at_most(_EXCHANGE_S))
        finally:
            opened.sock.close()
        return opened.chain[0], answer
        yield


def _asked(address: str, port: int):
    return ask_sntp(address, port, Patience(_ASK_S))
    yield


def ask_sntp(address: str, port: int, patience: Patience) -> int:
    """Seconds since 1970 by one server; LinkError or MalformedMessage."""
    from ..wire import sntp  # a start that knows the time does without

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


def converse(sock, asked: bytes, answer, patience: Patience):
    """Send a request over a non-blocking socket, read its answer; LinkError or MalformedMessage."""
    from . import waiting

    waiting.send(sock, asked, patience)
    while not answer.done:
        data = waiting.receive(sock, _PIECE, patience)
        if not data:
            answer.finish()
        answer.feed(data)
    return answer
