"""Where the endpoints are, and which of them are looked at beside the hub.

Rule: hub and DPS carry the device, and are `Trust.endpoints`: no change may leave them without an
anchor. The others are watched and told of, and nothing waits for them.
An EST server with est.anchors_file is verified against that file alone: no layer, distrust or rule
of the trust store has a say, and the core does not know what is in it.

Source: design section 6.
"""

from ..errors import MalformedMessage
from .shapes import Config, Items
from .transports import WEBSOCKET

PROBED = ("dps", "est", "mirror")  # what may be
NOWHERE = ("", 0)
OWN = "est.anchors_file"  # instead of a layer's name


class Endpoints:
    """Of one configuration.

    others  those that are probed once a day, in the order of their names
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.start([])

    def start(self, rooted: Items) -> None:
        """`rooted`: layers with a root of trust; without the vendor's no mirror is asked."""
        config = self._config
        self._mirror = _first_https(list(config.trust.mirrors)) if "vendor" in rooted else NOWHERE
        used = {
            "dps": bool(config.dps.host),
            "est": config.identity.issuer == "est",
            "mirror": self._mirror != NOWHERE,
        }
        self.others: Items = sorted([name for name in used if used[name]])

    def where(self, endpoint: str, hub: str | None, transport: str) -> tuple[str, int]:
        """(host, port) for a transport; the host is "" while it is not known."""
        if endpoint == "mirror":
            return self._mirror
        if endpoint == "est":
            return (self._config.est.host, self._config.est.port)
        at = self._config.hub if endpoint == "hub" else self._config.dps
        host = (hub or "") if endpoint == "hub" else str(self._config.dps.host)
        return host, at.https_port if transport == WEBSOCKET else at.port


def has_own_roots(config: Config, endpoint: str) -> bool:
    """True where a setting names a file with the only roots of this endpoint."""
    return endpoint == "est" and bool(config.est.anchors_file)


def _first_https(mirrors: Items) -> tuple[str, int]:
    from ..wire import url

    for text in mirrors:
        try:
            place = url.parse(text)
        except MalformedMessage:
            continue
        if place.scheme == "https":
            return place.host, place.port
    return NOWHERE
