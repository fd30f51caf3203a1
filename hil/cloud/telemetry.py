"""Device-to-cloud messages: the topic's property bag, taken apart for the journal.

Keeps a digest of every payload and the text of small ones.
Source: "Communicate with an IoT hub using the MQTT protocol", sending device-to-cloud messages.
"""

import hashlib

from .topics import parsed_bag

LARGEST = 256 * 1024
SMALL = 1024
SYSTEM = {
    "$.mid": "mid",
    "$.cid": "correlation_id",
    "$.uid": "user_id",
    "$.ct": "content_type",
    "$.ce": "content_encoding",
    "$.exp": "expiry",
    "$.on": "output",
    "$.ifid": "interface",
    "$.sub": "component",
    "$.to": "to",
}


def events_topic(device_id: str) -> str:
    """devices/{id}/messages/events/; a property bag may follow."""
    return f"devices/{device_id}/messages/events/"


def ingested(device_id: str, topic: str, payload: bytes, retain: bool = False) -> dict:
    """The journal's fields of one message.

    {"mid": "7", "properties": {…}, "system": {…}, "size": 2, "sha256": "…", "text": "{}"}; a text
    that is large or not UTF-8 is None. RETAIN is not kept as such: it becomes a property.
    """
    bag = parsed_bag(topic[len(events_topic(device_id)) :])
    properties = {name: value for name, value in bag.items() if name not in SYSTEM}
    if retain:
        properties["mqtt-retain"] = "true"
    return {
        "mid": bag.get("$.mid"),
        "properties": properties,
        "system": {SYSTEM[name]: value for name, value in bag.items() if name in SYSTEM},
        "size": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
        "text": _text(payload),
    }


def _text(payload: bytes) -> str | None:
    try:
        return payload.decode() if len(payload) <= SMALL else None
    except UnicodeDecodeError:
        return None
