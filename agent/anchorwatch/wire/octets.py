"""A reader over network bytes: big-endian numbers and length-prefixed vectors.

Rule: it never reads past its end; running out is a MalformedMessage that says of what.
"""

from ..errors import MalformedMessage


class Octets:
    """Reads `data` from left to right; `what` names the message in errors."""

    def __init__(self, data: bytes, what: str) -> None:
        self.data = bytes(data)
        self.at = 0
        self.what = what

    def left(self) -> int:
        """How many bytes are not read yet."""
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size > self.left():
            raise MalformedMessage("%s ends early" % self.what, "at byte %d" % self.at)
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """The next `size` bytes as one number."""
        return int.from_bytes(self.take(size), "big")

    def numbers(self, length_size: int, size: int) -> list[int]:
        """A vector of numbers of `size` bytes each, its length in bytes before it."""
        inner = self.vector(length_size)
        found = []
        while inner.left():
            found.append(inner.number(size))
        return found

    def vector(self, length_size: int) -> "Octets":
        """A reader over the next vector, whose length stands before it."""
        return Octets(self.take(self.number(length_size)), self.what)

    def end(self) -> None:
        """Refuse what is left."""
        if self.left():
            raise MalformedMessage("%s is too long" % self.what, "%d bytes more" % self.left())
