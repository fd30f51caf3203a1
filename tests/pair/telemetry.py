"""A queue of telemetry with the semantics of contract section 1: peeked, sent, kept until its
PUBACK; at most N in flight.

Rule: a message leaves by its PUBACK alone; what a lost link left unacknowledged is sent again.
"""

from collections.abc import Callable


class Feeder:
    """`sent` counts what was queued; `waiting` is what no PUBACK has taken out yet."""

    def __init__(self, at_most: int) -> None:
        self.sent = 0
        self.waiting: dict[str, Callable[[str], str]] = {}
        self.in_flight: set[str] = set()
        self._at_most = at_most
        self._link: object | None = None
        self._open = False
        self._held: Callable[[int], None] | None = None

    def put(self, topic: Callable[[str], str]) -> None:
        """Queue one; topic(mid) is asked when it is sent."""
        self.sent += 1
        self.waiting[str(self.sent)] = topic
        self._pump()

    def feed(self, link: object) -> None:
        """Send over this link."""
        if link is not self._link:
            self.in_flight = set()
        self._link, self._open, self._held = link, True, None
        self._pump()

    def hold(self, held: Callable[[int], None]) -> None:
        """Send no more; held(n) once nothing is in flight."""
        self._open, self._held = False, held
        self._settle()

    def give_up(self) -> None:
        """The time of a hold is over."""
        held, self._held = self._held, None
        if held:
            held(len(self.in_flight))

    def lost(self, link: object | None = None) -> None:
        """This link is gone; without one, all are."""
        if link is None or link is self._link:
            self._link, self._open, self._held, self.in_flight = None, False, None, set()

    def _pump(self) -> None:
        for mid in list(self.waiting)[: self._at_most] if self._open else []:
            if mid not in self.in_flight and len(self.in_flight) < self._at_most:
                self.in_flight.add(mid)
                self._link.publish(self.waiting[mid](mid), b"{}", 1, mid, self._acked)

    def _acked(self, link: object, mid: str) -> None:
        """PUBACK, also of a link that is being left."""
        self.waiting.pop(mid, None)
        if link is self._link:
            self.in_flight.discard(mid)
        self._settle()
        self._pump()

    def _settle(self) -> None:
        if self._held and not self.in_flight:
            self.give_up()
