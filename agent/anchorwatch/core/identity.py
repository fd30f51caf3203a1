"""The device's certificates: a new one is proven before the old one is let go.

Rule: a trial is written down before it is used; the old slot serves until the hub has accepted the
new one, and after the commit of a breach roll its key is never used again. Source: design section
9.
"""

from .actions import Tell, WipeKey
from .answers import warning
from .rolling import SOON_MS
from .rollmeanings import (
    Done,
    ResumeDue,
    TookOver,
    TrialDue,
    TrialGood,
)
from .rolls import COMMITTING, ENTERING, HOLDING, REGISTERING, ROLL, TRYING, WIPING
from .rolltimes import DAY_MS
from .shapes import Event, Items
from .slots import BREACH, EXPIRY, NAMES, ONBOARDING, OVERDUE
from .trialling import SAVE_AGAIN_MS, SAVE_MS, Trialling

WIPE_MS = 60_000
UNPROVEN = (ENTERING, TRYING, REGISTERING, HOLDING)


class Identity(Trialling):
    """The machine of ROLL: what a start finds, the commit, the wipe."""

    table = ROLL
    # fmt: off
    late = (
        "KeyMade", "KeyFailed", "KeyWiped", "CsrMade", "Issued", "IssueLater", "IssueRefused",
        "Installed", "InstallRefused", "Saved", "SaveFailed", "TrialGood", "TrialBad", "TrialLater",
        "TookOver", "RollDue", "Assigned", "Unregistered",
    )
    # fmt: on
    _rolled: str | None = None  # reason of the roll that was committed, "" for a trial without one
    _wiping = ""  # the slot whose key goes

    def start(self, now: int) -> Items:
        """What a start finds under way goes on; reduced watch leaves it."""
        kept, self._started_ms = self.slots.kept, now
        self.timed(now)
        out: Items = []
        if self.slots.lost:
            out.append(self._lost())
        if self.halted:
            return out
        if kept["pending"] and not self.forbidden:
            return out + [ResumeDue()]
        return out + ([TrialDue()] if kept["trial"] else [])

    def _lost(self) -> Tell:
        serves, remedy = self.slots.kept["active"], "this slot serves; roll again"
        if not self.slots.usable(serves, None):
            serves, remedy = "none", "install another certificate and key as the configured ones"
        return warning("slot %s cannot be read" % self.slots.lost, serves, remedy, "identity")

    def session(self, now: int) -> Items:
        """The hub accepted a CONNECT: whose certificate was it?"""
        shown, device = self.slots.shown("live"), self._device
        utc_s = device.clock.utc(now) or 0
        self.slots.proofs.accepted(shown, "hub", device.hub or "", device.device_id, utc_s)
        if shown == self.slots.kept["active"]:
            self.wake_at = now if self._former_late(now) else self.wake_at
            return []
        if shown == self.slots.kept["trial"] and self.state in UNPROVEN:
            return [TrialGood()]
        return self._served(shown) + [TookOver()]

    def proven(self) -> Items:
        """What is to be written of it, once no commit is under way: the frame that names the new
        slot and the end of a breached key come first."""
        return [] if self.state in (COMMITTING, WIPING) else self.slots.proofs.due()

    def _served(self, shown: str) -> Items:
        """Rung 4 or 5 succeeded: what serves is active; what was refused is still to be proven,
        but for a breached one."""
        kept, refused = self.slots.kept, self.slots.kept["active"]
        kept["trial"] = "" if kept["trial"] == shown else kept["trial"]
        if not kept["trial"] and not self.slots.quarantined:
            self.slots.put_on_trial(refused)
        kept["active"] = shown
        kept["former"] = "" if kept["former"] == shown else kept["former"]
        if shown == ONBOARDING and not self.forbidden:
            kept["reason"] = kept["reason"] or EXPIRY
        self.slots.show("live", "")
        self._refused_at_ms = None  # it was the other one that an issuer would not take
        self.why = "slot %s was refused" % refused
        told = {"active": shown, "refused": refused, "why": self.why}
        return [Tell("identity", told), self.slots.save()]

    def _take_over(self, event: Event, now: int) -> Items:
        """What was refused is tried once a day; the onboarding credential has a new one issued."""
        kept = self.slots.kept
        self.wake_at = now + DAY_MS
        rolls = kept["active"] == ONBOARDING and not self.forbidden
        return [Done()] if rolls or not kept["trial"] else []

    def _commit(self, event: Event, now: int) -> Items:
        """An expiry roll is over with this frame; a breach roll when the old key is gone."""
        kept, utc_s = self.slots.kept, self._device.clock.utc(now)
        old, self._rolled = kept["active"], kept["reason"]
        kept.update({"active": kept["trial"], "trial": "", "pending": ""})
        kept["former"] = old if old in NAMES else ""
        kept["former_until_s"] = 0 if utc_s is None else self.former_until_s(utc_s)
        if kept["breached"]:
            self.slots.close(kept["breached"])
        else:
            kept["reason"] = ""
        self.slots.show("live", "")
        self.wake_at = now + SAVE_MS
        return [self.slots.save()]

    def _commit_again(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_AGAIN_MS
        return [self.slots.save_again()]

    def _commit_later(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_AGAIN_MS
        return []

    def _committed(self, event: Event, now: int) -> Items:
        """From here on a start shows the new one. A breached key goes before anybody is told."""
        return self._wipe(self.slots.leaked, now) if self.slots.succeeded else [Done()]

    def _wipe_former(self, event: Event, now: int) -> Items:
        """Also what a cut left of a breach roll."""
        slots = self.slots
        if slots.kept["former"] == ONBOARDING and slots.renewed:
            slots.kept["former"] = ""
        return self._wipe(slots.leaked if slots.succeeded else slots.kept["former"], now)

    def _wipe(self, slot: str, now: int) -> Items:
        self.wake_at = now + WIPE_MS
        self._wiping = slot
        return [WipeKey(slot)] if slot else [Done()]

    def _report(self, event: Event, now: int) -> Items:
        """The end of a roll, or of a former certificate."""
        slots, kept = self.slots, self.slots.kept
        out: Items = []
        if not isinstance(event, Done):
            out = self._wiped(getattr(event, "reason", "silent"), now)
        self.wake_at = now + SOON_MS
        rolled, self._rolled = self._rolled, None
        if slots.succeeded:
            rolled = BREACH
            kept.update({"reason": "", "breached": ""})
        if rolled != EXPIRY:  # whose frame is written already
            out.append(slots.save())
        if rolled is None:
            return out
        self.why, self._refused_at_ms, self._waits, self._registered_ms = "", None, 0, 0
        if rolled:
            self._device.count("rolls")
        told = {"active": kept["active"], "reason": rolled, "rolled": True}
        return out + [Tell("identity", told)]

    def _wiped(self, reason: str, now: int) -> Items:
        slot, kept = self._wiping, self.slots.kept
        if reason:  # tried again by the next start, and daily
            kept.update({"former": slot, "former_until_s": OVERDUE})
            self._unwiped_ms = now
            remedy = "remove the key of slot %s yourself" % slot
            return [warning("old key not wiped", reason, remedy, "identity")]
        if slot in NAMES:
            self.slots.empty(slot)
        elif kept["former"] == slot:
            kept["former"] = ""
        return []
