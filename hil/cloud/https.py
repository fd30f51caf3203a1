"""What the services answer over HTTPS on their own names: HEAD with a Date, DPS's look-up, MQTT.

One object a service; it answers requests and holds no state of a device. A request for a websocket
makes of its connection one of the service's MQTT connections.
Source: RFC 9110 for Date; "Runtime registration, device registration status lookup" of DPS.
"""

import json
from collections.abc import Callable

from . import http1, websocket
from .broker import Broker
from .clock import Clock
from .connection import Peer
from .journal import Journal

# registration id, id scope, Authorization header or None, client chain, now_ms
LookUp = Callable[[str, str, "str | None", list, int], tuple[int, dict, bytes]]
Answer = tuple[int, dict, bytes]
# the other resources of a service; None: never answered
Resources = Callable[[http1.Request, Peer, int], "Answer | None"]
SWITCHING = 101


class HttpsSide:
    """The HTTPS side of one service."""

    def __init__(
        self,
        name: str,
        journal: Journal,
        clock: Clock,
        look_up: LookUp | None = None,
        broker: Broker | None = None,
        resources: Resources | None = None,
    ) -> None:
        self.name, self.journal, self.clock, self.broker = name, journal, clock, broker
        self._look_up, self._resources = look_up, resources

    def accept(
        self, write: Callable[[bytes], None], close: Callable[[], None], peer: Peer, now_ms: int
    ) -> "HttpsConnection":
        """A client is there, after its TLS handshake."""
        return HttpsConnection(self, write, close, peer)

    def answer(self, request: http1.Request, peer: Peer, now_ms: int) -> Answer | None:
        """Status, headers and body, or None for silence; each answer is a row in the journal."""
        answer = self._answer(request, peer, now_ms)
        if answer is None:
            return None
        status, headers, body = answer
        self.journal.add(
            now_ms, self.name, "https", None,
            method=request.method, path=request.path, status=status,
        )  # fmt: skip
        return status, {**headers, "Date": http1.date(self.clock.date_s(now_ms))}, body

    def _answer(self, request: http1.Request, peer: Peer, now_ms: int) -> Answer | None:
        if request.path == websocket.PATH and self.broker and request.method == "GET":
            status, headers = websocket.answer(request)
            return status, headers, b""
        if request.method in ("HEAD", "GET") and request.path == "/":
            return 200, {}, b""
        if self._resources:
            return self._resources(request, peer, now_ms)
        parts = request.parts()
        if self._look_up and len(parts) == 3 and parts[1] == "registrations":
            if request.method != "POST":
                return refusal(405, "the look-up is a POST")
            token = request.headers.get("authorization")
            return self._look_up(parts[2], parts[0], token, peer.chain, now_ms)
        return refusal(404, "no such resource")


def refusal(status: int, message: str) -> Answer:
    """An error body in the services' shape."""
    body = json.dumps({"errorCode": status * 1000, "message": message}).encode()
    return status, {"Content-Type": "application/json; charset=utf-8"}, body


class HttpsConnection:
    """One client; requests are answered in order."""

    def __init__(
        self,
        side: HttpsSide,
        write: Callable[[bytes], None],
        close: Callable[[], None],
        peer: Peer,
    ) -> None:
        self._side, self._write, self._close, self._peer = side, write, close, peer
        self._reader = http1.Reader()
        self._tunnel: websocket.Tunnel | None = None

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the client."""
        if self._tunnel is not None:
            self._tunnel.receive(data, now_ms)
            return
        self._reader.feed(data)
        try:
            while (request := self._reader.next()) is not None:
                answer = self._side.answer(request, self._peer, now_ms)
                if answer is None:
                    continue  # the client waits, and gets nothing
                status, headers, body = answer
                if status == SWITCHING:
                    self._switch(headers, now_ms)
                    return
                self._write(http1.response(status, headers, body, request.method))
                if request.is_last():
                    self._close()
                    return
        except http1.MalformedRequest as e:
            self._write(http1.response(*refusal(400, e.reason)))
            self._close()

    def lost(self, now_ms: int) -> None:
        """The socket is gone; of HTTP there is nothing to keep."""
        if self._tunnel is not None:
            self._tunnel.lost(now_ms)

    def _switch(self, headers: dict, now_ms: int) -> None:
        self._write(http1.head(SWITCHING, headers))
        accept = self._side.broker.accept
        self._tunnel = websocket.Tunnel(accept, self._write, self._close, self._peer, now_ms)
        self._tunnel.receive(self._reader.rest(), now_ms)
