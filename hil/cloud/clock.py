"""The cloud's clocks: milliseconds since its start, and wall clocks a script may set wrong.

The only place in hil/cloud that asks the time; everything else is handed it.
"""

import time


class Clock:
    """now_ms() never goes back.

    offset_s       moves the cloud's wall clock: tokens, records, SNTP and Date
    sntp_offset_s  lies in SNTP only, on top
    date_offset_s  lies in the Date of HTTPS only, on top
    """

    def __init__(self) -> None:
        self._start_ns = time.monotonic_ns()
        self._start_utc_ms = time.time_ns() // 1_000_000
        self.offset_s = 0
        self.sntp_offset_s = 0
        self.date_offset_s = 0

    def now_ms(self) -> int:
        return (time.monotonic_ns() - self._start_ns) // 1_000_000

    def utc_ms(self, now_ms: int) -> int:
        """Milliseconds since 1970 at `now_ms`, by the cloud's wall clock."""
        return self._start_utc_ms + now_ms + 1000 * self.offset_s

    def utc_s(self, now_ms: int) -> int:
        """Seconds since 1970 at `now_ms`, by the cloud's wall clock."""
        return self.utc_ms(now_ms) // 1000

    def date_s(self, now_ms: int) -> int:
        """What HTTPS says in its Date header."""
        return self.utc_s(now_ms) + self.date_offset_s

    def sntp_ms(self, now_ms: int) -> int:
        """What the SNTP server says."""
        return self.utc_ms(now_ms) + 1000 * self.sntp_offset_s
