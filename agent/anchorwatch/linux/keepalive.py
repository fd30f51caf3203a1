"""When a session must speak, and when its peer has been silent for too long.

Rule: no timer and no clock of its own: one deadline, so an idle session wakes once an interval.

Source: MQTT 3.1.1 section 3.1.2.10.
"""

PONG_MS = 30_000


class Keepalive:
    """One connected session; `now_ms` is monotonic everywhere."""

    def __init__(self, interval_ms: int, now_ms: int) -> None:
        self._interval_ms = interval_ms
        self._said_ms = self._heard_ms = now_ms
        self._pinged_ms: int | None = None

    def said(self, now_ms: int) -> None:
        """We sent something."""
        self._said_ms = now_ms

    def heard(self, now_ms: int) -> None:
        """The peer sent something: it lives, and an open ping is answered by that."""
        self._heard_ms, self._pinged_ms = now_ms, None

    def pinged(self, now_ms: int) -> None:
        """We sent PINGREQ."""
        self._said_ms = self._pinged_ms = now_ms

    @property
    def deadline_ms(self) -> int:
        """When PINGREQ is due; once it was sent, when its answer is overdue."""
        if self._pinged_ms is not None:
            return self._pinged_ms + min(self._interval_ms, PONG_MS)
        return min(self._said_ms, self._heard_ms) + self._interval_ms

    @property
    def waiting(self) -> bool:
        """True while a PINGREQ is unanswered."""
        return self._pinged_ms is not None
