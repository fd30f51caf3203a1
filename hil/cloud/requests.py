"""What a connected device asks of a hub: telemetry, twin, replies to direct methods.

One method for each documented operation. An answer goes to the session that asked, if it subscribed
to answers, and never to another's. Source: "Communicate with an IoT hub using the MQTT protocol".
"""

import json

from . import telemetry
from .backend import Device
from .credentials import Credentials
from .session import CloseSession, Silence
from .topics import split_request
from .twin import PatchRefused, parsed_patch

TWIN_REPLIES = "$iothub/twin/res/"

OPERATIONS = (
    # a device publishes to, up to "/?"                   is answered by
    ("$iothub/twin/GET", "_twin_get"),
    ("$iothub/twin/PATCH/properties/reported", "_twin_reported"),
    ("$iothub/methods/res", "_method_reply"),  # then "/{status}"
    ("$iothub/credentials/POST/issueCertificate", "_issue_certificate"),
)


class Requests(Credentials):
    """The operations of a hub that a device starts."""

    def _take(self, device: Device, topic: str, payload: bytes, retain: bool, now_ms: int) -> None:
        """Give a message to its operation; a topic nobody documented closes the connection."""
        if topic.startswith(telemetry.events_topic(device.device_id)):
            self._telemetry(device, topic, payload, retain, now_ms)
            return
        path, query = split_request(topic) or ("", {})
        for known, operation in OPERATIONS:
            rest = path[len(known) :]
            if path.startswith(known) and rest[:1] in ("", "/"):
                getattr(self, operation)(device, rest[1:], query, payload, now_ms)
                return
        raise CloseSession(f"no such topic: {topic[:80]!r}")

    def _telemetry(
        self, device: Device, topic: str, payload: bytes, retain: bool, now_ms: int
    ) -> None:
        fault = self._fault("telemetry", device.device_id, now_ms)
        if fault is None or fault["accepted"]:
            fields = telemetry.ingested(device.device_id, topic, payload, retain)
            number = device.session.number
            self._row(now_ms, "telemetry", device.device_id, session=number, **fields)
        if fault:
            raise Silence

    def _twin_get(
        self, device: Device, _rest: str, query: dict, _payload: bytes, now_ms: int
    ) -> None:
        """Documented: 200 with both sections."""
        if self._twin_fault(device, query, now_ms):
            return
        body = json.dumps(device.twin.shown()).encode()
        self._row(now_ms, "twin get", device.device_id, version=device.twin.desired.version)
        self._twin_reply(device, 200, query, body)

    def _twin_reported(
        self, device: Device, _rest: str, query: dict, payload: bytes, now_ms: int
    ) -> None:
        """Documented: 204 with the new $version and no body; 400 for what is not JSON."""
        if self._twin_fault(device, query, now_ms):
            return
        try:
            patch = parsed_patch(payload)
            version = device.twin.reported.patch(patch)
        except PatchRefused as e:
            self._row(now_ms, "reported refused", device.device_id, status=e.status, why=e.reason)
            self._twin_reply(device, e.status, query, b"")
            return
        self._row(now_ms, "reported", device.device_id, version=version, patch=patch)
        self._twin_reply(device, 204, query, b"", f"&$version={version}")

    def _twin_fault(self, device: Device, query: dict, now_ms: int) -> bool:
        fault = self._fault("twin", device.device_id, now_ms)
        if fault is None:
            return False
        if fault.name == "BUSY":
            self._twin_reply(device, 429, query, b"")
        elif fault.name == "SERVER_ERROR":
            self._twin_reply(device, fault["status"], query, b"")
        elif fault.name == "MALFORMED_TWIN_REPLY":
            self._twin_reply(device, fault["status"], query, fault["body"].encode())
        return True  # NO_REPLY says nothing

    def _twin_reply(
        self, device: Device, status: int, query: dict, body: bytes, more: str = ""
    ) -> None:
        if "$rid" in query and device.hears(TWIN_REPLIES + "#"):
            topic = f"{TWIN_REPLIES}{status}/?$rid={query['$rid']}{more}"
            device.session.deliver(topic, body, 0)

    def _method_reply(
        self, device: Device, status: str, query: dict, payload: bytes, now_ms: int
    ) -> None:
        """Documented: {status} is an integer, the body JSON or empty."""
        rid = query.get("$rid", "")
        outcome = self._calls.answer(device.device_id, rid, status, payload)
        late = outcome is None
        self._row(now_ms, "method reply", device.device_id, rid=rid, status=status, late=late)
