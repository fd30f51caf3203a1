"""Calls that fail: the n-th, once or from then on, before it did anything or after it did.

Rule: what Linux does is done too: a failed fsync forgets what it could not write, a close that
fails has closed, a write may have written some.
"""

import errno
import os

from tests.powercut.calls import refusal
from tests.powercut.recorder import CHANGING

_OF_WRITING = (errno.ENOSPC, errno.EROFS)
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _writes(name, arguments):
    """Whether a call can meet a full or a read-only disk."""
    return name in CHANGING and not (name == "open" and not arguments[1] & _TO_WRITE)


class Injector:
    """Fails call number `at` with `number`; the recorder `inner` goes on taking notes.

    lasting  every later call fails too: the disk is gone
    done     the call had its effect all the same
    """

    def __init__(self, at, number, lasting=False, done=False, inner=None):
        self.left, self.number, self.lasting, self.done = at, number, lasting, done
        self.inner, self.calls, self.struck, self._counts = inner, None, "", False

    def before(self, name, arguments):
        """Called by Calls."""
        if self.inner is not None:
            self.inner.before(name, arguments)
        self._counts = self.number not in _OF_WRITING or _writes(name, arguments)
        self.left -= self._counts
        if not self.done and self._due():
            self._strike(name, arguments)

    def after(self, name):
        """Called by Calls."""
        if self.done and self._due():
            self._strike(name, ())

    def _due(self):
        return self._counts and (self.left == 0 or self.lasting and self.left < 0)

    def _strike(self, name, arguments):
        self.struck = name
        if name == "fsync" and arguments:
            self.calls.spoil(arguments[0])
        if name == "close" and arguments:
            self.calls.let_go(arguments[0])
        raise refusal(self.number)
