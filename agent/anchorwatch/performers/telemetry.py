"""Telemetry between the programs that send it and the links: message ids and topics.

Rule: a record has its id before it is queued, and its topic only once a hub knows the device.
"""

import binascii

from ..core.shapes import Tree
from ..errors import ConfigError
from ..wire import hub as hub_wire
from .outbox import Outbox


class Telemetry:
    """The queue, and the client ids of the links, which name the device in topics.

    chance   four bytes that no other start of this device has: message ids begin with them
    at_most  records that are kept
    """

    def __init__(self, module_id: str, chance: bytes, at_most: int) -> None:
        self._module_id = module_id
        self._ids: dict[str, str] = {}
        self._device_id = ""
        self._prefix = binascii.hexlify(chance).decode()
        self._count = 0
        self.outbox = Outbox(self._topic_of, at_most)

    def put(self, mid: str, properties: Tree, payload: bytes) -> str:
        """Queue one message; its id, made here when `mid` is empty.

        Raises  ConfigError: a property that no topic can hold
        """
        if not mid:
            self._count += 1
            mid = "%s-%d" % (self._prefix, self._count)
        record = {"mid": mid, "properties": properties, "payload": payload, "qos": 1}
        hub_wire.telemetry_topic("d" * 128, properties, {"message_id": mid}, self._module_id)
        if [c for c in mid if c < " " or "\x7f" <= c < "\xa0"]:
            raise ConfigError("mid holds control characters", mid, "give printable text")
        self.outbox.put(record)
        return mid

    def connecting(self, link: str, client_id: str) -> None:
        """A link says who it is."""
        self._ids[link] = client_id.partition("/")[0]

    def feeding(self, link: str) -> None:
        """From now on messages leave over this link."""
        device_id = self._ids.get(link, "")
        if device_id != self._device_id:
            self._device_id = device_id
            self.outbox.readdress()

    def swapped(self) -> None:
        """next is the live link."""
        self._ids["live"] = self._ids.pop("next", self._ids.get("live", ""))

    def _topic_of(self, record: Tree) -> str:
        return hub_wire.telemetry_topic(self._device_id, record["properties"],
                                        {"message_id": record["mid"]}, self._module_id)
