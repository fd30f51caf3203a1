"""A certificate's renewal until there is one: when it is due, the key, the request, the issuer.

Rule: nothing here touches what serves; a request that fails is made again by the schedule, and no
issuer is asked more often than identity.issue_every_s. Source: design section 9.
"""

from ..wire import credentials as wire
from .actions import Enroll, Install, MakeCsr, NewKey, Publish
from .answers import warning
from .backoff import PHASES
from .clock import NONE
from .device import Device
from .events import IssueLater
from .lifecycle import ONLINE, WAITING_FOR_DPS, WAITING_FOR_HUB
from .machine import Machine
from .meanings import DpsLater, RegisterBeside
from .rollmeanings import FormerDue, RollDue
from .rolls import RESTING
from .shapes import Event, Items, Tree, Watch
from .slots import BREACH, EXPIRY, ONBOARDING

DAY_MS = 86_400_000
KEY_MS = 600_000  # RSA on a small board
ASK_MS = 180_000
INSTALL_MS = 60_000
SOON_MS, LATER_MS = 15_000, 60_000
REGISTRATIONS_PER_MIN = 800  # of the documented 1 000, for a fleet that is told to roll
NO_ISSUER = "no issuer is configured"
BY_THUMBPRINT = "the enrollment knows the certificate by its thumbprint"


class Rolling(Machine):
    """The part of Identity that brings a certificate. `watch` tells what the links do."""

    state = RESTING

    def __init__(self, watch: Watch, device: Device) -> None:
        self._watch, self._device, self.slots = watch, device, device.slots
        self._config = device.config.identity
        self.why = ""  # what the last try came to
        self.csr = ""  # the open request
        self._refused_at_ms: int | None = None
        self._asked_at_ms: int | None = None
        self._request = 0
        self.replaces = False  # the next request to the hub ends an open one

    @property
    def active(self) -> Tree:
        """The credential in the active slot."""
        found: Tree = self.slots.held.get(self.slots.kept["active"], {})
        return found

    @property
    def issuer(self) -> str:
        """Who issues the next one."""
        return str(self._config.issuer)

    @property
    def forbidden(self) -> str:
        """Why this device never rolls by itself; "" where it does."""
        if self._config.issuer == "none":
            return NO_ISSUER
        return BY_THUMBPRINT if self._device.config.credential.enrollment == "thumbprint" else ""

    def timed(self, now: int) -> None:
        """The clock was set or stepped, or a file changed: every deadline is judged anew."""
        if self.state == RESTING and self._has_dates:
            self.wake_at = now

    @property
    def _has_dates(self) -> bool:
        """False for a device that neither rolls nor keeps a former certificate."""
        return not self.forbidden or bool(self.slots.kept["former"])

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
        utc_s, kept = self._device.clock.utc(now), self.slots.kept
        self.wake_at = now + DAY_MS if self._has_dates else None
        if kept["former"] and utc_s is not None and utc_s >= kept["former_until_s"]:
            return [FormerDue()]
        if self.forbidden or self._device.reduced:
            return []
        at_once = self._config.first == "at_once" and kept["active"] == ONBOARDING
        due_s = self.due_utc_s(self.active)
        again = bool(kept["reason"])  # one that failed is not forgotten
        left_s = 0 if at_once or again else None
        if left_s is None and due_s is not None and utc_s is not None:
            left_s = max(0, due_s - utc_s)
        if left_s is None:
            return []
        wait_ms = max(1000 * left_s, self.held_ms(now))
        self.wake_at = now + min(wait_ms, DAY_MS)
        return [] if wait_ms else [RollDue(kept["reason"] or EXPIRY)]

    def held_ms(self, now: int) -> int:
        """How long no issuer may be asked: by the rate, and after a refusal."""
        rate_ms = 1000 * self._config.issue_every_s
        held = [0]
        if self._asked_at_ms is not None:
            held.append(self._asked_at_ms + rate_ms - now)
        elif self.slots.kept["asked_utc_s"] and self._device.clock.utc(now) is not None:
            ago_s = self._device.clock.utc(now) - self.slots.kept["asked_utc_s"]
            held.append(rate_ms - 1000 * ago_s if ago_s >= 0 else 0)
        if self._refused_at_ms is not None:
            held.append(self._refused_at_ms + self.retry_ms(now) - now)
        return max(held)

    def retry_ms(self, now: int) -> int:
        """Between two tries: retry_percent of the certificate's life, sooner near its end."""
        begins, ends = self.active.get("not_before"), self.active.get("not_after")
        if begins is None or ends is None:
            return DAY_MS
        share_ms = 10 * self._config.retry_percent * int(ends - begins)
        utc_s = self._device.clock.utc(now)
        left_ms = share_ms if utc_s is None else 250 * max(0, ends - utc_s)
        return max(min(share_ms, left_ms), 1000 * self._config.issue_every_s, LATER_MS)

    def _new_key(self, event: Event, now: int) -> Items:
        self.wake_at = now + KEY_MS
        slots, kept = self.slots, self.slots.kept
        slot = slots.free()
        slots.empty(slot)
        kept.update({"pending": slot, "reason": event.reason})
        if event.reason == BREACH:
            kept["breached"] = self.active.get("fingerprint", "")
        self.csr, self.replaces = "", False
        return [slots.save(), NewKey(slot, self._config.key)]

    def _draft(self, event: Event, now: int) -> Items:
        self.wake_at = now + KEY_MS
        return [MakeCsr(self.slots.kept["pending"], self.cn)]

    @property
    def cn(self) -> str:
        """The name of every certificate of this device: the one it has."""
        own = self._device.config.device.registration_id or self._device.device_id
        return str(self.active.get("cn") or own)

    def _ask(self, event: Event, now: int) -> Items:
        self.csr = event.csr
        return self._ask_again(event, now)

    def _ask_again(self, event: Event, now: int) -> Items:
        """The same request: an issuer that has it already answers it once more."""
        self.wake_at = now + ASK_MS
        self._asked_at_ms = now
        self.slots.kept["asked_utc_s"] = self._device.clock.utc(now) or 0
        asks = {"dps": self._ask_dps, "hub": self._ask_hub}
        out: Items = asks.get(self._config.issuer, self._enroll)(now)
        return [self.slots.save()] + out

    def _enroll(self, now: int) -> Items:
        kept, est = self.slots.kept, self._device.config.est
        shown = kept["active"]
        if not self.slots.usable(shown, self._device.proven_utc_s(now)):
            shown = ONBOARDING
        with_slot = self.slots.held[shown]["slot"]
        if self.slots.held[shown]["kind"] != "x509":
            with_slot = None
        judged_utc_s = self._device.clock.judge_utc_s(now)
        anchors = self._device.trust.offered("est", est.host or "")
        limits = self._device.trust.anchors.limits("est", est.host or "", anchors)
        profile = self._device.profile("est")
        at = (est.host or "", est.port, anchors, limits, profile, judged_utc_s)
        renew = shown != ONBOARDING
        return [
            Enroll(self._config.issuer, kept["pending"], self.cn, self.csr, renew, with_slot, *at,
                   self._device.config.mqtt.proxy, now + ASK_MS)
        ]  # fmt: skip

    def _ask_dps(self, now: int) -> Items:
        """With the next registration: beside the session, or on the way to one."""
        self.slots.csr = self.csr
        state = self._watch.connection.state
        if state == ONLINE and self._watch.link_free():
            return [RegisterBeside()]
        if state in (WAITING_FOR_HUB, WAITING_FOR_DPS):
            return [DpsLater(self.spread_ms())]
        return [IssueLater(self.slots.kept["pending"], SOON_MS // 1000, "the links are busy")]

    def spread_ms(self) -> int:
        """A fleet that rolls on one command stays below what DPS takes in a minute."""
        whole_ms = 60_000 * self._device.config.fleet.devices // REGISTRATIONS_PER_MIN
        return int(self._device.rand_below(whole_ms + 1))

    def _ask_hub(self, now: int) -> Items:
        if self._watch.connection.state != ONLINE:
            return [IssueLater(self.slots.kept["pending"], LATER_MS // 1000, "no session")]
        self._request += 1
        body = wire.request_body(self._device.device_id, self.csr, self.replaces)
        topic = wire.request_topic(self.request_id)
        return [Publish("live", topic, body, 1, "k%d" % self._request)]

    @property
    def request_id(self) -> str:
        """Of the request that is open at the hub."""
        return "roll%d" % self._request

    def _await_issuer(self, event: Event, now: int) -> Items:
        """Not yet: as the issuer said, else by the schedule and at least daily."""
        self.why = event.why
        wait_ms = min(self.retry_ms(now), DAY_MS)
        self.wake_at = now + (1000 * event.retry_after_s or wait_ms)
        return []

    def _unanswered(self, event: Event, now: int) -> Items:
        """Silence: whatever comes later is still for the same key."""
        self.slots.csr = ""
        return self._await_issuer(IssueLater(self.slots.kept["pending"], 0, "silent"), now)

    def _install(self, event: Event, now: int) -> Items:
        self.wake_at = now + INSTALL_MS
        self.slots.csr = ""
        clock = self._device.clock
        judged_utc_s = clock.judge_utc_s(now) if clock.standing != NONE else clock.floor_utc_s
        slot = self.slots.kept["pending"]
        return [Install(slot, event.chain, self.cn, self._config.issuer, judged_utc_s)]

    def _no_key(self, event: Event, now: int) -> Items:
        return self._failed(event.reason, event.value, now)

    def _refused(self, event: Event, now: int) -> Items:
        return self._failed(event.verdict, event.value, now)

    def _not_installed(self, event: Event, now: int) -> Items:
        return self._failed(event.reason, event.value, now)

    def _silent(self, event: Event, now: int) -> Items:
        return self._failed("silent", "", now)

    def _failed(self, why: str, value: str, now: int) -> Items:
        """No certificate this time; the active one serves on, and the schedule goes on."""
        self.slots.csr, self.slots.kept["pending"] = "", ""
        self.why, self._refused_at_ms = why, now
        self.wake_at = now + min(self.held_ms(now), DAY_MS)
        remedy = "the device keeps what it has and asks again; see `anchorwatch identity show`"
        told = warning("no new certificate: " + why, value, remedy, "identity")
        return [told, self.slots.save()]
