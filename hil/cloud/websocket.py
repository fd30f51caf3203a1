"""The server's side of a websocket that carries MQTT, as IoT Hub and DPS offer it beside HTTPS.

Bytes in, bytes out, no socket. `answer` says whether a request becomes a websocket; a `Tunnel` then
stands between the client and an MQTT connection that knows nothing of frames.
Source: RFC 6455; "Communicate with an IoT hub using MQTT", the part on port 443.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable

from . import http1
from .connection import Connection, Peer

PATH = "/$iothub/websocket"
PROTOCOL = "mqtt"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NORMAL, PROTOCOL_ERROR = 1000, 1002
FRAME_MOST = 1024 * 1024

CONTINUED, BINARY, CLOSE, PING, PONG = 0, 2, 8, 9, 10


class MalformedFrame(Exception):
    """The client broke RFC 6455."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def answer(request: http1.Request) -> tuple[int, dict]:
    """(status, headers): 101 for a websocket, anything else for a refusal."""
    headers = request.headers
    connection = [word.strip().lower() for word in headers.get("connection", "").split(",")]
    if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in connection:
        return 400, {}
    if headers.get("sec-websocket-version") != "13":
        return 426, {"Sec-WebSocket-Version": "13"}
    key = headers.get("sec-websocket-key", "")
    offered = [word.strip() for word in headers.get("sec-websocket-protocol", "").split(",")]
    if PROTOCOL not in offered or not _is_key(key):
        return 400, {}
    proof = hashlib.sha1((key + GUID).encode()).digest()
    return 101, {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": base64.b64encode(proof).decode(),
        "Sec-WebSocket-Protocol": PROTOCOL,
    }


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except binascii.Error:
        return False


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame, unmasked as a server's are."""
    head = bytes([0x80 | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 65_536:
        return head + b"\x7e" + len(payload).to_bytes(2, "big") + payload
    return head + b"\x7f" + len(payload).to_bytes(8, "big") + payload


class Reader:
    """Cuts a stream of bytes into a client's frames."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> None:
        self._kept += data

    def next(self) -> tuple[int, bool, bytes] | None:
        """(opcode, whether it is the last of its message, payload); None until more has come."""
        kept = self._kept
        if len(kept) < 2:
            return None
        if kept[0] & 0x70 or not kept[1] & 0x80:
            raise MalformedFrame("a frame with a reserved bit, or without a mask")
        at = {126: 4, 127: 10}.get(kept[1] & 127, 2)
        size = kept[1] & 127 if at == 2 else int.from_bytes(kept[2:at], "big")
        if len(kept) < at:
            return None
        if size > FRAME_MOST or (kept[0] & 8 and (size > 125 or not kept[0] & 0x80)):
            raise MalformedFrame(f"a frame of {size} bytes")
        end = at + 4 + size
        if len(kept) < end:
            return None
        mask, masked, self._kept = kept[at : at + 4], kept[at + 4 : end], kept[end:]
        return kept[0] & 15, bool(kept[0] & 0x80), _unmasked(masked, mask)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return mixed.to_bytes(len(payload), "big")


class Tunnel:
    """One websocket, between a client and an MQTT connection.

    accept  the broker's; called with what writes and closes through this websocket
    """

    def __init__(
        self,
        accept: Callable[..., Connection],
        write: Callable[[bytes], int],
        close: Callable[[], None],
        peer: Peer,
        now_ms: int,
    ) -> None:
        self._write, self._close = write, close
        self._reader = Reader()
        self._inside = self._ended = False
        self._connection = accept(self._send, lambda: self._end(NORMAL), peer, now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the client."""
        self._reader.feed(data)
        try:
            while not self._ended and (found := self._reader.next()) is not None:
                self._take(*found, now_ms)
        except MalformedFrame as e:
            self._end(PROTOCOL_ERROR)
            self._connection.lost(now_ms, f"websocket: {e.reason}")

    def lost(self, now_ms: int) -> None:
        """The socket is gone."""
        self._ended = True
        self._connection.lost(now_ms)

    def _take(self, opcode: int, last: bool, payload: bytes, now_ms: int) -> None:
        if opcode == (CONTINUED if self._inside else BINARY):
            self._inside = not last
            self._connection.receive(payload, now_ms)
        elif opcode == PING:
            self._write(frame(PONG, payload))
        elif opcode == CLOSE:
            self._end(int.from_bytes(payload[:2], "big") if payload else NORMAL)
            self._connection.lost(now_ms)
        elif opcode != PONG:
            raise MalformedFrame(f"opcode {opcode} out of place")

    def _send(self, data: bytes) -> int:
        return 0 if self._ended else self._write(frame(BINARY, data))

    def _end(self, code: int) -> None:
        if not self._ended:
            self._ended = True
            self._write(frame(CLOSE, code.to_bytes(2, "big")))
            self._close()
