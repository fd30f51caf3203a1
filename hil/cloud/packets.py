"""What a client may say in MQTT 3.1.1: one value a packet.

Values only; bytes are mqtt.py's. Source: MQTT 3.1.1 (OASIS), chapter 3.
"""

from dataclasses import dataclass


class MalformedPacket(Exception):
    """The peer broke MQTT 3.1.1; the connection cannot go on."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Connect:
    client_id: str
    username: str | None
    password: bytes | None
    clean: bool
    keepalive_s: int
    will: tuple[str, bytes, int] | None = None
    level: int = 4

    def __repr__(self) -> str:
        return f"Connect({self.client_id!r}, level={self.level}, password=...)"


@dataclass(frozen=True)
class Publish:
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    packet_id: int = 0
    again: bool = False


@dataclass(frozen=True)
class Puback:
    packet_id: int


@dataclass(frozen=True)
class Subscribe:
    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Unsubscribe:
    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True)
class Pingreq:
    pass


@dataclass(frozen=True)
class Disconnect:
    pass
