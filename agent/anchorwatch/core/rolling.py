"""A certificate's renewal until there is one: when it is due, the key, the request, the issuer.

Rule: nothing here touches what serves; a request that fails is made again by the schedule, and no
issuer is asked more often than identity.issue_every_s. Source: design section 9.
"""

from ..wire import credentials as wire
from .actions import Enroll, Install, MakeCsr, NewKey, Publish, Tell
from .answers import warning
from .clock import NONE
from .device import Device
from .events import IssueLater
from .lifecycle import ONLINE, WAITING_FOR_DPS, WAITING_FOR_HUB
from .meanings import DpsLater, RegisterBeside
from .rollmeanings import ResumeDue
from .rolltimes import DAY_MS, LATER_MS, RollTimes
from .shapes import Event, Items, Watch
from .slots import BREACH, EXPIRY, ONBOARDING, SOMETIME

KEY_MS = 600_000  # RSA on a small board
ASK_MS = 180_000
INSTALL_MS = 60_000
SOON_MS = 15_000


class Rolling(RollTimes):
    """The part of Identity that brings a certificate."""

    def __init__(self, watch: Watch, device: Device) -> None:
        super().__init__(watch, device)
        self.why = ""  # what the last try came to
        self.csr = ""  # the open request
        self._request = 0
        self.replaces = False  # a request to the hub ends an open one

    @property
    def issuer(self) -> str:
        """Who issues the next one."""
        return str(self._config.issuer)

    def _new_key(self, event: Event, now: int) -> Items:
        self.wake_at = now + KEY_MS
        slots, kept = self.slots, self.slots.kept
        slot = slots.free()
        slots.empty(slot)
        if event.reason == BREACH:
            kept["breached"] = kept["breached"] or self.active.get("fingerprint", "")
        kept.update({"pending": slot, "reason": BREACH if kept["breached"] else EXPIRY})
        self.csr, self.replaces = "", False
        return [slots.save(), NewKey(slot, self._config.key)]

    def _draft(self, event: Event, now: int) -> Items:
        """A start may come in any hour: what it resumes waits for the rate."""
        self.wake_at = now + KEY_MS
        self._held = isinstance(event, ResumeDue)
        return [MakeCsr(self.slots.kept["pending"], self.cn)]

    @property
    def cn(self) -> str:
        """The name of every certificate of this device: the one it has."""
        own = self._device.config.device.registration_id or self._device.device_id
        return str(self.active.get("cn") or own)

    def _ask(self, event: Event, now: int) -> Items:
        self.csr = event.csr
        held_ms = self.rate_ms(now) if self._held else 0
        if held_ms and self._config.issuer != "files":  # a folder may be looked into at any time
            held_s = held_ms // 1000 + 1
            return [IssueLater(self.slots.kept["pending"], held_s, "an issuer was asked lately")]
        if self._config.issuer == "dps" and self._watch.connection.state == ONLINE:
            turn_s = self.spread_ms() // 1000 + 1
            self.wake_at = now + ASK_MS
            return [IssueLater(self.slots.kept["pending"], turn_s, "a whole fleet may be asking")]
        return self._ask_again(event, now)

    def _ask_again(self, event: Event, now: int) -> Items:
        """The same request: an issuer that has it already answers it once more."""
        self.wake_at = now + ASK_MS
        self._held = False
        asks = {"dps": self._ask_dps, "hub": self._ask_hub}
        out: Items = asks.get(self._config.issuer, self._enroll)(now)
        if isinstance(out[0], IssueLater):  # there was no way to it
            return out
        self._asked_at_ms = now
        self.slots.kept["asked_utc_s"] = self._device.clock.utc(now) or SOMETIME
        return [self.slots.save()] + out

    def _enroll(self, now: int) -> Items:
        kept, est = self.slots.kept, self._device.config.est
        shown, utc_s = kept["active"], self._device.proven_utc_s(now)
        if not self.slots.usable(shown, utc_s) and self.slots.usable(ONBOARDING, utc_s):
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
        """With the next registration: beside the session, or on the way to one. DPS issues to the
        onboarding credential; whether to what it issued itself, no page of the service says."""
        self.slots.csr = self.csr
        state = self._watch.connection.state
        if state == ONLINE and self._watch.link_free():
            onboards = self.slots.usable(ONBOARDING, self._device.proven_utc_s(now))
            self.slots.show("next", ONBOARDING if onboards else "")
            return [RegisterBeside()]
        if state in (WAITING_FOR_HUB, WAITING_FOR_DPS):
            wait_ms = self.spread_ms()
            self.wake_at = now + ASK_MS + wait_ms
            return [DpsLater(wait_ms)]
        return [IssueLater(self.slots.kept["pending"], SOON_MS // 1000, "the links are busy")]

    def _ask_hub(self, now: int) -> Items:
        if self._watch.connection.state != ONLINE:
            return [IssueLater(self.slots.kept["pending"], LATER_MS // 1000, "no session")]
        self._request += 1
        body = wire.request_body(self._device.device_id, self.csr, self.replaces)
        topic = wire.request_topic(self.request_id)
        return [Publish("live", topic, body, 1, "k%d" % self._request)]

    @property
    def request_id(self) -> str:
        """Of the hub's open request."""
        return "roll%d" % self._request

    def _await_issuer(self, event: Event, now: int) -> Items:
        """Not yet: as the issuer said, a week at most, a day for a breached key, which opens no
        session; else by the schedule and at least daily."""
        self.why = event.why
        self.slots.show("next", "")
        wait_ms = min(self.retry_ms(now), DAY_MS)
        most_ms = DAY_MS if self.slots.quarantined else 7 * DAY_MS
        self.wake_at = now + (min(1000 * event.retry_after_s, most_ms) or wait_ms)
        return []

    def _unanswered(self, event: Event, now: int) -> Items:
        self.slots.csr = ""
        return self._await_issuer(IssueLater(self.slots.kept["pending"], 0, "silent"), now)

    def _install(self, event: Event, now: int) -> Items:
        self.wake_at = now + INSTALL_MS
        self.slots.csr = ""
        self.slots.show("next", "")
        clock = self._device.clock
        judged_utc_s = clock.judge_utc_s(now) if clock.standing != NONE else clock.floor_utc_s
        slot = self.slots.kept["pending"]
        return [Install(slot, event.chain, self.cn, self._config.issuer, judged_utc_s)]

    def _no_key(self, event: Event, now: int) -> Items:
        return self._failed(event.reason, event.value, now)

    def _refused(self, event: Event, now: int) -> Items:
        return self._failed(event.verdict, event.value, now)

    def _not_installed(self, event: Event, now: int) -> Items:
        """Key and request wait on: who gave another chain may give the right one."""
        self.why = getattr(event, "reason", "silent")
        self.wake_at = now + self.retry_ms(now)
        return [self._told(self.why, getattr(event, "value", ""))]

    def _silent(self, event: Event, now: int) -> Items:
        return self._failed("silent", "", now)

    def _failed(self, why: str, value: str, now: int) -> Items:
        """No certificate this time; the active one serves on, and the schedule goes on."""
        self.csr = self.slots.csr = self.slots.kept["pending"] = ""
        self.slots.show("next", "")
        self.why, self._refused_at_ms = why, now
        desired = self._desired is not None  # by the cloud, so the schedule has no say
        held_ms = max(self.rate_ms(now), LATER_MS) if desired else self.held_ms(now)
        self.wake_at = now + min(held_ms, DAY_MS)
        return [self._told(why, value), self.slots.save()]

    def _told(self, why: str, value: str) -> Tell:
        remedy = "the device keeps what it has and asks again; see `anchorwatch identity show`"
        return warning("no new certificate: " + why, value, remedy, "identity")
