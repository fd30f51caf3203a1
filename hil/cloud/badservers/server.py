"""One wrong server, ready to be dialled: an engine with a recording front before it."""

from ..reception import LOCAL
from .papers import Papers
from .relay import Relay, Visit
from .rows import BY_NAME, engine

SETTLED_S = 10


class BadServer:
    """A row of the table, served until the end of the `with` block.

    visits   what each client said, in the order they came
    Raises   engines.Unavailable, KeyError for a name that is not in the table
    """

    def __init__(self, name: str, papers: Papers, address: str = LOCAL, port: int = 0) -> None:
        self.row, self.papers = BY_NAME[name], papers
        self._engine = engine(self.row, papers)
        try:
            self._front = Relay(self._engine.port, self.row.manner, address, port)
        except BaseException:
            self._engine.close()
            raise
        self.visits: list[Visit] = self._front.visits
        self.place = "%s:%d" % (self._front.address, self._front.port)

    def __enter__(self) -> "BadServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let every client go, and stop."""
        self._front.close()
        self._engine.close()

    def leaked(self) -> dict[str, int]:
        """Bytes of credential and of application data that all clients told, once they are gone."""
        for visit in self.visits:
            if not visit.over.wait(SETTLED_S):
                raise TimeoutError("a client is still there")
        return {
            "credential": sum(visit.client.credential for visit in self.visits),
            "application": sum(visit.client.application for visit in self.visits),
        }
