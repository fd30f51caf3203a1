"""The cloud's clocks: milliseconds since its start, and a wall clock a script may set wrong.

The only place in hil/cloud that asks the time; everything else is handed it.
"""

import time


class Clock:
    """now_ms() never goes back; utc_s(now_ms) is the wall clock moved by offset_s."""

    def __init__(self) -> None:
        self._start_ns = time.monotonic_ns()
        self._start_utc_ns = time.time_ns()
        self.offset_s = 0

    def now_ms(self) -> int:
        return (time.monotonic_ns() - self._start_ns) // 1_000_000

    def utc_s(self, now_ms: int) -> int:
        """Seconds since 1970 at `now_ms`."""
        return (self._start_utc_ns // 1_000_000 + now_ms) // 1000 + self.offset_s
