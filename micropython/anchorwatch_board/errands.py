"""Work that waits, as generators on the one loop: they say what for, and go on when it is there.

Rule: an errand runs from one wait to the next and nothing else runs meanwhile; what it returns is
given to `done` on the loop. Nothing is started inside the call that starts it.
"""


class Errand:
    """One generator on its way; it yields (socket, mask, until_ms) and is sent the mask, or 0."""

    def __init__(self, work, done):
        self.work, self.done = work, done
        self.sock = None
        self.mask = None  # what the socket is ready for
        self.until_ms = 0


class Errands:
    """selector  see selector.py"""

    def __init__(self, selector):
        self._selector, self._all = selector, []

    def start(self, work, done):
        """Run the generator `work`, then `done(what it returns)`; the errand, for cancel()."""
        errand = Errand(work, done)
        self._all.append(errand)
        return errand

    def cancel(self, errand):
        """Nobody waits for it any more: it ends where it is, and lets go of what it holds."""
        if errand in self._all:
            self._all.remove(errand)
            self._let_go(errand)
            errand.work.close()

    @property
    def wake_at(self):
        """When the first of them waits no longer, in ms; None when there are none."""
        return min([0 if e.mask else e.until_ms for e in self._all]) if self._all else None

    def turn(self, now_ms):
        """Go on with those that can."""
        for errand in list(self._all):
            if errand in self._all and (errand.mask or now_ms >= errand.until_ms):
                self._step(errand)

    def _step(self, errand):
        self._let_go(errand)
        first, mask = errand.sock is None, errand.mask or 0
        errand.mask = None
        try:
            wish = errand.work.send(None if first else mask)
        except StopIteration as ended:
            self._all.remove(errand)
            errand.done(ended.value)
            return
        errand.sock, event, errand.until_ms = wish
        self._selector.register(errand.sock, event, lambda got: _hear(errand, got))

    def _let_go(self, errand):
        if errand.sock is not None:
            self._selector.unregister(errand.sock)


def at_once(work, done):
    """Work that nothing waits in, where a thread does it on Linux."""
    done(work())


def _hear(errand, mask):
    errand.mask = mask
