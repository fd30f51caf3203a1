"""An EST server: CA certificates, attributes, enrollment and renewal, for several CAs by label.

Requests in, answers out; no socket and no clock. A client proves itself by its TLS certificate or
by Basic authentication, and gets a certificate with its own name alone.
Source: RFC 7030 with the clarifications of RFC 8951.
"""

import base64
import binascii
import hmac
from collections.abc import Callable

from . import csr, estwire, identity, issuing
from .connection import Peer
from .estrules import Call, Client, Rules
from .estwire import Answer, Answered
from .faults import Fault, Faults
from .http1 import Request
from .issuing import Issues
from .journal import Journal
from .refusal import NotProven

PATH = [".well-known", "est"]

OPERATIONS = {
    # last segment    method  done by, and the name in the journal, which is the faults' point
    "cacerts":        ("GET",  "_cacerts",  "cacerts"),
    "csrattrs":       ("GET",  "_csrattrs", "csrattrs"),
    "simpleenroll":   ("POST", "_enroll",   "enroll"),
    "simplereenroll": ("POST", "_reenroll", "reenroll"),
}  # fmt: skip


class EstServer:
    """One server.

    authorities  label to what issues there; "" is the path without a label
    anchor       DER of the root that its own TLS chain ends in: cacerts has it too, because what a
                 client gets there takes the place of its explicit trust anchors
    secrets      user to password; trusted  name to DER of further CAs whose clients are let in
    waiting      SHA-256 to CN of requests that nobody has approved yet
    """

    def __init__(
        self,
        authorities: dict[str, Issues],
        anchor: bytes,
        *,
        utc_s: Callable[[int], int],
        journal: Journal,
        faults: Faults,
    ) -> None:
        self.authorities, self.anchor = authorities, anchor
        self.journal, self.faults = journal, faults
        self.rules = Rules()
        self.secrets: dict[str, str] = {}
        self.trusted: dict[str, bytes] = {}
        self.waiting: dict[str, str] = {}
        self._approved: set[str] = set()
        self._utc_s = utc_s

    def answer(self, request: Request, peer: Peer, now_ms: int) -> Answer | None:
        """Status, headers and body; None: no answer ever."""
        parts = request.parts()
        label = parts[2] if len(parts) == 4 else ""
        known = parts[:2] == PATH and len(parts) in (3, 4) and label in self.authorities
        if not known or parts[-1] not in OPERATIONS:
            return Answered(404, "no such resource").answer()
        method, done_by, point = OPERATIONS[parts[-1]]
        if request.method != method:
            return Answered(405, f"{parts[-1]} is a {method}").answer()
        call = Call(request, self._client(request, peer, label, now_ms), label, now_ms)
        answer = self._tried(call, done_by, point)
        status = answer[0] if answer else None
        self.journal.add(
            now_ms, "est", point, call.client.name(), status=status, by=call.client.proofs(),
            label=label, address=peer.address, **call.row,
        )  # fmt: skip
        return answer

    def _tried(self, call: Call, done_by: str, point: str) -> Answer | None:
        """Do one operation, or the fault that waits for it."""
        call.fault = self._fault(point, call.client.name(), call.now_ms)
        if call.fault is not None and call.fault.name == "NO_REPLY":
            return None
        try:
            estwire.raise_fault(call.fault)
            return getattr(self, done_by)(call)
        except Answered as e:
            call.row["reason"] = e.reason
            return e.answer()

    def published(self, label: str, now_ms: int) -> list[bytes]:
        """The CA certificates of one label, its own anchor last."""
        made = list(self.authorities[label].published(now_ms))
        return made if self.anchor in made else [*made, self.anchor]

    def _cacerts(self, call: Call) -> Answer:
        """All that is needed to build chains below this label."""
        made = self.published(call.label, call.now_ms)
        if call.fault is not None:
            made = [der for der in made if estwire.self_signed(der)]
        call.row["certificates"] = len(made)
        return estwire.certificates(made, self.rules.lines)

    def _csrattrs(self, call: Call) -> Answer:
        """204 when nothing is asked for."""
        return estwire.attributes(self.rules.key, self.rules.lines)

    def _enroll(self, call: Call) -> Answer:
        """The leaf alone, unless the rules say otherwise; for the client's own name only."""
        if not call.client.meets(self.rules.needs):
            raise Answered(401, f"not authenticated: {call.client.why}")
        asked = self._asked(call)
        if call.client.names() != {asked.common_name}:
            raise Answered(403, f"CN {asked.common_name!r} is not the name of this client")
        return self._issue(call, asked)

    def _reenroll(self, call: Call) -> Answer:
        """Documented: proven by the certificate to be renewed, whose subject and SAN stay."""
        if call.client.certificate is None:
            raise Answered(401, f"renewal needs the current certificate: {call.client.why}")
        asked = self._asked(call)
        current = identity.loaded(call.client.certificate)
        same = current.subject.rfc4514_string() == asked.subject
        if not same or csr.alternative_names(current) != asked.names:
            raise Answered(400, "subject and SAN must be those of the current certificate")
        return self._issue(call, asked)

    def approve(self, sha256: str | None = None) -> list[str]:
        """Let a waiting request through, or all; those it was. It must be sent again, the same."""
        chosen = [known for known in self.waiting if sha256 in (None, known)]
        for known in chosen:
            del self.waiting[known]
        self._approved.update(chosen)
        return chosen

    def _wait_for_approval(self, asked: csr.SigningRequest) -> None:
        if self.rules.approval and asked.sha256 not in self._approved:
            self.waiting[asked.sha256] = asked.common_name
            raise Answered(202, "waits for approval", self.rules.retry_after_s)

    def _issue(self, call: Call, asked: csr.SigningRequest) -> Answer:
        self._wait_for_approval(asked)
        fault = self._fault("issue", asked.common_name, call.now_ms)
        issues = self.authorities[call.label]
        try:
            chain = issuing.chain_for(issues, asked, call.now_ms, fault)
        except csr.CsrRefused as e:
            raise Answered(400, f"{e.reason}: {e.message}") from None
        call.row["thumbprint"] = identity.thumbprints(chain[0])[1]
        made = chain if self.rules.with_chain else chain[:1]
        return estwire.certificates(made, self.rules.lines)

    def _asked(self, call: Call) -> csr.SigningRequest:
        """The request in the body; raises Answered."""
        try:
            asked = csr.read(estwire.body_of(call.request))
        except csr.CsrRefused as e:
            raise Answered(400, f"{e.reason}: {e.message}") from None
        call.row["csr"] = asked.sha256
        if self.rules.key is not None and asked.key_kind != self.rules.key:
            raise Answered(400, f"a key of the kind {asked.key_kind}, see csrattrs")
        return asked

    def _client(self, request: Request, peer: Peer, label: str, now_ms: int) -> Client:
        client = Client(user=self._user(request.headers.get("authorization")))
        if not peer.chain:
            return client
        accepted = [*self.trusted.values(), *self.published(label, now_ms)]
        try:
            identity.nearest_authority(peer.chain, accepted, self._utc_s(now_ms))
            client.certificate = peer.chain[0]
        except NotProven as e:
            client.why = e.reason
        return client

    def _user(self, authorization: str | None) -> str | None:
        """Whom a header names, if the secret is right."""
        scheme, _, text = (authorization or "").partition(" ")
        try:
            user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        known = self.secrets.get(user)
        right = known is not None and hmac.compare_digest(known.encode(), password.encode())
        return user if right and scheme.lower() == "basic" else None

    def _fault(self, point: str, device: str | None, now_ms: int) -> Fault | None:
        fault = self.faults.take("est", point, device)
        if fault:
            self.journal.add(now_ms, "est", "fault", device, name=fault.name, at=point)
        return fault
