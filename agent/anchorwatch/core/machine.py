"""What every machine is: a state, a table, one deadline. Rule: only the table changes `state`."""

from ..errors import UnexpectedEvent
from .shapes import Event, Items, Kinds, Rows, Table


def rows_of(table: Table) -> Rows:
    """The four-column table as a lookup: (state, event type) -> (next state, effect)."""
    return {(state, on): (then, effect) for state, on, then, effect in table}


class Machine:
    """`rows` from `rows_of`, `late`: events that may come after what they answer is gone."""

    rows: Rows = {}
    late: Kinds = ()
    state = "idle"
    wake_at: int | None = None

    def handle(self, event: Event, now: int) -> Items:
        """Take one event at `now` (ms, never decreasing); return actions and meanings in order.

        Raises  UnexpectedEvent: no row and not late, so a driver or another machine is wrong
        """
        row = self.rows.get((self.state, type(event)))
        if row is None:
            if isinstance(event, self.late):
                return []
            raise UnexpectedEvent("%s in state '%s'" % (type(event).__name__, self.state))
        self.state, effect = row
        self.wake_at = None
        out: Items = getattr(self, "_" + effect)(event, now)
        return out
