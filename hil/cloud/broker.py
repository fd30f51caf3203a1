"""An MQTT 3.1.1 server for one service: all its connections, and what is due when.

Knows MQTT and no Azure; no socket and no clock of its own. A connection is in connection.py.
"""

from collections.abc import Callable

from .connection import REFUSED, Connection, Peer
from .journal import Journal


class Broker:
    """All MQTT connections of one service."""

    def __init__(self, name: str, service: object, journal: Journal) -> None:
        self.name = name
        self.service = service
        self.journal = journal
        self.connections: set[Connection] = set()
        self._accepted = 0
        self._gone: list[tuple[Connection, bool, str]] = []

    def accept(
        self, write: Callable[[bytes], None], close: Callable[[], None], peer: Peer, now_ms: int
    ) -> Connection:
        """A client is there; `write` and `close` are its socket's."""
        self._accepted += 1
        connection = Connection(self, self._accepted, write, close, peer, now_ms)
        self.connections.add(connection)
        return connection

    def turn(self, now_ms: int) -> int | None:
        """Do what is due; the next deadline, None when there is none."""
        for connection in list(self.connections):
            connection.turn(now_ms)
        self.settle(now_ms)
        deadlines = [c.deadline_ms for c in self.connections if c.deadline_ms is not None]
        of_service = self.service.turn(now_ms)
        self.settle(now_ms)
        if of_service is not None:
            deadlines.append(of_service)
        return min(deadlines, default=None)

    def leave(self, connection: Connection, accepted: bool, reason: str) -> None:
        """A connection is closed; its service is told in settle(), not from within its own call."""
        self.connections.discard(connection)
        self._gone.append((connection, accepted, reason))

    def settle(self, now_ms: int) -> None:
        """Tell the service of the sessions that ended, and the journal of what never became one."""
        while self._gone:
            connection, accepted, reason = self._gone.pop(0)
            if accepted:
                self.service.disconnected(connection.session, reason, now_ms)
            elif reason != REFUSED:  # that row is the service's
                self.journal.add(
                    now_ms, self.name, "closed before CONNACK", connection.client_id(),
                    reason=reason, address=connection.peer.address,
                )  # fmt: skip
