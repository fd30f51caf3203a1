"""The device's certificates: a new one is proven before the old one is let go.

Rule: a trial is written down before it is used; the old slot serves until the hub has accepted the
new one, and after the commit of a breach roll its key is never used again. Source: design section
9.
"""

from .actions import Tell, WipeKey
from .answers import warning
from .events import (
    CsrMade,
    Installed,
    InstallRefused,
    Issued,
    IssueLater,
    IssueRefused,
    KeyFailed,
    KeyMade,
    KeyWiped,
    Saved,
    SaveFailed,
)
from .machine import rows_of
from .meanings import Assigned, Unregistered
from .rolling import DAY_MS, SOON_MS
from .rollmeanings import (
    Done,
    ResumeDue,
    RollDue,
    TookOver,
    TrialBad,
    TrialDue,
    TrialGood,
    TrialLater,
)
from .rolls import ROLL
from .shapes import Event, Items
from .slots import BREACH, EXPIRY, NAMES, ONBOARDING
from .trialling import SAVE_AGAIN_MS, SAVE_MS, Trialling

WIPE_MS = 60_000


class Identity(Trialling):
    """The machine of ROLL: what a start finds, the commit, the wipe."""

    rows = rows_of(ROLL)
    # fmt: off
    late = (
        KeyMade, KeyFailed, KeyWiped, CsrMade, Issued, IssueLater, IssueRefused, Installed,
        InstallRefused, Saved, SaveFailed, TrialGood, TrialBad, TrialLater, TookOver, RollDue,
        Assigned, Unregistered,
    )
    # fmt: on
    _old = ""  # the slot that the one on trial replaced

    def start(self, now: int) -> Items:
        """What a start finds under way goes on."""
        kept = self.slots.kept
        self.timed(now)
        out: Items = []
        if self.slots.lost:
            told = "slot %s cannot be read" % self.slots.lost
            out.append(warning(told, kept["active"], "this slot serves; roll again", "identity"))
        if kept["trial"]:
            return out + [TrialDue()]
        return out + ([ResumeDue()] if kept["pending"] else [])

    def session(self, now: int) -> Items:
        """The hub accepted a CONNECT: whose certificate was it?"""
        shown = self.slots.shown("live")
        if shown == self.slots.kept["active"]:
            return []
        return [TrialGood()] if shown == self.slots.kept["trial"] else [TookOver()]

    def _take_over(self, event: Event, now: int) -> Items:
        """Rung 4 or 5 succeeded: what serves is active, what was refused is tried once a day."""
        kept, refused = self.slots.kept, self.slots.kept["active"]
        kept["active"] = self.slots.shown("live")
        kept["former"] = "" if kept["former"] == kept["active"] else kept["former"]
        kept["trial"] = kept["trial"] or refused
        self.slots.show("live", "")
        self.why = "hub and DPS refused slot " + refused
        self.wake_at = now + DAY_MS
        told = {"active": kept["active"], "refused": refused, "why": self.why}
        out = [Tell("identity", told), self.slots.save()]
        due = kept["active"] == ONBOARDING and not self.forbidden
        return out + ([RollDue(kept["reason"] or EXPIRY)] if due and not self.held_ms(now) else [])

    def _commit(self, event: Event, now: int) -> Items:
        kept, utc_s = self.slots.kept, self._device.clock.utc(now) or 0
        old, ends = kept["active"], self.active.get("not_after")
        until_s = utc_s + self._config.keep_old_s
        kept.update({"active": kept["trial"], "trial": "", "pending": ""})
        kept["former"] = old if old in NAMES else ""
        kept["former_until_s"] = until_s if ends is None else min(until_s, int(ends))
        if kept["breached"]:
            self.slots.close(kept["breached"])
        self.slots.show("live", "")
        self._old = old
        return self._commit_again(event, now)

    def _commit_again(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_MS
        return [self.slots.save()]

    def _commit_later(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_AGAIN_MS
        return []

    def _committed(self, event: Event, now: int) -> Items:
        """From here on a start shows the new one. A breached key goes before anybody is told."""
        self.wake_at = now + WIPE_MS
        if self.slots.kept["reason"] != BREACH:
            return [Done()]
        return [WipeKey(self._old)]

    def _wipe_former(self, event: Event, now: int) -> Items:
        self.wake_at = now + WIPE_MS
        return [WipeKey(self.slots.kept["former"])]

    def _report(self, event: Event, now: int) -> Items:
        """The end of a roll, or of a former certificate."""
        slots, kept = self.slots, self.slots.kept
        out: Items = []
        if isinstance(event, KeyWiped):
            out += self._wiped(event)
        self.wake_at = now + SOON_MS
        if not kept["reason"]:
            return out + [slots.save()]
        told = {"active": kept["active"], "reason": kept["reason"], "rolled": True}
        kept.update({"reason": "", "breached": ""})
        self.why, self._refused_at_ms, self._waits, self._registered_ms = "", None, 0, 0
        self._device.count("rolls")
        return out + [Tell("identity", told), slots.save()]

    def _wiped(self, event: Event) -> Items:
        if event.reason:
            remedy = "remove the key of slot %s yourself" % event.slot
            return [warning("old key not wiped", event.reason, remedy, "identity")]
        if event.slot in NAMES:
            self.slots.empty(event.slot)
        return []
