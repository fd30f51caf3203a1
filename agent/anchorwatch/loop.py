"""The one loop of both runtimes. Rule: it orders and performs; it decides nothing and catches
nothing.

`turn` never waits, so an asyncio application can call it between its own tasks; `run` waits in the
driver's `next_event`.
"""

from .core.events import Stop, Woke
from .core.shapes import Any_, Clock, Event, NextEvent, Performers


def turn(machine: Any_, perform: Performers, event: Event, now_ms: int) -> None:
    """Give one event to the machine and perform what it answers, in order.

    perform  {action type: function of one action}; a missing type is a KeyError: the driver is
             incomplete
    """
    for action in machine.handle(event, now_ms):
        perform[type(action)](action)


def run(
    machine: Any_, perform: Performers, next_event: NextEvent, now_ms: Clock, first: Event
) -> None:
    """Turn until Stop has been handled.

    next_event  called with the deadline in ms or None; returns an event, or None when the deadline
                came first
    """
    event = first
    while True:
        turn(machine, perform, event, now_ms())
        if isinstance(event, Stop):
            return
        event = next_event(machine.wake_at) or Woke()
