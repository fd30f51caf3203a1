"""Events on their way into the core, and the signals that make some.

Rule: the loop alone takes out. A signal may come at any moment of the loop, so its handler only
notes it; the wake-up socket ends the wait.
"""

import signal
import socket
from collections import deque
from selectors import EVENT_READ


class Inbox:
    """post(event) from the loop or from a signal handler; take() in the loop."""

    def __init__(self, selector) -> None:
        self._events: deque = deque()
        self._here, self._there = socket.socketpair()
        self._here.setblocking(False)
        self._there.setblocking(False)
        selector.register(self._here, EVENT_READ, self._woken)

    def post(self, event) -> None:
        """Queue an event for the core."""
        self._events.append(event)

    def take(self):
        """The oldest event; None when there is none."""
        return self._events.popleft() if self._events else None

    def on_signal(self, number: int, act) -> None:
        """Call `act()` when the signal comes; main thread only."""
        signal.signal(number, lambda _number, _frame: act())
        signal.set_wakeup_fd(self._there.fileno(), warn_on_full_buffer=False)

    def _woken(self, mask: int) -> None:
        try:
            self._here.recv(4096)
        except BlockingIOError:
            pass
