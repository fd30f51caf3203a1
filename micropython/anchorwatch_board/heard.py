"""What the sessions of the links tell, as events of the core.

Rule: a session that is no link any more is not heard, except for its last messages.
"""

from anchorwatch.core.events import (
    Acked,
    Connected,
    Disconnected,
    Message,
    Ponged,
    Refused,
    Subscribed,
)


class Heard:
    """The part of Links that sessions call; see links.py."""

    def _link_of(self, session):
        for link in self._sessions:
            if self._sessions[link] is session:
                return link
        return None

    def _say(self, session, kind, *fields):
        link = self._link_of(session)
        if link is not None:
            self._events.append(kind(link, *fields))

    def _end(self, session, kind, *fields):
        """The session told of its own end."""
        self._say(session, kind, *fields)
        self._feeder.lost(session)
        link = self._link_of(session)
        if link is not None:
            del self._sessions[link]
        elif session is self._leaving:
            self._leaving = None

    def connected(self, session, session_present):
        """CONNACK 0."""
        self._say(session, Connected, session_present)

    def refused(self, session, code):
        """CONNACK with another code."""
        self._end(session, Refused, code)

    def gone(self, session, reason):
        """The connection ended, and we did not ask for it."""
        if session.complaint:
            self._warn("the hub or DPS broke MQTT, or sent more than fits", session.complaint,
                       "send the device less at once; else report it to the service")
        self._end(session, Disconnected, reason)

    def subscribed(self, session, granted):
        """SUBACK."""
        self._say(session, Subscribed, granted)

    def ponged(self, session):
        """PINGRESP to a Ping of the core."""
        self._say(session, Ponged)

    def acked(self, session, token):
        """PUBACK, for the queue or for the core."""
        kind, mid = token
        if kind == "queue":
            self._feeder.acked(session, mid)
        else:
            self._say(session, Acked, mid)

    def message(self, session, topic, payload):
        """PUBLISH from the peer, acknowledged: it reaches the core whatever becomes of the link."""
        link = "live" if session is self._leaving else self._link_of(session)
        if link is not None:
            self._events.append(Message(link, topic, payload))
