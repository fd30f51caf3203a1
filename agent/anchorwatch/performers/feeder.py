"""Telemetry from the queue to the live session: a window of unacknowledged messages, its draining.

Rule: a record leaves the queue by its PUBACK alone; what a lost session left unacknowledged is sent
again on the next.
"""

from ..core.shapes import Any_, Tree


class Feeder:
    """queue   peek(n) -> [{"mid", "topic", "payload", "qos"}], ack(mid)
    held    called with the number still in flight, once for each hold()
    warn    called with (what, value, remedy) for a record that MQTT cannot carry; it is dropped
    """

    def __init__(self, queue: Any_, at_most: int, held: Any_, warn: Any_) -> None:
        self._queue, self._at_most, self._held, self._warn = queue, at_most, held, warn
        self._session: Any_ = None
        self._sent: set[str] = set()
        self._open = False
        self.deadline_ms: int | None = None

    @property
    def in_flight(self) -> int:
        """Messages sent on the session and not yet acknowledged."""
        return len(self._sent)

    def feed(self, session: Any_) -> None:
        """Send over this session; if it is a new one, what was unacknowledged goes again."""
        if session is not self._session:
            self._sent = set()
        self._session, self._open, self.deadline_ms = session, True, None

    def hold(self, until_ms: int) -> None:
        """Send no more; `held` comes when nothing is in flight, at the latest at `until_ms`."""
        self._open, self.deadline_ms = False, until_ms

    def acked(self, session: Any_, mid: str) -> None:
        """PUBACK, also of a session that is being left."""
        self._queue.ack(mid)
        if session is self._session:
            self._sent.discard(mid)

    def lost(self, session: Any_) -> None:
        """The session is gone; a hold on it is over without a word."""
        if session is self._session:
            self._session, self._open, self.deadline_ms = None, False, None
            self._sent = set()

    def turn(self, now_ms: int) -> None:
        """Send what the window allows, or see whether the hold is over."""
        if self._open:
            self._pump()
        elif self.deadline_ms is not None and (not self._sent or now_ms >= self.deadline_ms):
            self.deadline_ms = None
            self._held(len(self._sent))

    def _pump(self) -> None:
        for record in self._queue.peek(self._at_most):
            if len(self._sent) >= self._at_most or not self._open:
                return
            if record["mid"] not in self._sent:
                self._send(record)

    def _send(self, record: Tree) -> None:
        mid = record["mid"]
        try:
            if record["qos"]:
                self._sent.add(mid)
            self._session.publish(record["topic"], record["payload"], record["qos"], ("queue", mid))
        except ValueError:
            self._sent.discard(mid)
            self._warn("message cannot be sent over MQTT", mid, "shorten it or its properties")
            self._queue.ack(mid)
            return
        if not record["qos"]:
            self._queue.ack(mid)
