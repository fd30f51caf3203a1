"""Which way to an endpoint the next dial takes: MQTT over TLS, or a websocket. Source: design
section 3.

Rule: where the configuration says `auto` it is 8883 first; a dial that the line itself ended makes
the next one take the other way, and the way that was verified last is kept over a restart. It is
kept by endpoint: a network has no name that means the same on every system, and where the device
has moved to another one, the way that is kept fails once and the other is tried.
"""

from .actions import Tell
from .events import Failed, Verified
from .shapes import Config, Event, Items, Tree

MQTT, WEBSOCKET, HTTPS = "mqtt", "websocket", "https"
_BY_HTTPS = ("est", "mirror")
_OTHER = {MQTT: WEBSOCKET, WEBSOCKET: MQTT}
# What a firewall does to a port, or a proxy to a tunnel, or a server that speaks no websocket.
BLOCKED = (
    "refused",
    "silent",
    "cut",
    "unreachable",
    "proxy-forbids",
    "proxy-failed",
    "upgrade-refused",
    "upgrade-malformed",
)
_OF_A_PROXY = "proxy-"


class Transports:
    """The way to each endpoint.

    kept  {endpoint: "websocket"}, to be saved; an endpoint that is not in it is dialled at 8883
    """

    def __init__(self, config: Config) -> None:
        self._configured = config.mqtt.transport
        self._next: Tree = {}
        self._dialed: Tree = {}  # link: (endpoint, way)
        self.kept: Tree = {}

    def start(self, kept: Tree) -> None:
        """Take what was saved."""
        self.kept = {e: kept[e] for e in kept if kept[e] == WEBSOCKET}
        self._next = dict(self.kept)

    def of(self, endpoint: str) -> str:
        """The way that the next dial takes."""
        if endpoint in _BY_HTTPS:
            return HTTPS
        if self._configured != "auto":
            return str(self._configured)
        return str(self._next.get(endpoint, MQTT))

    def dialed(self, link: str, endpoint: str) -> None:
        """A dial is out; what answers on its link is about this way."""
        known = "" if endpoint in _BY_HTTPS else endpoint
        self._dialed[link] = (known, self.of(endpoint))

    def heard(self, event: Event) -> tuple[Items, bool]:
        """(what to tell, whether `kept` has changed) after any event."""
        if self._configured != "auto" or not isinstance(event, (Failed, Verified)):
            return [], False
        endpoint, way = self._dialed.pop(event.link, ("", MQTT))
        if not endpoint:
            return [], False
        if isinstance(event, Verified):
            return [], self._keep(endpoint, way)
        if event.verdict not in BLOCKED:
            return [], False
        self._next[endpoint] = _OTHER[way]
        told = {"endpoint": endpoint, "next": _OTHER[way], "verdict": event.verdict}
        return [Tell("transport", told)], False

    def _keep(self, endpoint: str, way: str) -> bool:
        self._next[endpoint] = way
        if self.kept.get(endpoint, MQTT) == way:
            return False
        self.kept = {e: self.kept[e] for e in self.kept if e != endpoint}
        if way == WEBSOCKET:
            self.kept[endpoint] = way
        return True


def on_the_way(verdict: str) -> bool:
    """True for what a proxy said: it is no gap of the server behind it."""
    return verdict[: len(_OF_A_PROXY)] == _OF_A_PROXY
