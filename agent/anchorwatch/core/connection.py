"""Effects of the connection table: the session with the hub on the live link. Rule: no effect
changes the state."""

# isort: off
# fmt: off
from ..errors import MalformedMessage
from ..wire import credentials as credentials_wire
from ..wire import hub as hub_wire
from ..wire import sas
from .actions import Close, Feed, LookUp, Subscribe, Tell
from .device import Device
from .events import (
    Failed, LookedUp, Verified,
)
from .faults import Faults
from .lifecycle import CONNECTION
from .machine import Machine
from .meanings import (
    Accepted, Adrift, LookNow, Offline, Online,
    Register,
)
from .shapes import Event, Items
from .token import Tokens
from .weigh import Weigher
# fmt: on
# isort: on

DIAL_MS = 60_000
SIGN_MS = 10_000
CONNECT_MS = 60_000
SAVE_MS = 10_000
LOOK_UP_MS = 60_000


class Connection(Machine):
    """The one session, from start to stop."""

    table = CONNECTION
    # fmt: off
    late = (
        "Disconnected", "Failed", "Saved", "SaveFailed", "Signed", "Subscribed", "Ponged", "Held",
        "LookedUp", "LookUpFailed", "Stayed", "Joining", "Moved", "HubLater", "DpsLater",
        "RegisterBeside", "RegisterAlone", "Renew", "Assigned", "Unregistered",
    )
    # fmt: on

    def __init__(self, device: Device, tokens: Tokens, weigher: Weigher, faults: Faults) -> None:
        self._device, self._tokens, self._weigher, self._faults = device, tokens, weigher, faults
        self.online_since_ms: int | None = None
        self.evidence: Verified | None = None  # of the live session
        self.token_due_ms: int | None = None
        self._dialed: Verified | None = None
        self.subscribed = False  # confirmed by the hub since the agent started

    def _wait(self, event: Event, now: int) -> Items:
        self.wake_at = now + event.wait_ms
        return []

    def _dial(self, event: Event, now: int) -> Items:
        self.wake_at = now + DIAL_MS
        return [self._device.dial("live", "hub", False, now)]

    def _register(self, event: Event, now: int) -> Items:
        return [Register("live")]

    def _register_beside(self, event: Event, now: int) -> Items:
        return [Register("next")]

    def _renew(self, event: Event, now: int) -> Items:
        """No link is left beside this session, for another or for a registration: it ends, and what
        waited for the link has its turn first."""
        self.wake_at = now
        return self._leave(event, now)

    def _settle(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_MS
        self._device.reprovision_asked = False
        self.subscribed = self.subscribed and event.hub == self._device.hub
        return [self._device.assign(event)]

    def _settle_again(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_MS
        return self._carry_on(event, now)

    def _move_over(self, event: Event, now: int) -> Items:
        """Where DPS said; on the same hub the certificate that it issued makes the move."""
        here = self.evidence is not None and self.evidence.host == self._device.hub
        issues = self._device.config.identity.issuer == "dps" and self._device.slots.coming
        return [] if here and issues else [LookNow(True)]

    def _stay_here(self, event: Event, now: int) -> Items:
        """DPS would not; the session goes on and the fault is told, with no wait to follow."""
        return self._weigher.beside(event, now)

    def _carry_on(self, event: Event, now: int) -> Items:
        """The session is to be the one that DPS hears of, if that is a new one."""
        if self._device.slots.tries("next"):
            self._device.slots.moved()
        return self._leave(event, now)

    def _sign(self, event: Event, now: int) -> Items:
        self.wake_at = now + SIGN_MS
        self._dialed = event
        kept = self._device.trust.record("hub", event, self._device.clock.utc(now))
        return kept + self._tokens.ask("hub live", "live", self._resource(), now)

    def _connect(self, event: Event, now: int) -> Items:
        self.wake_at = now + CONNECT_MS
        self.token_due_ms = None if self._device.reduced else self._tokens.due_ms("live", now)
        return [self._device.connect("live", self._tokens.password(event))]

    def _welcome(self, event: Event, now: int) -> Items:
        """CONNACK 0: subscribe before feeding, so that nothing sent to us is missed."""
        self.evidence = self._dialed
        return (
            self._subscribe(event.session_present)
            + [Feed("live")]
            + self._online(event.session_present, now)
            + [Online(event.session_present)]
        )

    def _online(self, session_present: bool, now: int) -> Items:
        self.online_since_ms = now
        self._faults.online(now)
        self._device.count("sessions")
        return self._device.trust.accepted("hub", self.evidence, self._device.clock.utc(now)) + (
            self._device.accepted() + [Accepted()]
        )

    def _move(self, event: Event, now: int) -> Items:
        """The second link is the session now; subscriptions last unless the hub kept none."""
        subscribe = self._subscribe(event.session_present)
        return subscribe + [Feed("live")] + self._online(event.session_present, now)

    def _subscribe(self, session_present: bool) -> Items:
        """Not again for a session whose filters the hub has confirmed: one that broke between
        CONNACK and SUBACK is kept by the hub without them."""
        self.subscribed = self.subscribed and session_present
        return self.subscribe_again()

    def subscribe_again(self) -> Items:
        """SUBSCRIBE, unless its SUBACK came."""
        return [] if self.subscribed else [Subscribe("live", self._filters())]

    def moved_to(self, evidence: Verified, token_due_ms: int | None) -> None:
        """Reverify hands over what it knows of the link that is about to be live."""
        self.evidence, self.token_due_ms = evidence, token_due_ms

    def _note(self, event: Event, now: int) -> Items:
        return []

    def _drift(self, event: Event, now: int) -> Items:
        return [Adrift()]

    def _lose(self, event: Event, now: int) -> Items:
        return self._leave(event, now) + self._weigh(event, now)

    def _leave(self, event: Event, now: int) -> Items:
        self.online_since_ms = None
        return [Close("live", "gone"), Offline()]

    def _weigh(self, event: Event, now: int) -> Items:
        return [Close("live", "failed")] + self._weigher.hub(event, now)

    def _weigh_dps(self, event: Event, now: int) -> Items:
        return self._weigher.dps(event, now)

    def _silent(self, event: Event, now: int) -> Items:
        return self._weigh(Failed("live", "network", "silent", [], [], None), now)

    def _sign_look_up(self, event: Event, now: int) -> Items:
        from ..wire import dps as dps_wire

        self.wake_at = now + LOOK_UP_MS
        device = self._device.config.device
        resource = dps_wire.sas_resource(device.id_scope, device.registration_id)
        return self._tokens.ask("look up", "live", resource, now, sas.DPS_KEY_NAME)

    def _look_up(self, event: Event, now: int) -> Items:
        from ..wire import dps as dps_wire

        self.wake_at = now + LOOK_UP_MS
        config = self._device.config
        scope, registration_id = config.device.id_scope, config.device.registration_id
        dial = self._device.shape("live", "dps", False, now)
        self._device.count("look_ups")
        return [
            LookUp(
                dial.host,
                config.dps.https_port,
                dps_wire.lookup_path(scope, registration_id),
                dps_wire.lookup_body(registration_id),
                self._tokens.password(event),
                dial.anchors,
                dial.limits,
                dial.profile,
                dial.slot,
                dial.judge_utc_s,
                dial.proxy,
            )
        ]

    def _weigh_look_up(self, event: Event, now: int) -> Items:
        meaning = None
        if isinstance(event, LookedUp):
            from ..wire import dps as dps_wire

            wait_s = event.retry_after_s
            try:
                meaning = dps_wire.parse_lookup(
                    event.status, None if wait_s is None else str(wait_s), event.body
                )
            except MalformedMessage as error:
                what = "look-up: " + error.reason
                told = {"what": what, "value": error.value, "remedy": "none here"}
                return [Tell("warning", told)] + self._weigher.looked_up(None, now)
        return self._weigher.looked_up(meaning, now)

    def _stop(self, event: Event, now: int) -> Items:
        self.online_since_ms = None
        return [Close("next", "asked"), Close("live", "asked")]

    def _resource(self) -> str:
        device = self._device
        return hub_wire.sas_resource(
            device.hub or "", device.device_id, device.config.mqtt.module_id
        )

    def _filters(self) -> Items:
        filters = [hub_wire.METHODS, hub_wire.TWIN_REPLIES, hub_wire.DESIRED]
        if self._device.config.mqtt.mode != "module":
            filters.append(hub_wire.c2d_filter(self._device.device_id))
        if self._device.config.identity.issuer == "hub":
            filters.append(credentials_wire.RESPONSES)
        return filters
