"""Rungs 4 and 5: another credential, where hub and DPS refused the active one.

Rule: DPS hears of an older certificate only after it has refused the newer one, since registering
sets the hub's thumbprint back. Source: design section 5.
"""

from .device import Device
from .rollmeanings import LastResort, NothingLeft, OtherSlot
from .shapes import Items
from .slots import ONBOARDING

PEEK_MS = 900_000
LAST_MS = 4 * 3_600_000  # between two registrations of rung 5, after a first turn with all


class Fallback:
    """What is left to try in this turn of the ladder, one at a time."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._left: Items | None = None
        self._asked_ms: int | None = None  # DPS, with another credential
        self._asked = 0  # how often
        self._peeks: Items = []
        self._peek_at_ms = 0
        self.refused = False  # the active one, by DPS, in this turn

    def begin(self) -> None:
        """A new turn starts with the active credential."""
        self.end()
        self._device.slots.show("live", "")

    def end(self) -> None:
        """The turn is over; who serves is not decided here."""
        self._left, self._peeks, self.refused = None, [], False

    def clear(self) -> None:
        """A session is up."""
        self.end()
        self._asked_ms = None

    def next(self, register: bool, now: int) -> Items:
        """The next thing to try, as one meaning. register: may DPS be asked."""
        left = self._list(now) if self._left is None else self._left
        self._left = left if register else [one for one in left if one[0] is OtherSlot]
        if not self._left:
            self._device.slots.show("live", "")
            return [NothingLeft()]
        meaning, name = self._left.pop(0)
        if meaning is LastResort:
            self._asked_ms, self._asked = now, self._asked + 1
        self._device.slots.show("live", name)
        return [meaning()]

    def peek(self, now: int) -> bool:
        """While DPS is silent: show the hub each other credential, once in a while; False when it
        is the active one's turn again."""
        if not self._peeks and now >= self._peek_at_ms:
            self._peek_at_ms = now + PEEK_MS
            self._peeks = self._slots(now) + self._first(now) + [""]
        name = self._peeks.pop(0) if self._peeks else ""
        self._device.slots.show("live", name)
        return bool(name)

    def _list(self, now: int) -> Items:
        others, first = self._slots(now), self._first(now)
        here = others if self._device.may_register else others + first
        found = [(OtherSlot, name) for name in here] if self._device.hub else []
        return found + [(LastResort, name) for name in self._last(others + first, now)]

    def _last(self, names: Items, now: int) -> Items:
        """All but what DPS refused; then one by one and rarely, since the day's turns are the
        active one's."""
        kept = self._device.slots.kept
        names = [n for n in names if n != kept["trial"] or not kept["trial_refused"]]
        if self._asked_ms is None or not names:
            return names
        return [names[self._asked % len(names)]] if now - self._asked_ms >= LAST_MS else []

    def _slots(self, now: int) -> Items:
        return self._device.slots.others(self._device.proven_utc_s(now))

    def _first(self, now: int) -> Items:
        slots, utc_s = self._device.slots, self._device.proven_utc_s(now)
        first = slots.kept["active"] != ONBOARDING and slots.usable(ONBOARDING, utc_s)
        return [ONBOARDING] if first else []
