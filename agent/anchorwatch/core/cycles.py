"""How often DPS was asked: the budget of turns through it, over restarts. Source: design section 5.

Rule: a turn of this start is aged by the steady clock, which no step of the time moves; one that
the start found by its date, where that is known and lies behind.
"""

from .actions import Save
from .device import Device

HOUR_S = 3_600
DAY_S = 86_400


class Cycles:
    """`left(now)`: may DPS be asked once more; `spend(at_ms)`: it is, then."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._spent: list[tuple[int | None, int]] = []  # (found date or None, ms)

    def start(self, now: int) -> None:
        """What a restart found; a turn of unknown date counts as spent at this start."""
        self._spent = [(utc_s, now) for utc_s in self._device.budgets["cycles"]]

    def spend(self, at_ms: int) -> Save:
        """One turn, which may lie a moment ahead; dates of this start are those of its clock."""
        config, utc = self._device.config.unauthorized, self._device.clock.utc
        self._spent = self._spent + [(None, at_ms)]
        self._spent = self._spent[-max(config.cycles_per_hour, config.cycles_per_day) :]
        dates = [utc(ms) or 0 if found is None else found for found, ms in self._spent]
        self._device.budgets["cycles"] = dates
        return self._device.save_budgets()

    def left(self, now: int) -> bool:
        """Whether hour and day have a turn left."""
        config = self._device.config.unauthorized
        ages_s = [self._age_s(found, ms, now) for found, ms in self._spent]
        hour = len([age_s for age_s in ages_s if age_s < HOUR_S])
        day = len([age_s for age_s in ages_s if age_s < DAY_S])
        return hour < config.cycles_per_hour and day < config.cycles_per_day

    def _age_s(self, found: int | None, at_ms: int, now: int) -> int:
        since_s, utc_s = (now - at_ms) // 1000, self._device.clock.utc(now)
        if not found or utc_s is None:
            return since_s
        return max(since_s, utc_s - found)
