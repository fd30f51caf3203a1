"""When the next look is due: hub, the others, token. Source: design section 6.

Rule: a token's due time is a deadline of its own, since with the interval alone every phase would
let an hourly token expire; after a failure nothing is due before its class allows.
"""

from .backoff import PHASES, phase_wait_ms
from .connection import Connection
from .device import Device
from .shapes import Tree

DAY_MS = 86_400_000
STEP_LOOK_MS = MINUTE_MS = 60_000
EARLY, FIRST_EARLY = 1, 4


class LookTimes:
    """The deadlines of the second link while it rests; every method returns the earliest, in ms."""

    def __init__(self, device: Device, connection: Connection) -> None:
        self._device, self._connection = device, connection
        self.interval_s = device.config.reverify.interval_s
        self._look_at = self._not_before = 0
        self._early = EARLY
        self._probes_at: Tree = {}  # endpoint: ms

    def begin(self, now: int) -> int:
        """A session began, or the interval changed: every other endpoint is probed once a day at
        the device's own phase, and the first look comes 0 to 80 % early. With the 20 % of the later
        ones all devices that came back together would look in the same 9 of 45 minutes."""
        probe_at = self._own_moment(now)
        self._probes_at = {endpoint: probe_at for endpoint in self._device.others()}
        self._early = FIRST_EARLY
        return self.rest(now)

    def rest(self, now: int, wait_ms: int | None = None) -> int:
        """A look is over: the next after the interval, 0 to 20 % less by phase, or wait_ms."""
        early, self._early = self._early, EARLY
        self._look_at = now + (self._interval_ms(early) if wait_ms is None else wait_ms)
        self._not_before = now if wait_ms is None else self._look_at
        return self._next(now)

    def soon(self, now: int) -> int:
        """The clock stepped: look within a minute; a token signed before it is due then."""
        self._look_at = min(self._look_at, now + STEP_LOOK_MS)
        if self._connection.token_due_ms is not None:
            self._connection.token_due_ms = self._look_at
        return self._next(now)

    def probed(self, endpoint: str, now: int, wait_ms: int) -> int:
        """An endpoint was probed: again after wait_ms; a day ends at the device's own moment, but
        not at the same one because its clock was put back a little."""
        by_phase = wait_ms == DAY_MS
        self._probes_at[endpoint] = self._own_moment(now + MINUTE_MS) if by_phase else now + wait_ms
        return self._next(now)

    def probe_soon(self, now: int) -> None:
        """The root store changed, perhaps of a whole fleet at once: the others are probed as soon
        as the second link rests, and looks spread as after a session's begin."""
        self._early = FIRST_EARLY
        self._probes_at = {e: min(self._probes_at[e], now) for e in self._probes_at}

    def look_due(self, now: int) -> bool:
        """True when the hub is due rather than another endpoint."""
        return self._look_at <= now or self.token_due(now)

    def probe_due(self) -> str:
        """The other endpoint whose probe is due first."""
        return str(min([(self._probes_at[e], e) for e in self._probes_at])[1])

    def token_due(self, now: int) -> bool:
        """True when the live session's token must be replaced."""
        due = self._connection.token_due_ms
        return due is not None and due <= now

    def _own_moment(self, now: int) -> int:
        """The next in its day, seen from now."""
        utc_ms = self._device.clock.utc_ms(now)
        t_ms = now if utc_ms is None else utc_ms
        return now + phase_wait_ms(t_ms, DAY_MS, self._device.phase)

    def _interval_ms(self, fifths: int) -> int:
        """The interval less up to so many fifths of it, by phase."""
        span_ms = max(1000 * self.interval_s, self._device.window_ms)
        return span_ms - span_ms // 5 * fifths * self._device.phase // PHASES

    def _next(self, now: int) -> int:
        due = [self._look_at] + [self._probes_at[e] for e in self._probes_at]
        if self._connection.token_due_ms is not None:
            due.append(self._connection.token_due_ms)
        return int(max(now, self._not_before, min(due)))
