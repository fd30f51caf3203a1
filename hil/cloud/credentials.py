"""A device's new certificate over its hub session: issueCertificate, 202 and later the outcome.

One operation a device at a time. Its outcome waits until the device listens, over reconnects too;
the session that asked stays as it is, and the new certificate counts from the next CONNECT.
Source: the preview's test log and samples of the SDKs; "Certificate renewal" has the same with
other topics (singular) and PEM, which is served to whoever subscribes to those.
"""

import base64
import json
from dataclasses import dataclass, replace

from . import csr, issuing, registry
from .backend import BackEnd, Device
from .credentialrequest import (
    ACTIVE,
    CSR_REJECTED,
    NO_POLICY,
    NOTHING_TO_REPLACE,
    Refused,
    checked,
    meant,
)
from .faults import Fault
from .identity import thumbprints
from .records import iso
from .session import CloseSession

FROM_VERSION = "2025-08-01"
SDK_REPLIES, PAGE_REPLIES = "$iothub/credentials/res/", "$iothub/credential/res/"
SDK_FILTER, PAGE_FILTER = SDK_REPLIES + "#", "$iothub/credential/#"
EXPIRES_MS = 12 * 3_600_000


@dataclass
class Operation:
    """One request that was accepted, until its outcome is with the device."""

    rid: str
    correlation_id: str
    session: int
    request: bytes
    due_ms: int
    ends_ms: int
    never: bool = False
    after_reconnect: bool = False
    outcome: tuple[int, dict] | None = None
    delivery: object = None


class Credentials(BackEnd):
    """The operation of a hub by which a device renews its certificate."""

    issue_ms = 1000  # from the 202 to the outcome

    def _issue_certificate(
        self, device: Device, _rest: str, query: dict, payload: bytes, now_ms: int
    ) -> None:
        """Documented: 202 and later 200 or 4xx. Without $rid the connection ends."""
        rid = query.get("$rid", "")
        if not rid:
            raise CloseSession("issueCertificate without $rid")
        if device.api_version < FROM_VERSION:
            raise CloseSession(f"issueCertificate with api-version {device.api_version!r}")
        if not _replies_of(device):
            self._row(now_ms, "credential unheard", device.device_id, rid=rid)
            return
        fault = self._fault("credential", device.device_id, now_ms)
        if fault and fault.name in ("NO_REPLY", "MALFORMED_CREDENTIAL_REPLY"):
            if fault.name != "NO_REPLY":
                self._credential_reply(device, rid, fault["status"], fault["body"].encode())
            return
        try:
            status, body = 202, self._accept(device, rid, payload, fault, now_ms)
        except Refused as e:
            status, body = e.code // 1000, self._error(e, now_ms)
        self._row(
            now_ms, "credential asked", device.device_id, rid=rid, status=status,
            reason=body.get("message"), code=body.get("errorCode"),
        )  # fmt: skip
        self._credential_reply(device, rid, status, json.dumps(body).encode())
        self._work_on(device, now_ms)

    def _accept(
        self, device: Device, rid: str, payload: bytes, fault: Fault | None, now_ms: int
    ) -> dict:
        if fault:
            raise meant(fault)
        asked = checked(device.device_id, rid, payload)
        known = self._identity(device.device_id)
        if not known.policy or known.auth == registry.SAS or self.namespace is None:
            raise Refused(NO_POLICY, "The device has no certificate policy.")
        self._make_room(device, asked.get("replace"))
        operation = device.operation = Operation(
            rid, self._make_id(), device.session.number, base64.b64decode(asked["csr"]),
            now_ms + self.issue_ms, now_ms + EXPIRES_MS,
        )  # fmt: skip
        late = self._fault("issued", device.device_id, now_ms)
        operation.never = late is not None and late.name == "ISSUE_NEVER"
        operation.after_reconnect = late is not None and not operation.never
        expires = iso(self._utc_s(operation.ends_ms))
        return {"correlationId": operation.correlation_id, "operationExpires": expires}

    def _make_room(self, device: Device, replaced: str | None) -> None:
        """One operation at a time: a second one replaces the first, or is refused."""
        active = device.operation
        if replaced is None and active:
            raise Refused(ACTIVE, "A request is active.", requestId=active.rid)
        if replaced is not None and (active is None or replaced not in ("*", active.rid)):
            raise Refused(NOTHING_TO_REPLACE, "There is no such request to replace.")

    def _work_on(self, device: Device, now_ms: int) -> int | None:
        """Bring the device's operation as far as it comes now; when to look at it again."""
        operation = device.operation
        if operation is None:
            return None
        if now_ms >= operation.ends_ms:
            self._row(now_ms, "credential expired", device.device_id, rid=operation.rid)
            device.operation = None
            return None
        if operation.never:
            return operation.ends_ms
        if operation.outcome is None and now_ms < operation.due_ms:
            return operation.due_ms
        if operation.outcome is None:
            operation.outcome = self._outcome(device, operation, now_ms)
        self._deliver_outcome(device, operation)
        return operation.ends_ms if device.operation else None

    def _outcome(self, device: Device, operation: Operation, now_ms: int) -> tuple[int, dict]:
        known = self._identity(device.device_id)
        fault = self._fault("issue", device.device_id, now_ms)
        try:
            request = csr.read(operation.request)
            if request.common_name != device.device_id:
                raise csr.CsrRefused("InvalidSubject", "CN is not the device id")
            policy = self.namespace.policy(known.policy)
            chain = issuing.chain_for(policy, request, now_ms, fault)
        except csr.CsrRefused as e:
            code = fault["code"] if fault and fault.name == "ISSUE_REFUSED" else CSR_REJECTED
            info = {"correlationId": operation.correlation_id, "requestId": operation.rid}
            refused = Refused(
                code, "The certificate was not issued.", credentialError=e.reason,
                credentialMessage=e.message, **info,
            )  # fmt: skip
            self._row(now_ms, "issue refused", device.device_id, reason=e.reason, code=code)
            return code // 1000, self._error(refused, now_ms)
        self._write_issued(device, chain, now_ms)
        return 200, {"correlationId": operation.correlation_id, "certificates": chain}

    def _write_issued(self, device: Device, chain: list[bytes], now_ms: int) -> None:
        """The registry's view: by thumbprint the new one, the old beside it."""
        known, sha256 = self._identity(device.device_id), thumbprints(chain[0])[1]
        self._row(now_ms, "issued", device.device_id, thumbprint=sha256, certificates=len(chain))
        if known.auth == registry.THUMBPRINT:
            old = known.primary_thumbprint
            self.put_device(
                replace(known, primary_thumbprint=sha256, secondary_thumbprint=old), now_ms
            )

    def _deliver_outcome(self, device: Device, operation: Operation) -> None:
        same = device.session and device.session.number == operation.session
        waits = operation.delivery is not None or (operation.after_reconnect and same)
        if waits or not _replies_of(device):
            return
        status, body = operation.outcome
        body = dict(body)
        if "certificates" in body:
            body["certificates"] = [_written(device, der) for der in body["certificates"]]
        operation.delivery = self._credential_reply(
            device, operation.rid, status, json.dumps(body).encode(), "&$version=1"
        )
        if operation.delivery is None:
            device.operation = None

    def _credential_acked(self, device: Device, delivery: object) -> None:
        operation = device.operation
        if operation and operation.delivery is not None and operation.delivery == delivery:
            device.operation = None

    def _credential_reply(
        self, device: Device, rid: str, status: int, body: bytes, more: str = ""
    ) -> object:
        filter_, replies = _replies_of(device)
        qos = device.subscriptions[filter_]
        return device.session.deliver(f"{replies}{status}/?$rid={rid}{more}", body, qos)

    def _error(self, refused: Refused, now_ms: int) -> dict:
        body = {
            "errorCode": refused.code,
            "message": refused.message,
            "trackingId": self._make_id(),
            "timestampUtc": iso(self._utc_s(now_ms)),
            "info": refused.info or None,
        }
        if refused.retry_after_s is not None:
            body["retryAfter"] = refused.retry_after_s
        return body


def _replies_of(device: Device) -> tuple[str, str] | None:
    """The filter the device listens by, and the topics below it; None when it does not."""
    for filter_, replies in ((SDK_FILTER, SDK_REPLIES), (PAGE_FILTER, PAGE_REPLIES)):
        if device.hears(filter_):
            return filter_, replies
    return None


def _written(device: Device, der: bytes) -> str:
    """Base64 for those who follow the SDKs, PEM for those who follow the page."""
    return base64.b64encode(der).decode() if device.hears(SDK_FILTER) else issuing.pem_of([der])
