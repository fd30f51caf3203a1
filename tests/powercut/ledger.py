"""What a story has been told of its saves, and what a boot after a cut may therefore find.

Rule: what was acknowledged is found, or something begun later; nothing older, nothing else.
"""

import pickle

from anchorwatch.wire import frame

_WRITTEN = {}


def text_of(body):
    """A body as it is compared: a tree in its canonical form, a plain file's text as it is."""
    if not isinstance(body, dict):
        return body.encode()
    key = pickle.dumps(body)            # the writer is slow, and a survey asks a thousand times
    if key not in _WRITTEN:
        _WRITTEN[key] = frame.dump(body)
    return _WRITTEN[key]


class Ledger:
    """said {name: text or None for wiped}; begun {name: (texts since that may be found too)}."""

    def __init__(self, said=None, begun=None, names=None):
        self.said, self.begun = dict(said or {}), dict(begun or {})

    def begin(self, name, body):
        """A save (or a wipe: None) is asked for."""
        text = None if body is None else text_of(body)
        self.begun[name] = (*self.begun.get(name, ()), text)

    def acknowledge(self, name):
        """It was told as done."""
        self.said[name] = self.begun.pop(name)[-1]

    def copy(self):
        """The ledger as it is now."""
        return Ledger(self.said, self.begun)

    def key(self):
        """Equal for equal promises."""
        return (frozenset(self.said.items()), frozenset(self.begun.items()))

    def names(self):
        """Everything it says something of."""
        return sorted({*self.said, *self.begun})

    def allowed(self, name):
        """The texts that a boot may find."""
        return {self.said.get(name), *self.begun.get(name, ())}

    def broken(self, found):
        """Names of which `found` {name: text} holds what it may not."""
        return [name for name in self.names() if found.get(name) not in self.allowed(name)]
