"""Takes note of the disk before every call that may change it: the cut points of a story."""

from collections import namedtuple

CHANGING = ("open", "write", "fsync", "rename", "unlink", "mkdir", "rmdir", "fchmod")

# inodes  the disk at that moment; ledger  what had been promised; call  what would have come next
Cut = namedtuple("Cut", "inodes ledger call")


class Recorder:
    """`cuts` grows by one where the disk or the promises differ from the cut before."""

    def __init__(self, ledger):
        self.cuts, self.disk = [], None
        self._ledger, self._last = ledger, None

    def before(self, name, arguments):
        """Called by Calls."""
        if name in CHANGING:
            self.note(name)

    def after(self, name):
        """Called by Calls."""

    def note(self, name):
        """A cut may come now."""
        now = (self.disk.inodes, self._ledger.said, self._ledger.begun)
        if now != self._last:
            self._last = tuple(dict(one) for one in now)
            self.cuts.append(Cut(self._last[0], self._ledger.copy(), name))
