"""The two links over paho's sessions, dialled in threads.

Rule: a dial that nobody waits for any more says nothing, and what it opened is closed.

The daemon's loop: `links.take()` until it is None, `selector.select(links.next_timeout_ms(now))`,
each key's data called with its mask, `links.turn(now)`.
"""

from ..core import actions
from ..performers import links
from .mqtt import Session
from .patience import Patience


class Links(links.Links):
    """dialer   patience() and dial(order, patience), see dial.py; errands  runs it
    queue, in_flight, warn  see performers/links.py
    """

    def __init__(self, selector, errands, dialer, queue, in_flight: int, now_ms, warn) -> None:
        super().__init__(Patience.cancel, lambda sock, tell: Session(sock, selector, tell, now_ms),
                         queue, in_flight, now_ms, warn)
        self._errands, self._dialer = errands, dialer
        self.perform[actions.Dial] = self.dial

    def next_timeout_ms(self, now_ms: int) -> int | None:
        """How long the selector may wait for these links; None: as long as it likes."""
        due_ms = self.due_ms()
        return None if due_ms is None else max(0, due_ms - now_ms)

    def dial(self, order) -> None:
        """Begin a Dial; what the link was before is forgotten."""
        self._drop(order.link)
        patience = self._dialer.patience()
        self._dials[order.link] = patience
        self._errands.start(lambda: self._dialer.dial(order, patience),
                            lambda outcome: self._outcome(order.link, patience, *outcome))

    def _outcome(self, link: str, patience: Patience, event, sock) -> None:
        if self._dials.get(link) is not patience:
            if sock is not None:
                sock.close()
            return
        self._dialled(link, event, sock)
        told = self._dialer.records.told(event, self._now_ms())
        if told is not None:
            self._warn(*told, "config")
