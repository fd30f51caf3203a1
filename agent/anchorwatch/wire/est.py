"""Enrollment over secure transport (EST): requests built, answers classified.

Rule: no I/O and no state; a body is base64 of DER, and what a server adds to it (line breaks, PEM
lines) is taken off. Retry-After is seconds or a date, which counts from the answer's own Date.

Source: RFC 7030 sections 3.2.2, 4.1 to 4.5; RFC 8951; RFC 9110 section 10.2.3.
"""

import binascii

from ..errors import MalformedMessage
from . import http
from .encoding import base64_bytes, decimal

CACERTS, CSRATTRS = "cacerts", "csrattrs"
ENROLL, REENROLL = "simpleenroll", "simplereenroll"
BODY_AT_MOST = 131_072
RETRY_MOST_S = 31_536_000
HTTPS_PORT = 443
_LINE = 64
# What a server that has no such operation says.
MISSING = (404, 405, 501)
_NO_HEADERS: dict[str, str] = {}


def target(label: str, operation: str) -> str:
    """The path of an operation; `label` is the CA's, "" for none."""
    parts = ["", ".well-known", "est"] + [label] * bool(label) + [operation]
    return "/".join(parts)


def authority(host: str, port: int) -> str:
    """The Host header."""
    return host if port == HTTPS_PORT else "%s:%d" % (host, port)


def asking(host: str, port: int, label: str, operation: str) -> bytes:
    """A GET of cacerts or csrattrs."""
    return http.request("GET", authority(host, port), target(label, operation))


def enrolling(
    host: str, port: int, label: str, operation: str, csr: str, more: dict[str, str] = _NO_HEADERS
) -> bytes:
    """A POST of a request in base64; `more` are further headers."""
    headers = {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"}
    headers.update(more)
    lines = [csr[at : at + _LINE] for at in range(0, len(csr), _LINE)]
    body = "\r\n".join(lines + [""]).encode()
    return http.request("POST", authority(host, port), target(label, operation), headers, body)


def basic(pair: bytes) -> dict[str, str]:
    """The header for USER:PASSWORD."""
    return {"Authorization": "Basic " + binascii.b2a_base64(pair).strip().decode()}


def der(body: bytes) -> bytes:
    """The DER in an answer's body: bare base64, or in PEM lines, or as it is."""
    if body[:1] == b"\x30":
        return body
    lines = [line.strip() for line in body.replace(b"\r", b"\n").split(b"\n")]
    text = b"".join([line for line in lines if line[:5] != b"-----"])
    if [b for b in text if b > 0x7F]:
        raise MalformedMessage("EST answer is not base64")
    return base64_bytes(text.decode())


def fault(status: int) -> str:
    """The class of an answer that is no certificate."""
    if status in (401, 403, 407):
        return "identity"
    if status == 429:
        return "throttled"
    return "service" if status >= 500 else "policy"


def retry_after_s(headers: dict[str, str]) -> int:
    """Seconds to wait; 0 where the server names none that can be read."""
    text = headers.get("retry-after", "")
    try:
        if "," not in text:
            return decimal(text, RETRY_MOST_S)
        wait_s = http.date_utc_s(text) - http.date_utc_s(headers.get("date", ""))
    except MalformedMessage:
        return 0
    return max(0, min(wait_s, RETRY_MOST_S))
