"""A socket as the TLS library sees it: what stands in clear in the heads of records is noted, since
the library does not tell it, and our own handshake's records are cut where that was agreed.

Rule: a call out of the library raises nothing, since that would leave it in its middle: an error is
a number below zero, None is "not now". However the line cuts what comes, the same is noted.

Source: RFC 5246 sections 6.2.1 and 7.4, RFC 6066 section 4. Mbed TLS writes each handshake message
in one record, however short the records are that it asked for, and a server refuses that.
"""

import io

from anchorwatch.errors import MalformedMessage
from anchorwatch.wire.hello import TLS_1_2, ServerHello
from anchorwatch.wire.tls12 import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, SERVER_HELLO

_HEAD = 5
_NO_MEMORY = -12
_KEPT_AT_MOST = 1024  # the longest ServerHello that is looked into
_PIECE = 512  # of a message that is cut, at a time


class Tap(io.IOBase):
    """asked     the length of records that our hello asks for, 0 for none

    alert     the server's, in clear; version  of its record
    secured   the server's Finished has come
    unsent    the library waits until the socket takes more
    length    of records that the server's hello agrees to, 0 for none
    """

    def __init__(self, sock, asked=0):
        self._sock = sock
        self.alert, self.version, self.length = None, TLS_1_2, 0
        self.secured = self.unsent = False
        self._head, self._kind, self._left, self._kept = b"", 0, 0, b""
        self._greeted = self._changed = False
        self._asked = asked
        self._cut, self._rest, self._taken = None, b"", 0

    def readinto(self, buffer):
        """As a socket's, with errors as numbers."""
        try:
            size = self._sock.readinto(buffer)
            if size and not self.secured:
                self._note(buffer, size)
            return size
        except OSError as error:
            return -error.errno
        except MemoryError:
            return _NO_MEMORY

    def write(self, data):
        """As a socket's, with errors as numbers."""
        try:
            size = self._shortened(data) if self._cuts() else self._sock.write(data)
        except OSError as error:
            return -error.errno
        except MemoryError:
            return _NO_MEMORY
        self.unsent = size is None or size < len(data)
        return size

    def ioctl(self, request, argument):
        """Nobody polls this: the socket itself is polled."""
        return 0

    def _note(self, buffer, size):
        at = 0
        while at < size:
            if self._left:
                piece = min(self._left, size - at)
                self._left -= piece
                self._body(buffer, at, piece)
            else:
                piece = min(_HEAD - len(self._head), size - at)
                self._head += bytes(buffer[at : at + piece])
                self._begun()
            at += piece

    def _begun(self):
        head = self._head
        if len(head) == _HEAD:
            self._head, self._kind = b"", head[0]
            self._left = 256 * head[3] + head[4]
            self.version = 256 * head[1] + head[2]
            self._changed = self._changed or self._kind == CHANGE_CIPHER_SPEC
            if self._kind != HANDSHAKE:
                self._kept = b""

    def _body(self, buffer, at, size):
        if self._changed:
            self.secured = self._kind == HANDSHAKE and not self._left
        elif self._kind == ALERT or not self._greeted:
            room = _KEPT_AT_MOST - len(self._kept)
            self._kept += bytes(buffer[at : at + min(size, room)])
            if self._kind == HANDSHAKE:
                self._hello()
            elif self._kind == ALERT and len(self._kept) == 2:
                self.alert = self._kept[1]

    def _hello(self):
        """Look into the ServerHello once it is whole; what is none, the library judges."""
        kept = self._kept
        end = 4 + int.from_bytes(kept[1:4], "big") if len(kept) >= 4 else _HEAD
        if kept[0] == SERVER_HELLO and len(kept) < end <= _KEPT_AT_MOST:
            return
        self._greeted, self._kept = True, b""
        try:
            self.length = ServerHello(kept[4:end]).max_fragment
        except MalformedMessage:
            return
        if self._asked and self.length:
            from anchorwatch.wire.shortened import Shortened  # few servers agree to a length

            self._cut = Shortened(self.length)

    def _cuts(self):
        return self._cut is not None and (self._rest or not self._cut.over)

    def _shortened(self, data):
        """A piece of it, cut; None until the socket has all of that: the same comes again."""
        if not self._rest:
            self._taken = min(len(data), _PIECE)
            self._rest = self._cut.feed(bytes(data[: self._taken]))
        while self._rest:
            sent = self._sock.write(self._rest)
            if not sent:
                return None
            self._rest = self._rest[sent:]
        return self._taken
