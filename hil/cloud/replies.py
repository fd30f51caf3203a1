"""What the provisioning service reads of a request and how it says no: bodies, codes, messages.

Holds no state. Source: the data-plane specification of the runtime registration.
"""

import json
from dataclasses import dataclass

from . import csr
from .csr import SigningRequest
from .enrollment import Enrollment, Presented
from .faults import Fault
from .refusal import NotProven

UNAUTHORIZED = 401002
UNKNOWN_SCOPE, UNKNOWN_REGISTRATION, UNKNOWN_OPERATION = 404201, 404202, 404000
BAD_BODY, CSR_REJECTED, THROTTLED = 400000, 400037, 429001


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
    request: SigningRequest | None = None
    polls: int = 0
    outcome: dict | None = None


def faulty(fault: Fault) -> Reply | None:
    """What a fault makes of a request: a reply, no reply (None), or Refused."""
    if fault.name == "BUSY":
        after_s = fault["retry_after_s"]
        raise Refused(THROTTLED, "fault: throttled", "Operations are being throttled.", after_s)
    if fault.name == "SERVER_ERROR":
        after_s = fault["retry_after_s"]
        raise Refused(1000 * fault["status"], "fault: server error", "Server error.", after_s)
    if fault.name == "REFUSED":
        raise Refused(fault["code"], "fault: refused", fault["message"])
    if fault.name == "MALFORMED_DPS_REPLY":
        return Reply(fault["status"], fault["body"].encode())
    return None  # NO_REPLY


def told(refused: NotProven, shown: Presented) -> str:
    """The message a client gets for a bad credential; the reason stays in the journal."""
    if "reaches no registered CA" in refused.reason:
        return "CA certificate not found."
    return "Invalid certificate." if shown.chain else "Unauthorized access."


def checked_body(body: bytes, registration_id: str) -> dict:
    """Empty, or a JSON object that names no other registration; raises Refused."""
    try:
        request = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise Refused(BAD_BODY, "The body is not JSON.") from None
    if not isinstance(request, dict):
        raise Refused(BAD_BODY, "The body is not an object.")
    named = request.get("registrationId", registration_id)
    if not isinstance(named, str) or named.lower() != registration_id.lower():
        raise Refused(BAD_BODY, "The body names another registration.")
    return request


def signing_request(text: object, registration_id: str) -> SigningRequest:
    """The request beside a registration; raises Refused."""
    try:
        request = csr.read(csr.from_base64(text))
    except csr.CsrRefused as e:
        raise Refused(BAD_BODY, e.reason, "The CSR is invalid.") from None
    if request.common_name.lower() != registration_id.lower():
        raise Refused(BAD_BODY, f"CN of the CSR is {request.common_name!r}", "The CSR is invalid.")
    return request
