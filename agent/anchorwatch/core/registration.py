"""A registration at DPS over MQTT, on the link it is given. Rule: ends in Assigned or
Unregistered, never in silence.

Source: Microsoft Learn, "Communicate with DPS using the MQTT protocol".
"""

from ..errors import MalformedMessage, TrustError
from ..wire import dps as dps_wire
from ..wire import names, sas
from .actions import Close, Connect, Publish, Subscribe
from .device import CLIENT_TYPE, Device
from .events import (
    Issued,
    IssueRefused,
)
from .faults import CONNACK
from .lifecycle import IDLE, REGISTRATION
from .machine import Machine
from .meanings import Assigned, Assigning, Unregistered
from .shapes import Any_, Event, Items
from .token import Tokens
from .weigh import HUB_NOT_ALLOWED

STEP_MS = 60_000
REPLY_MS = 30_000
POLL_S = 2
POLLS = 100


class Registration(Machine):
    """One registration at a time; `link` is its link while it is not idle."""

    table = REGISTRATION
    # fmt: off
    late = (
        "Disconnected", "Failed", "Refused", "Subscribed", "Signed", "Saved", "SaveFailed",
        "Ponged", "Held", "Assigning", "Assigned", "Unregistered", "Online", "Adrift",
    )
    # fmt: on

    def __init__(self, device: Device, tokens: Tokens) -> None:
        self._device, self._tokens = device, tokens
        self.link = ""
        self.evidence = None  # Verified of the last registration
        self.evidence_ms = -1
        self._csr = ""  # goes with this registration
        self._issued: Items = []  # the chain that its answer brings
        self._request = 0
        self._polls = 0
        self._operation_id = ""

    @property
    def busy(self) -> bool:
        """True while the link is ours."""
        return self.state != IDLE

    def message(self, event: Event, now: int) -> Items:
        """A PUBLISH on our link: parse it, then let the table see its meaning."""
        try:
            request_id, meaning = dps_wire.parse_response(event.topic, event.payload)
        except MalformedMessage as error:
            return self.handle(self._malformed(error), now)
        if request_id != str(self._request):
            return []
        return self.handle(self._meaning(meaning), now)

    def _meaning(self, meaning: tuple[Any_, ...]) -> Event:
        word = meaning[0]
        if word == "assigning" and self._polls < POLLS:
            return Assigning(meaning[1], meaning[2] or POLL_S)
        if word == "assigned":
            return self._assigned(meaning)
        if word == "assigning":
            return Unregistered("service", "assigning-forever", [], [], 0)
        if word == "busy":
            fault = "throttled" if meaning[1] == 429 else "service"
            return Unregistered(fault, "dps-%d" % meaning[1], [], [], meaning[2])
        _, status, code, _, message = meaning
        word = message.partition(":")[0] if status == 200 and not code else str(code or status)
        verdict = "dps-" + word
        return Unregistered("identity", verdict, [message], [], 0)

    def _assigned(self, meaning: tuple[Any_, ...]) -> Event:
        _, hub, device_id, substatus = meaning[:4]
        self._issued = meaning[4] if len(meaning) > 4 else []
        allowed = self._device.config.hub.allowed_suffixes
        try:
            names.check_host(hub, list(allowed))
        except TrustError as error:
            return Unregistered("policy", HUB_NOT_ALLOWED, [error.value], [], 0)
        return Assigned(hub, device_id, substatus)

    def _malformed(self, error: MalformedMessage) -> Unregistered:
        return Unregistered("service", "malformed-reply", [error.reason], [], 0)

    def _dial(self, event: Event, now: int) -> Items:
        self.wake_at = now + STEP_MS
        self.link, self._polls, self._operation_id = event.link, 0, ""
        self._csr, self._issued = self._device.slots.csr, []
        return [self._device.dial(self.link, "dps", False, now)]

    def _sign(self, event: Event, now: int) -> Items:
        self.wake_at = now + STEP_MS
        self.evidence, self.evidence_ms = event, now
        kept = self._device.trust.record("dps", event, self._device.clock.utc(now))
        device = self._device.config.device
        resource = dps_wire.sas_resource(device.id_scope, device.registration_id)
        return kept + self._tokens.ask("dps", self.link, resource, now, sas.DPS_KEY_NAME)

    def _connect(self, event: Event, now: int) -> Items:
        self.wake_at = now + STEP_MS
        device = self._device.config.device
        api = dps_wire.CSR_API_VERSION if self._csr else dps_wire.API_VERSION
        username = dps_wire.user_name(device.id_scope, device.registration_id, CLIENT_TYPE, api)
        return [
            Connect(
                self.link,
                device.registration_id,
                username,
                self._tokens.password(event),
                self._device.config.mqtt.keepalive_s,
                True,
            )
        ]

    def _subscribe(self, event: Event, now: int) -> Items:
        self.wake_at = now + REPLY_MS
        return [Subscribe(self.link, [dps_wire.RESPONSES])]

    def _register(self, event: Event, now: int) -> Items:
        device = self._device.config.device
        self._device.count("registrations")
        return self._ask(
            dps_wire.register_topic(self._next_id()),
            dps_wire.register_body(device.registration_id, device.model_id, self._csr),
            now,
        )

    def _poll_later(self, event: Event, now: int) -> Items:
        self._operation_id = event.operation_id
        self._polls += 1
        self.wake_at = now + 1000 * event.retry_after_s
        return []

    def _poll(self, event: Event, now: int) -> Items:
        return self._ask(dps_wire.status_topic(self._next_id(), self._operation_id), b"", now)

    def _ask(self, topic: str, body: bytes, now: int) -> Items:
        self.wake_at = now + REPLY_MS
        return [Publish(self.link, topic, body, 1, "r%d" % self._request)]

    def _finish(self, event: Event, now: int) -> Items:
        accepted = self._device.trust.accepted("dps", None, self._device.clock.utc(now))
        return self._close("assigned") + accepted + self._certified() + [event]

    def _certified(self) -> Items:
        """What became of the request that went with the registration."""
        slots = self._device.slots
        asked, slots.csr = self._csr and slots.csr == self._csr, ""
        if not asked:
            return []
        if self._issued:
            return [Issued(slots.kept["pending"], self._issued)]
        return [IssueRefused(slots.kept["pending"], "identity", "dps-no-chain", "", [], [], 0)]

    def _fail(self, event: Event, now: int) -> Items:
        shown = (event.presented, event.chain)
        return self._end(Unregistered(event.fault, event.verdict, *shown, 0), now)

    def _refuse(self, event: Event, now: int) -> Items:
        fault, verdict = CONNACK.get(event.code, ("service", "connack-%d" % event.code))
        return self._end(Unregistered(fault, verdict, [], [], 0), now)

    def _drop(self, event: Event, now: int) -> Items:
        return self._end(Unregistered("network", event.reason, [], [], 0), now)

    def _silent(self, event: Event, now: int) -> Items:
        return self._end(Unregistered("network", "silent", [], [], 0), now)

    def _end(self, event: Event, now: int) -> Items:
        return self._close("failed") + [event]

    def _close(self, reason: str) -> Items:
        link, self.link = self.link, ""
        return [Close(link, reason)]

    def _next_id(self) -> str:
        self._request += 1
        return str(self._request)
