"""What every machine is: a state, a table, one deadline. Rule: only the table changes `state`."""

from ..errors import UnexpectedEvent
from .shapes import Event, Found, Items, Kinds, Table


class Machine:
    """`table`: rows of four; `late`: events that may come after what they answer is gone."""

    table: Table = ()
    late: Kinds = ()
    state = "idle"
    wake_at: int | None = None

    def handle(self, event: Event, now: int) -> Items:
        """Take one event at `now` (ms, never decreasing); return actions and meanings in order.

        Raises  UnexpectedEvent: no row and not late, so a driver or another machine is wrong
        """
        row = self.row(type(event))
        if row is None:
            if isinstance(event, self.late):
                return []
            raise UnexpectedEvent("%s in state '%s'" % (type(event).__name__, self.state))
        self.state, effect = row
        self.wake_at = None
        out: Items = getattr(self, "_" + effect)(event, now)
        return out

    def row(self, kind: type) -> Found:
        """(next state, effect) of an event of this type in the present state; None without a row.

        The table is searched: it has a few dozen rows, and a lookup beside it costs a board heap.
        """
        for state, on, then, effect in self.table:
            if on is kind and state == self.state:
                return then, effect
        return None
