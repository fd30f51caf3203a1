"""A client's handshake messages in records of an agreed length, for a TLS library that writes each
in one.

Rule: the same bytes under more heads; bytes in any pieces, nothing held back but a head that is not
whole. Heads are no part of what the handshake vouches for. From the ChangeCipherSpec on all is
encrypted, and passes as it came.

Source: RFC 5246 section 6.2.1, RFC 6066 section 4.
"""

from .tls12 import CHANGE_CIPHER_SPEC, HANDSHAKE

_HEAD = 5


class Shortened:
    """most  bytes in a record; over  nothing will be shortened any more"""

    def __init__(self, most: int) -> None:
        self.over = False
        self._most = most
        self._head = b""
        self._kind = b""  # type and version of the record that is under way
        self._left = self._room = 0  # of that record, and of the one that is made of it now

    def feed(self, data: bytes) -> bytes:
        """What goes onto the wire for the next bytes that the library writes."""
        out = b""
        while data and not self.over:
            if self._left:
                out += self._again() if not self._room else b""
                piece = data[: self._room]
                self._room -= len(piece)
                self._left -= len(piece)
                out += piece
            else:
                piece = data[: _HEAD - len(self._head)]
                self._head += piece
                out += self._begun()
            data = data[len(piece) :]
        return out + data

    def _begun(self) -> bytes:
        if len(self._head) < _HEAD:
            return b""
        head, self._head = self._head, b""
        self._kind, self._left = head[:3], 256 * head[3] + head[4]
        self.over = head[0] == CHANGE_CIPHER_SPEC
        if head[0] == HANDSHAKE and self._left:
            self._room = 0  # its head is made with its first bytes
            return b""
        self._room = self._left
        return head

    def _again(self) -> bytes:
        self._room = min(self._most, self._left)
        return self._kind + self._room.to_bytes(2, "big")
