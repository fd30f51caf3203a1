"""Property bags: `k=v&k2=v2`, percent-encoded, at the end of a topic.

Rule: `k` alone stands for None and `k=` for the empty text, both ways. A name given twice is
refused: two readers could take different ones.

Source: Microsoft Learn, "Communicate with an IoT hub using the MQTT protocol".
"""

from ..errors import ConfigError, MalformedMessage
from .encoding import quote, unquote
from .shapes import Bag

SYSTEM = {
    "message_id": "$.mid",
    "correlation_id": "$.cid",
    "user_id": "$.uid",
    "content_type": "$.ct",
    "content_encoding": "$.ce",
    "expiry": "$.exp",
    "creation_time": "$.ctime",
    "component": "$.sub",
    "to": "$.to",
}
NO_PROPERTIES: Bag = {}
_AT_MOST = 65_535


def build(properties: Bag, system: Bag = NO_PROPERTIES) -> str:
    """The bag of a message, members sorted so that equal messages have equal topics.

    properties  the application's own: text to text or None
    system      members of SYSTEM by their readable names: {"message_id": "7"}
    """
    pairs = []
    for name, value in system.items():
        if name not in SYSTEM:
            raise ConfigError("not a system property", name, "one of: " + ", ".join(sorted(SYSTEM)))
        pairs.append(_pair(SYSTEM[name], value))
    for name, value in properties.items():
        if not isinstance(name, str) or not name or name[:2] == "$.":
            remedy = "use text that does not begin with $."
            raise ConfigError("not a name for a property", name, remedy)
        pairs.append(_pair(quote(name), value))
    return "&".join(sorted(pairs))


def _pair(name: str, value: str | None) -> str:
    if value is None:
        return name
    if not isinstance(value, str):
        raise ConfigError("property is not text", name, "convert its value to text")
    return "%s=%s" % (name, quote(value))


def parse(text: str) -> Bag:
    """{"name": "value" or None}, names as on the wire (`$.mid`), values decoded."""
    if len(text) > _AT_MOST:
        raise MalformedMessage("property bag too long", len(text))
    properties: Bag = {}
    for pair in text.split("&") if text else []:
        name, equals, value = pair.partition("=")
        name = unquote(name)
        if not name or name in properties:
            raise MalformedMessage("property bag with an empty or repeated name", text)
        properties[name] = unquote(value) if equals else None
    return properties
