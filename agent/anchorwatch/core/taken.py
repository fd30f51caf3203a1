"""When the evidence of each endpoint was taken. Rule: a handshake counts from the moment it was
verified, not from when its link came into use.
"""

from .events import Verified
from .shapes import Event, MaybeEvent, Tree


class Taken:
    """Remembers the last handshake of each link until it is an endpoint's evidence, or not."""

    def __init__(self) -> None:
        self._by_link: Tree = {}  # link: (Verified, now_ms)
        self._of: Tree = {}  # endpoint: the same

    def verified(self, event: Event, now: int) -> None:
        """Any event; only Verified counts."""
        if isinstance(event, Verified):
            self._by_link[event.link] = (event, now)

    def keep(self, endpoint: str, seen: MaybeEvent) -> None:
        """`seen` is the endpoint's evidence now."""
        for link in self._by_link:
            if self._by_link[link][0] is seen:
                self._of[endpoint] = self._by_link[link]

    def at_ms(self, endpoint: str, seen: MaybeEvent) -> int | None:
        """When it was taken; None for evidence that was never seen here."""
        kept = self._of.get(endpoint)
        return int(kept[1]) if kept is not None and kept[0] is seen else None
