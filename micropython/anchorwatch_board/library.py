"""What the firmware's optional C module adds to its TLS library.

Rule: each function of it may be missing, and then that is not done; who asks for what cannot be
missing says so (fragment.py, judged.py).

Source: micropython/cmodule.
"""

from .fragment import Records


class Library:
    """module   the C module, None without it
    records  asks for short records, see fragment.py
    in_bytes  of the longest record that it takes in, None: nobody says
    """

    def __init__(self, module=None):
        self.records = Records(getattr(module, "set_max_fragment_length", None))
        self.in_bytes = getattr(module, "IN_CONTENT_LEN", None)
        self._denied = getattr(module, "allocations_denied", None)
        self._keep_roots = getattr(module, "keep_expired_roots", None)

    def denied(self):
        """How often memory was denied to the library; what failed meanwhile says nothing about
        trust. 0 where nobody counts."""
        return 0 if self._denied is None else self._denied()

    def made(self, context):
        """What `context()` makes: one for which the end of a root is not the library's matter."""
        if self._keep_roots is None:
            return context()
        self._keep_roots(True)
        try:
            return context()
        finally:
            self._keep_roots(False)


def here():
    """That of this firmware."""
    try:
        import anchorwatch_mbedtls as module
    except ImportError:
        module = None
    return Library(module)
