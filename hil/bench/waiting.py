"""Waiting for something to be seen, for a bounded time. Rule: whoever gives up says what for."""

import time
from collections.abc import Callable


class NotReached(Exception):
    """What was waited for did not come; `last` is what was seen instead."""

    def __init__(self, waited_for: str, last: object) -> None:
        super().__init__(waited_for)
        self.waited_for, self.last = waited_for, last


def until(
    waited_for: str,
    look: Callable[[], tuple[object, object]],
    within_s: float,
    now_s: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
    every_s: float = 0.1,
) -> object:
    """Look again and again; return the first found thing that is not None and not False.

    look    returns (what was sought, what was seen): the second is kept for the complaint
    Raises  NotReached after within_s
    """
    end_s = now_s() + within_s
    while True:
        found, seen = look()
        if found is not None and found is not False:
            return found
        if now_s() >= end_s:
            raise NotReached(f"{waited_for} (within {within_s:g} s)", seen)
        pause(every_s)
