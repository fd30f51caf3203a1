"""The ladder: what an unauthorized answer leads to, rung by rung; who is tried on the rungs 4 and 5
is chosen in fallback.py. Source: design 5.

Rule: every rung is a state, so `status` shows it; nothing here stops for ever, and DPS is asked
within a budget.
"""

from ..constants import const
from .answers import warning
from .backoff import phase_wait_ms
from .clock import AUTHENTICATED, NONE
from .cycles import Cycles
from .device import Device
from .fallback import Fallback
from .machine import Machine
from .meanings import (
    ClockSuspect,
    DpsLater,
    DpsRefused,
    HubLater,
    NoDps,
    Sound,
    Spent,
)
from .shapes import Event, Items, Table, Tree

CLEAR = const("clear")
PATIENCE = const("1 patience")
SELF_CHECK = const("2 self-check")
DPS = const("3 dps")
CHOOSING = const("choosing a slot")
OTHER = const("4 other slot")
LAST = const("5 last resort")
SLOW = const("6 slow cadence")

# fmt: off
LADDER: Table = (
    # in         on              go to       and
    (CLEAR,      "HubRefused",   PATIENCE,   "begin"),
    (CLEAR,      "DpsRefused",   CHOOSING,   "count_and_choose"),
    (CLEAR,      "Hastened",     SELF_CHECK, "check"),
    (CLEAR,      "Accepted",     CLEAR,      "clear"),
    (CLEAR,      "Assigned",     CLEAR,      "remember"),
    (PATIENCE,   "HubRefused",   PATIENCE,   "endure"),
    (PATIENCE,   "Spent",        SELF_CHECK, "check"),
    (PATIENCE,   "Hastened",     SELF_CHECK, "check"),
    (PATIENCE,   "DpsRefused",   CHOOSING,   "count_and_choose"),
    (PATIENCE,   "Assigned",     DPS,        "remember"),
    (PATIENCE,   "Accepted",     CLEAR,      "clear"),
    (SELF_CHECK, "ClockSuspect", PATIENCE,   "set_clock"),
    (SELF_CHECK, "Sound",        DPS,        "go"),
    (SELF_CHECK, "NoDps",        CHOOSING,   "choose_here"),
    (DPS,        "Assigned",     DPS,        "remember"),
    (DPS,        "HubRefused",   DPS,        "propagate"),
    (DPS,        "Spent",        SELF_CHECK, "check"),
    (DPS,        "DpsRefused",   CHOOSING,   "choose"),
    (DPS,        "Hastened",     SELF_CHECK, "check"),
    (DPS,        "Accepted",     CLEAR,      "clear"),
    (CHOOSING,   "OtherSlot",    OTHER,      "use_other"),
    (CHOOSING,   "LastResort",   LAST,       "go"),
    (CHOOSING,   "NothingLeft",  SLOW,       "slow_down"),
    (CHOOSING,   "Sound",        DPS,        "go"),
    (OTHER,      "HubRefused",   CHOOSING,   "choose"),
    (OTHER,      "DpsRefused",   CHOOSING,   "choose"),
    (OTHER,      "Assigned",     DPS,        "remember"),
    (OTHER,      "Hastened",     CHOOSING,   "choose"),
    (OTHER,      "Accepted",     CLEAR,      "clear"),
    (LAST,       "Assigned",     LAST,       "remember"),
    (LAST,       "HubRefused",   LAST,       "propagate"),
    (LAST,       "Spent",        CHOOSING,   "choose"),
    (LAST,       "DpsRefused",   CHOOSING,   "choose"),
    (LAST,       "Hastened",     CHOOSING,   "choose"),
    (LAST,       "Accepted",     CLEAR,      "clear"),
    (SLOW,       "HubRefused",   SELF_CHECK, "check"),
    (SLOW,       "DpsRefused",   CHOOSING,   "count_and_choose"),
    (SLOW,       "Assigned",     DPS,        "remember"),
    (SLOW,       "Hastened",     SELF_CHECK, "check"),
    (SLOW,       "Accepted",     CLEAR,      "clear"),
)
# fmt: on

RETRIES = 3
SOON_MS = 5_000
SOON_MOST_MS = 25_000
PROPAGATION_MS = 120_000


class Unauthorized(Machine):
    """The ladder of the active credential."""

    table = LADDER
    state = CLEAR

    def __init__(self, device: Device) -> None:
        self._device, self._fallback, self.cycles = device, Fallback(device), Cycles(device)
        self._retries = 0
        self._registered_ms: int | None = None
        self._registered_with: str | None = None
        self._slow_turns = 0

    def _begin(self, event: Event, now: int) -> Items:
        self._retries = 0
        return self._doubt_time(now) + self._endure(event, now)

    def _doubt_time(self, now: int) -> Items:
        """A token is refused, too, when only its dates are wrong."""
        signs = self._device.credential["kind"] == "symmetric_key"
        if not signs or self._device.clock.standing == AUTHENTICATED:
            return []
        return self._device.seek_time("hub", now)

    def _endure(self, event: Event, now: int) -> Items:
        """One retry after a change; else a soon one and three more that fill the patience."""
        if self._propagating(now):
            return [HubLater(self._soon())]
        self._retries += 1
        patience_ms = 1000 * self._device.config.unauthorized.patience_s
        if self._retries == 1:
            return [HubLater(min(SOON_MS + self._rand(SOON_MOST_MS), patience_ms))]
        if self._device.changed_since_accepted or self._retries > 1 + RETRIES:
            return [Spent()]
        each_ms = patience_ms // RETRIES
        return [HubLater(each_ms + self._rand(each_ms // 4 + 1))]

    def _check(self, event: Event, now: int) -> Items:
        """Rung 2: our own clock and dates first; then may DPS be asked."""
        self._fallback.begin()
        clock, credential = self._device.clock, self._device.credential
        signs = credential["kind"] == "symmetric_key"
        if clock.standing == NONE and signs:
            return [ClockSuspect()]
        out = self._own_dates(credential, now)
        if self.may_register(now):
            return out + [Sound()]
        return out + [NoDps()]

    def _own_dates(self, credential: Tree, now: int) -> Items:
        """An unproven time is to be proven first: only then an expired one is passed over."""
        utc_s, ends = self._device.clock.utc(now), credential.get("not_after")
        if ends is None or utc_s is None or utc_s <= ends:
            return []
        remedy = "install a new certificate for the same name"
        probe = self._device.shape("next", "hub" if self._device.hub else "dps", True, now)
        told = warning("the device certificate has expired", str(ends), remedy, "identity")
        return [told] + self._device.clock.ask_date(probe)

    def _set_clock(self, event: Event, now: int) -> Items:
        return self._device.seek_time("hub", now) + [HubLater(self._soon())]

    def _go(self, event: Event, now: int) -> Items:
        slots = self._device.slots
        if isinstance(event, Sound):
            slots.show("live", "")  # or the newest, when its turn comes
        self._device.count("cycles")
        self._registered_ms = None
        spread_ms = max(1000 * self._device.config.dps.spread_s, self._device.window_ms)
        if self._device.config.dps.spread_s == 0:
            spread_ms = 0
        wait_ms = self._rand(spread_ms + 1)
        return [self.cycles.spend(now + wait_ms), DpsLater(wait_ms)]

    def _count_and_choose(self, event: Event, now: int) -> Items:
        """A registration that rung 3 did not count: of a device that no hub knows yet, on command,
        or with a request."""
        return [self.cycles.spend(now)] + self._choose(event, now)

    def _choose(self, event: Event, now: int) -> Items:
        """Rungs 4 and 5: what else may be shown, to the hub and then to DPS; but where DPS refused
        a newer one, the active one has not had its turn."""
        slots = self._device.slots
        shown, before = slots.shown("live"), self._fallback.refused
        if isinstance(event, DpsRefused):
            if shown != slots.kept["active"] and not before:
                saved = [slots.save()] if slots.refused(shown) else []
                asked = [Sound()] if self.may_register(now) else self._choose_here(event, now)
                return saved + asked
            slots.proofs.refused(shown)
            self._fallback.refused = True
        return self._fallback.next(self.may_register(now), now)

    def _choose_here(self, event: Event, now: int) -> Items:
        """DPS may not be asked: rung 4 alone."""
        return self._fallback.next(False, now)

    def _use_other(self, event: Event, now: int) -> Items:
        return [HubLater(self._soon())]

    def _remember(self, event: Event, now: int) -> Items:
        self._registered_ms = now
        self._registered_with = self._device.credential.get("fingerprint")
        return []

    def _propagate(self, event: Event, now: int) -> Items:
        """Refused after `assigned`: for two minutes that is the hub not knowing yet."""
        if self._registered_ms is None:  # DPS did not answer so far: go on asking it
            peeks = self.state == DPS and self._fallback.peek(now)
            return [HubLater(self._soon()) if peeks else DpsLater(self._soon())]
        if self._propagating(now):
            return [HubLater(self._soon())]
        self._registered_ms = None
        return [Spent()]

    def _propagating(self, now: int) -> bool:
        """True while the hub may not have heard yet of what DPS assigned."""
        since = self._registered_ms
        if since is None or self._registered_with != self._device.credential.get("fingerprint"):
            return False  # DPS never saw the credential that was refused
        return now - since < PROPAGATION_MS

    def _slow_down(self, event: Event, now: int) -> Items:
        config = self._device.config.unauthorized
        grown_ms = 1000 * config.slow_first_s << min(self._slow_turns, 20)
        window_ms = max(min(grown_ms, 1000 * config.slow_most_s), self._device.window_ms)
        self._slow_turns += 1
        self._fallback.end()
        quarter_ms = window_ms // 4
        wait_ms = 3 * quarter_ms + phase_wait_ms(now, quarter_ms, self._device.phase)
        if self._device.hub is None:
            return self._doubt_time(now) + [DpsLater(wait_ms)]
        return self._doubt_time(now) + [HubLater(wait_ms)]

    def _clear(self, event: Event, now: int) -> Items:
        self._retries = self._slow_turns = 0
        self._fallback.clear()
        self._registered_ms = None
        return []

    def may_register(self, now: int) -> bool:
        """Whether DPS may be asked, and the budget has a turn left."""
        return self._device.may_register and self.cycles.left(now)

    @property
    def of_others(self) -> bool:
        """True while DPS may hear of another credential than the active one."""
        return self.state == LAST or self._fallback.refused

    def _soon(self) -> int:
        patience_ms = 1000 * self._device.config.unauthorized.patience_s
        return min(SOON_MS + self._rand(SOON_MOST_MS), max(1_000, patience_ms))

    def _rand(self, n: int) -> int:
        return int(self._device.rand_below(n))
