"""Every string of an IoT hub.

Rule: a message becomes a meaning here, so nobody else looks at topics. `device_id` is everywhere
followed by `module_id`, empty for the device itself. Hosts and ids go into user names verbatim.

The meanings of `parse_message`, plain tuples whose first item is the word:

    ("method", name, request_id, payload)               answer on method_reply_topic
    ("twin", status, request_id, version, document)     of a patch, of a GET, or None
    ("desired", version, patch)                         a push
    ("c2d", properties, payload)                        cloud-to-device

Source: Microsoft Learn, "Communicate with an IoT hub using the MQTT protocol", "Understand and use
device twins", "IoT Plug and Play conventions".
"""

from ..errors import ConfigError, MalformedMessage
from . import bag
from .encoding import decimal, quote, unquote
from .jsonread import parse, parse_object
from .jsonwrite import write
from .shapes import Bag, Meaning, Tree

API_VERSION = "2021-04-12"
METHODS = "$iothub/methods/POST/#"
TWIN_REPLIES = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"

_METHOD = "$iothub/methods/POST/"
_TWIN_REPLY = "$iothub/twin/res/"
_DESIRED = "$iothub/twin/PATCH/properties/desired/?"
_VERSION_MOST = 0x7FFFFFFFFFFFFFFF
_METHOD_AT_MOST = 131_072
_TWIN_AT_MOST = 131_072  # desired and reported of 32 KB each, and what the service adds to them
_TOPIC_AT_MOST = 65_535
_REQUEST_ID_AT_MOST = 128
_REQUEST_ID = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"


def websocket_target(with_certificate: bool) -> str:
    """`/$iothub/websocket`; with `?iothub-no-client-cert=true` the hub asks for none."""
    return "/$iothub/websocket" + ("" if with_certificate else "?iothub-no-client-cert=true")


def client_id(device_id: str, module_id: str = "") -> str:
    """`dev-7` or `dev-7/module`."""
    return "%s/%s" % (device_id, module_id) if module_id else device_id


def user_name(
    host: str,
    device_id: str,
    module_id: str = "",
    client_version: str = "",
    model_id: str = "",
    api_version: str = API_VERSION,
) -> str:
    """`{host}/{client id}/?api-version=...[&DeviceClientType={agent}][&model-id={dtmi}]`."""
    text = "%s/%s/?api-version=%s" % (host, client_id(device_id, module_id), api_version)
    if client_version:
        text += "&DeviceClientType=" + quote(client_version)
    if model_id:
        text += "&model-id=" + quote(model_id)
    return text


def sas_resource(host: str, device_id: str, module_id: str = "") -> str:
    """What a token for the hub is valid for: the very host that is dialled."""
    return "%s/%s" % (host, _base(device_id, module_id))


def _base(device_id: str, module_id: str) -> str:
    base = "devices/" + device_id
    return "%s/modules/%s" % (base, module_id) if module_id else base


def telemetry_topic(
    device_id: str, properties: Bag, system: Bag = bag.NO_PROPERTIES, module_id: str = ""
) -> str:
    """`devices/dev-7/messages/events/$.ct=application%2Fjson&$.mid=7&alarm=1`; see bag.build."""
    topic = "%s/messages/events/%s" % (_base(device_id, module_id), bag.build(properties, system))
    if len(topic) > _TOPIC_AT_MOST:
        shown = "%d bytes" % len(topic)
        raise ConfigError("properties too long", shown, "put them into the payload")
    return topic


def c2d_filter(device_id: str) -> str:
    """`devices/dev-7/messages/devicebound/#`; only devices have it."""
    return "devices/%s/messages/devicebound/#" % device_id


def method_reply_topic(status: int, request_id: str) -> str:
    """`$iothub/methods/res/200/?$rid=1`."""
    return "$iothub/methods/res/%d/?$rid=%s" % (status, request_id)


def method_reply_body(payload: object) -> bytes:
    """JSON; nothing for None. ValueError for what JSON cannot hold."""
    return b"" if payload is None else write(payload)


def twin_get_topic(request_id: str) -> str:
    """`$iothub/twin/GET/?$rid=1`, body empty."""
    return "$iothub/twin/GET/?$rid=%s" % request_id


def twin_patch_topic(request_id: str) -> str:
    """`$iothub/twin/PATCH/properties/reported/?$rid=1`."""
    return "$iothub/twin/PATCH/properties/reported/?$rid=%s" % request_id


def twin_patch_body(patch: Tree) -> bytes:
    """JSON; a member that is None is deleted by the service."""
    return write(patch)


def acknowledgement(value: object, status: int, version: int, text: str = "") -> Tree:
    """What a device reports for a desired property: {"value", "ac", "av", "ad"}."""
    answer = {"value": value, "ac": status, "av": version}
    if text:
        answer["ad"] = text
    return answer


def parse_message(topic: str, payload: bytes, device_id: str) -> Meaning:
    """The meaning of a message, or MalformedMessage."""
    if topic.startswith(_METHOD):
        return parse_method(topic, payload)
    if topic.startswith(_TWIN_REPLY):
        return parse_twin_reply(topic, payload)
    if topic.startswith(_DESIRED):
        return parse_desired(topic, payload)
    return parse_c2d(topic, payload, device_id)


def parse_method(topic: str, payload: bytes) -> Meaning:
    """`$iothub/methods/POST/{name}/?$rid={request id}`; no body is payload None."""
    name, slash, query = topic[len(_METHOD) :].partition("/?")
    name = unquote(name)
    if not slash or not name or "/" in name:
        raise MalformedMessage("method call without a name", topic)
    arguments = parse(payload, _METHOD_AT_MOST) if payload else None
    return ("method", name, _request_id(bag.parse(query), topic), arguments)


def parse_twin_reply(topic: str, payload: bytes) -> Meaning:
    """`$iothub/twin/res/{status}/?$rid={request id}[&$version={n}]`; a body is read on 200 only."""
    status_text, slash, query = topic[len(_TWIN_REPLY) :].partition("/?")
    properties = bag.parse(query)
    status, request_id = decimal(status_text, 999), _request_id(properties, topic)
    if not slash or status < 200:
        raise MalformedMessage("twin reply without a status", topic)
    version = _version(properties.get("$version"), topic) if status == 204 else None
    document = parse_twin(payload) if status == 200 else None
    return ("twin", status, request_id, version, document)


def parse_twin(payload: bytes) -> Tree:
    """{"desired": {..., "$version": n}, "reported": {..., "$version": m}}, both there and sound."""
    document = parse_object(payload, _TWIN_AT_MOST)
    for part in ("desired", "reported"):
        properties = document.get(part)
        if not isinstance(properties, dict):
            raise MalformedMessage("twin without its %s properties" % part)
        _check_version(properties.get("$version"), part)
    return document


def parse_desired(topic: str, payload: bytes) -> Meaning:
    """`$iothub/twin/PATCH/properties/desired/?$version={n}`; the body names the same or none."""
    version = _version(bag.parse(topic[len(_DESIRED) :]).get("$version"), topic)
    patch = parse_object(payload, _TWIN_AT_MOST)
    if patch.get("$version", version) != version:
        raise MalformedMessage("desired properties with two versions", topic)
    return ("desired", version, {k: v for k, v in patch.items() if k != "$version"})


def parse_c2d(topic: str, payload: bytes, device_id: str) -> Meaning:
    """`devices/dev-7/messages/devicebound/{bag}`, with or without a slash before the bag's end."""
    base = "devices/%s/messages/devicebound" % device_id
    rest = topic[len(base) :]
    if not topic.startswith(base) or rest[:1] not in ("", "/"):
        raise MalformedMessage("message on a topic nobody subscribed to", topic)
    return ("c2d", bag.parse(rest.strip("/")), payload)


def _request_id(properties: Bag, topic: str) -> str:
    """Safe to echo: a wildcard in it would make the reply an illegal topic."""
    request_id = properties.get("$rid") or ""
    if not 0 < len(request_id) <= _REQUEST_ID_AT_MOST or [
        c for c in request_id if c not in _REQUEST_ID
    ]:
        raise MalformedMessage("message without a usable request id", topic)
    return request_id


def _version(text: str | None, topic: str) -> int:
    if not text:
        raise MalformedMessage("message without a version", topic)
    return decimal(text, _VERSION_MOST)


def _check_version(value: object, part: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _VERSION_MOST:
        raise MalformedMessage("twin without the version of its %s properties" % part)
