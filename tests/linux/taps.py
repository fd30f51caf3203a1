"""What two peers say to each other on the wire, record by record.

Rule: it changes nothing and knows nothing of TLS but the heads of records.
"""

from hil.bench import tap

HANDSHAKE, APPLICATION = 22, 23
TIMEOUT_S = 10


class Tap(tap.Tap):
    """Relays one connection. up and down  bytes of client and server, once it is over"""

    up = down = b""

    def __enter__(self) -> "Tap":
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the end of the connection: then `up` and `down` are whole."""
        try:
            self.up, self.down = self.heard()
        finally:
            assert self.close(), "the connection through the tap does not end"


def records(raw: bytes) -> list[tuple[int, int]]:
    """(type, length) of each TLS record; the length counts what encryption adds."""
    found, at = [], 0
    while at < len(raw):
        assert len(raw) >= at + 5, "a record ends inside of its head"
        length = int.from_bytes(raw[at + 3:at + 5], "big")
        found.append((raw[at], length))
        at += 5 + length
    assert at == len(raw), "the last record is not whole"
    return found


def longest(raw: bytes, kind: int) -> int:
    """The length of the longest record of a kind; 0 without one."""
    return max([length for found, length in records(raw) if found == kind], default=0)
