"""Readings that are the same for the same bytes, remembered: a survey reads them a thousand times.

Rule: only pure functions, and everybody gets a copy of his own.
"""

import pickle
from contextlib import contextmanager

from anchorwatch.errors import AgentError
from anchorwatch.pki import delivery
from anchorwatch.wire import jsonread

_KNOWN = {}


def _remembered(read, key):
    if key not in _KNOWN:
        try:
            _KNOWN[key] = pickle.dumps(read()), None
        except AgentError as error:
            _KNOWN[key] = None, error
    found, error = _KNOWN[key]
    if error is not None:
        raise error
    return pickle.loads(found)


@contextmanager
def reading():
    """JSON and stored bundles are read once."""
    document, stored = jsonread._Reader.document, delivery.stored

    def quick_stored(files, cloud, digest=""):
        key = (frozenset(files.items()), cloud, digest)
        return _remembered(lambda: stored(files, cloud, digest), key)

    jsonread._Reader.document = lambda self: _remembered(lambda: document(self), self.data)
    delivery.stored = quick_stored
    try:
        yield
    finally:
        jsonread._Reader.document, delivery.stored = document, stored
