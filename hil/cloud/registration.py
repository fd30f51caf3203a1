"""What a device asks of the provisioning service: register, poll, look up.

Requests in, replies out; knows no session and no topic. A registration is accepted with 202 and an
operation to poll; it is never assigned at once. Source: "Communicate with DPS using the MQTT
protocol"; the data-plane specification of the runtime registration.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from .assignment import Assignments, attestation_shown
from .enrollment import Enrollment, Enrollments, Presented
from .faults import Fault, Faults
from .hub import IotHub
from .journal import Journal
from .records import iso
from .refusal import NotProven

UNAUTHORIZED = 401002
UNKNOWN_SCOPE, UNKNOWN_REGISTRATION, UNKNOWN_OPERATION = 404201, 404202, 404000
BAD_BODY, THROTTLED, UNAVAILABLE = 400000, 429001, 503000


class Refused(Exception):
    """A request-level error; the reply's status is the first three digits of the code."""

    def __init__(self, code: int, reason: str, message: str = "", retry_after_s: int | None = None):
        super().__init__(reason)
        self.code, self.reason = code, reason
        self.message = message or reason
        self.retry_after_s = retry_after_s


@dataclass
class Reply:
    """A status, a JSON body (bytes when a fault made it), and how long to wait."""

    status: int
    body: dict | bytes
    retry_after_s: int | None = None

    def encoded(self) -> bytes:
        """The body as it travels."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Operation:
    """A registration on its way, then its outcome: a registrationState."""

    operation_id: str
    shown: Presented
    enrollment: Enrollment
    polls: int = 0
    outcome: dict | None = None


class RuntimeRegistration:
    """The operations of one service, with its enrollments, records and linked hubs."""

    def __init__(
        self,
        id_scope: str,
        hubs: list[IotHub],
        *,
        utc_s: Callable[[int], int],
        make_id: Callable[[], str],
        journal: Journal,
        faults: Faults,
        name: str = "dps",
        retry_after_s: int = 3,
        polls: int = 2,
    ) -> None:
        self.id_scope, self.name = id_scope, name
        self.retry_after_s = retry_after_s
        self.polls = polls  # the poll of this number is answered with the outcome
        self.enrollments = Enrollments()
        self.assignments = Assignments(hubs, make_id)
        self.journal, self.faults = journal, faults
        self._utc_s, self._make_id = utc_s, make_id
        self._operations: dict[str, Operation] = {}

    def register(self, shown: Presented, body: bytes, now_ms: int) -> Reply | None:
        """Documented: 202 with an operation to poll. None: never answered."""
        return self._tried("register", shown, lambda: self._register(shown, body, now_ms), now_ms)

    def operation_status(self, shown: Presented, operation_id: str, now_ms: int) -> Reply | None:
        """Documented: 202 while it is assigning, then 200 with the registrationState."""
        return self._tried("poll", shown, lambda: self._poll(shown, operation_id, now_ms), now_ms)

    def lookup(
        self, registration_id: str, auth: Presented, now_ms: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Documented: the registrationState alone, by HTTPS; not billed. (status, headers, body)"""
        shown = Presented(registration_id, auth.id_scope, auth.token, auth.chain)
        reply = self._tried("lookup", shown, lambda: self._look_up(shown, now_ms), now_ms)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if reply.retry_after_s is not None:
            headers["Retry-After"] = str(reply.retry_after_s)
        if "errorCode" in reply.body:
            headers["x-ms-error-code"] = str(reply.body["errorCode"])
        return reply.status, headers, reply.encoded()

    def prove(self, shown: Presented, now_ms: int) -> Enrollment:
        """The enrollment this client is entitled to; raises Refused."""
        if shown.id_scope != self.id_scope:
            raise Refused(UNKNOWN_SCOPE, "ID scope not found.")
        try:
            return self.enrollments.prove(shown, self._utc_s(now_ms))
        except NotProven as e:
            raise Refused(e.code or UNAUTHORIZED, e.reason, told(e, shown)) from None

    def _register(self, shown: Presented, body: bytes, now_ms: int) -> Reply:
        check_body(body, shown.registration_id)
        chosen = self.prove(shown, now_ms)
        operation = Operation(f"4.{self._make_id()}.{self._make_id()}", shown, chosen)
        self._operations[operation.operation_id] = operation
        return self._assigning(operation)

    def _poll(self, shown: Presented, operation_id: str, now_ms: int) -> Reply:
        operation = self._operations.get(operation_id)
        if operation is None or operation.shown.registration_id != shown.registration_id:
            raise Refused(UNKNOWN_OPERATION, "Operation not found.")
        operation.polls += 1
        waits = self._fault("assigning", shown.registration_id, now_ms)
        if operation.outcome is None and (waits or operation.polls < self.polls):
            return self._assigning(operation)
        if operation.outcome is None:
            operation.outcome = self._outcome(operation, now_ms)
        status, state = operation.outcome["status"], operation.outcome
        whole = {"operationId": operation_id, "status": status, "registrationState": state}
        return Reply(200, whole)

    def _look_up(self, shown: Presented, now_ms: int) -> Reply:
        chosen = self.prove(shown, now_ms)
        record = self.assignments.get(shown.registration_id)
        if record is None:
            raise Refused(UNKNOWN_REGISTRATION, "Registration not found.")
        state = record.shown()
        return Reply(200, state if chosen.enabled else {**state, "status": "disabled"})

    def _assigning(self, operation: Operation) -> Reply:
        body: dict = {"operationId": operation.operation_id, "status": "assigning"}
        if operation.polls:
            state = {"registrationId": operation.shown.registration_id, "status": "assigning"}
            body["registrationState"] = state
        return Reply(202, body, self.retry_after_s)

    def _outcome(self, operation: Operation, now_ms: int) -> dict:
        """Assign, or say why not, once for each operation."""
        shown, chosen = operation.shown, operation.enrollment
        fault = self._fault("assign", shown.registration_id, now_ms)
        name = fault.name if fault else ""
        if name == "FAILED":
            return self._unassigned(shown, chosen, "failed", fault["code"])
        if name == "DISABLED" or not chosen.enabled:
            return self._unassigned(shown, chosen, "disabled")
        elsewhere = fault["host"] if name == "ASSIGNED_ELSEWHERE" else None
        utc_s = self._utc_s(now_ms)
        record = self.assignments.assign(chosen, shown, elsewhere, utc_s, now_ms)
        self._row(
            now_ms, "assigned", shown.registration_id, hub=record.assigned_hub,
            device_id=record.device_id, substatus=record.substatus,
            enrollment=chosen.enrollment_id,
        )  # fmt: skip
        return record.shown()

    def _unassigned(self, shown: Presented, chosen: Enrollment, status: str, code: int = 0) -> dict:
        state = {
            "registrationId": shown.registration_id,
            "status": status,
            **attestation_shown(chosen),
        }
        if code:
            state["errorCode"] = code
            state["errorMessage"] = "Custom allocation failed."
        return state

    def _tried(
        self, what: str, shown: Presented, step: Callable[[], Reply], now_ms: int
    ) -> Reply | None:
        """Do one operation, or the fault that waits for it, and write the journal's row."""
        reason = None
        try:
            fault = self._fault(what, shown.registration_id, now_ms)
            reply = faulty(fault) if fault else step()
        except Refused as e:
            reason = e.reason
            reply = Reply(e.code // 1000, self._error(e, now_ms), e.retry_after_s)
        status = reply.status if reply else None
        self._row(now_ms, what, shown.registration_id, status=status, reason=reason)
        return reply

    def _error(self, refused: Refused, now_ms: int) -> dict:
        return {
            "errorCode": refused.code,
            "trackingId": self._make_id(),
            "message": refused.message,
            "timestampUtc": iso(self._utc_s(now_ms)),
        }

    def _fault(self, point: str, device: str | None, now_ms: int) -> Fault | None:
        fault = self.faults.take(self.name, point, device)
        if fault:
            self._row(now_ms, "fault", device, name=fault.name, at=point)
        return fault

    def _row(self, now_ms: int, what: str, device: str | None, **more: object) -> None:
        self.journal.add(now_ms, self.name, what, device, **more)


def faulty(fault: Fault) -> Reply | None:
    """What a fault makes of a request: a reply, no reply (None), or Refused."""
    if fault.name == "BUSY":
        after_s = fault["retry_after_s"]
        raise Refused(THROTTLED, "fault: throttled", "Operations are being throttled.", after_s)
    if fault.name == "SERVER_ERROR":
        raise Refused(1000 * fault["status"], "fault: server error", "Server error.")
    if fault.name == "REFUSED":
        raise Refused(fault["code"], "fault: refused", "Unauthorized access.")
    if fault.name == "MALFORMED_DPS_REPLY":
        return Reply(fault["status"], fault["body"].encode())
    return None  # NO_REPLY


def told(refused: NotProven, shown: Presented) -> str:
    """The message a client gets for a bad credential; the reason stays in the journal."""
    if "reaches no registered CA" in refused.reason:
        return "CA certificate not found."
    return "Invalid certificate." if shown.chain else "Unauthorized access."


def check_body(body: bytes, registration_id: str) -> None:
    """Raise Refused unless it is empty, or a JSON object that names no other registration."""
    try:
        request = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise Refused(BAD_BODY, "The body is not JSON.") from None
    if not isinstance(request, dict):
        raise Refused(BAD_BODY, "The body is not an object.")
    named = request.get("registrationId", registration_id)
    if not isinstance(named, str) or named.lower() != registration_id.lower():
        raise Refused(BAD_BODY, "The body names another registration.")
