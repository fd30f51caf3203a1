"""The cloud's folder: its roots, its vendor's root of trust, and a ready device of each kind.

Writes files when the cloud starts, and a root when it is first spoken of; decides nothing.
"""

from typing import TYPE_CHECKING

from . import kinds
from .certificates import pem
from .enrollment import X509, Enrollment
from .settings import DELIVERED

if TYPE_CHECKING:
    from .cloud import Cloud

# made at start in any case
CHEAP = ("baltimore", "g2", "g3", "msecc2017", "unknown", "unknown2", "est")
ROOTS, FACTORY, VENDOR_ROOT = "roots", "factory", "vendor.root.json"
EST_ANCHORS = "est/anchors.pem"


def write_roots(cloud: "Cloud") -> None:
    """DIR/roots, DIR/factory and DIR/vendor.root.json; makes what is not made yet."""
    settings = cloud.settings
    for folder in (ROOTS, FACTORY, "est"):
        (cloud.folder / folder).mkdir(exist_ok=True)
    for name in settings.factory:
        write_root(cloud, name, FACTORY)
    for name in dict.fromkeys((*CHEAP, *settings.factory)):
        write_root(cloud, name)
    (cloud.folder / EST_ANCHORS).write_bytes(pem(cloud.authority.root("est").certificate))
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
        "est_host": settings.est_name,
        "resolve": lines,
    }
    now_ms = cloud.clock.now_ms()
    services = [*cloud.hubs.values(), cloud.dps]
    for service in services:
        cloud.issuers.register_tenant(service.certificates, kinds.TENANT_CA, now_ms, "active")
    for kind in kinds.KINDS:
        enrollment = kinds.write(
            cloud.folder, kind, facts, settings.hub_name, cloud.issuers, now_ms
        )
        cloud.dps.enrollments.put(enrollment)
        if enrollment.attestation == X509 and enrollment.hub_auth == "ca":
            _register(cloud, enrollment)


def _register(cloud: "Cloud", enrollment: Enrollment) -> None:
    """Hubs that judge by CA know those of the group."""
    for number, der in enumerate(enrollment.secrets()):
        name = enrollment.enrollment_id + ("", "-secondary")[number]
        for hub in cloud.hubs.values():
            hub.certificates.upload(name, der, verified=True)
