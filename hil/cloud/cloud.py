"""One emulated cloud, put together: services, their fronts, clocks, names and files.

Wires and starts; decides nothing. The parts know each other only through what is passed here.
"""

import asyncio
import uuid

from . import delivery, kinds, loopback, opening, trustjson
from .attacks import Attack
from .bundles import Vendor
from .certificates import CHAINS, ISSUING, ROOTS, Authority, ServerChain
from .clock import Clock
from .dps import ProvisioningService
from .endpoint import PORT_NAMES, Endpoint
from .faults import Faults
from .hub import IotHub
from .issuers import Issuers
from .issuing import der_of
from .journal import Journal
from .mirror import FOLDER, Mirror
from .names import Names
from .refusal import BadRequest
from .settings import Settings
from .sntp import SntpServer

TICK_S = 0.1


class Cloud:
    """Everything that runs between start() and stop()."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.folder = settings, settings.folder
        self.clock, self.journal, self.faults = Clock(), Journal(), Faults()
        self.authority = Authority(self._utc_s)
        self.issuers = Issuers(
            der_of(self.authority.root("est").certificate), self.clock.now_ms(),
            utc_s=self.clock.utc_s, make_id=_new_id, journal=self.journal, faults=self.faults,
        )  # fmt: skip
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
            namespace=self.issuers.namespace,
        )  # fmt: skip
        vendor = Vendor(self.authority.certificate, self._utc_s)
        self.mirror = Mirror(vendor, self.journal, self.clock, self._mirror_place)

    def _utc_s(self) -> int:
        return self.clock.utc_s(self.clock.now_ms())

    def _mirror_place(self) -> str:
        endpoint = self.endpoints["mirror"]
        return f"{endpoint.address}:{endpoint.ports[0]}"

    def _hub(self, name: str, host: str) -> IotHub:
        return IotHub(
            [host], utc_s=self.clock.utc_s, make_id=_new_id, journal=self.journal,
            faults=self.faults, name=name, namespace=self.issuers.namespace,
        )  # fmt: skip

    async def start(self) -> None:
        """Make the certificates, open the ports, write the folder."""
        settings = self.settings
        self.net = loopback.take(settings.net) if settings.net else loopback.take_any()
        await asyncio.to_thread(delivery.write_roots, self)
        await opening.open_all(self)
        delivery.write_devices(self)
        self._ticking = asyncio.create_task(self._tick())
        self._ticking.add_done_callback(lambda task: task.cancelled() or task.result())

    async def stop(self) -> None:
        """Close every port and drop every connection."""
        self._ticking.cancel()
        for endpoint in self.endpoints.values():
            for listener in endpoint.listeners:
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
        line["mirror"]["url"] = self.mirror_url()
        line["est"]["url"] = f"https://{self.settings.est_name}/.well-known/est/"
        line["est"]["anchors"] = str(self.folder / delivery.EST_ANCHORS)
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
            delivery.write_root(self, made.root)
        endpoint.presented.change(chain=endpoint.chains[chain])
        return endpoint.chains[chain]

    async def listen(
        self,
        service: str,
        up: bool,
        address: str | None,
        cut: bool,
        freeze: bool = False,
        only: str | None = None,
    ) -> None:
        """Take a service down, up, or to another address of this network.

        cut     drop the connections that are open
        freeze  leave them open instead, and dead
        only    "mqtt" or "https": this port, as a firewall would; the other stays as it is
        """
        endpoint = self.endpoints[service]
        if address is not None and not address.startswith("127."):
            raise BadRequest("not a loopback address", address, "write 127.A.B.C")
        chosen = [n for n, port in enumerate(PORT_NAMES) if only in (None, port)]
        for listener in [endpoint.listeners[n] for n in chosen]:
            listener.close()
            if freeze:
                listener.freeze_all()
            elif cut:
                listener.cut_all()
        endpoint.address = address or endpoint.address
        if up:
            await self._reopen(endpoint, chosen)

    async def publish(self, said: dict) -> None:
        """The mirror's next release; see trustjson.targets for what it may say."""
        trustjson.check(said)
        for name in trustjson.names(said):
            if name not in ROOTS and name not in ISSUING:
                known = ", ".join([*ROOTS, *ISSUING])
                raise BadRequest("no such certificate", name, f"one of {known}")
            await asyncio.to_thread(self.authority.certificate, name)
            if name in ROOTS:
                delivery.write_root(self, name)
        self.mirror.vendor.release(said)

    async def assault(self, attack: Attack | None) -> None:
        """Have the mirror attack its clients; None: be honest again."""
        await asyncio.to_thread(self.authority.certificate, "unknown")
        self.mirror.assault(attack)

    def mirror_url(self) -> str:
        """What devices have in trust.mirrors."""
        return f"http://{self.settings.mirror_name}{FOLDER}"

    async def _reopen(self, endpoint: Endpoint, chosen: list[int]) -> None:
        for listener, port in [(endpoint.listeners[n], endpoint.ports[n]) for n in chosen]:
            try:
                await listener.open(endpoint.address, port)
            except OSError as e:
                place = f"{endpoint.address}:{port}"
                raise BadRequest("cannot listen there", place, f"{e.strerror}; take another") from e

    async def _tick(self) -> None:
        """Do what is due at every endpoint, ten times a second."""
        while True:
            now_ms = self.clock.now_ms()
            for endpoint in self.endpoints.values():
                endpoint.behind.turn(now_ms)
            await asyncio.sleep(TICK_S)


def _new_id() -> str:
    return uuid.uuid4().hex
