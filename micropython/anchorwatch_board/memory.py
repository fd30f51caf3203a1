"""A small heap: in long pieces, one of them kept for TLS, and without the modules that are not
needed any more; frozen, they are there again when they are.

Rule: what is let go of keeps nothing to itself between two uses, and nothing that stays refers to
it: any function that is kept keeps all of its module. It costs a second run of the module's top
level, some milliseconds.
"""

import gc
import sys

# What checks a configuration; its values are in anchorwatch.sections.
CONFIGURING = ("anchorwatch.config", "anchorwatch.relations", "anchorwatch.settings",
               "anchorwatch.values")


def collect_often():
    """For the start of a program, before it imports the agent: what stays of modules, roots and
    state lies close together then, and leaves long pieces for TLS. An Agent that runs collects less
    often again."""
    gc.threshold(4096)


class Reserve:
    """A piece of the heap as long as the library's two buffers, kept while no session has them.
    Else small things that outlast a session come to lie where its buffers were, and no other piece
    of a small heap is so long.

    size  in bytes, 0: the library's memory is elsewhere, or there is plenty
    """

    def __init__(self, size):
        self._size, self._piece = size, None
        self.keep()

    @property
    def held(self):
        """Bytes of the heap that it has now."""
        return 0 if self._piece is None else self._size

    def keep(self):
        """Take the piece, unless it is there or there is none: after a session, the one it had."""
        if self._size and self._piece is None:
            try:
                self._piece = bytearray(self._size)
            except MemoryError:
                pass  # the next dial may still find two shorter ones

    def give(self):
        """Free it, just before the library asks for its buffers."""
        if self._piece is not None:
            self._piece = None
            gc.collect()


def let_go(modules):
    """Forget modules by their full names; those that are not loaded are passed over."""
    for name in modules:
        if sys.modules.pop(name, None) is not None:
            package, _, last = name.rpartition(".")
            delattr(sys.modules[package], last)
