"""The two links, "live" and "next": performs the core's actions on them and keeps what they answer.

Rule: what comes out of take() is true of the link at that moment: one that was closed or dialled
again says nothing more of its past, except the messages that it had already acknowledged.

The daemon's loop: `links.take()` until it is None, `selector.select(links.next_timeout_ms(now))`,
each key's data called with its mask, `links.turn(now)`.
"""

from collections import deque

from ..core import actions
from ..core.events import Acked, Connected, Disconnected, Held, Message, Ponged, Refused, Subscribed
from ..performers.feeder import Feeder
from .mqtt import Session

LEAVING_MS = 2_000


class Links:
    """dialer   patience() and dial(order, patience), see dial.py; errands  runs it
    queue    the telemetry, see feeder.py; in_flight  how much of it may be unacknowledged
    warn     called with (what, value, remedy), and the class unless it is of messages
    """

    def __init__(self, selector, errands, dialer, queue, in_flight: int, now_ms, warn) -> None:
        self._selector, self._errands, self._dialer = selector, errands, dialer
        self._now_ms, self._warn = now_ms, warn
        self._feeder = Feeder(queue, in_flight, lambda left: self._events.append(Held(left)), warn)
        self._dials: dict = {}
        self._sessions: dict[str, Session] = {}
        self._leaving: Session | None = None
        self._leave_at_ms = 0
        self._events: deque = deque()
        self.perform = {
            actions.Dial: self.dial, actions.Connect: self.connect,
            actions.Subscribe: self.subscribe, actions.Publish: self.publish,
            actions.Close: self.close, actions.Swap: self.swap, actions.Ping: self.ping,
            actions.Feed: self.feed, actions.Hold: self.hold,
        }  # fmt: skip

    @property
    def in_flight(self) -> int:
        """Telemetry sent and not yet acknowledged."""
        return self._feeder.in_flight

    def take(self):
        """The oldest event for the core; None when there is none."""
        return self._events.popleft() if self._events else None

    def next_timeout_ms(self, now_ms: int) -> int | None:
        """How long the selector may wait for these links; None: as long as it likes."""
        if self._events:
            return 0
        due = [session.deadline_ms for session in self._sessions.values()]
        due += [self._feeder.deadline_ms, self._leave_at_ms if self._leaving else None]
        set_ones = [at_ms for at_ms in due if at_ms is not None]
        return max(0, min(set_ones) - now_ms) if set_ones else None

    def turn(self, now_ms: int) -> None:
        """Do what is due; to be called after every select, and after the queue was filled."""
        for session in list(self._sessions.values()):
            session.turn(now_ms)
        if self._leaving is not None and now_ms >= self._leave_at_ms:
            self._leave()
        self._feeder.turn(now_ms)

    def dial(self, order) -> None:
        """Begin a Dial; what the link was before is forgotten."""
        self._drop(order.link)
        patience = self._dialer.patience()
        self._dials[order.link] = patience
        self._errands.start(lambda: self._dialer.dial(order, patience),
                            lambda outcome: self._dialled(order.link, patience, *outcome))

    def connect(self, order) -> None:
        """CONNECT on a verified link."""
        session = self._sessions.get(order.link)
        if session is not None:
            session.connect(order.client_id, order.username, order.password, order.keepalive_s,
                            order.clean)

    def subscribe(self, order) -> None:
        """SUBSCRIBE."""
        if order.link in self._sessions:
            self._sessions[order.link].subscribe(order.filters)

    def publish(self, order) -> None:
        """PUBLISH a message of the core."""
        if order.link in self._sessions:
            self._sessions[order.link].publish(order.topic, order.payload, order.qos,
                                               ("core", order.mid))

    def ping(self, order) -> None:
        """PINGREQ."""
        if order.link in self._sessions:
            self._sessions[order.link].ping()

    def feed(self, order) -> None:
        """Let telemetry flow over a link."""
        if order.link in self._sessions:
            self._feeder.feed(self._sessions[order.link])
            self._feeder.turn(self._now_ms())

    def hold(self, order) -> None:
        """Let telemetry run dry."""
        self._feeder.hold(order.until_ms)
        self._feeder.turn(self._now_ms())

    def close(self, order) -> None:
        """End a link; nothing answers."""
        self._drop(order.link)

    def swap(self, order) -> None:
        """next becomes live; the former live link is read for a while: messages are under way."""
        self._leave()
        former = self._sessions.pop("live", None)
        if "next" in self._sessions:
            self._sessions["live"] = self._sessions.pop("next")
        self._events = deque(self._moved())
        if former is not None:
            self._leaving, self._leave_at_ms = former, self._now_ms() + LEAVING_MS

    def stop(self) -> None:
        """End everything."""
        for link in ("next", "live"):
            self._drop(link)
        self._leave()

    def _moved(self) -> list:
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
            self._dials.pop(link).cancel()
        session = self._sessions.pop(link, None)
        if session is not None:
            self._feeder.lost(session)
            session.end()
        self._events = deque([event for event in self._events if isinstance(event, Message)
                              or getattr(event, "link", None) != link])

    def _leave(self) -> None:
        if self._leaving is not None:
            session, self._leaving = self._leaving, None
            self._feeder.lost(session)
            session.end()

    def _dialled(self, link: str, patience, event, sock) -> None:
        if self._dials.get(link) is not patience:
            if sock is not None:
                sock.close()
            return
        del self._dials[link]
        if sock is not None:
            self._sessions[link] = Session(sock, self._selector, self, self._now_ms)
        self._events.append(event)
        told = self._dialer.records.told(event, self._now_ms())
        if told is not None:
            self._warn(*told, "config")

    def _link_of(self, session: Session) -> str | None:
        for link, held in self._sessions.items():
            if held is session:
                return link
        return None

    def _say(self, session: Session, kind, *fields) -> None:
        link = self._link_of(session)
        if link is not None:
            self._events.append(kind(link, *fields))

    def _end(self, session: Session, kind, *fields) -> None:
        """The session told of its own end."""
        self._say(session, kind, *fields)
        self._feeder.lost(session)
        link = self._link_of(session)
        if link is not None:
            del self._sessions[link]
        elif session is self._leaving:
            self._leaving = None

    def connected(self, session: Session, session_present: bool) -> None:
        """CONNACK 0."""
        self._say(session, Connected, session_present)

    def refused(self, session: Session, code: int) -> None:
        """CONNACK with another code."""
        self._end(session, Refused, code)

    def gone(self, session: Session, reason: str) -> None:
        """The connection ended, and we did not ask for it."""
        self._end(session, Disconnected, reason)

    def subscribed(self, session: Session, granted: list[int]) -> None:
        """SUBACK."""
        self._say(session, Subscribed, granted)

    def ponged(self, session: Session) -> None:
        """PINGRESP to a Ping of the core."""
        self._say(session, Ponged)

    def acked(self, session: Session, token: tuple[str, str]) -> None:
        """PUBACK, for the queue or for the core."""
        kind, mid = token
        if kind == "queue":
            self._feeder.acked(session, mid)
        else:
            self._say(session, Acked, mid)

    def message(self, session: Session, topic: str, payload: bytes) -> None:
        """PUBLISH from the peer, acknowledged: it reaches the core whatever becomes of the link."""
        link = "live" if session is self._leaving else self._link_of(session)
        if link is not None:
            self._events.append(Message(link, topic, payload))
