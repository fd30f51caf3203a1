"""What EST says on the wire: certs-only PKCS#7 in base64, attributes, errors, and what faults say.

Holds no state. Source: RFC 7030, sections 4.1 to 4.5; RFC 8951; RFC 9908 for the kinds of keys.
"""

import base64

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from . import csr, identity
from .faults import Fault
from .http1 import Request

Answer = tuple[int, dict, bytes]
CERTS_ONLY = "application/pkcs7-mime; smime-type=certs-only"
PKCS10, CSRATTRS = "application/pkcs10", "application/csrattrs"
REALM = 'Basic realm="est"'


def tlv(tag: int, *parts: bytes) -> bytes:
    """DER of a short element."""
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


def oid(text: str) -> bytes:
    return tlv(0x06, bytes.fromhex(text))


SEQUENCE, SET = 0x30, 0x31
EC_KEY, RSA_KEY = oid("2a8648ce3d0201"), oid("2a864886f70d010101")
P256, P384 = oid("2a8648ce3d030107"), oid("2b81040022")
ECDSA_SHA256, ECDSA_SHA384 = oid("2a8648ce3d040302"), oid("2a8648ce3d040303")
RSA_SHA256 = oid("2a864886f70d01010b")
INTEGER_2048 = bytes.fromhex("02020800")

ATTRIBUTES = {
    # kind of key: the attribute that asks for it, and how the request is to be signed
    "ec-p256": tlv(SEQUENCE, tlv(SEQUENCE, EC_KEY, tlv(SET, P256)), ECDSA_SHA256),
    "ec-p384": tlv(SEQUENCE, tlv(SEQUENCE, EC_KEY, tlv(SET, P384)), ECDSA_SHA384),
    "rsa-2048": tlv(SEQUENCE, tlv(SEQUENCE, RSA_KEY, tlv(SET, INTEGER_2048)), RSA_SHA256),
}


class Answered(Exception):
    """An answer that is no certificate: its status, its text, when to come back."""

    def __init__(self, status: int, reason: str, retry_after_s: int | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.retry_after_s = status, reason, retry_after_s

    def answer(self) -> Answer:
        """Status, headers and body."""
        headers = {"Content-Type": "text/plain"}
        if self.status == 401:
            headers["WWW-Authenticate"] = REALM
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return self.status, headers, self.reason.encode() + b"\n"


class Malformed(Answered):
    """A 200, or any other status, with what a fault puts into it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault["status"], "fault: malformed")
        self._kind, self._body = fault["content_type"], fault["body"]

    def answer(self) -> Answer:
        return self.status, {"Content-Type": self._kind}, self._body.encode()


def raise_fault(fault: Fault | None) -> None:
    """Raise what a fault makes of a request, unless the request goes on."""
    if fault is None:
        return
    if fault.name == "BUSY":
        raise Answered(429, "fault: throttled", fault["retry_after_s"])
    if fault.name == "SERVER_ERROR":
        raise Answered(fault["status"], "fault: server error", fault["retry_after_s"])
    if fault.name == "REFUSED":
        raise Answered(fault["code"] // 1000, fault["message"])
    if fault.name == "ISSUE_LATER":
        raise Answered(202, "fault: waits for approval", fault["retry_after_s"])
    if fault.name == "MALFORMED_EST_REPLY":
        raise Malformed(fault)


def body_of(request: Request) -> bytes:
    """The DER in a request's body: base64, with or without line breaks. Raises Answered."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != PKCS10:
        raise Answered(415, f"not {PKCS10}: {kind[:60]!r}")
    return csr.from_base64("".join(request.body.decode("latin-1").split()))


def certificates(made: list[bytes], lines: bool) -> Answer:
    """A certs-only answer; PKCS#7 keeps no order."""
    data = pkcs7.serialize_certificates([identity.loaded(der) for der in made], Encoding.DER)
    headers = {"Content-Type": CERTS_ONLY, "Content-Transfer-Encoding": "base64"}
    return 200, headers, written(data, lines)


def attributes(key: str | None, lines: bool) -> Answer:
    """What requests should have; 204 when nothing is asked for."""
    if key is None:
        return 204, {}, b""
    headers = {"Content-Type": CSRATTRS, "Content-Transfer-Encoding": "base64"}
    return 200, headers, written(ATTRIBUTES[key], lines)


def written(data: bytes, lines: bool) -> bytes:
    """Base64, in one line or in lines of 64 characters."""
    text = base64.b64encode(data)
    if not lines:
        return text
    return b"".join(text[at : at + 64] + b"\r\n" for at in range(0, len(text), 64))


def self_signed(der: bytes) -> bool:
    made = identity.loaded(der)
    return made.issuer == made.subject
