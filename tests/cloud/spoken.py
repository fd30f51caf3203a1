"""What a client says in MQTT 3.1.1, as bytes; for tests that must say it wrongly too."""


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def packet(first: int, body: bytes = b"") -> bytes:
    length, digits = len(body), b""
    while True:
        digit, length = length % 128, length // 128
        digits += bytes([digit + 128 if length else digit])
        if not length:
            return bytes([first]) + digits + body


def connect(
    client_id: str = "dev-1",
    username: str | None = "u",
    password: bytes | None = None,
    clean: bool = True,
    keepalive_s: int = 60,
    will: tuple[str, bytes, int] | None = None,
    level: int = 4,
) -> bytes:
    flags = 0x02 if clean else 0
    tail = text(client_id)
    if will:
        flags |= 0x04 | will[2] << 3
        tail += text(will[0]) + text(will[1])
    if username is not None:
        flags |= 0x80
        tail += text(username)
    if password is not None:
        flags |= 0x40
        tail += text(password)
    head = text("MQTT") + bytes([level, flags]) + keepalive_s.to_bytes(2, "big")
    return packet(0x10, head + tail)


def publish(topic: str, payload: bytes = b"", qos: int = 0, packet_id: int = 1) -> bytes:
    number = packet_id.to_bytes(2, "big") if qos else b""
    return packet(0x30 | qos << 1, text(topic) + number + payload)


def puback(packet_id: int) -> bytes:
    return packet(0x40, packet_id.to_bytes(2, "big"))


def subscribe(filters: list[tuple[str, int]], packet_id: int = 1) -> bytes:
    body = b"".join(text(name) + bytes([qos]) for name, qos in filters)
    return packet(0x82, packet_id.to_bytes(2, "big") + body)


def unsubscribe(filters: list[str], packet_id: int = 1) -> bytes:
    return packet(0xA2, packet_id.to_bytes(2, "big") + b"".join(text(name) for name in filters))


PINGREQ = packet(0xC0)
DISCONNECT = packet(0xE0)
