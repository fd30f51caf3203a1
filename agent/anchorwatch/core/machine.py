"""What every machine is: a state, a table, one deadline. Rule: only the table changes `state`.

Tables name events and meanings by their kinds' names: such a table lies in a board's flash, and
loads no kind that never comes.
"""

from ..errors import UnexpectedEvent
from .shapes import Event, Found, Items, Names, Table


class Machine:
    """`table`: rows of four; `late`: events that may come after what they answer is gone."""

    table: Table = ()
    late: Names = ()
    state = "idle"
    wake_at: int | None = None

    def handle(self, event: Event, now: int) -> Items:
        """Take one event at `now` (ms, never decreasing); return actions and meanings in order.

        Raises  UnexpectedEvent: no row and not late, so a driver or another machine is wrong
        """
        kind = type(event).__name__
        row = self.row(kind)
        if row is None:
            if kind in self.late:
                return []
            raise UnexpectedEvent("%s in state '%s'" % (kind, self.state))
        self.state, effect = row
        self.wake_at = None
        out: Items = getattr(self, "_" + effect)(event, now)
        return out

    def row(self, kind: str) -> Found:
        """(next state, effect) of an event of this kind in the present state; None without a row.

        The table is searched: it has a few dozen rows, and a lookup beside it costs a board heap.
        """
        for state, on, then, effect in self.table:
            if on == kind and state == self.state:
                return then, effect
        return None
