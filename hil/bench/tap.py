"""What a handshake weighs on the wire: a relay that counts the records of TLS that belong to it.

Rule: changes nothing; what comes after the handshake, data and the alert that ends it, is not
counted, since who closes first is chance.
Source: RFC 5246 section 6.2.1.
"""

import queue
import socket
import threading

from hil.cloud.reception import Reception

TIMEOUT_S = 20
HANDSHAKE = (20, 22)  # change_cipher_spec is one of its messages in all but name
_HEAD = 5


class Tap(Reception):
    """Relays each connection to `target`, "address:port", and keeps every byte."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._over: queue.Queue = queue.Queue()
        super().__init__(self._both_ways)

    def heard(self) -> tuple[bytes, bytes]:
        """What client and server said on the next connection that is over."""
        up, down = self._over.get(timeout=TIMEOUT_S)
        return bytes(up), bytes(down)

    def taken(self) -> dict:
        """{"up", "down"}: bytes of the handshake of the next connection that is over."""
        up, down = self.heard()
        return {"up": weight(up), "down": weight(down)}

    def _both_ways(self, client: socket.socket) -> None:
        up, down = bytearray(), bytearray()
        with socket.create_connection(self._target, TIMEOUT_S) as server:
            back = threading.Thread(target=_copy, args=(server, client, down), daemon=True)
            back.start()
            _copy(client, server, up)
            back.join(TIMEOUT_S)
        self._over.put((up, down))


def weight(raw: bytes) -> int:
    """Bytes of the handshake's records, heads included."""
    at = found = 0
    while at + _HEAD <= len(raw):
        size = _HEAD + int.from_bytes(raw[at + 3 : at + _HEAD], "big")
        found += size if raw[at] in HANDSHAKE else 0
        at += size
    return found


def _copy(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    source.settimeout(TIMEOUT_S)
    try:
        while data := source.recv(65_536):
            kept += data
            target.sendall(data)
    except OSError:
        pass  # reset by who had enough
    for sock in (source, target):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
