"""An IoT hub as a device meets it over MQTT.

The rules of its connection: who is let in, who is dropped, what may be subscribed. What a connected
device asks for is requests.py, the operator's side is backend.py; the three are one object.
Source: "Communicate with an IoT hub using the MQTT protocol" (iot-mqtt-connect-to-iot-hub).
"""

from . import faults, telemetry
from .backend import DESIRED, DEVICEBOUND, METHODS, Device
from .credentials import PAGE_FILTER, SDK_FILTER
from .identity import thumbprints
from .records import CLOSED_REMOTELY, TAKEN_OVER, UNAUTHORIZED
from .refusal import NotProven
from .requests import TWIN_REPLIES, Requests
from .session import (
    ACCEPTED,
    NOT_AUTHORIZED,
    SUBSCRIPTION_REFUSED,
    CloseSession,
    Session,
    Silence,
)
from .topics import parsed_query

MOST_SUBSCRIPTIONS = 5

# what a device may subscribe to; {} is its id
FILTERS = (
    DEVICEBOUND % "{}" + "#",
    METHODS + "#",
    TWIN_REPLIES + "#",
    DESIRED + "#",
    SDK_FILTER,
    PAGE_FILTER,
)


class IotHub(Requests):
    """The device side of a hub; see session.py for who calls what."""

    def connect(self, session: Session, now_ms: int) -> tuple[int, bool]:
        """Documented: every refusal is CONNACK 5, and a second CONNECT drops the older session."""
        refused = faults.at_connect(self._fault, session, now_ms)
        if refused is not None:
            self._refused(session, f"fault: CONNACK {refused}", UNAUTHORIZED, now_ms)
            return refused, False
        try:
            expires_utc_s, sdk_version = self._prove(session, now_ms)
        except NotProven as e:
            self._refused(session, e.reason, e.code or UNAUTHORIZED, now_ms)
            return NOT_AUTHORIZED, False
        device = self._devices[session.client_id]
        self._end(device, f"taken over by session {session.number}", TAKEN_OVER, now_ms)
        present = device.persistent and not session.clean
        if session.clean:
            device.subscriptions = {}
            self._drop_letters(device, now_ms)
        device.session, device.persistent = session, not session.clean
        device.expires_utc_s, device.sdk_version = expires_utc_s, sdk_version
        device.api_version = self._username(session)[1]["api-version"]
        session.device_id = device.device_id
        self._accepted(device, session, now_ms)
        return ACCEPTED, present

    def started(self, session: Session, now_ms: int) -> None:
        """The CONNACK is out: queued messages follow at once when the subscription was kept."""
        if self._fault("started", session.client_id, now_ms):
            raise CloseSession("fault: closed after CONNACK")
        device = self._of(session)
        if device:
            self._send_letters(device, now_ms)
            self._work_on(device, now_ms)

    def subscribe(self, session: Session, filter_: str, qos: int, now_ms: int) -> int:
        """Documented: only these filters, five at most, QoS 2 is granted 1."""
        device = self._needed(session)
        if self._fault("subscribe", device.device_id, now_ms):
            raise Silence
        self._keep_out(device, filter_)
        known = filter_ in [f.replace("{}", device.device_id) for f in FILTERS]
        full = len(device.subscriptions.keys() | {filter_}) > MOST_SUBSCRIPTIONS
        granted = SUBSCRIPTION_REFUSED if full or not known else min(qos, 1)
        self._row(now_ms, "subscribed", device.device_id, filter=filter_, granted=granted)
        if granted != SUBSCRIPTION_REFUSED:
            device.subscriptions[filter_] = granted
            self._send_letters(device, now_ms)
            self._work_on(device, now_ms)
        return granted

    def unsubscribe(self, session: Session, filter_: str, now_ms: int) -> None:
        """Forget one subscription."""
        device = self._needed(session)
        device.subscriptions.pop(filter_, None)
        self._row(now_ms, "unsubscribed", device.device_id, filter=filter_)

    def publish(
        self, session: Session, topic: str, payload: bytes, qos: int, retain: bool, now_ms: int
    ) -> None:
        """Take telemetry or a request; whatever is not documented closes the connection."""
        device = self._needed(session)
        if self._fault("publish", device.device_id, now_ms):
            raise CloseSession("fault: session dropped")
        if qos > 1:
            raise CloseSession("QoS 2 PUBLISH")
        if len(payload) > telemetry.LARGEST:
            raise CloseSession(f"a message of {len(payload)} bytes")
        self._keep_out(device, topic)
        self._take(device, topic, payload, retain, now_ms)

    def acked(self, session: Session, delivery: object, now_ms: int) -> None:
        """Documented: PUBACK completes a cloud-to-device message."""
        device = self._of(session)
        if device:
            self._credential_acked(device, delivery)
        letter = device.mailbox.acked(delivery) if device else None
        if letter:
            self._row(now_ms, "c2d acked", device.device_id, mid=letter.message_id)

    def disconnected(self, session: Session, reason: str, now_ms: int) -> None:
        """The connection is gone; nothing more happens if this side ended it."""
        device = self._of(session)
        if device:
            self._ended(device, reason, CLOSED_REMOTELY, now_ms)

    def turn(self, now_ms: int) -> int | None:
        """Drop sessions whose token has expired, end calls nobody answered, issue what is due."""
        for call in self._calls.expire(now_ms):
            self._row(now_ms, "method timed out", call.device_id, name=call.name)
        deadlines = [self._calls.next_ms(), self._write_later(now_ms)]
        good_until_utc_s = self._utc_s(now_ms) - self.grace_s
        for device in [d for d in self._devices.values() if d.operation or d.expires_utc_s]:
            if device.operation is not None:
                deadlines.append(self._work_on(device, now_ms))
            if device.session is None or device.expires_utc_s is None:
                continue
            left_s = device.expires_utc_s - good_until_utc_s
            if left_s <= 0:
                self._end(device, "token expired", UNAUTHORIZED, now_ms)
            else:
                deadlines.append(now_ms + 1000 * left_s)
        return min((d for d in deadlines if d is not None), default=None)

    def _of(self, session: Session) -> Device | None:
        """The device whose live session this is; None when it was taken over or dropped."""
        device = self._devices.get(session.device_id or "")
        return device if device and device.session is session else None

    def _needed(self, session: Session) -> Device:
        device = self._of(session)
        if device is None:
            raise CloseSession("the session is over")
        return device

    def _keep_out(self, device: Device, topic: str) -> None:
        if topic.startswith("devices/") and topic.split("/")[1] != device.device_id:
            raise CloseSession(f"another device's topic: {topic[:80]!r}")

    def _drop_letters(self, device: Device, now_ms: int) -> None:
        dropped = device.mailbox.drop()
        if dropped:
            self._row(now_ms, "c2d dropped", device.device_id, count=dropped)

    def _prove(self, session: Session, now_ms: int) -> tuple[int | None, str]:
        """The token's expiry and the client's name for itself; raises NotProven."""
        host, query = self._username(session)
        ends = self.registry.prove(
            session.client_id, host, session.password, session.chain, self._utc_s(now_ms)
        )
        if session.will and not session.will[0].startswith(
            telemetry.events_topic(session.client_id)
        ):
            raise NotProven("a will to another topic than the device's events")
        return ends, query.get("DeviceClientType", "")

    def _username(self, session: Session) -> tuple[str, dict[str, str]]:
        """{host}/{client id}/?api-version={any}[&DeviceClientType=…][&model-id=…]"""
        host, _, rest = (session.username or "").partition("/")
        mark = session.client_id + "/?"
        if host.lower() not in [h.lower() for h in self.hosts]:
            raise NotProven(f"user name for another host: {host[:80]!r}")
        if not session.client_id or not rest.startswith(mark):
            raise NotProven("the user name does not name the client id and a query")
        query = parsed_query(rest[len(mark) :])
        if not query.get("api-version"):
            raise NotProven("the user name has no api-version")
        return host, query

    def _accepted(self, device: Device, session: Session, now_ms: int) -> None:
        query = self._username(session)[1]
        self._row(
            now_ms, "connected", device.device_id, session=session.number, clean=session.clean,
            address=session.address, host=session.username.partition("/")[0],
            api_version=query["api-version"], model_id=query.get("model-id"),
            keepalive_s=session.keepalive_s, thumbprint=leaf_thumbprint(session),
        )  # fmt: skip
        utc_s = self._utc_s(now_ms)
        self.records.add(utc_s, "deviceConnect", device.device_id, 0, device.sdk_version)

    def _refused(self, session: Session, reason: str, code: int, now_ms: int) -> None:
        self._row(
            now_ms, "connect refused", session.client_id, session=session.number, reason=reason,
            code=code, address=session.address, thumbprint=leaf_thumbprint(session),
        )  # fmt: skip
        self.records.add(self._utc_s(now_ms), "deviceConnect", session.client_id, code, "")


def leaf_thumbprint(session: Session) -> str | None:
    """SHA-256 of the client certificate, None without one."""
    return thumbprints(session.chain[0])[1] if session.chain else None
