"""The two links, "live" and "next": performs the core's actions on them and keeps what they answer.

Rule: what comes out of take() is true of the link at that moment: one that was closed or dialled
again says nothing more of its past, except the messages that it had already acknowledged.
"""

from ..core import actions
from ..core.events import Acked, Connected, Disconnected, Held, Message, Ponged, Refused, Subscribed
from ..core.shapes import Any_, Performers
from .feeder import Feeder

LEAVING_MS = 2_000


class Links:
    """The sessions, whatever they run over. A driver's subclass dials: it keeps what it has under
    way in `_dials` and gives what came of it to `_dialled`.

    cancel   called with what is in `_dials`: nobody waits for it any more
    session  (stream, tell) -> the MQTT session over what a dial has opened; see the drivers' mqtt
    queue    the telemetry, see feeder.py; in_flight  how much of it may be unacknowledged
    warn     called with (what, value, remedy), and the class unless it is of messages
    """

    def __init__(self, cancel: Any_, session: Any_, queue: Any_, in_flight: int, now_ms: Any_,
                 warn: Any_) -> None:
        self._cancel, self._session = cancel, session
        self._now_ms, self._warn = now_ms, warn
        self._feeder = Feeder(queue, in_flight, lambda left: self._events.append(Held(left)), warn)
        self._dials: dict[str, Any_] = {}
        self._sessions: dict[str, Any_] = {}
        self._leaving: Any_ = None
        self._leave_at_ms = 0
        self._events: list[Any_] = []
        self.perform: Performers = {
            actions.Connect: self.connect, actions.Subscribe: self.subscribe,
            actions.Publish: self.publish, actions.Close: self.close, actions.Swap: self.swap,
            actions.Ping: self.ping, actions.Feed: self.feed, actions.Hold: self.hold,
        }  # fmt: skip

    @property
    def in_flight(self) -> int:
        """Telemetry sent and not yet acknowledged."""
        return self._feeder.in_flight

    def take(self) -> Any_:
        """The oldest event for the core; None when there is none."""
        return self._events.pop(0) if self._events else None

    def due_ms(self) -> int | None:
        """When turn() has something to do; None: never by itself."""
        if self._events:
            return 0
        due = [session.deadline_ms for session in self._all()] + [self._feeder.deadline_ms]
        due += [self._leave_at_ms] if self._leaving is not None else []
        due = [at_ms for at_ms in due if at_ms is not None]
        return min(due) if due else None

    def turn(self, now_ms: int) -> None:
        """Do what is due; after every wait, and after the queue was filled."""
        for session in self._all():
            session.turn(now_ms)
        if self._leaving is not None and now_ms >= self._leave_at_ms:
            self._leave()
        self._feeder.turn(now_ms)

    def connect(self, order: Any_) -> None:
        """CONNECT on a verified link."""
        if order.link in self._sessions:
            self._sessions[order.link].connect(order.client_id, order.username, order.password,
                                               order.keepalive_s, order.clean)

    def subscribe(self, order: Any_) -> None:
        """SUBSCRIBE."""
        if order.link in self._sessions:
            self._sessions[order.link].subscribe(order.filters)

    def publish(self, order: Any_) -> None:
        """PUBLISH a message of the core."""
        if order.link in self._sessions:
            self._sessions[order.link].publish(order.topic, order.payload, order.qos,
                                               ("core", order.mid))

    def ping(self, order: Any_) -> None:
        """PINGREQ."""
        if order.link in self._sessions:
            self._sessions[order.link].ping()

    def feed(self, order: Any_) -> None:
        """Let telemetry flow over a link."""
        if order.link in self._sessions:
            self._feeder.feed(self._sessions[order.link])
            self._feeder.turn(self._now_ms())

    def hold(self, order: Any_) -> None:
        """Let telemetry run dry."""
        self._feeder.hold(order.until_ms)
        self._feeder.turn(self._now_ms())

    def close(self, order: Any_) -> None:
        """End a link; nothing answers."""
        self._drop(order.link)

    def swap(self, order: Any_) -> None:
        """next becomes live; the former live link is read for a while: messages are under way."""
        self._leave()
        former = self._sessions.pop("live", None)
        if "next" in self._sessions:
            self._sessions["live"] = self._sessions.pop("next")
        self._events = self._moved()
        if former is not None:
            self._leaving, self._leave_at_ms = former, self._now_ms() + LEAVING_MS

    def stop(self) -> None:
        """End everything."""
        for link in ("next", "live"):
            self._drop(link)
        self._leave()

    def _all(self) -> list[Any_]:
        leaving = [] if self._leaving is None else [self._leaving]
        return [self._sessions[link] for link in sorted(self._sessions)] + leaving

    def _moved(self) -> list[Any_]:
        kept = []
        for event in self._events:
            link = getattr(event, "link", None)
            if link == "next":
                event.link = "live"
            if link != "live" or isinstance(event, Message):
                kept.append(event)
        return kept

    def _drop(self, link: str) -> None:
        if link in self._dials:
            self._cancel(self._dials.pop(link))
        session = self._sessions.pop(link, None)
        if session is not None:
            self._feeder.lost(session)
            session.end()
        self._events = [event for event in self._events if isinstance(event, Message)
                        or getattr(event, "link", None) != link]

    def _leave(self) -> None:
        if self._leaving is not None:
            session, self._leaving = self._leaving, None
            self._feeder.lost(session)
            session.end()

    def _dialled(self, link: str, event: Any_, stream: Any_) -> None:
        """What came of a dial; stream  None without a connection."""
        del self._dials[link]
        if stream is not None:
            self._sessions[link] = self._session(stream, self)
        self._events.append(event)

    # What the sessions tell.

    def _link_of(self, session: Any_) -> str | None:
        for link in self._sessions:
            if self._sessions[link] is session:
                return link
        return None

    def _say(self, session: Any_, kind: Any_, *fields: Any_) -> None:
        link = self._link_of(session)
        if link is not None:
            self._events.append(kind(link, *fields))

    def _end(self, session: Any_, kind: Any_, *fields: Any_) -> None:
        """The session told of its own end."""
        self._say(session, kind, *fields)
        self._feeder.lost(session)
        link = self._link_of(session)
        if link is not None:
            del self._sessions[link]
        elif session is self._leaving:
            self._leaving = None

    def connected(self, session: Any_, session_present: bool) -> None:
        """CONNACK 0."""
        self._say(session, Connected, session_present)

    def refused(self, session: Any_, code: int) -> None:
        """CONNACK with another code."""
        self._end(session, Refused, code)

    def gone(self, session: Any_, reason: str) -> None:
        """The connection ended, and we did not ask for it."""
        self._end(session, Disconnected, reason)

    def subscribed(self, session: Any_, granted: list[int]) -> None:
        """SUBACK."""
        self._say(session, Subscribed, granted)

    def ponged(self, session: Any_) -> None:
        """PINGRESP to a Ping of the core."""
        self._say(session, Ponged)

    def acked(self, session: Any_, token: tuple[str, str]) -> None:
        """PUBACK, for the queue or for the core."""
        kind, mid = token
        if kind == "queue":
            self._feeder.acked(session, mid)
        else:
            self._say(session, Acked, mid)

    def message(self, session: Any_, topic: str, payload: bytes) -> None:
        """PUBLISH from the peer, acknowledged: it reaches the core whatever becomes of the link."""
        link = "live" if session is self._leaving else self._link_of(session)
        if link is not None:
            self._events.append(Message(link, topic, payload))
