"""The two links, "live" and "next": performs the core's actions on them and keeps what they answer.

Rule: what comes out of take() is true of the link at that moment: one that was closed or dialled
again says nothing more of its past, except the messages that it had already acknowledged.
"""

from anchorwatch.core import actions
from anchorwatch.core.events import Failed, Held, Message, Verified
from anchorwatch.performers.feeder import Feeder

from .fragment import ABSENT
from .heard import Heard
from .mqtt import Session

LEAVING_MS = 2_000


class Links(Heard):
    """dialer   patience() and dial(order, patience), see dial.py; errands  runs it
    queue    the telemetry, see feeder.py; in_flight  how much of it may be unacknowledged
    warn     called with (what, value, remedy), and the class unless it is of messages
    second   whether there is room for a second session: else one connection is held at a time
    """

    def __init__(self, selector, errands, dialer, queue, in_flight, now_ms, warn, second=True):
        self._second, self._orders = second, {}
        self._selector, self._errands, self._dialer = selector, errands, dialer
        self._now_ms, self._warn, self._in_flight = now_ms, warn, in_flight
        self._feeder = Feeder(queue, in_flight, lambda left: self._events.append(Held(left)), warn)
        self._dials, self._sessions = {}, {}
        self._leaving, self._leave_at_ms = None, 0
        self._events = []
        self._told = set()
        self.perform = {
            actions.Dial: self.dial, actions.Glance: self.glance, actions.Connect: self.connect,
            actions.Subscribe: self.subscribe, actions.Publish: self.publish,
            actions.Close: self.close, actions.Swap: self.swap, actions.Ping: self.ping,
            actions.Feed: self.feed, actions.Hold: self.hold,
        }  # fmt: skip

    @property
    def in_flight(self):
        """Telemetry sent and not yet acknowledged."""
        return self._feeder.in_flight

    @property
    def open(self):
        """Whether a connection is held."""
        return bool(self._sessions) or self._leaving is not None

    def take(self):
        """The oldest event for the core; None when there is none."""
        return self._events.pop(0) if self._events else None

    @property
    def wake_at(self):
        """When turn() has something to do; None: never by itself."""
        if self._events or (self._orders and not self._crowded()):
            return 0
        due = [session.deadline_ms for session in self._sessions.values()]
        due += [self._feeder.deadline_ms, self._leave_at_ms if self._leaving else None]
        due = [at_ms for at_ms in due if at_ms is not None]
        return min(due) if due else None

    def turn(self, now_ms):
        """Do what is due; after every wait, and after the queue was filled."""
        if self._orders and not self._crowded():
            self._begin(self._orders.pop(sorted(self._orders)[0]))
        for session in list(self._sessions.values()):
            session.turn(now_ms)
        if self._leaving is not None:
            self._leaving.turn(now_ms)
            if now_ms >= self._leave_at_ms:
                self._leave()
        self._feeder.turn(now_ms)

    def dial(self, order):
        """Begin a Dial; what the link was before is forgotten. Where there is room for one session
        only, the session goes first, and any other dial waits for the one under way."""
        self._drop(order.link)
        if self._second or not self._crowded():
            self._begin(order)
        elif order.link == "next" and "live" in self._sessions:
            self._events.append(Failed("next", "memory", "one-session", [], [], None))
        else:
            self._orders[order.link] = order

    def glance(self, order):
        """Begin a Glance on the second link, which needs no room."""
        self._drop("next")
        self._start("next", self._dialer.glance(order, self._dialer.patience()))

    def _begin(self, order):
        self._start(order.link, self._dialer.dial(order, self._dialer.patience()))

    def _start(self, link, work):
        self._dials[link] = self._errands.start(work, lambda outcome: self._dialled(link, *outcome))

    def _crowded(self):
        return bool(self._dials) or self.open

    def connect(self, order):
        """CONNECT on a verified link."""
        session = self._sessions.get(order.link)
        if session is not None:
            session.connect(order.client_id, order.username, order.password, order.keepalive_s,
                            order.clean, self._in_flight)

    def subscribe(self, order):
        """SUBSCRIBE."""
        if order.link in self._sessions:
            self._sessions[order.link].subscribe(order.filters)

    def publish(self, order):
        """PUBLISH a message of the core."""
        if order.link in self._sessions:
            self._sessions[order.link].publish(order.topic, order.payload, order.qos,
                                               ("core", order.mid))

    def ping(self, order):
        """PINGREQ."""
        if order.link in self._sessions:
            self._sessions[order.link].ping()

    def feed(self, order):
        """Let telemetry flow over a link."""
        if order.link in self._sessions:
            self._feeder.feed(self._sessions[order.link])
            self._feeder.turn(self._now_ms())

    def hold(self, order):
        """Let telemetry run dry."""
        self._feeder.hold(order.until_ms)
        self._feeder.turn(self._now_ms())

    def close(self, order):
        """End a link; nothing answers."""
        self._drop(order.link)

    def swap(self, order):
        """next becomes live; the former live link is read for a while: messages are under way."""
        self._leave()
        former = self._sessions.pop("live", None)
        if "next" in self._sessions:
            self._sessions["live"] = self._sessions.pop("next")
        self._events = self._moved()
        if former is not None:
            self._leaving, self._leave_at_ms = former, self._now_ms() + LEAVING_MS

    def stop(self):
        """End everything."""
        for link in ("next", "live"):
            self._drop(link)
        self._leave()

    def _moved(self):
        kept = []
        for event in self._events:
            link = getattr(event, "link", None)
            if link == "next":
                event.link = "live"
            if link != "live" or isinstance(event, Message):
                kept.append(event)
        return kept

    def _drop(self, link):
        self._orders.pop(link, None)
        if link in self._dials:
            self._errands.cancel(self._dials.pop(link))
        session = self._sessions.pop(link, None)
        if session is not None:
            self._feeder.lost(session)
            session.end()
        self._events = [event for event in self._events if isinstance(event, Message)
                        or getattr(event, "link", None) != link]

    def _leave(self):
        if self._leaving is not None:
            session, self._leaving = self._leaving, None
            self._feeder.lost(session)
            session.end()

    def _dialled(self, link, event, stream):
        del self._dials[link]
        if stream is not None:
            self._sessions[link] = Session(stream, self._selector, self, self._now_ms)
        self._events.append(event)
        if isinstance(event, Verified) and event.tls["fragment"]["reason"] == ABSENT:
            if ABSENT not in self._told:
                self._told.add(ABSENT)
                self._warn("TLS records cannot be shortened", ABSENT,
                           "build the firmware with the C module, or set max_fragment = off",
                           "config")
