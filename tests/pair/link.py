"""One connection of a device to a service, both its ends, with a latency between them.

Rule: what is sent arrives in order, `one_way_ms` later; the server's end keeps the manners of a
broker (hil/cloud/session.py), the device's end those of the driver (contract section 1).
"""

from collections.abc import Callable
from dataclasses import replace

from anchorwatch.core.events import (
    Connected,
    Disconnected,
    Message,
    Ponged,
    Refused,
    Subscribed,
)
from hil.cloud.session import CloseSession, Delay, Session, Silence


class Link:
    """`heard(link, event)` is called at the device's end; mute: the line swallows everything."""

    def __init__(self, pair: object, host: str, chain: list[bytes], address: str) -> None:
        self.host, self.address = host, address
        self.mute = False
        self.at_device = self.at_server = True  # is this end still open
        self.session: Session | None = None
        self.end: object = None  # the front end that was verified
        self._pair, self._chain = pair, chain
        self._cloud = pair.cloud
        self._service = pair.cloud.fronts[host].service
        self._deliveries = 0

    def connect(self, order: object) -> None:
        """CONNECT."""
        if self.end is not None and self.end.forged:
            self._cloud.captured.append((self._cloud.now_ms, replace(self.end)))
            self.mute = True
        self._cloud.sessions += 1
        password = None if order.password is None else order.password.encode()
        self.session = Session(
            self._cloud.sessions, order.client_id, order.username, password,
            deliver=self._deliver, close=self._close, clean=order.clean,
            keepalive_s=order.keepalive_s, address=self.address, server_name=self.host,
            chain=self._chain,
        )  # fmt: skip
        self._to_server(self._ask)

    def subscribe(self, filters: list[str]) -> None:
        """SUBSCRIBE."""
        self._to_server(lambda: self._subscribe(filters))

    def publish(self, topic: str, payload: bytes, qos: int, mid: str, done: Callable) -> None:
        """PUBLISH; done(mid) when the PUBACK is here."""
        self._to_server(lambda: self._take(topic, payload, qos, mid, done))

    def ping(self) -> None:
        """PINGREQ."""
        self._to_server(lambda: self._say(Ponged(None)))

    def leave(self) -> None:
        """The device closes its end."""
        self.at_device = False
        self._to_server(lambda: self._cut("asked"))

    def broken(self, reason: str) -> None:
        """The line is cut: both ends learn it."""
        if self.at_server:
            self._cut("tcp")
        if self.at_device:
            self._to_device(lambda: self._end(Disconnected(None, reason)))

    def unheard(self) -> None:
        """A mute line at last: each end gives the other up by its keepalive."""
        if self.at_server:
            self._cut("keepalive")
        if self.at_device:
            self._end(Disconnected(None, "silent"))

    def _to_server(self, does: Callable[[], object]) -> None:
        self._cloud.at(self._cloud.now_ms + self._pair.one_way_ms, lambda: self._at_server(does))

    def _at_server(self, does: Callable[[], object]) -> None:
        if self.mute or not self.at_server:
            return
        try:
            does()
        except Silence:
            return
        except CloseSession as e:
            self._cut(e.reason)
            self._tell_end()

    def _to_device(self, does: Callable[[], object], more_ms: int = 0) -> None:
        at_ms = self._cloud.now_ms + self._pair.one_way_ms + more_ms
        self._cloud.at(at_ms, lambda: None if self.mute or not self.at_device else does())

    def _say(self, event: object) -> None:
        self._to_device(lambda: self._pair.heard(self, event))

    def _end(self, event: object) -> None:
        self._pair.heard(self, event)
        self.at_device = False
        self._pair.gone(self)

    def _ask(self) -> None:
        try:
            code, present = self._service.connect(self.session, self._cloud.now_ms)
        except Delay as e:
            self._cloud.at(e.until_ms, lambda: self._at_server(self._ask))
            return
        if code:
            self.at_server = False
            self._to_device(lambda: self._end(Refused(None, code)))
            return
        self._say(Connected(None, present))
        self._service.started(self.session, self._cloud.now_ms)

    def _subscribe(self, filters: list[str]) -> None:
        now_ms = self._cloud.now_ms
        granted = [self._service.subscribe(self.session, f, 1, now_ms) for f in filters]
        self._say(Subscribed(None, granted))

    def _take(self, topic: str, payload: bytes, qos: int, mid: str, done: Callable) -> None:
        self._service.publish(self.session, topic, payload, qos, False, self._cloud.now_ms)
        if self.at_server and qos:
            self._to_device(lambda: done(self, mid))

    def _deliver(self, topic: str, payload: bytes, qos: int) -> int | None:
        self._deliveries += 1
        number = self._deliveries
        self._to_device(lambda: self._arrived(topic, payload, qos, number))
        return number if qos else None

    def _arrived(self, topic: str, payload: bytes, qos: int, number: int) -> None:
        if qos:
            session = self.session
            self._to_server(lambda: self._service.acked(session, number, self._cloud.now_ms))
        self._pair.heard(self, Message(None, topic, payload))

    def _cut(self, reason: str) -> None:
        self.at_server = False
        if self.session is not None:
            self._service.disconnected(self.session, reason, self._cloud.now_ms)

    def _close(self, reason: str) -> None:
        """The service ends the session: the device hears of it as a closed connection."""
        self._cut(reason)
        self._tell_end()

    def _tell_end(self) -> None:
        """A takeover's close may be slower on its way than the CONNACK that caused it."""
        self._to_device(lambda: self._end(Disconnected(None, "closed")), self._pair.close_lag_ms)
