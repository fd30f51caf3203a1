"""The trial of a new certificate: beside the session, or as the session, and DPS where the hub does
not know it.

Rule: the old slot serves until the hub has accepted the new one; a refused one is tried again, ever
more rarely, for the issuing CA may be registered late. Source: design section 9.
"""

from .answers import warning
from .lifecycle import IDLE, ONLINE, WAITING_FOR_DPS, WAITING_FOR_HUB, WEIGHING
from .lifecycle import RESTING as LOOKS_REST
from .meanings import DpsLater, HubLater, LookNow, RegisterBeside
from .rolling import SOON_MS, Rolling
from .rollmeanings import (
    AskDps,
    Done,
    GivenUp,
    Propagating,
    RollDue,
    TrialBad,
    TrialDue,
    TrialLater,
)
from .rolls import REGISTERING, TRYING
from .rolltimes import DAY_MS, LATER_MS
from .shapes import Event, Items
from .slots import EXPIRY

SAVE_MS = 10_000
TRY_MS = 240_000
PROPAGATION_MS, PROPAGATED_MS = 120_000, 20_000
SAVE_AGAIN_MS = 600_000


class Trialling(Rolling):
    """The part of Identity that proves a certificate."""

    _waits = _registered_ms = 0
    _spread = False  # has this trial waited for its turn at DPS

    def _enter(self, event: Event, now: int) -> Items:
        """The certificate is on the disk; before it is used, that it is on trial is too."""
        self.slots.held[event.slot] = event.credential
        self.slots.put_on_trial(event.slot)
        self._waits, self._spread = 0, False
        self.wake_at = now + SAVE_MS
        return [self.slots.save()]

    def _enter_again(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_AGAIN_MS
        return [self.slots.save_again()]

    def _enter_later(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_AGAIN_MS
        return []

    def _try_out(self, event: Event, now: int) -> Items:
        """Beside the session where there is one; else the next dial shows it."""
        self.wake_at = now + SOON_MS
        watch, trial = self._watch, self.slots.kept["trial"]
        state = watch.connection.state
        if state == ONLINE and watch.link_free() and watch.reverify.state == LOOKS_REST:
            self.wake_at = now + TRY_MS
            self.slots.show("next" if watch.device.second_session else "live", trial)
            return [LookNow(True)]
        if state in (WAITING_FOR_HUB, WAITING_FOR_DPS):
            self.wake_at = now + TRY_MS
            self.slots.show("live", trial)
            return self._dial_soon()
        if state == IDLE:  # at a start, whose first dial it is
            self.wake_at = now + TRY_MS
            self.slots.show("live", trial)
        return []

    def _dial_soon(self) -> Items:
        """Another certificate is news for a hub that refused one, and ends a quarantine's wait;
        for no other fault."""
        present = self._watch.hub_faults.present
        news = present is None or present["class"] == "identity" or self.slots.quarantined
        return [HubLater(0)] if news else []

    def _try_again(self, event: Event, now: int) -> Items:
        """Nothing was heard. A hub that closes without a word may mean the new one: the old one has
        its turn."""
        if not self._watch.reverify.taken:  # else a registration shows it
            self.slots.show("next", "")
        waiting = self._watch.connection.state in (WAITING_FOR_HUB, WAITING_FOR_DPS)
        if waiting and self.slots.tries("live") and not self.slots.quarantined:
            self.slots.show("live", "")
            self.wake_at = now + TRY_MS
            return []
        return self._try_out(event, now)

    def _try_later(self, event: Event, now: int) -> Items:
        self.why = event.why
        self.slots.show("next", "")
        self.wake_at = now + LATER_MS * 5
        return []

    def _try_soon(self, event: Event, now: int) -> Items:
        self.slots.show("next", "")
        self.wake_at = now + event.wait_ms
        return [HubLater(event.wait_ms)] if self._weighing else []

    def _doubt(self, event: Event, now: int) -> Items:
        """The hub may not know it yet: DPS is told of it, at most once a day."""
        self.why = event.verdict
        if self._registered_ms and now - self._registered_ms < PROPAGATION_MS:
            return [Propagating(PROPAGATED_MS)]
        utc_s, asked_s = self._device.clock.utc(now), self.slots.kept["trial_dps_utc_s"]
        lately = utc_s is not None and 0 < utc_s - asked_s < DAY_MS // 1000 - 60
        lately = lately or (utc_s is None and bool(self._registered_ms))
        ladder = self._watch.ladder
        if lately or not self._device.may_register or not ladder.may_register(now):
            return [GivenUp()]
        if not self._spread and not self._weighing:  # DpsLater has a spread of its own
            self._spread = True
            return [Propagating(SOON_MS + self.spread_ms())]
        return [AskDps()]

    def _register(self, event: Event, now: int) -> Items:
        self.wake_at = now + 2 * TRY_MS
        self.slots.kept["trial_dps_utc_s"] = self._device.clock.utc(now) or 0
        trial = self.slots.kept["trial"]
        out = [self.slots.save(), self._watch.ladder.cycles.spend(now)]
        if self._watch.connection.state == ONLINE:
            self.slots.show("next", trial)
            return out + [RegisterBeside()]
        self.slots.show("live", trial)
        wait_ms = self.spread_ms()
        self.wake_at += wait_ms
        return out + [DpsLater(wait_ms)]

    def _registered(self, event: Event, now: int) -> Items:
        """Assigned: the connection dials the hub next, and shows the same certificate."""
        self._registered_ms = now
        self.slots.kept["trial_dps_utc_s"] = self._device.clock.utc(now) or 0
        self.wake_at = now + TRY_MS
        return []

    def _refused_by_dps(self, event: Event, now: int) -> Items:
        """From now on the older one may be registered."""
        return [self.slots.save()] + self._hold(event, now)

    def _hold(self, event: Event, now: int) -> Items:
        """Refused: the old one serves on; the new one is tried again, ever more rarely."""
        first_ms = 1000 * self._config.trial_retry_s
        doubled = 0 if self.slots.quarantined else min(self._waits, 20)
        self.wake_at = now + min(first_ms << doubled, DAY_MS)
        self._waits += 1
        self.slots.show("next", "")
        self.slots.show("live", "")
        self.why = self.unregistered or getattr(event, "verdict", "") or self.why
        remedy = "register the issuing CA at hub and DPS; until then the old certificate serves"
        out: Items = [warning("the new certificate is refused", self.why, remedy, "identity")]
        return out + ([HubLater(SOON_MS)] if self._weighing else [])

    def _look_held(self, event: Event, now: int) -> Items:
        """Try again what was refused; what has grown old meanwhile is renewed instead."""
        self.wake_at = now + DAY_MS
        if self.halted:
            return []
        if not self.slots.kept["trial"]:
            return [Done()]
        utc_s = self._device.clock.utc(now)
        due_s = self.due_utc_s(self.slots.held.get(self.slots.kept["trial"], {}))
        old = due_s is not None and utc_s is not None and utc_s >= due_s
        if old and not self.forbidden and not self.held_ms(now) and self.slots.free():
            return [RollDue(self.slots.kept["reason"] or EXPIRY)]
        return [TrialDue()]

    @property
    def unregistered(self) -> str:
        """Words for a trial whose certificate another CA issued than the one that serves."""
        trial = self.slots.held.get(self.slots.kept["trial"], {})
        sha1 = trial.get("issuer", {}).get("sha1", "")
        same = sha1 == self.active.get("issuer", {}).get("sha1", "")
        return "" if not sha1 or same else "issuer not yet registered: " + sha1

    @property
    def _weighing(self) -> bool:
        """True while the connection waits to be told what comes next."""
        return self._watch.connection.state == WEIGHING

    @property
    def trying_live(self) -> bool:
        """True while the session itself is dialled with a certificate on trial."""
        return self.state in (TRYING, REGISTERING) and self.slots.tries("live")

    def not_moved(self, event: Event, now: int) -> Items:
        """Reverify did not move to the trial; why says whether the certificate is the cause."""
        tried = self.slots.tries("next")
        if not tried or self.state != TRYING:
            self.slots.show("next", "")
            return []
        identity = event.fault == "identity"
        return [TrialBad(event.verdict) if identity else TrialLater(event.verdict)]

    def dps_refused(self, event: Event, beside: bool, now: int) -> Items:
        """DPS refused a newer one than the active one, whoever had it registered; what was asked
        for beside the session is asked again, with the next older one."""
        slots, rolls = self.slots, self.state == REGISTERING
        link = "next" if beside else "live"
        tried = slots.tries(link)
        news = slots.refused(slots.shown(link))
        out: Items = self.handle(event, now) if tried else []
        out = out or ([slots.save()] if news else [])
        return out + ([RegisterBeside()] if beside and not rolls else [])
