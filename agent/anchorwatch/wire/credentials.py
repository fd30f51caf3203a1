"""Every string of the hub's certificate service: a request over the session, and its answers.

The meanings of `parse_response`, plain tuples whose first item is the word:

    ("accepted", correlation_id)                  202: the chain comes later on the same topic
    ("issued", [DER, ...])                        200: leaf first
    ("busy", status, code, retry_after_s, text)   429 or 5xx
    ("conflict", code, text)                      409: another request is open or was answered
    ("refused", status, code, text)               any other

Rule: strict about what decides, liberal about the rest; both forms of the chain that are documented
are read, base64 of DER and PEM.

Source: Microsoft Learn, "Communicate with an IoT hub using the MQTT protocol", certificate
management (preview).
"""

from ..errors import MalformedMessage
from .encoding import base64_bytes, decimal, unquote
from .jsonread import parse, parse_object
from .jsonwrite import write
from .shapes import Meaning

API_VERSION = "2025-08-01-preview"
RESPONSES = "$iothub/credentials/res/#"
CHAIN_AT_MOST = 6
_RESPONSE = "$iothub/credentials/res/"
_BODY_AT_MOST = 65_536
_TEXT_AT_MOST = 256
_PEM = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")


def request_topic(request_id: str) -> str:
    """`$iothub/credentials/POST/issueCertificate/?$rid={request id}`: 4 to 36 characters."""
    return "$iothub/credentials/POST/issueCertificate/?$rid=%s" % request_id


def request_body(device_id: str, csr: str, replace: bool) -> bytes:
    """`{"csr":"<base64 DER>","id":"dev-7"}`; replace: an open request of this device gives way."""
    body = {"csr": csr, "id": device_id}
    if replace:
        body["replace"] = "*"
    return write(body)


def is_response(topic: str) -> bool:
    """Whether a message is one of RESPONSES."""
    return topic.startswith(_RESPONSE)


def parse_response(topic: str, body: bytes) -> tuple[str, Meaning]:
    """(request id, meaning) of a message on RESPONSES."""
    status_text, slash, query = topic[len(_RESPONSE) :].partition("/?")
    request_id = ""
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key == "$rid":
            request_id = unquote(value)
    if not slash or not request_id:
        raise MalformedMessage("answer of the certificate service without a request id", topic)
    return request_id, _meaning(decimal(status_text, 999), body)


def _meaning(status: int, body: bytes) -> Meaning:
    if status == 202:
        return ("accepted", _text(parse_object(body, _BODY_AT_MOST).get("correlationId")))
    if status == 200:
        answer = parse(body, _BODY_AT_MOST)
        return ("issued", chain(answer.get("certificates") if isinstance(answer, dict) else answer))
    try:
        error = parse_object(body, _BODY_AT_MOST)
    except MalformedMessage:
        error = {}
    code, text = _number(error.get("errorCode")), _text(error.get("message"))
    if status == 429 or status >= 500:
        return ("busy", status, code, _number(error.get("retryAfter")), text)
    if status == 409:
        return ("conflict", code, text)
    return ("refused", status, code, _why(error) or text)


def chain(value: object) -> list[bytes]:
    """A chain as DER, leaf first: a list of base64 or PEM texts. Raises MalformedMessage."""
    if not isinstance(value, list) or not 0 < len(value) <= CHAIN_AT_MOST:
        raise MalformedMessage("no certificate chain", repr(value)[:_TEXT_AT_MOST])
    return [_der(text) for text in value]


def _der(text: object) -> bytes:
    if not isinstance(text, str):
        raise MalformedMessage("certificate is not a text", repr(text)[:_TEXT_AT_MOST])
    text = text.strip()
    if text.startswith(_PEM[0]):
        text = text[len(_PEM[0]) :].partition(_PEM[1])[0]
    try:
        return base64_bytes("".join(text.split()))
    except MalformedMessage:
        raise MalformedMessage("certificate is not base64", text[:40])


def _why(error: dict[str, object]) -> str:
    """The CA's own words, where the service passes them on."""
    info = error.get("info")
    if not isinstance(info, dict):
        return ""
    found = [_text(info.get(name)) for name in ("credentialError", "credentialMessage")]
    return ": ".join([text for text in found if text])


def _text(value: object) -> str:
    return value[:_TEXT_AT_MOST] if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
