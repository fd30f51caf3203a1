"""The cloud's folder: its roots, its vendor's root of trust, and a ready device of each kind.

Writes files when the cloud starts, and a root when it is first spoken of; decides nothing.
"""

from typing import TYPE_CHECKING

from . import kinds
from .certificates import pem
from .enrollment import X509
from .settings import DELIVERED

if TYPE_CHECKING:
    from .cloud import Cloud

CHEAP = ("baltimore", "g2", "g3", "msecc2017", "unknown", "unknown2")  # made at start in any case
ROOTS, FACTORY, VENDOR_ROOT = "roots", "factory", "vendor.root.json"


def write_roots(cloud: "Cloud") -> None:
    """DIR/roots, DIR/factory and DIR/vendor.root.json; makes what is not made yet."""
    settings = cloud.settings
    for folder in (ROOTS, FACTORY):
        (cloud.folder / folder).mkdir(exist_ok=True)
    for name in settings.factory:
        write_root(cloud, name, FACTORY)
    for name in dict.fromkeys((*CHEAP, *settings.factory)):
        write_root(cloud, name)
    places = [cloud.folder, cloud.folder / FACTORY]
    for place in places if settings.vendor_root == DELIVERED else places[:1]:
        (place / VENDOR_ROOT).write_bytes(cloud.mirror.vendor.root())


def write_root(cloud: "Cloud", name: str, folder: str = ROOTS) -> None:
    """DIR/roots/NAME.pem."""
    data = pem(cloud.authority.root(name).certificate)
    (cloud.folder / folder / f"{name}.pem").write_bytes(data)


def write_devices(cloud: "Cloud") -> None:
    """resolve.json, and for each kind DIR/KIND with the enrollment that lets the device in."""
    lines = {
        f"{e.host}:{known}": [f"{e.address}:{port}"]
        for e in cloud.endpoints.values()
        for known, port in zip(e.known_ports, e.ports, strict=True)
    }
    cloud.names.change(lines)
    settings = cloud.settings
    facts = {
        "id_scope": settings.id_scope,
        "dps_host": settings.dps_name,
        "suffix": "." + settings.hub_name.partition(".")[2],
        "sntp": f"{cloud.sntp.address}:{cloud.sntp.port}",
        "mirror": cloud.mirror_url(),
        "resolve": lines,
    }
    for kind in kinds.KINDS:
        enrollment = kinds.write(cloud.folder, kind, facts, settings.hub_name)
        cloud.dps.enrollments.put(enrollment)
        if enrollment.attestation == X509 and enrollment.hub_auth == "ca":
            for hub in cloud.hubs.values():
                hub.registry.authorities[enrollment.enrollment_id] = enrollment.primary
