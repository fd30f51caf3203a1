"""One service of the emulated cloud as the network sees it: a name, an address, two ports.

Holds what belongs together; cloud.py opens and changes it.
"""

from dataclasses import dataclass, field

from .broker import Broker
from .certificates import ServerChain
from .front import Listener
from .issuers import Issuers
from .mirror import Mirror
from .plain import PlainListener
from .tlspolicy import Presented

MQTT_PORT, HTTP_PORT, HTTPS_PORT, EST_PORT, SNTP_PORT = 8883, 80, 443, 8443, 123
PORT_NAMES = "mqtt", "https"
SERVICE_PORTS, MIRROR_PORTS = (MQTT_PORT, HTTPS_PORT), (HTTP_PORT, HTTPS_PORT)
EST_PORTS = (EST_PORT, HTTPS_PORT)  # the same on both


@dataclass
class Endpoint:
    """One service as the network sees it.

    behind       what its connections speak to, and what is told that time passes
    listeners    its own protocol, and HTTPS
    known_ports  those that devices know; `ports` are those that listen
    """

    name: str
    host: str
    address: str
    presented: Presented
    behind: Broker | Mirror | Issuers
    listeners: tuple[Listener | PlainListener, Listener]
    known_ports: tuple[int, int]
    ports: tuple[int, int] = (0, 0)
    chains: dict[str, ServerChain] = field(default_factory=dict)

    def shown(self) -> dict:
        """As JSON: where it is and what it presents."""
        return {
            "host": self.host,
            "address": self.address,
            "port": self.ports[0],
            "https_port": self.ports[1],
            "up": self.listeners[0].is_open(),
            "https_up": self.listeners[1].is_open(),
            "chain": self.presented.chain.name,
            "policy": self.presented.policy,
        }
