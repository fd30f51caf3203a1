"""The service side of a hub: what an operator's back end asks of it.

Every call takes the time, and raises BadRequest for what cannot be. The device side is hub.py.
Source: "IoT Hub endpoints"; the pages on device twins, direct methods and cloud-to-device messages.
"""

import json
from collections.abc import Callable

from . import methods, registry, telemetry
from .cacertificates import CaCertificates
from .devicebound import Letter, Mailbox
from .faults import Fault, Faults
from .journal import Journal
from .namespace import Namespace
from .records import CLOSED_REMOTELY, DISABLED, NOT_FOUND, ConnectionRecords
from .refusal import BadRequest
from .session import ASKED, Session
from .topics import made_bag
from .twin import PatchRefused, Twin, checked_patch

DEVICEBOUND = "devices/%s/messages/devicebound/"
METHODS = "$iothub/methods/POST/"
DESIRED = "$iothub/twin/PATCH/properties/desired/"


class Device:
    """What a hub keeps of one device beside its identity."""

    def __init__(self, device_id: str) -> None:
        self.device_id = device_id
        self.twin = Twin()
        self.mailbox = Mailbox()
        self.session: Session | None = None
        self.persistent = False  # the last CONNECT asked for clean session 0
        self.subscriptions: dict[str, int] = {}
        self.expires_utc_s: int | None = None
        self.sdk_version = self.api_version = ""
        self.operation: object = None  # of credentials.py: a certificate being issued

    def hears(self, filter_: str) -> bool:
        """Whether it is connected and has subscribed to this filter."""
        return self.session is not None and filter_ in self.subscriptions


class BackEnd:
    """The state of a hub and the calls of its operator."""

    def __init__(
        self,
        hosts: list[str],
        *,
        utc_s: Callable[[int], int],
        make_id: Callable[[], str],
        journal: Journal,
        faults: Faults,
        name: str = "hub",
        grace_s: int = 0,
        namespace: Namespace | None = None,
    ) -> None:
        self.hosts = hosts
        self.name = name
        self.grace_s = grace_s  # how long a session outlives its token
        self.namespace = namespace
        self.registry = registry.Registry(namespace)
        self.certificates = CaCertificates(make_id, self.registry.authorities)
        self.records = ConnectionRecords()
        self.journal = journal
        self.faults = faults
        self._utc_s, self._make_id = utc_s, make_id
        self._devices: dict[str, Device] = {}
        self._calls = methods.OpenCalls()
        self._later: dict[str, tuple[int, Callable[[int], None]]] = {}

    def put_device(self, made: registry.Identity, now_ms: int) -> None:
        """Create or replace an identity; disabling a connected device cuts its session."""
        self._later.pop(made.device_id, None)
        self.registry.put(made)
        device = self._devices.setdefault(made.device_id, Device(made.device_id))
        self._row(
            now_ms, "device written", made.device_id, auth=made.auth, enabled=made.enabled,
            thumbprint=made.primary_thumbprint or None,
        )  # fmt: skip
        if not made.enabled:
            self._end(device, "disabled while connected", DISABLED, now_ms)

    def later(self, device_id: str, at_ms: int, does: Callable[[int], None]) -> None:
        """What is written for this device then; what is written before is written instead."""
        self._later[device_id] = at_ms, does

    def _write_later(self, now_ms: int) -> int | None:
        """Do what is due; the next deadline."""
        for device_id, (at_ms, does) in list(self._later.items()):
            if at_ms <= now_ms:
                del self._later[device_id]
                does(now_ms)
        return min((at_ms for at_ms, _ in self._later.values()), default=None)

    def set_enabled(self, device_id: str, enabled: bool, now_ms: int) -> None:
        """Enable or disable an identity."""
        made = self._identity(device_id)
        made.enabled = enabled
        self.put_device(made, now_ms)

    def delete_device(self, device_id: str, now_ms: int) -> None:
        """Delete an identity with its twin and queue; a connected device loses its session."""
        self._identity(device_id)
        self._end(self._devices[device_id], "deleted while connected", NOT_FOUND, now_ms)
        self.registry.remove(device_id)
        del self._devices[device_id]
        self._row(now_ms, "device deleted", device_id)

    def connected_devices(self) -> list[str]:
        """The ids with a session, as the metric Connected Devices counts them."""
        return sorted(d.device_id for d in self._devices.values() if d.session)

    def drop(self, device_id: str, reason: str, now_ms: int) -> None:
        """Cut the device's session, as a platform upgrade does."""
        self._end(self._device(device_id), reason, CLOSED_REMOTELY, now_ms)

    def twin(self, device_id: str) -> Twin:
        """The device's twin."""
        return self._device(device_id).twin

    def put_twin(self, device_id: str, twin: Twin) -> None:
        """Replace the twin whole, as provisioning does when it migrates or resets data."""
        self._device(device_id).twin = twin

    def patch_desired(self, device_id: str, patch: dict, now_ms: int) -> int:
        """Change desired properties; the new $version. Only a listening device hears of it now."""
        device = self._device(device_id)
        try:
            version = device.twin.desired.patch(checked_patch(patch))
        except PatchRefused as e:
            raise BadRequest("the patch was refused", e.reason, "see twin.py for the rules") from e
        pushed = device.hears(DESIRED + "#") and not self._fault("desired", device_id, now_ms)
        self._row(now_ms, "desired", device_id, version=version, pushed=pushed)
        if pushed:
            body = json.dumps({**patch, "$version": version}).encode()
            device.session.deliver(f"{DESIRED}?$version={version}", body, 0)
        return version

    def send_c2d(self, device_id: str, payload: bytes, properties: dict | None, now_ms: int) -> str:
        """Queue a cloud-to-device message; its message id."""
        device = self._device(device_id)
        letter = Letter(self._make_id(), payload, dict(properties or {}))
        device.mailbox.put(letter)
        self._row(now_ms, "c2d queued", device_id, mid=letter.message_id)
        self._send_letters(device, now_ms)
        return letter.message_id

    def invoke_method(
        self,
        device_id: str,
        name: str,
        payload: bytes,
        now_ms: int,
        *,
        timeout_s: int = 30,
        done: Callable[[dict], None],
    ) -> None:
        """Call a direct method; `done` gets {"status", "payload"} or {"error", "message"}, once."""
        device = self._device(device_id)
        if not device.hears(METHODS + "#"):
            self._row(now_ms, "method refused", device_id, name=name, error=methods.NOT_ONLINE)
            done({"error": methods.NOT_ONLINE, "message": "the device is not online"})
            return
        rid = self._make_id()
        until_ms = now_ms + 1000 * timeout_s
        self._calls.add(methods.Call(rid, device_id, name, payload, until_ms, done))
        lost = self._fault("method", device_id, now_ms) is not None
        self._row(now_ms, "method", device_id, name=name, rid=rid, lost=lost)
        if not lost:
            device.session.deliver(f"{METHODS}{name}/?$rid={rid}", payload, 0)

    def _send_letters(self, device: Device, now_ms: int) -> None:
        """Send what waits in the mailbox, if the device listens."""
        base = DEVICEBOUND % device.device_id
        if not device.hears(base + "#"):
            return
        qos = device.subscriptions[base + "#"]
        for letter in device.mailbox.to_send():
            to = f"/devices/{device.device_id}/messages/devicebound"
            bag = made_bag({"$.mid": letter.message_id, "$.to": to, **letter.properties})
            again = self._fault("c2d", device.device_id, now_ms)
            delivery = device.session.deliver(base + bag, letter.payload, qos)
            device.mailbox.sent(letter, delivery, qos)
            if again:
                device.session.deliver(base + bag, letter.payload, qos)
            self._row(
                now_ms, "c2d sent", device.device_id, mid=letter.message_id, qos=qos,
                times=letter.times_sent,
            )  # fmt: skip

    def _end(self, device: Device, reason: str, code: int, now_ms: int) -> None:
        """End the device's session from this side, if it has one; the record says why."""
        session = device.session
        if session is None:
            return
        self._ended(device, reason, code, now_ms)
        session.close(reason)

    def _ended(self, device: Device, reason: str, code: int, now_ms: int) -> None:
        """The session is over: keep what outlives it, publish its will, write it down."""
        session, device.session = device.session, None
        device.expires_utc_s = None
        device.mailbox.take_back()
        if device.operation:
            device.operation.delivery = None  # not acknowledged: it is delivered again
        if not device.persistent:
            device.subscriptions = {}
        if session.will and reason != ASKED:
            fields = telemetry.ingested(device.device_id, session.will[0], session.will[1])
            fields["properties"]["iothub-MessageType"] = "Will"
            self._row(now_ms, "telemetry", device.device_id, **fields)
        self._row(now_ms, "disconnected", device.device_id, session=session.number, reason=reason)
        shown = 0 if reason == ASKED else code
        self.records.add(
            self._utc_s(now_ms), "deviceDisconnect", device.device_id, shown, device.sdk_version
        )

    def _identity(self, device_id: str) -> registry.Identity:
        made = self.registry.get(device_id)
        if made is None:
            raise BadRequest("no such device", device_id, "create it first")
        return made

    def _device(self, device_id: str) -> Device:
        self._identity(device_id)
        return self._devices[device_id]

    def _fault(self, point: str, device_id: str, now_ms: int) -> Fault | None:
        fault = self.faults.take(self.name, point, device_id)
        if fault:
            self._row(now_ms, "fault", device_id, name=fault.name, at=point)
        return fault

    def _row(self, now_ms: int, what: str, device_id: str | None, **more: object) -> None:
        self.journal.add(now_ms, self.name, what, device_id, **more)
