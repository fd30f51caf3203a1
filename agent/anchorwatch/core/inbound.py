"""What comes in on a link: messages and subscriptions. Rule: parsed here, decided in the machines.

A registration that has the link gets what comes on it; everything else is the hub's.
"""

from ..errors import MalformedMessage
from ..wire import credentials as credentials_wire
from ..wire import hub as hub_wire
from .actions import Tell
from .answers import warning
from .letters import Letters
from .rollroutes import RollRoutes
from .shapes import Any_, Event, Items, Tree, Watch

IGNORED = "it was ignored; if it comes again, tell who runs the hub"


class Inbound:
    """message(event), subscribed(event); `watch` holds the machines."""

    def __init__(self, watch: Watch, rolls: RollRoutes) -> None:
        self._watch, self._rolls = watch, rolls
        self.letters = Letters()

    def subscribed(self, event: Event, now: int) -> Items:
        """SUBACK."""
        if self._watch.registration.busy and event.link == self._watch.registration.link:
            return self._watch.registration.handle(event, now)
        if not [code for code in event.granted if code >= 128]:
            self._watch.connection.subscribed = True
            return []
        return [
            warning(
                "the hub refused a subscription",
                repr(event),
                "check that this identity may receive",
                "message",
            )
        ]

    def message(self, event: Event, now: int) -> Items:
        """A PUBLISH: a method, C2D, the twin, or what nobody documented."""
        if self._watch.registration.busy and event.link == self._watch.registration.link:
            return self._watch.registration.message(event, now)
        if credentials_wire.is_response(event.topic):
            return self._rolls.message(event, now)
        try:
            parsed = hub_wire.parse_message(
                event.topic, event.payload, self._watch.device.device_id
            )
        except MalformedMessage as error:
            self._watch.device.count("malformed")
            what = "message of the hub: " + error.reason
            return [warning(what, error.value, IGNORED, "message")]
        if parsed[0] == "method":
            return self._call(parsed, now)
        if parsed[0] == "c2d":
            return self._letter(parsed[1], parsed[2], now)
        meaning = self._watch.twin.meaning(parsed)
        return self._watch.twin.handle(meaning, now) if meaning is not None else []

    def _letter(self, properties: Tree, payload: bytes, now: int) -> Items:
        """Cloud-to-device: told once, however often sessions move."""
        if self.letters.again(properties, payload, now):
            self._watch.device.count("c2d_again")
            return []
        self._watch.device.count("c2d")
        return [Tell("c2d", {"properties": properties, "payload": payload})]

    def _call(self, parsed: tuple[Any_, ...], now: int) -> Items:
        """A call that came with the last of a session has nobody left to answer."""
        if self._watch.connection.online_since_ms is None:
            return []
        called: Items = self._watch.methods.call(parsed, now)
        return called
