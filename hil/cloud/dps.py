"""The Device Provisioning Service as a device meets it over MQTT.

The rules of its connection and its topics; what a request means is registration.py.
Source: "Communicate with DPS using the MQTT protocol" (iot-mqtt-connect-to-iot-dps).
"""

import string

from . import faults
from .enrollment import Presented
from .registration import RuntimeRegistration
from .replies import Refused, Reply
from .session import (
    ACCEPTED,
    NOT_AUTHORIZED,
    SUBSCRIPTION_REFUSED,
    CloseSession,
    Session,
    Silence,
)
from .topics import parsed_query, split_request

REPLIES = "$dps/registrations/res/"
ID_CHARACTERS = set(string.ascii_letters + string.digits + "-._:")

OPERATIONS = (
    # a device publishes to, up to "/?"                       is answered by
    ("$dps/registrations/PUT/iotdps-register", "_on_register"),
    ("$dps/registrations/GET/iotdps-get-operationstatus", "_on_status"),
)


class ProvisioningService(RuntimeRegistration):
    """The MQTT side of one service; see session.py for who calls what."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)
        self._live: dict[str, Session] = {}
        self._listening: set[int] = set()

    def connect(self, session: Session, now_ms: int) -> tuple[int, bool]:
        """A bad user name or token is CONNACK 5; a certificate is judged when it registers."""
        refused = faults.at_connect(self._fault, session, now_ms)
        if refused is not None:
            self._refused(session, f"fault: CONNACK {refused}", now_ms)
            return refused, False
        try:
            shown = presented(session)
            if not shown.chain:
                self.prove(shown, now_ms)
        except Refused as e:
            self._refused(session, e.reason, now_ms)
            return NOT_AUTHORIZED, False
        old = self._live.get(session.client_id.lower())
        if old:
            reason = f"taken over by session {session.number}"
            self.disconnected(old, reason, now_ms)
            old.close(reason)
        session.device_id = session.client_id
        self._live[session.client_id.lower()] = session
        self._row(
            now_ms, "connected", session.client_id, session=session.number,
            address=session.address, by="x509" if shown.chain else "sas",
        )  # fmt: skip
        return ACCEPTED, False

    def started(self, session: Session, now_ms: int) -> None:
        """The CONNACK is out."""
        if self._fault("started", session.client_id, now_ms):
            raise CloseSession("fault: closed after CONNACK")

    def subscribe(self, session: Session, filter_: str, qos: int, now_ms: int) -> int:
        """Documented: one filter; QoS 2 is granted 1."""
        if self._fault("subscribe", session.client_id, now_ms):
            raise Silence
        if filter_ != REPLIES + "#":
            return SUBSCRIPTION_REFUSED
        self._listening.add(session.number)
        return min(qos, 1)

    def unsubscribe(self, session: Session, filter_: str, now_ms: int) -> None:
        """Forget the subscription."""
        if filter_ == REPLIES + "#":
            self._listening.discard(session.number)

    def publish(
        self, session: Session, topic: str, payload: bytes, qos: int, retain: bool, now_ms: int
    ) -> None:
        """Take one of the two requests; anything else closes the connection."""
        if self._live.get(session.client_id.lower()) is not session:
            raise CloseSession("the session is over")
        if self._fault("publish", session.client_id, now_ms):
            raise CloseSession("fault: session dropped")
        if qos > 1:
            raise CloseSession("QoS 2 PUBLISH")
        path, query = split_request(topic) or ("", {})
        for known, operation in OPERATIONS:
            if path == known:
                reply = getattr(self, operation)(presented(session), query, payload, now_ms)
                self._reply(session, query, reply)
                return
        raise CloseSession(f"no such topic: {topic[:80]!r}")

    def acked(self, session: Session, delivery: object, now_ms: int) -> None:
        """A reply is sent once, so its acknowledgement changes nothing."""

    def disconnected(self, session: Session, reason: str, now_ms: int) -> None:
        """The connection is gone; its operations go on and may be polled over the next one."""
        self._listening.discard(session.number)
        if self._live.get(session.client_id.lower()) is session:
            del self._live[session.client_id.lower()]
            number = session.number
            self._row(now_ms, "disconnected", session.client_id, session=number, reason=reason)

    def turn(self, now_ms: int) -> int | None:
        """Nothing here waits for a time."""
        return None

    def _on_register(self, shown: Presented, query: dict, body: bytes, now_ms: int) -> Reply | None:
        return self.register(shown, body, now_ms)

    def _on_status(self, shown: Presented, query: dict, body: bytes, now_ms: int) -> Reply | None:
        return self.operation_status(shown, query.get("operationId", ""), now_ms)

    def _reply(self, session: Session, query: dict, reply: Reply | None) -> None:
        """$dps/registrations/res/{status}/?$rid={n}[&retry-after={s}]"""
        if reply is None or "$rid" not in query or session.number not in self._listening:
            return
        more = "" if reply.retry_after_s is None else f"&retry-after={reply.retry_after_s}"
        topic = f"{REPLIES}{reply.status}/?$rid={query['$rid']}{more}"
        session.deliver(topic, reply.encoded(), 0)

    def _refused(self, session: Session, reason: str, now_ms: int) -> None:
        self._row(
            now_ms, "connect refused", session.client_id, session=session.number, reason=reason,
            address=session.address,
        )  # fmt: skip


def presented(session: Session) -> Presented:
    """What {idScope}/registrations/{rid}/api-version=…[&ClientVersion=…] and the session show.

    There is no "?" before the query. Raises Refused.
    """
    id_scope, _, rest = (session.username or "").partition("/registrations/")
    registration_id, _, query = rest.partition("/")
    if not 0 < len(session.client_id) <= 128 or not set(session.client_id) <= ID_CHARACTERS:
        raise Refused(400000, "the client id is no registration id")
    if registration_id.lower() != session.client_id.lower():
        raise Refused(400000, "the user name does not name the client id")
    version = parsed_query(query).get("api-version")
    if not version:
        raise Refused(400000, "the user name has no api-version")
    return Presented.by(session, registration_id, id_scope, version)
