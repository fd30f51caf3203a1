"""Does a second handshake give a reason to move the session? Source: design section 6, rows (a)
and (b).

Rule: a new leaf or intermediate under the same anchor is none.
"""

from .shapes import Any_, Config, Event

RESOLUTIONS, MOST_RESOLUTIONS = 3, 24
AGREE, AGREE_MOST = 2, 8
RECENT = 12  # times swap_every_s


class Comparison:
    """Remembers what one handshake cannot show: an address that stays away, and the last swap."""

    def __init__(self, config: Config) -> None:
        self._config = config.reverify
        self._missing: list[Any_] = []
        self._before = ("", "")
        self._agreements = 0
        self._swaps_ms: list[int] = []

    def begin(self) -> None:
        """Forget what earlier handshakes showed: another session, or a look that was asked for."""
        self._missing = []
        self._before = ("", "")

    def reason(self, live: Event, seen: Event, now: int) -> str:
        """ "asked" | "hub" | "anchor" | "address" | "": `live` and `seen` are Verified, live None
        before the first."""
        gone = self._address_gone(live, seen, now)
        if self._config.action == "swap":
            return "asked"
        if live is not None and seen.host != live.host:
            return "hub"
        if live is None or self._config.action == "probe":
            return ""
        if seen.anchor != live.anchor:
            return "anchor"
        return "address" if gone else ""

    def agreed(self, why: str, seen: Event, now: int) -> bool:
        """True when enough handshakes in a row gave the same reason, or when one is enough.

        Two are enough, twice as many after each recent swap: front ends that take turns with two
        roots must not draw the session to and fro for ever.
        """
        before, self._before = self._before, (why, seen.anchor)
        self._agreements = self._agreements + 1 if before == self._before else 1
        recent_ms = 1000 * RECENT * self._config.swap_every_s
        recent = [t for t in self._swaps_ms if now - t < recent_ms]
        needed = min(AGREE << len(recent), AGREE_MOST)
        return why in ("token", "asked") or self._agreements >= needed

    def swap_allowed(self, now: int) -> bool:
        """At most one swap for a changed server per swap_every_s."""
        every_ms = 1000 * self._config.swap_every_s
        return not self._swaps_ms or now - self._swaps_ms[-1] >= every_ms

    def swapped(self, now: int, changed: bool) -> None:
        """The session moved; `changed`: for the server, not for a token or on command."""
        if changed:
            self._swaps_ms = self._swaps_ms[-AGREE_MOST:] + [now]
        self.begin()

    def _address_gone(self, live: Event, seen: Event, now: int) -> bool:
        """True when the live address was missing from three resolutions over address_gone_s."""
        if live is None or live.address in seen.addresses:
            self._missing = []
            return False
        self._missing = self._missing[-MOST_RESOLUTIONS:] + [(now, seen.addresses)]
        span_ms = 1000 * self._config.address_gone_s
        needed = RESOLUTIONS if self._name_is_steady() else MOST_RESOLUTIONS
        return len(self._missing) >= needed and now - self._missing[0][0] >= span_ms

    def _name_is_steady(self) -> bool:
        """A name that gives other addresses each time says little by leaving one out."""
        last = [sorted(addresses) for _, addresses in self._missing[-RESOLUTIONS:]]
        return all([addresses == last[0] for addresses in last])
