"""What two peers say to each other on the wire: a relay on 127.0.0.1 that keeps every byte.

Rule: it changes nothing and knows nothing of TLS but the heads of records.
"""

import socket
import threading

TIMEOUT_S = 10
HANDSHAKE, APPLICATION = 22, 23


class Tap:
    """Relays one connection to `place`, "address:port". up and down  bytes of client and server"""

    def __init__(self, place: str) -> None:
        address, _, port = place.rpartition(":")
        self._target = (address, int(port))
        self.up, self.down = bytearray(), bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)
        self._threads = [threading.Thread(target=self._relay, daemon=True)]

    def __enter__(self) -> "Tap":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the end of the connection: then `up` and `down` are whole."""
        for thread in self._threads:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive(), "the connection through the tap does not end"
        self._listener.close()

    def place(self) -> str:
        return "127.0.0.1:%d" % self._listener.getsockname()[1]

    def _relay(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(self._target, TIMEOUT_S) as server:
            back = threading.Thread(target=_copy, args=(server, client, self.down), daemon=True)
            back.start()
            _copy(client, server, self.up)
            back.join(TIMEOUT_S)


def _copy(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    source.settimeout(TIMEOUT_S)
    try:
        while data := source.recv(65_536):
            kept += data
            target.sendall(data)
    except OSError:
        pass
    for sock in (source, target):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


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
