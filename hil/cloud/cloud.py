"""One emulated cloud, put together: services, their fronts, clocks, names and files.

Wires and starts; decides nothing. The parts know each other only through what is passed here.
"""

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path

from . import kinds, loopback
from .broker import Broker
from .certificates import CHAINS, Authority, ServerChain, pem
from .clock import Clock
from .dps import ProvisioningService
from .endpoint import Endpoint
from .enrollment import X509
from .enrollment import Presented as Shown
from .faults import Faults
from .front import Listener
from .https import HttpsSide
from .hub import IotHub
from .journal import Journal
from .names import Names
from .refusal import BadRequest
from .sntp import SntpServer
from .tlspolicy import Presented

MQTT_PORT, HTTPS_PORT, SNTP_PORT = 8883, 443, 123
FACTORY = ("baltimore", "g2", "g3", "msrsa2017")
CHEAP = ("baltimore", "g2", "g3", "msecc2017", "unknown")  # made at start in any case
AUTO, REAL, FREE = "auto", "real", "free"
TICK_S = 0.1


@dataclass
class Settings:
    """What a cloud is started with.

    ports    auto: real ones where allowed; real; or free: any, told in the ready line
    factory  the roots that devices are delivered with
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


class Cloud:
    """Everything that runs between start() and stop()."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.folder = settings, settings.folder
        self.clock, self.journal, self.faults = Clock(), Journal(), Faults()
        self.authority = Authority()
        self.endpoints: dict[str, Endpoint] = {}
        self.sntp = SntpServer(self.clock, self.journal)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.names = Names(self.folder / "resolve.json")
        self.hubs = {
            "hub": self._hub("hub", settings.hub_name),
            "hub2": self._hub("hub2", settings.hub2_name),
        }
        self.dps = ProvisioningService(
            settings.id_scope, list(self.hubs.values()), utc_s=self.clock.utc_s,
            make_id=_new_id, journal=self.journal, faults=self.faults,
        )  # fmt: skip

    def _hub(self, name: str, host: str) -> IotHub:
        return IotHub(
            [host], utc_s=self.clock.utc_s, make_id=_new_id, journal=self.journal,
            faults=self.faults, name=name,
        )  # fmt: skip

    async def start(self) -> None:
        """Make the certificates, open the ports, write the folder."""
        settings = self.settings
        self.net = loopback.take(settings.net) if settings.net else loopback.take_any()
        await asyncio.to_thread(self._write_roots)
        for name, host, number in (
            ("hub", settings.hub_name, loopback.HUB),
            ("hub2", settings.hub2_name, loopback.HUB2),
            ("dps", settings.dps_name, loopback.DPS),
        ):
            await self._open(name, host, self.net.address(number))
        sntp_port = 0 if settings.ports == FREE else SNTP_PORT
        await self._bind(self.sntp, self.net.address(loopback.SNTP), sntp_port)
        self._write_devices()
        self._ticking = asyncio.create_task(self._tick())
        self._ticking.add_done_callback(lambda task: task.cancelled() or task.result())

    async def stop(self) -> None:
        """Close every port and drop every connection."""
        self._ticking.cancel()
        for endpoint in self.endpoints.values():
            for listener in (endpoint.mqtt, endpoint.https):
                listener.close()
                listener.cut_all()
        self.sntp.close()
        self.net.close()
        await asyncio.sleep(0)

    def ready(self) -> dict:
        """The line a caller waits for."""
        line: dict = {"ready": True}
        for name, endpoint in self.endpoints.items():
            shown = endpoint.shown()
            line[name] = {k: shown[k] for k in ("host", "address", "port", "https_port")}
        line["sntp"] = {"address": self.sntp.address, "port": self.sntp.port}
        line["dir"] = str(self.folder)
        line["net"] = self.net.prefix
        line["id_scope"] = self.settings.id_scope
        line["kinds"] = dict(kinds.REGISTRATION_IDS)
        return line

    def note(self, what: str, **more: object) -> None:
        """An operator's deed is a row of the journal too."""
        self.journal.add(self.clock.now_ms(), "operator", what, None, **more)

    async def present(self, service: str, chain: str, new_leaf: bool = False) -> ServerChain:
        """Show another chain from the next handshake on; sessions stay.

        A chain shown before comes back as it was, unless a new leaf is asked for.
        """
        endpoint = self.endpoints[service]
        if chain not in CHAINS:
            raise BadRequest("no such server chain", chain, f"one of {', '.join(CHAINS)}")
        if new_leaf or chain not in endpoint.chains:
            made = await asyncio.to_thread(self.authority.chain, chain, [endpoint.host], new_leaf)
            endpoint.chains[chain] = made
            self._write_root(made.root, "roots")
        endpoint.presented.change(chain=endpoint.chains[chain])
        return endpoint.chains[chain]

    async def listen(
        self, service: str, up: bool, address: str | None, cut: bool, freeze: bool = False
    ) -> None:
        """Take a service down, up, or to another address of this network.

        cut     drop the connections that are open
        freeze  leave them open instead, and dead
        """
        endpoint = self.endpoints[service]
        if address is not None and not address.startswith("127."):
            raise BadRequest("not a loopback address", address, "write 127.A.B.C")
        for listener in (endpoint.mqtt, endpoint.https):
            listener.close()
            if freeze:
                listener.freeze_all()
            elif cut:
                listener.cut_all()
        endpoint.address = address or endpoint.address
        if up:
            await self._reopen(endpoint)

    async def _reopen(self, endpoint: Endpoint) -> None:
        for listener, port in zip((endpoint.mqtt, endpoint.https), endpoint.ports, strict=True):
            try:
                await listener.open(endpoint.address, port)
            except OSError as e:
                place = f"{endpoint.address}:{port}"
                raise BadRequest("cannot listen there", place, f"{e.strerror}; take another") from e

    async def _open(self, name: str, host: str, address: str) -> None:
        chain = await asyncio.to_thread(self.authority.chain, self.settings.chain, [host])
        presented = Presented(chain)
        broker = Broker(name, self.dps if name == "dps" else self.hubs[name], self.journal)
        side = HttpsSide(name, self.journal, self.clock, self._look_up if name == "dps" else None)
        mqtt = Listener(name, broker.accept, presented, self.journal, self.clock)
        https = Listener(name, side.accept, presented, self.journal, self.clock)
        endpoint = Endpoint(name, host, address, presented, broker, mqtt, https)
        endpoint.chains[chain.name] = chain
        free = self.settings.ports == FREE
        await self._bind(mqtt, address, 0 if free else MQTT_PORT)
        await self._bind(https, address, 0 if free else HTTPS_PORT)
        endpoint.ports = (mqtt.port, https.port)
        self.endpoints[name] = endpoint

    async def _bind(self, server: object, address: str, port: int) -> None:
        try:
            await server.open(address, port)
        except PermissionError:
            if self.settings.ports != AUTO:
                raise
            await server.open(address, 0)  # a low port, and not root

    def _look_up(
        self, registration_id: str, id_scope: str, token: str | None, chain: list, now_ms: int
    ) -> tuple[int, dict, bytes]:
        shown = Shown(registration_id, id_scope, token, chain)
        return self.dps.lookup(registration_id, shown, now_ms)

    async def _tick(self) -> None:
        """Do what is due in every broker, ten times a second."""
        while True:
            now_ms = self.clock.now_ms()
            for endpoint in self.endpoints.values():
                endpoint.broker.turn(now_ms)
            await asyncio.sleep(TICK_S)

    def _write_roots(self) -> None:
        for folder in ("roots", "factory"):
            (self.folder / folder).mkdir(exist_ok=True)
        for name in self.settings.factory:
            self._write_root(name, "factory")
        for name in dict.fromkeys((*CHEAP, *self.settings.factory)):
            self._write_root(name, "roots")

    def _write_root(self, name: str, folder: str) -> None:
        data = pem(self.authority.root(name).certificate)
        (self.folder / folder / f"{name}.pem").write_bytes(data)

    def _write_devices(self) -> None:
        lines = {}
        for e in self.endpoints.values():
            lines[f"{e.host}:{MQTT_PORT}"] = [f"{e.address}:{e.ports[0]}"]
            lines[f"{e.host}:{HTTPS_PORT}"] = [f"{e.address}:{e.ports[1]}"]
        self.names.change(lines)
        facts = {
            "id_scope": self.settings.id_scope,
            "dps_host": self.settings.dps_name,
            "suffix": "." + self.settings.hub_name.partition(".")[2],
            "sntp": f"{self.sntp.address}:{self.sntp.port}",
            "resolve": lines,
        }
        for kind in kinds.KINDS:
            enrollment = kinds.write(self.folder, kind, facts, self.settings.hub_name)
            self.dps.enrollments.put(enrollment)
            if enrollment.attestation == X509 and enrollment.hub_auth == "ca":
                for hub in self.hubs.values():
                    hub.registry.authorities[enrollment.enrollment_id] = enrollment.primary


def _new_id() -> str:
    return uuid.uuid4().hex
