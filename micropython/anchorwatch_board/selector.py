"""Sockets that are waited for, by select.poll: the only place where the agent sleeps.

Rule: raw sockets only. What a TLS object has read already no poll shows; who owns it reads on until
there is nothing.
"""

import select

# POLLIN, POLLOUT, POLLERR | POLLHUP: the same on every port.
READ, WRITE, BROKEN = 1, 4, 24


class Selector:
    """One poll object; every socket has one owner, whose `ready` is called with the mask."""

    def __init__(self):
        self._poll = select.poll()
        self._ready = {}

    def register(self, sock, mask, ready):
        """Wait for a socket."""
        self._ready[id(sock)] = ready
        self._poll.register(sock, mask)

    def modify(self, sock, mask):
        """Wait for something else."""
        self._poll.modify(sock, mask)

    def unregister(self, sock):
        """Wait for it no more; before it is closed."""
        if self._ready.pop(id(sock), None) is not None:
            self._poll.unregister(sock)

    def wait(self, for_ms):
        """Sleep at most so long; call whose socket is ready."""
        for sock, mask, *_ in self._poll.poll(for_ms):
            ready = self._ready.get(id(sock))
            if ready is not None:
                ready(mask)
