"""Every string of the Device Provisioning Service.

Rule: a reply becomes a meaning here, so nobody else looks at topics, status codes or JSON. Strict
about what decides, liberal about the rest: unknown members are ignored, a detail missing in an
error is empty.

The meanings, plain tuples whose first item is the word:

    ("assigning", operation_id, retry_after_s)                    ask again, not before that
    ("assigned", hub, device_id, substatus)                       connect there; a fifth item is
                                                                  the issued chain, [DER, ...]
    ("busy", status, retry_after_s, tracking_id, code)            429 or 5xx: back off
    ("refused", status, code, tracking_id, message)               the enrollment says no

retry_after_s is 0 where the service named none. For a registration that ended as `failed`,
`disabled` or `unassigned` the status is 200 and the message starts with that word.

Source: Microsoft Learn, "Communicate with DPS using the MQTT protocol" and "Device Provisioning
Service, runtime registration".
"""

from ..errors import MalformedMessage
from .credentials import chain
from .encoding import decimal, quote, unquote
from .jsonread import parse_object
from .jsonwrite import write
from .shapes import Meaning

API_VERSION = "2019-03-31"
CSR_API_VERSION = "2025-07-01-preview"
RESPONSES = "$dps/registrations/res/#"
RETRY_AFTER_MOST_S = 604_800
_RESPONSE = "$dps/registrations/res/"
_BODY_AT_MOST = 98_304
_TEXT_AT_MOST = 256


def websocket_target(with_certificate: bool) -> str:
    """`/$iothub/websocket`: DPS uses the hubs' name for it, with and without a certificate."""
    return "/$iothub/websocket"


def user_name(
    id_scope: str, registration_id: str, client_version: str = "", api_version: str = API_VERSION
) -> str:
    """`{id scope}/registrations/{registration id}/api-version=...[&ClientVersion={agent}]`."""
    text = "%s/registrations/%s/api-version=%s" % (id_scope, registration_id, api_version)
    return text + "&ClientVersion=" + quote(client_version) if client_version else text


def sas_resource(id_scope: str, registration_id: str) -> str:
    """What a token for DPS is valid for; its key name is `registration`."""
    return "%s/registrations/%s" % (id_scope, registration_id)


def register_topic(request_id: str) -> str:
    """`$dps/registrations/PUT/iotdps-register/?$rid={request id}`."""
    return "$dps/registrations/PUT/iotdps-register/?$rid=%s" % request_id


def register_body(registration_id: str, model_id: str = "", csr: str = "") -> bytes:
    """`{"payload":{"modelId":"dtmi:..."},"registrationId":"dev-7"}`; csr: PKCS#10 in base64."""
    body: dict[str, object] = {"registrationId": registration_id}
    if csr:
        body["csr"] = csr
    if model_id:
        body["payload"] = {"modelId": model_id}
    return write(body)


def status_topic(request_id: str, operation_id: str) -> str:
    """`$dps/registrations/GET/iotdps-get-operationstatus/?$rid={request id}&operationId={id}`."""
    return "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=%s&operationId=%s" % (
        request_id, quote(operation_id),
    )  # fmt: skip


def lookup_path(id_scope: str, registration_id: str) -> str:
    """Where the registration status is asked over HTTPS (POST); not billed."""
    return "/%s/registrations/%s?api-version=%s" % (
        quote(id_scope), quote(registration_id), API_VERSION,
    )  # fmt: skip


def lookup_body(registration_id: str) -> bytes:
    """`{"registrationId":"dev-7"}`."""
    return register_body(registration_id)


def parse_response_topic(topic: str) -> tuple[int, dict[str, str]]:
    """`$dps/.../res/202/?$rid=1&retry-after=3` is (202, {"$rid": "1", "retry-after": "3"})."""
    if not topic.startswith(_RESPONSE):
        raise MalformedMessage("not a topic of the provisioning service", topic)
    status, slash, query = topic[len(_RESPONSE) :].partition("/?")
    if not slash:
        raise MalformedMessage("response topic without a request id", topic)
    properties: dict[str, str] = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key in properties:
            raise MalformedMessage("response topic names a property twice", topic)
        properties[key] = unquote(value)
    if not properties.get("$rid"):
        raise MalformedMessage("response topic without a request id", topic)
    return decimal(status, 999), properties


def parse_response(topic: str, body: bytes) -> tuple[str, Meaning]:
    """(request id, meaning) of a message on RESPONSES."""
    status, properties = parse_response_topic(topic)
    return properties["$rid"], _meaning(status, properties.get("retry-after"), body)


def parse_lookup(status: int, retry_after: str | None, body: bytes) -> Meaning:
    """The meaning of the answer to the HTTPS look-up: the same words, from the bare registration.

    retry_after     the header's text, None without one; a date instead of seconds counts as none
    """
    if status != 200:
        seconds = (retry_after or "").strip()
        return _meaning(status, seconds if seconds.isdigit() else None, body)
    registration = parse_object(body, _BODY_AT_MOST)
    word = _required(registration, "status")
    if word == "assigning":
        return ("assigning", "", 0)
    return _settled(word, registration)


def _meaning(status: int, retry_after: str | None, body: bytes) -> Meaning:
    wait_s = 0 if retry_after is None else decimal(retry_after, RETRY_AFTER_MOST_S)
    if status == 429 or 500 <= status <= 599:
        code, tracking_id, _ = _details(body)
        return ("busy", status, wait_s, tracking_id, code)
    if 400 <= status <= 499:
        code, tracking_id, message = _details(body)
        return ("refused", status, code, tracking_id, message)
    if status not in (200, 202):
        raise MalformedMessage("status nobody documented", status)
    reply = parse_object(body, _BODY_AT_MOST)
    word = _required(reply, "status")
    if word == "assigning":
        return ("assigning", _required(reply, "operationId"), wait_s)
    registration = reply.get("registrationState")
    return _settled(word, registration if isinstance(registration, dict) else {})


def _settled(word: str, registration: dict[str, object]) -> Meaning:
    if word == "assigned":
        hub, device_id = _required(registration, "assignedHub"), _required(registration, "deviceId")
        assigned = ("assigned", hub, device_id, _optional(registration, "substatus"))
        issued = registration.get("issuedCertificateChain")
        return assigned + ((chain(issued),) if issued else ())
    if word not in ("failed", "disabled", "unassigned"):
        raise MalformedMessage("registration status nobody documented", word)
    code, message = registration.get("errorCode"), _optional(registration, "errorMessage")
    return (
        "refused", 200, _number(code), _optional(registration, "trackingId"),
        "%s: %s" % (word, message) if message else word,
    )  # fmt: skip


def _details(body: bytes) -> tuple[int, str, str]:
    """(code, tracking id, message) of an error body; a gateway's page instead of JSON has none."""
    try:
        error = parse_object(body, _BODY_AT_MOST)
    except MalformedMessage:
        return 0, "", ""
    code = _number(error.get("errorCode"))
    return code, _optional(error, "trackingId"), _optional(error, "message")


def _required(tree: dict[str, object], name: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_AT_MOST:
        raise MalformedMessage("reply without a usable %s" % name)
    return value


def _optional(tree: dict[str, object], name: str) -> str:
    value = tree.get(name)
    return value[:_TEXT_AT_MOST] if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
