"""The two links over a board's sessions, dialled on the one loop.

Rule: where there is room for one session only, one connection is held at a time; a dial that finds
no room waits for the one under way.
"""

from anchorwatch.core import actions
from anchorwatch.core.events import Failed, Verified
from anchorwatch.performers import links

from .fragment import ABSENT
from .mqtt import Session


class Links(links.Links):
    """dialer   patience() and dial(order, patience), see dial.py; errands  runs it
    queue, in_flight, warn  see performers/links.py
    second   whether there is room for a second session
    """

    def __init__(self, selector, errands, dialer, queue, in_flight, now_ms, warn, second=True):
        def session(stream, tell):
            return Session(stream, selector, tell, now_ms, in_flight)

        super().__init__(errands.cancel, session, queue, in_flight, now_ms, warn)
        self._errands, self._dialer = errands, dialer
        self._second, self._orders = second, {}
        self._told = set()
        self.perform.update({actions.Dial: self.dial, actions.Glance: self.glance})

    @property
    def open(self):
        """Whether a connection is held."""
        return bool(self._all())

    @property
    def wake_at(self):
        """When turn() has something to do; None: never by itself."""
        return 0 if self._orders and not self._crowded() else self.due_ms()

    def turn(self, now_ms):
        """Do what is due; after every wait, and after the queue was filled."""
        if self._orders and not self._crowded():
            self._begin(self._orders.pop(sorted(self._orders)[0]))
        super().turn(now_ms)

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

    def gone(self, session, reason):
        """The connection ended, and we did not ask for it."""
        if session.complaint:
            self._warn("the hub or DPS broke MQTT, or sent more than fits", session.complaint,
                       "send the device less at once; else report it to the service")
        super().gone(session, reason)

    def _drop(self, link):
        self._orders.pop(link, None)
        super()._drop(link)

    def _begin(self, order):
        self._start(order.link, self._dialer.dial(order, self._dialer.patience()))

    def _start(self, link, work):
        self._dials[link] = self._errands.start(work, lambda outcome: self._outcome(link, *outcome))

    def _crowded(self):
        return bool(self._dials) or self.open

    def _outcome(self, link, event, stream):
        self._dialled(link, event, stream)
        if isinstance(event, Verified) and event.tls["fragment"]["reason"] == ABSENT:
            if ABSENT not in self._told:
                self._told.add(ABSENT)
                self._warn("TLS records cannot be shortened", ABSENT,
                           "build the firmware with the C module, or set max_fragment = off",
                           "config")
