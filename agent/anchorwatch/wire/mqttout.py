"""What a session has still to send, and the answers that it is owed for what it sent.

Rule: a question is out when its last byte is; on a slow line the answer's time begins only then.
"""

_GATHERED = 1024  # small packets leave together: each write is a TLS record


class Outgoing:
    """Bytes in the order they were put; a payload is kept as it is, not copied.

    queued  how many wait
    """

    def __init__(self) -> None:
        self.queued = 0
        self._pieces: list[bytes] = []
        self._going = memoryview(b"")

    def put(self, piece: bytes) -> None:
        """At the end."""
        if piece:
            self._pieces.append(piece)
            self.queued += len(piece)

    def next(self) -> memoryview:
        """What goes first, the same until took() says that it went: TLS asks for that."""
        if not len(self._going) and self._pieces:
            first, size, count = self._pieces[0], 0, 0
            for piece in self._pieces:
                size += len(piece)
                if size > _GATHERED:
                    break
                count += 1
            if count > 1:
                first = b"".join(self._pieces[:count])
            self._pieces = self._pieces[max(count, 1) :]
            self._going = memoryview(first)
        return self._going

    def took(self, count: int) -> None:
        """So many bytes of next() are out."""
        self._going = self._going[count:]
        self.queued -= count

    def drop(self) -> None:
        """Nothing goes any more."""
        self.queued, self._pieces, self._going = 0, [], memoryview(b"")


class Owed:
    """An answer, due so long after its question was out.

    deadline_ms  when it is overdue; None while nothing is owed
    """

    def __init__(self, within_ms: int) -> None:
        self.deadline_ms: int | None = None
        self.within_ms = within_ms
        self._before = 0

    def ask(self, queued: int, now_ms: int) -> None:
        """A question stands at the end of `queued` bytes; the oldest counts."""
        if self.deadline_ms is None:
            self.deadline_ms = now_ms + self.within_ms
            self._before = queued

    def took(self, count: int, now_ms: int) -> None:
        """So many bytes went out."""
        if self._before > 0 and self.deadline_ms is not None:
            self._before -= count
            self.deadline_ms = now_ms + self.within_ms

    def came(self) -> None:
        """It is here."""
        self.deadline_ms = None

    def overdue(self, now_ms: int) -> bool:
        """Did its time pass?"""
        return self.deadline_ms is not None and now_ms >= self.deadline_ms
