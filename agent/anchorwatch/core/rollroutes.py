"""Who takes what of the device's certificates. Rule: it routes; identity.py decides.

The frame `identity` is saved for other things too: only the answer to the last save is taken.
"""

from ..errors import MalformedMessage
from ..wire import credentials as wire
from .answers import warning
from .events import Issued, IssueLater, IssueRefused, SaveFailed
from .lifecycle import REPROVISIONING, SETTLING, WAITING_FOR_DPS, WAITING_FOR_HUB
from .meanings import DpsLater, HubLater
from .rolls import ASKING, AWAITING
from .shapes import Any_, Event, Items, Watch

MINUTE_MS = 60_000
PASSING = ("network", "trust", "policy", "clock", "service", "throttled")
MALFORMED = "it was ignored; the request is made again by the schedule"


class RollRoutes:
    """`watch` holds the machines."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._identity = watch, watch.identity

    def of_request(self, event: Event, now: int) -> Items:
        """What comes late for a key that was given up is let go."""
        mine = event.slot == self._identity.slots.kept["pending"]
        return self._identity.handle(event, now) if mine else []

    def answered(self, event: Event, now: int) -> Items:
        """Saved or SaveFailed of any file."""
        if isinstance(event, SaveFailed):
            self._identity.slots.proofs.failed(event.name)
        if event.name != "identity" or not self._identity.slots.written():
            return []
        return self._identity.handle(event, now)

    def assigned(self, event: Event, now: int) -> Items:
        """DPS knows a certificate now; the one on trial is tried, whoever had it registered."""
        slots, beside = self._identity.slots, self._watch.connection.state == REPROVISIONING
        link = "next" if beside else "live"
        slots.assigned(slots.shown(link), event, self._watch.clock.utc(now) or 0)
        return self._identity.handle(event, now) if slots.tries(link) else []

    def unregistered(self, event: Event, beside: bool, now: int) -> Items:
        """A registration failed: of a new certificate, or with a request. Without a session it is
        the ladder's, but where the machine tries."""
        slots = self._identity.slots
        alone = beside and not slots.csr  # with a request, that may be what was refused
        newer = alone and slots.shown("next") != slots.kept["active"]
        out: Items = []
        if event.fault == "identity" and (newer or (self._identity.trying_live and not beside)):
            out = self._identity.dps_refused(event, beside, now)
        elif event.fault == "identity" and alone:
            slots.proofs.refused(slots.kept["active"])
        if beside:
            slots.show("next", "")
        return out + self._no_issue(event)

    def _no_issue(self, event: Event) -> Items:
        if self._identity.state != ASKING or not self._identity.slots.csr:
            return []
        self._identity.slots.csr = ""
        slot, shown = self._identity.slots.kept["pending"], (event.presented, event.chain)
        refused = IssueRefused(slot, event.fault, event.verdict, "", *shown, event.retry_after_s)
        return [refused]

    def woke(self, event: Event, now: int) -> Items:
        """A breached key opens no session: the dial waits for its successor."""
        wake_at = self._watch.connection.wake_at
        back = self._held_back() if wake_at is not None and wake_at <= now else []
        return back + [event] if back else []

    def settled(self, event: Event, now: int) -> Items:
        """Saved or SaveFailed of an assignment; DPS may have given a breached key's successor."""
        back = self._held_back() if self._watch.connection.state == SETTLING else []
        return back or self._watch.connection.handle(event, now)

    def _held_back(self) -> Items:
        """What a connection that would dial with a breached key does instead."""
        slots, state = self._identity.slots, self._watch.connection.state
        if not slots.withheld("live"):
            return []
        if self._watch.config.identity.issuer == "hub" and not slots.bare:  # asked in a session
            return []
        if state in (WAITING_FOR_HUB, SETTLING):
            return [HubLater(MINUTE_MS)]
        waits = state == WAITING_FOR_DPS and (not slots.csr or slots.bare)
        return [DpsLater(MINUTE_MS)] if waits else []

    def message(self, event: Event, now: int) -> Items:
        """An answer of the hub's certificate service."""
        try:
            request_id, meaning = wire.parse_response(event.topic, event.payload)
        except MalformedMessage as error:
            what = "answer of the certificate service: " + error.reason
            return [warning(what, error.value, MALFORMED, "message")]
        if request_id != self._identity.request_id:
            return []
        return self._meant(meaning, self._identity.slots.kept["pending"])

    def _meant(self, meaning: tuple[Any_, ...], slot: str) -> Items:
        word = meaning[0]
        if word == "accepted":
            return [IssueLater(slot, 12 * 3600, "the hub has the request")]
        if word == "issued":
            return [Issued(slot, meaning[1])]
        if word == "busy":
            fault = "throttled" if meaning[1] == 429 else "service"
            verdict = "hub-%d" % (meaning[2] or meaning[1])
            return [IssueRefused(slot, fault, verdict, meaning[4], [], [], meaning[3])]
        if word == "conflict":
            again_s = 0 if self._identity.replaces else 60
            self._identity.replaces = True
            return [IssueLater(slot, again_s, "another request is open")]
        verdict = "hub-%d" % (meaning[2] or meaning[1])
        return [IssueRefused(slot, "identity", verdict, meaning[3], [], [], 0)]

    def issue_refused(self, event: Event, now: int) -> Items:
        """What may pass is asked again with the same request."""
        if event.fault in PASSING and self._identity.state in (ASKING, AWAITING):
            return [IssueLater(event.slot, event.retry_after_s, event.verdict)]
        return self.of_request(event, now)
