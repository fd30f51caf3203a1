"""When a certificate is to be renewed, and when its issuer may be asked. Source: design section 9.

Rule: every deadline is worked out anew at each look, from the dates and the clock that stand then.
"""

from .backoff import PHASES
from .device import Device
from .lifecycle import ONLINE
from .machine import Machine
from .rollmeanings import FormerDue, RollDue
from .rolls import AWAITING, RESTING
from .shapes import Event, Items, Tree, Watch
from .slots import BREACH, EXPIRY, NEVER, ONBOARDING, OVERDUE, SOMETIME

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
LATER_MS = 60_000
REGISTRATIONS_PER_MIN = 800  # of the documented 1 000, for a fleet that is told to roll
NO_ISSUER = "no issuer is configured"
BARE = "no certificate is left that may ask for one"
BY_THUMBPRINT = "the enrollment knows the certificate by its thumbprint"


class RollTimes(Machine):
    """The part of Identity that knows its deadlines. `watch` tells what the links do."""

    state = RESTING

    def __init__(self, watch: Watch, device: Device) -> None:
        self._watch, self._device, self.slots = watch, device, device.slots
        self._config = device.config.identity
        self._refused_at_ms: int | None = None
        self._asked_at_ms: int | None = None
        self._started_ms = 0
        self._desired: Event = None  # a roll that could not be when the cloud desired it
        self._unwiped_ms: int | None = None  # when a wipe of this start failed
        self._held = False  # a request of before the start waits for the rate

    @property
    def active(self) -> Tree:
        """The credential in the active slot."""
        found: Tree = self.slots.held.get(self.slots.kept["active"], {})
        return found

    @property
    def forbidden(self) -> str:
        """Why this device never rolls by itself; "" where it does."""
        if self._config.issuer == "none":
            return NO_ISSUER
        if self.slots.bare:
            return BARE
        return BY_THUMBPRINT if self._device.config.credential.enrollment == "thumbprint" else ""

    @property
    def halted(self) -> bool:
        """Reduced watch: no roll and no trial, unless a breached key cannot serve meanwhile."""
        return self._device.reduced and not self.slots.quarantined

    def timed(self, now: int) -> None:
        """The clock was set or stepped, or a file changed: every deadline is judged anew."""
        if self.state == RESTING and self._has_dates:
            self.wake_at = now
        elif self.state == AWAITING and self._held:
            self.wake_at = now + self.rate_ms(now)

    @property
    def _has_dates(self) -> bool:
        """False for a device that neither rolls nor has a key to wipe."""
        return not self.forbidden or bool(self.slots.kept["former"]) or self.slots.succeeded

    def due_utc_s(self, credential: Tree) -> int | None:
        """When a certificate is to be renewed: at renew_percent of its life, up to 5 % of it
        earlier by phase; None for one without dates."""
        begins, ends = credential.get("not_before"), credential.get("not_after")
        if begins is None or ends is None:
            return None
        life_s = int(ends - begins)
        early_s = life_s // 20 * self._device.phase // PHASES
        return int(begins) + life_s * self._config.renew_percent // 100 - early_s

    def _look(self, event: Event, now: int) -> Items:
        """Resting: is anything due; at least once a day."""
        self.wake_at = now + DAY_MS if self._has_dates else None
        if self.slots.succeeded or self._former_due(now):
            return [FormerDue()]
        left_s = self._left_s(now)
        if self._desired is not None or left_s is None:
            return self._again(now)
        wait_ms = max(1000 * left_s, self.held_ms(now), 0 if self.slots.free() else LATER_MS)
        self.wake_at = min(self.wake_at or now + DAY_MS, now + wait_ms)
        return [] if wait_ms else [RollDue(self.slots.kept["reason"] or EXPIRY)]

    def later(self, event: Event, wait_ms: int, now: int) -> None:
        """A roll that cannot be now: a desired one is asked for again, others are their askers'."""
        if not event.ask_id.startswith("r:"):
            return
        self._desired = event
        if self.state == RESTING:
            self.wake_at = now + max(wait_ms, LATER_MS)

    def _again(self, now: int) -> Items:
        """[the desired roll], once its time has come."""
        desired, wait_ms = self._desired, self.rate_ms(now)
        if desired is None:
            return []
        self.wake_at = now + max(wait_ms, LATER_MS)
        if not wait_ms:
            self._desired = None
        return [] if wait_ms else [desired]

    def _left_s(self, now: int) -> int | None:
        """Seconds until the active certificate is to be renewed; None: never, or nobody knows."""
        if self.forbidden or self.halted:
            return None
        kept, utc_s = self.slots.kept, self._device.clock.utc(now)
        if kept["reason"] or (self._config.first == "at_once" and kept["active"] == ONBOARDING):
            return 0  # one that failed is not forgotten
        due_s = self.due_utc_s(self.active)
        return None if due_s is None or utc_s is None else max(0, due_s - utc_s)

    def _former_due(self, now: int) -> bool:
        """True when the former certificate has been kept long enough, and the session shows that
        nobody needs it."""
        kept, utc_s = self.slots.kept, self._device.clock.utc(now)
        if not kept["former"] or (utc_s is None and kept["former_until_s"] != OVERDUE):
            return False
        left_ms = self._kept_ms(utc_s or 0, now)
        self.wake_at = now + min(left_ms or HOUR_MS, DAY_MS)
        needed = self._watch.connection.state != ONLINE or self.slots.on_a_link(kept["former"])
        return not left_ms and not needed

    def _kept_ms(self, utc_s: int, now: int) -> int:
        """How long the former certificate is still kept."""
        kept = self.slots.kept
        if kept["former_until_s"] == OVERDUE:
            return 0 if self._unwiped_ms is None else max(0, self._unwiped_ms + DAY_MS - now)
        kept["former_until_s"] = kept["former_until_s"] or self.former_until_s(utc_s)
        return int(1000 * max(0, kept["former_until_s"] - utc_s))

    def _former_late(self, now: int) -> bool:
        """True where a session is all that the former one's end waited for."""
        utc_s, known = self._device.clock.utc(now), self.slots.kept["former_until_s"] == OVERDUE
        waits = self.state == RESTING and self.slots.kept["former"] and (known or utc_s is not None)
        return bool(waits) and not self._kept_ms(utc_s or 0, now)

    def former_until_s(self, utc_s: int) -> int:
        """How long the former certificate stays: keep_old_s, or to its own end."""
        ends = self.slots.held.get(self.slots.kept["former"], {}).get("not_after")
        until_s = utc_s + int(self._config.keep_old_s)
        return until_s if ends is None else min(until_s, int(ends))

    def held_ms(self, now: int) -> int:
        """How long no issuer is asked: by the rate, and after a refusal."""
        held_ms = self.rate_ms(now)
        if self._refused_at_ms is None:
            return held_ms
        return max(held_ms, self._refused_at_ms + self.retry_ms(now) - now)

    def rate_ms(self, now: int) -> int:
        """How long no issuer may be asked, whoever wishes it."""
        rate_ms, asked_s = 1000 * self._config.issue_every_s, self.slots.kept["asked_utc_s"]
        if self._asked_at_ms is not None:
            return max(0, self._asked_at_ms + rate_ms - now)
        utc_s = self._device.clock.utc(now)
        if asked_s == NEVER:
            return 0
        if asked_s == SOMETIME or utc_s is None or utc_s < asked_s:  # as if at this start
            return max(0, self._started_ms + rate_ms - now)
        return max(0, int(rate_ms - 1000 * (utc_s - asked_s)))

    def retry_ms(self, now: int) -> int:
        """Between two tries: retry_percent of the certificate's life, of the first one at least
        daily, sooner near its end, and as soon as may be for a breached key, which opens no
        session."""
        least_ms = max(1000 * self._config.issue_every_s, LATER_MS)
        begins, ends = self.active.get("not_before"), self.active.get("not_after")
        if self.slots.kept["reason"] == BREACH:
            return least_ms
        if begins is None or ends is None:
            return DAY_MS
        share_ms = 10 * self._config.retry_percent * int(ends - begins)
        share_ms = min(share_ms, DAY_MS) if self.slots.kept["active"] == ONBOARDING else share_ms
        utc_s = self._device.clock.utc(now)
        left_ms = share_ms if utc_s is None else 250 * max(0, ends - utc_s)
        return int(max(min(share_ms, left_ms), least_ms))

    def spread_ms(self) -> int:
        """A fleet that rolls on one command stays below what DPS takes in a minute."""
        whole_ms = 60_000 * self._device.config.fleet.devices // REGISTRATIONS_PER_MIN
        return int(self._device.rand_below(whole_ms + 1))
