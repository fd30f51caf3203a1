"""Work that blocks, done in short-lived threads; what it returns is taken up on the loop.

Rule: a thread touches nothing but its arguments; all state belongs to the loop's one thread, so
there are no locks.
"""

import socket
import threading
from collections import deque
from selectors import EVENT_READ


def ended(work):
    """What a generator returns that waits by blocking and never yields: the performers' errands are
    generators, since a board's are."""
    try:
        next(work)
    except StopIteration as end:
        return end.value
    raise RuntimeError("an errand of a thread waits by itself")


class Errands:
    """Threads that end. The selector's data is a callable that takes the mask."""

    def __init__(self, selector) -> None:
        self._returned: deque = deque()
        self._selector = selector
        self._here, self._there = socket.socketpair()
        self._here.setblocking(False)
        self._there.setblocking(False)
        selector.register(self._here, EVENT_READ, self._take)

    def start(self, work, done) -> None:
        """Run `work()` in a thread, then `done(result)` on the loop; exceptions come there too."""
        threading.Thread(target=self._run, args=(work, done), daemon=True).start()

    def close(self) -> None:
        """Forget what is still under way."""
        self._selector.unregister(self._here)
        self._here.close()
        self._there.close()

    def _run(self, work, done) -> None:
        try:
            result, error = work(), None
        except Exception as raised:
            result, error = None, raised
        self._returned.append((done, result, error))
        try:
            self._there.send(b"!")
        except OSError:
            pass  # full: the loop is awake already; closed: nobody waits any more

    def _take(self, mask: int) -> None:
        try:
            self._here.recv(4096)
        except BlockingIOError:
            pass
        while self._returned:
            done, result, error = self._returned.popleft()
            if error is not None:
                raise error
            done(result)
