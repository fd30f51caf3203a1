"""The front of every wrong server: writes down what clients say, and may have bad manners.

Rule: it hands on bytes and never changes one; a manner says when it stops handing on, or how slow.
"""

import selectors
import socket
import threading
import time
from typing import NamedTuple

from ..reception import LOCAL, Reception
from .engines import READ, READY_S
from .wire import SERVER_HELLO_DONE, Heard

STALL, CLOSE = "stall", "close"
HELLO, IN_FLIGHT, AFTER_FLIGHT, FINISH = "hello", "in flight", "after flight", "finish"
_LOOK_S = 0.2


class Manner(NamedTuple):
    """STALL or CLOSE at a point of the handshake; or a byte of the answer every `byte_every_s`."""

    what: str = ""
    where: str = ""
    byte_every_s: float = 0.0


class Visit:
    """One client: `client` is what it said, `server` what it was given; `over` once it is gone."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.client, self.server = Heard(), Heard()
        self.over = threading.Event()


class Relay:
    """Listens, and hands on to the engine at `port`, each client in a thread of its own."""

    def __init__(self, port: int, manner: Manner, address: str = LOCAL, own_port: int = 0) -> None:
        self._behind, self._manner = port, manner
        self.visits: list[Visit] = []
        self._closing = threading.Event()
        self._reception = Reception(self._serve, self._admit, address, own_port)
        self.address, self.port = self._reception.address, self._reception.port

    def close(self) -> None:
        """Stop listening, let every client go."""
        self._closing.set()
        self._reception.close()

    def _admit(self, sock: socket.socket) -> Visit:
        self.visits.append(Visit(sock))
        return self.visits[-1]

    def _serve(self, visit: Visit) -> None:
        """Until either side is gone: that is how these conversations end."""
        try:
            with visit.sock, socket.create_connection((LOCAL, self._behind), READY_S) as engine:
                for sock in (visit.sock, engine):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._talk(visit, engine)
        finally:
            visit.over.set()

    def _talk(self, visit: Visit, engine: socket.socket) -> None:
        stalled = False
        while not self._closing.is_set():
            watched = [visit.sock] if stalled else [visit.sock, engine]
            for sock in _ready(watched, _LOOK_S):
                data = sock.recv(READ)
                if not data:
                    return
                if sock is visit.sock:
                    going = self._asked(visit, engine, data, stalled)
                else:
                    going = self._answered(visit, data)
                if not going and self._manner.what == CLOSE:
                    return
                stalled = stalled or not going

    def _asked(self, visit: Visit, engine: socket.socket, data: bytes, stalled: bool) -> bool:
        """Hand on what the client said; False where the conversation stops."""
        visit.client.feed(data)
        where = FINISH if visit.client.changed else HELLO
        if stalled or self._manner.where == where:
            return False
        engine.sendall(data)
        return True

    def _answered(self, visit: Visit, data: bytes) -> bool:
        where = self._manner.where
        if where == IN_FLIGHT:
            data = data[: len(data) // 2]
        visit.server.feed(data)
        self._give(visit, data)
        done = SERVER_HELLO_DONE in visit.server.messages
        return where != IN_FLIGHT and not (where == AFTER_FLIGHT and done)

    def _give(self, visit: Visit, data: bytes) -> None:
        every_s = self._manner.byte_every_s
        if not every_s:
            visit.sock.sendall(data)
            return
        for at in range(len(data)):
            visit.sock.sendall(data[at : at + 1])
            ends = time.monotonic() + every_s
            while not self._closing.is_set() and time.monotonic() < ends:
                if self._gone(visit, ends - time.monotonic()):
                    raise ConnectionResetError
            if self._closing.is_set():
                return

    @staticmethod
    def _gone(visit: Visit, within_s: float) -> bool:
        """Whether the client ends the connection before its time; it has nothing to say now."""
        ready = _ready([visit.sock], min(_LOOK_S, max(0.0, within_s)))
        return bool(ready) and not visit.sock.recv(1, socket.MSG_PEEK)


def _ready(watched: list[socket.socket], within_s: float) -> list[socket.socket]:
    """Those with something to read; not by `select`, which knows no descriptor above 1023."""
    with selectors.DefaultSelector() as selector:
        for sock in watched:
            selector.register(sock, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(within_s)]
