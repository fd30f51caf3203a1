"""Opens the ports of one cloud: each service behind its own name, address and TLS.

Wires and starts; decides nothing.
"""

import asyncio
from typing import TYPE_CHECKING

from . import loopback
from .broker import Broker
from .certificates import ServerChain
from .endpoint import EST_PORTS, MIRROR_PORTS, SERVICE_PORTS, SNTP_PORT, Endpoint
from .enrollment import Presented as Shown
from .front import Listener
from .https import HttpsSide
from .plain import PlainListener
from .settings import AUTO, FREE
from .tlspolicy import Presented

if TYPE_CHECKING:
    from .cloud import Cloud

ECC = "g3-ecc"  # what a service with RSA shows to clients that offer ECDSA alone
EST_CHAIN, EST_ECC = "est-rsa", "est-ecc"


async def open_all(cloud: "Cloud") -> None:
    """Every service of this cloud, and its SNTP."""
    settings = cloud.settings
    for name, host, number in (
        ("hub", settings.hub_name, loopback.HUB),
        ("hub2", settings.hub2_name, loopback.HUB2),
        ("dps", settings.dps_name, loopback.DPS),
    ):
        await _open_service(cloud, name, host, cloud.net.address(number))
    await _open_est(cloud, settings.est_name, cloud.net.address(loopback.EST))
    await _open_mirror(cloud, settings.mirror_name, cloud.net.address(loopback.MIRROR))
    sntp_port = 0 if settings.ports == FREE else SNTP_PORT
    await _bind(cloud, cloud.sntp, cloud.net.address(loopback.SNTP), sntp_port)


async def _open_service(cloud: "Cloud", name: str, host: str, address: str) -> None:
    presented = await _presented(cloud, host, cloud.settings.chain, ECC)
    broker = Broker(name, cloud.dps if name == "dps" else cloud.hubs[name], cloud.journal)

    def look_up(registration_id: str, id_scope: str, token: str | None, chain: list, now_ms: int):
        shown = Shown(registration_id, id_scope, token, chain)
        return cloud.dps.lookup(registration_id, shown, now_ms)

    found = look_up if name == "dps" else None
    side = HttpsSide(name, cloud.journal, cloud.clock, found, broker)
    mqtt = Listener(name, broker.accept, presented, cloud.journal, cloud.clock)
    https = Listener(name, side.accept, presented, cloud.journal, cloud.clock)
    await _open(
        cloud, Endpoint(name, host, address, presented, broker, (mqtt, https), SERVICE_PORTS)
    )


async def _open_est(cloud: "Cloud", host: str, address: str) -> None:
    presented = await _presented(cloud, host, EST_CHAIN, EST_ECC)
    resources = cloud.issuers.est.answer
    side = HttpsSide("est", cloud.journal, cloud.clock, resources=resources)
    listeners = tuple(
        Listener("est", side.accept, presented, cloud.journal, cloud.clock) for _ in EST_PORTS
    )
    await _open(
        cloud, Endpoint("est", host, address, presented, cloud.issuers, listeners, EST_PORTS)
    )


async def _open_mirror(cloud: "Cloud", host: str, address: str) -> None:
    presented = await _presented(cloud, host, cloud.settings.chain, ECC)
    plain = PlainListener(cloud.mirror.accept, cloud.clock)
    https = Listener("mirror", cloud.mirror.accept, presented, cloud.journal, cloud.clock)
    await _open(
        cloud,
        Endpoint("mirror", host, address, presented, cloud.mirror, (plain, https), MIRROR_PORTS),
    )


async def _presented(cloud: "Cloud", host: str, chain: str, beside: str) -> Presented:
    shown: list[ServerChain] = [
        await asyncio.to_thread(cloud.authority.chain, name, [host]) for name in (chain, beside)
    ]
    return Presented(shown[0], beside=shown[1])


async def _open(cloud: "Cloud", endpoint: Endpoint) -> None:
    chain = endpoint.presented.chain
    endpoint.chains[chain.name] = chain
    for listener, port in zip(endpoint.listeners, endpoint.known_ports, strict=True):
        number = 0 if cloud.settings.ports == FREE else port
        await _bind(cloud, listener, endpoint.address, number)
    endpoint.ports = tuple(listener.port for listener in endpoint.listeners)
    cloud.endpoints[endpoint.name] = endpoint


async def _bind(cloud: "Cloud", server: object, address: str, port: int) -> None:
    try:
        await server.open(address, port)
    except PermissionError:
        if cloud.settings.ports != AUTO:
            raise
        await server.open(address, 0)  # a low port, and not root
