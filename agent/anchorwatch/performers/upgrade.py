"""Asks the server behind a TLS connection for a websocket.

Rule: what waits is a generator; where no websocket comes, the connection is closed. Most devices
never need one. Source: RFC 6455 section 4.
"""

from ..core.shapes import Any_
from ..errors import LinkError, MalformedMessage
from ..wire.websocket import NotUpgraded, Websocket

_SLOW_DOWN = 429


def upgraded(stream: Any_, host: str, target: str, send: Any_, receive: Any_, chance: Any_) -> Any_:
    """The Websocket over a connection.

    send, receive  generators of the runtime: data -> None, and -> bytes, b"" at the end
    chance  n -> n random bytes
    Raises  LinkError
    """
    socket = Websocket(chance)
    try:
        yield from send(socket.request(host, target))
        while not socket.opened:
            data = yield from receive()
            if not data:
                raise LinkError("network", "cut")
            socket.feed(data)
    except BaseException as error:
        stream.close()
        if isinstance(error, NotUpgraded):
            fault = "throttled" if error.status == _SLOW_DOWN else "service"
            raise LinkError(fault, "upgrade-refused", error.value)
        if isinstance(error, MalformedMessage):
            raise LinkError("service", "upgrade-malformed", error.reason)
        raise
    return socket
