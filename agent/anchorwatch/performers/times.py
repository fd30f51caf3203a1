"""Performs AskTime, AskDate and LookUp: the time, and the two short HTTPS conversations.

Rule: each is one errand with a deadline and exactly one event. A Date counts only over a verified
connection and inside the validity of the certificate that it came under.
"""

from ..core import actions
from ..core.events import ClockSet, LookedUp, LookUpFailed, TimeFailed
from ..core.shapes import Any_, Performers
from ..errors import LinkError, MalformedMessage

_ASKS = 2
_RETRY_MOST_S = 86_400


class Times:
    """start      (generator, done): runs it as an errand, then calls done(what it returned)
    resolver   addresses(host, port); sntp_server  "host:port", "" for none
    ask        (address, port) -> seconds since 1970 by that server
    exchange   (order, slot, method, request) -> (the server's leaf, its answer), connection closed
               both are generators and raise LinkError, MalformedMessage
    post       takes the events; told  takes those of the time
    """

    def __init__(self, start: Any_, resolver: Any_, sntp_server: str, ask: Any_, exchange: Any_,
                 post: Any_, told: Any_) -> None:
        self._resolver, self._sntp = resolver, sntp_server
        self._ask, self._exchange = ask, exchange
        self.perform: Performers = {
            actions.AskTime: lambda order: start(self._time(), told),
            actions.AskDate: lambda order: start(self._date(order), told),
            actions.LookUp: lambda order: start(self._look_up(order), post),
        }

    def _time(self) -> Any_:
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
                return ClockSet((yield from self._ask(address, number)), "sntp")
            except LinkError as error:
                reason = error.verdict
            except MalformedMessage:
                reason = "malformed-reply"
        return TimeFailed("sntp", reason)

    def _date(self, order: Any_) -> Any_:
        from ..wire import http  # a start that knows the time does without

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

    def _look_up(self, order: Any_) -> Any_:
        from ..wire import http

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


def _retry_after_s(answer: Any_) -> int | None:
    from ..wire.encoding import decimal

    try:
        return decimal(answer.headers.get("retry-after", ""), _RETRY_MOST_S)
    except MalformedMessage:
        return None
