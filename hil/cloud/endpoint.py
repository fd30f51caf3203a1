"""One service of the emulated cloud as the network sees it: a name, an address, two ports.

Holds what belongs together; cloud.py opens and changes it.
"""

from dataclasses import dataclass, field

from .broker import Broker
from .certificates import ServerChain
from .front import Listener
from .tlspolicy import Presented


@dataclass
class Endpoint:
    """One service as the network sees it."""

    name: str
    host: str
    address: str
    presented: Presented
    broker: Broker
    mqtt: Listener
    https: Listener
    ports: tuple[int, int] = (0, 0)
    chains: dict[str, ServerChain] = field(default_factory=dict)

    def shown(self) -> dict:
        """As JSON: where it is and what it presents."""
        return {
            "host": self.host,
            "address": self.address,
            "port": self.ports[0],
            "https_port": self.ports[1],
            "up": self.mqtt.is_open(),
            "chain": self.presented.chain.name,
            "policy": self.presented.policy,
        }
