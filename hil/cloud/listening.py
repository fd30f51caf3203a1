"""Listening at an address, whatever is spoken there.

Rule: opened once, closed once; the connections that are open outlive the listener.
"""

import asyncio


class Listening:
    """`made` is the protocol of a connection, called with the listener; `connections` the open
    ones, which a connection adds itself to."""

    made: type

    def __init__(self) -> None:
        self.connections: set = set()
        self.address: str | None = None
        self.port: int | None = None
        self._server: asyncio.Server | None = None

    async def open(self, address: str, port: int) -> None:
        """Listen; port 0 takes a free one, which `port` then names."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self.made(self), address, port, backlog=512)
        self.address = address
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take no more connections; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def is_open(self) -> bool:
        return self._server is not None

    def cut_all(self) -> None:
        """Drop every connection without a farewell."""
        for connection in list(self.connections):
            connection.abort()

    def freeze_all(self) -> None:
        """Leave every connection open, and never read or write on it again."""
        for connection in self.connections:
            connection.freeze()
