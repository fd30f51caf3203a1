"""Rungs 4 and 5: another credential, where hub and DPS refused the active one.

Rule: DPS hears of an older certificate only after it has refused the newer one, since registering
sets the hub's thumbprint back. Source: design section 5.
"""

from .device import Device
from .rollmeanings import LastResort, NothingLeft, OtherSlot
from .shapes import Items
from .slots import ONBOARDING


class Fallback:
    """What is left to try in this turn of the ladder, one at a time."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._left: Items | None = None

    def begin(self) -> None:
        """A new turn starts with the active credential."""
        self.end()
        self._device.slots.show("live", "")

    def end(self) -> None:
        """The turn is over; who serves is not decided here."""
        self._left = None

    def next(self, register: bool, now: int) -> Items:
        """The next thing to try, as one meaning. register: may DPS be asked."""
        left = self._list(now) if self._left is None else self._left
        self._left = left if register else [one for one in left if one[0] is OtherSlot]
        if not self._left:
            self._device.slots.show("live", "")
            return [NothingLeft()]
        meaning, name = self._left.pop(0)
        self._device.slots.show("live", name)
        return [meaning()]

    def _list(self, now: int) -> Items:
        slots, utc_s = self._device.slots, self._device.proven_utc_s(now)
        others = slots.others(utc_s)
        found = [(OtherSlot, name) for name in others] if self._device.hub else []
        last = [n for n in [ONBOARDING] if slots.kept["active"] != n and slots.usable(n, utc_s)]
        return found + [(LastResort, name) for name in others + last]
