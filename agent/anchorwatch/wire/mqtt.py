"""MQTT 3.1.1 as bytes: what a client sends is built, what a server sends is read as it comes in.

Rule: QoS 0 and 1, no session, no I/O. A packet is refused by the length it announces, before a byte
of it is kept; what a server may not send is a MalformedMessage, what MQTT cannot carry a
ValueError. Payloads are not copied: out they follow their head, in they are copied out once.

Source: MQTT 3.1.1 (OASIS), chapters 2 and 3; the sections stand at the checks.
"""

from ..errors import MalformedMessage
from .encoding import utf8
from .shapes import Meaning

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
PINGREQ, DISCONNECT = b"\xc0\0", b"\xe0\0"
PACKET_AT_MOST = 0x10000

_ANY = 0x0FFFFFFF  # four digits of seven bits, 2.2.3
_LENGTHS = {
    # first byte: least and most bytes behind the head. Others are not for a client of QoS 0 and 1.
    0x20: (2, 2),
    0x30: (3, _ANY),
    0x31: (3, _ANY),
    0x32: (5, _ANY),
    0x33: (5, _ANY),
    0x3A: (5, _ANY),
    0x3B: (5, _ANY),
    0x40: (2, 2),
    0x90: (3, _ANY),
    0xD0: (0, 0),
}
_GRANTS = (0, 1, 2, 0x80)


def connect(
    client_id: str, username: str, password: str | None, keepalive_s: int, clean: bool
) -> bytes:
    """CONNECT without a will."""
    if not 0 < keepalive_s < 0x10000:
        raise ValueError("a keepalive has 1 to 65535 seconds")
    flags = 0x80 | (0x40 if password is not None else 0) | (2 if clean else 0)
    body = b"\0\4MQTT\4" + bytes([flags]) + _u16(keepalive_s) + text(client_id) + text(username)
    if password is not None:
        body += text(password)
    return _head(0x10, len(body)) + body


def publish(name: bytes, size: int, packet_id: int) -> bytes:
    """PUBLISH as far as its payload of `size` bytes, which follows; packet_id 0 is QoS 0.

    name  what topic() made. DUP is never set: see mqttsession.py
    """
    behind = _u16(packet_id) if packet_id else b""
    head = _head(0x32 if packet_id else 0x30, len(name) + len(behind) + size)
    return head + name + behind


def puback(packet_id: int) -> bytes:
    """PUBACK."""
    return b"\x40\2" + _u16(packet_id)


def subscribe(packet_id: int, filters: list[str]) -> bytes:
    """SUBSCRIBE, QoS 1 each."""
    if not filters or "" in filters:
        raise ValueError("a subscription names topics")
    body = _u16(packet_id) + b"".join([text(one) + b"\1" for one in filters])
    return _head(0x82, len(body)) + body


def topic(name: str, size: int) -> bytes:
    """A topic name as PUBLISH carries it before a payload of `size` bytes."""
    if not name or "+" in name or "#" in name:
        raise ValueError("a topic is not empty and has no wildcard")
    if size > _ANY - 0x10004:
        raise ValueError("a message of MQTT has less than 256 MB")
    return text(name)


def text(value: str) -> bytes:
    """A text with its length before it. Never shows it: it may be a password."""
    # A board would encode a surrogate without a word, and the server hang up each time (1.5.3).
    if [c for c in value if c == "\0" or 0xD800 <= ord(c) <= 0xDFFF]:
        raise ValueError("MQTT has no such character")
    data = value.encode()
    if len(data) > 0xFFFF:
        raise ValueError("a text of MQTT has at most 65535 bytes")
    return _u16(len(data)) + data


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _head(first: int, size: int) -> bytes:
    digits = [first]
    while size > 127:
        digits.append(size & 127 | 128)
        size >>= 7
    return bytes(digits + [size])


class Reader:
    """Cuts what a server sends into packets, whatever the pieces it comes in.

    at_most  a packet with more bytes behind its head is refused
    """

    def __init__(self, at_most: int = PACKET_AT_MOST) -> None:
        self._at_most = at_most
        self._data, self._at = b"", 0
        self._first = self._size = 0
        self._shift = -7  # before the first byte; then the place of the next digit of the length
        self._whole = False  # the head
        self._body: bytearray | None = None
        self._filled = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; then next() until it is None."""
        self._data, self._at = self._data[self._at :] + bytes(data), 0

    def next(self) -> "Meaning | None":
        """The next packet; None when that needs more bytes. Its first item is the kind:

        (CONNACK, session present, code) | (PUBLISH, topic, payload, packet id or 0)
        (PUBACK, packet id) | (SUBACK, packet id, granted) | (PINGRESP,)
        Raises  MalformedMessage: not what a server may send, or too long
        """
        if not self._whole and not self._read_head():
            return None
        body = self._read_body()
        if body is None:
            return None
        first = self._first
        self._whole, self._size, self._shift, self._body = False, 0, -7, None
        return packet(first, body)

    def _read_head(self) -> bool:
        while self._at < len(self._data) and not self._whole:
            byte = self._data[self._at]
            self._at += 1
            if self._shift < 0:
                self._first = byte
                if byte not in _LENGTHS:
                    raise MalformedMessage("MQTT: no packet for a client", "0x%02x" % byte)
            else:
                self._size |= (byte & 127) << self._shift
                self._whole = byte < 128
            self._shift += 7
            if self._shift == 28 and not self._whole:
                raise MalformedMessage("MQTT: a length of more than four bytes")
        if self._whole:
            self._check_size()
        return self._whole

    def _check_size(self) -> None:
        least, most = _LENGTHS[self._first]
        if not least <= self._size <= most:
            raise MalformedMessage("MQTT: a packet of a wrong length", self._size)
        if self._size > self._at_most:
            raise MalformedMessage("MQTT: a packet is too long", self._size)

    def _read_body(self) -> memoryview | None:
        """What is behind the head: as it lies in what came, or collected where it came in parts."""
        at, here = self._at, len(self._data) - self._at
        if self._body is None:
            if here >= self._size:
                self._at += self._size
                return memoryview(self._data)[at : self._at]
            self._body, self._filled = bytearray(self._size), 0
        piece = min(here, self._size - self._filled)
        self._body[self._filled : self._filled + piece] = self._data[at : at + piece]
        self._filled += piece
        self._at += piece
        return memoryview(self._body) if self._filled == self._size else None


def packet(first: int, body: memoryview) -> Meaning:
    """A packet from its first byte and what is behind its head, whose length was checked."""
    kind = first >> 4
    if kind == PUBLISH:
        return _publish(body, 2 if first & 6 else 0)
    if kind == CONNACK:
        if body[0] > 1 or (body[0] and body[1]):
            raise MalformedMessage("MQTT: reserved bits in CONNACK")  # 3.2.2.1, 3.2.2.2
        return (CONNACK, body[0] == 1, body[1])
    if kind == PUBACK:
        return (PUBACK, _packet_id(body))
    if kind == SUBACK:
        granted = list(body[2:])
        if [code for code in granted if code not in _GRANTS]:
            raise MalformedMessage("MQTT: reserved bits in SUBACK")  # 3.9.3
        return (SUBACK, _packet_id(body), granted)
    return (PINGRESP,)


def _publish(body: memoryview, id_size: int) -> Meaning:
    at = 2 + (body[0] << 8 | body[1])
    if at + id_size > len(body):
        raise MalformedMessage("MQTT: a topic longer than its packet")
    name = utf8(bytes(body[2:at]))
    if not name or [c for c in "\0+#" if c in name]:
        raise MalformedMessage("MQTT: no topic of a message", name)  # 3.3.2.1, 4.7.3
    packet_id = _packet_id(body[at:]) if id_size else 0
    return (PUBLISH, name, bytes(body[at + id_size :]), packet_id)


def _packet_id(body: memoryview) -> int:
    found = body[0] << 8 | body[1]
    if not found:
        raise MalformedMessage("MQTT: packet identifier 0")  # 2.3.1
    return found
