"""How long a thread may wait, and how it is told to stop.

Rule: every wait in a thread of this driver ends by this.
"""

import select
import threading
import time

from ..errors import LinkError

READ = select.POLLIN
WRITE = select.POLLOUT
_SLICE_S = 0.25


class Patience:
    """A deadline that the loop can cut short.

    clock  monotonic seconds
    """

    def __init__(self, for_s: float, clock=time.monotonic,
                 cancelled: threading.Event | None = None) -> None:
        self._clock = clock
        self._cancelled = cancelled or threading.Event()
        self._ends_at = clock() + for_s

    def at_most(self, for_s: float) -> "Patience":
        """A nearer deadline, cut short by the same cancel()."""
        return Patience(min(for_s, self.left_s), self._clock, self._cancelled)

    def cancel(self) -> None:
        """Nobody waits for the result any more."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """True after cancel()."""
        return self._cancelled.is_set()

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._ends_at - self._clock())

    def wait(self, sock, event: int) -> None:
        """Until `sock` is ready for READ or WRITE; LinkError(network, silent) at the deadline."""
        poll = select.poll()
        poll.register(sock.fileno(), event)
        while not poll.poll(1000 * min(_SLICE_S, self.check())):
            pass

    def pause(self, for_s: float) -> None:
        """Wait for something that no descriptor announces."""
        self._cancelled.wait(min(for_s, self.check()))

    def check(self) -> float:
        """Seconds left, or LinkError when there are none."""
        if self.cancelled:
            raise LinkError("network", "cancelled")
        left_s = self.left_s
        if left_s <= 0:
            raise LinkError("network", "silent", remedy="check the line and the firewall")
        return left_s
