"""What a device asks of the provisioning service: register, poll, look up.

Requests in, replies out; knows no session and no topic. A registration is accepted with 202 and an
operation to poll; it is never assigned at once. Source: "Communicate with DPS using the MQTT
protocol"; the data-plane specification of the runtime registration.
"""

import base64
from collections.abc import Callable

from . import csr, issuing
from .assignment import Assignments, Ways, attestation_shown
from .cacertificates import CaCertificates
from .enrollment import Enrollment, Enrollments, Presented
from .faults import Fault, Faults
from .hub import IotHub
from .identity import thumbprints
from .journal import Journal
from .namespace import Namespace
from .quota import Quota
from .records import iso
from .refusal import NotProven
from .replies import (
    CSR_REJECTED,
    THROTTLED,
    UNAUTHORIZED,
    UNKNOWN_OPERATION,
    UNKNOWN_REGISTRATION,
    UNKNOWN_SCOPE,
    Operation,
    Refused,
    Reply,
    checked_body,
    faulty,
    signing_request,
    told,
)

CSR_FROM_VERSION = "2025-07-01"


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
        namespace: Namespace | None = None,
    ) -> None:
        self.id_scope, self.name = id_scope, name
        self.retry_after_s = retry_after_s
        self.polls = polls  # the poll of this number is answered with the outcome
        self.quota = Quota()
        self.namespace = namespace
        self.certificates = CaCertificates(make_id)
        credential = namespace.credential.root() if namespace else b""
        self.enrollments = Enrollments(self.certificates, credential)
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
        after_s = self.quota.take(now_ms)
        if after_s is not None:
            raise Refused(THROTTLED, "quota", "Operations are being throttled.", after_s)
        asked = checked_body(body, shown.registration_id)
        chosen = self.prove(shown, now_ms)
        request = None
        if shown.api_version >= CSR_FROM_VERSION and asked.get("csr") is not None:
            request = signing_request(asked["csr"], shown.registration_id)
        operation = Operation(f"4.{self._make_id()}.{self._make_id()}", shown, chosen, request)
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
        try:
            issued = self._issued(operation, now_ms)
        except Refused as e:
            return self._unassigned(shown, chosen, "failed", e.code, e.message)
        ways = Ways(
            elsewhere=fault["host"] if name == "ASSIGNED_ELSEWHERE" else None,
            late_s=fault["after_s"] if name == "THUMBPRINT_LATE" else 0,
            issued=issued,
        )
        record = self.assignments.assign(chosen, shown, ways, self._utc_s(now_ms), now_ms)
        self._row(
            now_ms, "assigned", shown.registration_id, hub=record.assigned_hub,
            device_id=record.device_id, substatus=record.substatus,
            enrollment=chosen.enrollment_id,
        )  # fmt: skip
        state = record.shown()
        if issued:
            chain = [base64.b64encode(der).decode() for der in issued]
            state["issuedCertificateChain"] = chain
        return state

    def _issued(self, operation: Operation, now_ms: int) -> list[bytes]:
        """The chain that answers a request; [] without one, or without a policy."""
        chosen, request = operation.enrollment, operation.request
        if request is None or not chosen.policy or self.namespace is None:
            return []
        device = operation.shown.registration_id
        fault = self._fault("issue", device, now_ms)
        if fault and fault.name == "NO_CHAIN":
            return []
        try:
            policy = self.namespace.policy(chosen.policy)
            chain = issuing.chain_for(policy, request, now_ms, fault)
        except csr.CsrRefused as e:
            code = fault["code"] if fault and fault.name == "ISSUE_REFUSED" else CSR_REJECTED
            self._row(now_ms, "issue refused", device, reason=e.reason, code=code)
            raise Refused(code, e.reason, "The certificate was not issued.") from None
        thumbprint = thumbprints(chain[0])[1]
        self._row(now_ms, "issued", device, thumbprint=thumbprint, certificates=len(chain))
        return chain

    def _unassigned(
        self,
        shown: Presented,
        chosen: Enrollment,
        status: str,
        code: int = 0,
        message: str = "Custom allocation failed.",
    ) -> dict:
        state = {
            "registrationId": shown.registration_id,
            "status": status,
            **attestation_shown(chosen),
        }
        if code:
            state["errorCode"] = code
            state["errorMessage"] = message
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
