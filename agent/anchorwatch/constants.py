"""`NAME = const(value)`: a value that the compiler of a board may write wherever the name stands.

Rule: a tuple of such names and of literals then lies in the flash, not in the heap. Source:
MicroPython, "Maximising MicroPython speed", const().
"""


def const(value):  # type: ignore[no-untyped-def]
    """The value itself: only the compiler of MicroPython reads more into it."""
    return value
