"""A service's limit a minute: how many of something it takes in any sixty seconds.

Counts what was taken, not what was refused. Source: "Azure IoT Hub DPS limits".
"""

from collections import deque

MINUTE_MS = 60_000


class Quota:
    """`a_minute` is the limit, None for none."""

    def __init__(self, a_minute: int | None = None) -> None:
        self.a_minute = a_minute
        self._taken: deque[int] = deque()

    def take(self, now_ms: int) -> int | None:
        """None: taken. Else how many seconds until there is room again."""
        while self._taken and self._taken[0] <= now_ms - MINUTE_MS:
            self._taken.popleft()
        if self.a_minute is not None and len(self._taken) >= self.a_minute:
            return (self._taken[0] + MINUTE_MS - now_ms + 999) // 1000
        self._taken.append(now_ms)
        return None
