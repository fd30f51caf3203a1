"""The packets of MQTT 3.1.1 that a server reads and writes.

Bytes in, packets out, and back; knows no session and no Azure. Bad bytes raise MalformedPacket and
nothing else.
Source: MQTT 3.1.1 (OASIS), chapters 2 and 3; section numbers stand at the checks.
"""

from .packets import (
    Connect,
    Disconnect,
    MalformedPacket,
    Pingreq,
    Puback,
    Publish,
    Subscribe,
    Unsubscribe,
)

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

MOST_BYTES = 300 * 1024  # a hub takes 256 KB of payload; the rest is topic and head


class Fields:
    """Takes the fields of one packet's body from the front."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def left(self) -> int:
        return len(self._body) - self._at

    def take(self, count: int) -> bytes:
        if self.left() < count:
            raise MalformedPacket("packet shorter than its fields")
        self._at += count
        return self._body[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def packet_id(self) -> int:
        packet_id = self.number()
        if packet_id == 0:
            raise MalformedPacket("packet identifier 0 (2.3.1)")
        return packet_id

    def binary(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedPacket("text is not UTF-8 (1.5.3)") from None
        if "\0" in text:
            raise MalformedPacket("text holds U+0000 (1.5.3)")
        return text

    def end(self) -> None:
        if self.left():
            raise MalformedPacket("packet longer than its fields")


class Reader:
    """Cuts a stream of bytes into packets, whatever the pieces it arrives in."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept = bytearray()
        self._most_bytes = most_bytes

    def feed(self, data: bytes) -> None:
        self._kept += data

    def next(self) -> object | None:
        """The next packet, or None until more bytes have come."""
        head = _head_of(self._kept)
        if head is None:
            return None
        head_bytes, body_bytes = head
        if body_bytes > self._most_bytes:
            raise MalformedPacket(f"packet of {body_bytes} bytes; at most {self._most_bytes}")
        if len(self._kept) < head_bytes + body_bytes:
            return None
        first = self._kept[0]
        body = bytes(self._kept[head_bytes : head_bytes + body_bytes])
        del self._kept[: head_bytes + body_bytes]
        return decode(first, body)


def _head_of(data: bytearray) -> tuple[int, int] | None:
    """(bytes of the fixed header, bytes of the body); None while incomplete."""
    length = 0
    for place in range(4):
        if len(data) < place + 2:
            return None
        digit = data[place + 1]
        length |= (digit & 0x7F) << (7 * place)
        if digit < 0x80:
            return place + 2, length
    raise MalformedPacket("remaining length of more than four bytes (2.2.3)")


def decode(first: int, body: bytes) -> object:
    """One packet from its first byte and its body."""
    kind, flags = first >> 4, first & 0x0F
    if kind == PUBLISH:
        return _publish(flags, Fields(body))
    row = DECODERS.get(kind)
    if row is None:
        raise MalformedPacket(f"packet type {kind} is not for a server of QoS 0 and 1")
    wanted_flags, build = row
    if flags != wanted_flags:
        raise MalformedPacket(f"reserved flags {flags:#x} in packet type {kind} (2.2.2)")
    fields = Fields(body)
    packet = build(fields)
    fields.end()
    return packet


def _connect(fields: Fields) -> Connect:
    if fields.text() != "MQTT":
        raise MalformedPacket("protocol name is not MQTT (3.1.2.1)")
    level, flags, keepalive_s = fields.byte(), fields.byte(), fields.number()
    if level != 4:
        return _of_another_level(level, fields)
    _check_connect_flags(flags)
    client_id = fields.text()
    will = (fields.text(), fields.binary(), flags >> 3 & 3) if flags & 0x04 else None
    username = fields.text() if flags & 0x80 else None
    password = fields.binary() if flags & 0x40 else None
    return Connect(client_id, username, password, bool(flags & 0x02), keepalive_s, will)


def _of_another_level(level: int, fields: Fields) -> Connect:
    # Its fields may differ (MQTT 5); it is only refused, with CONNACK 1.
    fields.take(fields.left())
    return Connect("", None, None, True, 0, None, level)


def _check_connect_flags(flags: int) -> None:
    if flags & 0x01:
        raise MalformedPacket("reserved CONNECT flag (3.1.2.3)")
    if flags & 0x04:
        if flags >> 3 & 3 == 3:
            raise MalformedPacket("will QoS 3 (3.1.2.6)")
    elif flags & 0x38:
        raise MalformedPacket("will QoS or retain without a will (3.1.2.5)")
    if flags & 0x40 and not flags & 0x80:
        raise MalformedPacket("password without a user name (3.1.2.9)")


def _publish(flags: int, fields: Fields) -> Publish:
    qos = flags >> 1 & 3
    if qos == 3:
        raise MalformedPacket("PUBLISH with QoS 3 (3.3.1.2)")
    again = bool(flags & 0x08)
    if again and qos == 0:
        raise MalformedPacket("DUP with QoS 0 (3.3.1.1)")
    topic = fields.text()
    if not topic or "#" in topic or "+" in topic:
        raise MalformedPacket("topic name empty or with a wildcard (3.3.2.1)")
    packet_id = fields.packet_id() if qos else 0
    return Publish(topic, fields.take(fields.left()), qos, bool(flags & 0x01), packet_id, again)


def _puback(fields: Fields) -> Puback:
    return Puback(fields.packet_id())


def _subscribe(fields: Fields) -> Subscribe:
    packet_id, filters = fields.packet_id(), []
    while fields.left():
        name, qos = fields.text(), fields.byte()
        if qos > 2:
            raise MalformedPacket("reserved bits in the requested QoS (3.8.3)")
        filters.append((name, qos))
    _check_filters([name for name, _ in filters])
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(fields: Fields) -> Unsubscribe:
    packet_id, filters = fields.packet_id(), []
    while fields.left():
        filters.append(fields.text())
    _check_filters(filters)
    return Unsubscribe(packet_id, tuple(filters))


def _check_filters(filters: list[str]) -> None:
    if not filters:
        raise MalformedPacket("no topic filter (3.8.3)")
    if "" in filters:
        raise MalformedPacket("empty topic filter (4.7.3)")


DECODERS = {
    # type       reserved flags, fields
    CONNECT:     (0, _connect),
    PUBACK:      (0, _puback),
    SUBSCRIBE:   (2, _subscribe),
    UNSUBSCRIBE: (2, _unsubscribe),
    PINGREQ:     (0, lambda fields: Pingreq()),
    DISCONNECT:  (0, lambda fields: Disconnect()),
}  # fmt: skip


def encode(first: int, body: bytes) -> bytes:
    """The packet with this first byte and body: 0x90, remaining length, body."""
    length, digits = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | 0x80 if length else digit)
        if not length:
            return bytes([first]) + bytes(digits) + body


def connack(code: int, session_present: bool) -> bytes:
    return encode(CONNACK << 4, bytes([1 if session_present and code == 0 else 0, code]))


def publish(topic: str, payload: bytes, qos: int = 0, packet_id: int = 0) -> bytes:
    name = topic.encode()
    head = len(name).to_bytes(2, "big") + name
    if qos:
        head += packet_id.to_bytes(2, "big")
    return encode(PUBLISH << 4 | qos << 1, head + payload)


def puback(packet_id: int) -> bytes:
    return encode(PUBACK << 4, packet_id.to_bytes(2, "big"))


def suback(packet_id: int, granted: list[int]) -> bytes:
    return encode(SUBACK << 4, packet_id.to_bytes(2, "big") + bytes(granted))


def unsuback(packet_id: int) -> bytes:
    return encode(UNSUBACK << 4, packet_id.to_bytes(2, "big"))


PINGRESP_BYTES = encode(PINGRESP << 4, b"")
