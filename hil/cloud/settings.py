"""What one emulated cloud is started with.

Holds values; decides nothing.
"""

from dataclasses import dataclass
from pathlib import Path

FACTORY = ("baltimore", "g2", "g3", "msrsa2017")
AUTO, REAL, FREE = "auto", "real", "free"
DELIVERED, BESIDE = "delivered", "beside"


@dataclass
class Settings:
    """What a cloud is started with.

    ports        auto: real ones where allowed; real; or free: any, told in the ready line
    factory      the roots that devices are delivered with
    vendor_root  delivered: in the devices' factory folder; beside: only in the cloud's folder
    """

    folder: Path
    net: str | None = None
    hub_name: str = "anchorwatch-hub.azure-devices.net"
    hub2_name: str = "anchorwatch-hub2.azure-devices.net"
    dps_name: str = "anchorwatch-dps.azure-devices-provisioning.net"
    id_scope: str = "0ne00A17C4"
    chain: str = "g2-rsa"
    factory: tuple[str, ...] = FACTORY
    ports: str = AUTO
    mirror_name: str = "mirror.anchorwatch.example"
    vendor_root: str = DELIVERED
    est_name: str = "est.anchorwatch.example"
