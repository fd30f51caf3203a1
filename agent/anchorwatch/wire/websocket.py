"""The client's side of a websocket that carries MQTT: the upgrade, frames out, bytes in.

Rule: no I/O and no chance of its own. What comes in is one stream of bytes: packets may lie across
frames, and only MQTT knows where one ends. Whatever a server may not send ends the connection.

Source: RFC 6455; MQTT 3.1.1 section 6.
"""

import binascii

from ..errors import MalformedMessage
from . import http, sha1
from .shapes import Draw

PROTOCOL = "mqtt"
NORMAL, NO_CODE = 1000, 1005
# No packet of the services is nearly so long, but several may come in a frame.
FRAME_AT_MOST = 0x1000000

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MORE, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10
_LAST, _RESERVED, _OPCODE, _MASKED = 0x80, 0x70, 0x0F, 0x80
_CONTROL_AT_MOST = 125
_PIECE = 512  # a multiple of the mask's length; longer numbers cost a board its heap


class NotUpgraded(MalformedMessage):
    """The server answered, but not with a websocket: `status` is that of its answer."""

    def __init__(self, status: int) -> None:
        super().__init__("no websocket is opened here", "status %d" % status)
        self.status = status


class Websocket:
    """One connection from the upgrade to the end.

    opened  the server has agreed
    closed  the code of its close frame; None as long as there was none
    waiting how many bytes take() can give

    random  called with a number of bytes; for the key and for the masks, RFC 6455 section 10.3
    """

    def __init__(self, random: Draw) -> None:
        self.opened = False
        self.closed: int | None = None
        self._random = random
        self._key = binascii.b2a_base64(random(16)).strip()
        self._raw = b""
        self._left = 0  # of the frame that is coming in
        self._inside = False  # a message of several frames
        self._data, self._at = b"", 0
        self._pong = self._farewell = b""

    def request(self, host: str, target: str) -> bytes:
        """The upgrade; what answers it is fed."""
        return http.request(
            "GET",
            host,
            target,
            {
                "Upgrade": "websocket",
                "Sec-WebSocket-Key": self._key.decode(),
                "Sec-WebSocket-Protocol": PROTOCOL,
                "Sec-WebSocket-Version": "13",
            },
            connection="Upgrade",
        )

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises  NotUpgraded; MalformedMessage (http.TooLong): not what a server may send
        """
        self._raw += bytes(data)
        if self.opened or self._greeted():
            while self.closed is None and self._step():
                pass
        if self.closed is not None:
            self._raw = b""  # nothing counts after a close

    @property
    def waiting(self) -> int:
        """Bytes of messages that nobody has taken."""
        return len(self._data) - self._at

    def take(self, at_most: int) -> bytes:
        """The next bytes of messages; b"" when there are none."""
        piece = self._data[self._at : self._at + at_most]
        self._at += len(piece)
        if self._at == len(self._data):
            self._data, self._at = b"", 0
        return piece

    def answer(self) -> bytes:
        """What is owed to the server: a pong to its last ping, and a close to its close. Once."""
        owed = self._pong + self._farewell
        self._pong = self._farewell = b""
        return owed

    def frame(self, data: bytes) -> bytes:
        """A message, in one frame."""
        return self._frame(_BINARY, data)

    def close(self, code: int = NORMAL) -> bytes:
        """The close frame that begins the end."""
        return self._frame(_CLOSE, code.to_bytes(2, "big"))

    def _frame(self, opcode: int, data: bytes) -> bytes:
        size = len(data)
        if size < 126:
            head = bytes([_LAST | opcode, _MASKED | size])
        elif size < 0x10000:
            head = bytes([_LAST | opcode, _MASKED | 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([_LAST | opcode, _MASKED | 127]) + size.to_bytes(8, "big")
        mask = self._random(4)
        return head + mask + masked(data, mask)

    def _greeted(self) -> bool:
        found = http.head(self._raw)
        if found is None:
            return False
        status, headers, self._raw = found
        if status != 101:
            raise NotUpgraded(status)
        words = [word.strip() for word in headers.get("connection", "").lower().split(",")]
        if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in words:
            raise MalformedMessage("websocket: an upgrade to something else")
        if headers.get("sec-websocket-accept") != accept(self._key):
            raise MalformedMessage("websocket: the answer to another request")
        if headers.get("sec-websocket-protocol") != PROTOCOL:
            raise MalformedMessage("websocket: another protocol in it than MQTT")
        if "sec-websocket-extensions" in headers:
            raise MalformedMessage("websocket: an extension that nobody asked for")
        self.opened = True
        return True

    def _step(self) -> bool:
        """Take something out of what came; False when that needs more."""
        if self._left:
            piece = self._raw[: self._left]
            self._raw = self._raw[len(piece) :]
            self._left -= len(piece)
            self._data = self._data[self._at :] + piece
            self._at = 0
            return len(piece) > 0
        if len(self._raw) < 2:
            return False
        opcode, last = self._raw[0] & _OPCODE, self._raw[0] & _LAST
        if self._raw[0] & _RESERVED or self._raw[1] & _MASKED:
            raise MalformedMessage("websocket: a frame that no server may send")
        if opcode >= _CLOSE:
            return self._control(opcode, last)
        return self._begin(opcode, last)

    def _begin(self, opcode: int, last: int) -> bool:
        if opcode != (_MORE if self._inside else _BINARY):
            raise MalformedMessage("websocket: a frame out of place", "opcode %d" % opcode)
        found = _size(self._raw)
        if found is None:
            return False
        self._left, head = found
        if self._left > FRAME_AT_MOST:
            raise http.TooLong("websocket: a frame is too long")
        self._inside = not last
        self._raw = self._raw[head:]
        return True

    def _control(self, opcode: int, last: int) -> bool:
        size = self._raw[1]
        if not last or size > _CONTROL_AT_MOST or opcode > _PONG:
            raise MalformedMessage("websocket: a frame that no server may send")
        if len(self._raw) < 2 + size:
            return False
        body, self._raw = self._raw[2 : 2 + size], self._raw[2 + size :]
        if opcode == _PING:
            self._pong = self._frame(_PONG, body)
        elif opcode == _CLOSE:
            self.closed = _code(body)
            self._farewell = self._frame(_CLOSE, body[:2])
        return True


def accept(key: bytes) -> str:
    """What a server that has read the request answers."""
    return binascii.b2a_base64(sha1.digest(key + _GUID)).strip().decode()


def masked(data: bytes, mask: bytes) -> bytes:
    """Every byte with one of the mask's four, in turn; again is undone."""
    pieces = []
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        key = (mask * (len(piece) // 4 + 1))[: len(piece)]
        mixed = int.from_bytes(piece, "big") ^ int.from_bytes(key, "big")
        pieces.append(mixed.to_bytes(len(piece), "big"))
    return b"".join(pieces)


def _size(raw: bytes) -> tuple[int, int] | None:
    """(bytes of the frame, bytes before them); None until that is known."""
    more = {126: 2, 127: 8}.get(raw[1], 0)
    if len(raw) < 2 + more:
        return None
    if not more:
        return raw[1], 2
    size = int.from_bytes(raw[2 : 2 + more], "big")
    if size < (126 if more == 2 else 0x10000):
        raise MalformedMessage("websocket: a length in more bytes than it needs")
    return size, 2 + more


def _code(body: bytes) -> int:
    if not body:
        return NO_CODE
    code = int.from_bytes(body[:2], "big")
    if len(body) < 2 or not (1000 <= code < 5000) or 1004 <= code <= 1006 or 1014 < code < 3000:
        raise MalformedMessage("websocket: a close for a reason that nobody defined")
    return code
