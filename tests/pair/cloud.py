"""The emulated services on one clock that jumps, with the fronts that devices dial.

Rule: time passes only in `run_until` and `run_for`; nothing here sleeps or reads a clock. The
services are hil.cloud's own; a front is what TLS and the name service would show of one of them.
"""

import heapq
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from anchorwatch.core import events
from hil.cloud import csr
from hil.cloud.dps import ProvisioningService
from hil.cloud.faults import Faults
from hil.cloud.hub import IotHub
from hil.cloud.issuers import Issuers
from hil.cloud.issuing import chain_for
from hil.cloud.journal import Journal

EPOCH_UTC_S = 1_800_000_000
SCOPE = "0ne00000001"
HUB, SECOND, DPS = "hub.hubs.example", "hub2.hubs.example", "dps.example"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SPINS_AT_MOST = 5_000
ENDS_UTC_S = 4_102_444_800


@dataclass
class End:
    """One front end behind a name: where it is and the chain it presents."""

    address: str = "127.0.0.2"
    root: str = "g2"
    leaf: str = "leaf-1"
    not_before: int = 0
    not_after: int = ENDS_UTC_S
    ca: str = "ca-1"
    refuses: tuple = ()  # (fault, verdict) of every handshake with it
    forged: bool = False  # an attacker stands there: what reaches him is `captured`

    @property
    def chain(self) -> list[str]:
        """What it presents."""
        return [self.leaf, self.root]

    @property
    def issuer(self) -> str:
        """The key that signed its leaf."""
        return f"key-{self.ca}-{self.root}"


@dataclass
class Front:
    """All front ends of one name; dial n meets ends[n % len], unless `choose` says otherwise."""

    service: object
    ends: list[End] = field(default_factory=lambda: [End()])
    up: bool = True
    silent: bool = False  # takes a connection and says nothing on it
    blocked: set = field(default_factory=set)  # ports that a firewall on the way refuses
    choose: Callable[[int], int] | None = None
    resolves: Callable[[int], list[str]] | None = None
    dials: int = 0

    def next_end(self) -> tuple[End, list[str]]:
        """The front end that this dial meets, and what the name resolves to."""
        number, self.dials = self.dials, self.dials + 1
        chosen = self.choose(number) if self.choose else number
        end = self.ends[chosen % len(self.ends)]
        if self.resolves:
            return end, self.resolves(number)
        return end, sorted({e.address for e in self.ends})

    def present(self, root: str, leaf: str = "leaf-1") -> None:
        """All front ends change over; sessions stay."""
        for end in self.ends:
            end.root, end.leaf = root, leaf


class Cloud:
    """Two hubs and DPS, what is due when, and the devices on them."""

    def __init__(self, seed: int = 1) -> None:
        self.now_ms = 0
        self.random = random.Random(seed)
        self.journal, self.faults = Journal(), Faults()
        self.sntp_offset_s: int | None = 0  # None: the server does not answer
        self.https = True
        self.date_offset_s = 0  # of the Date that the services' HTTPS tells
        self.mirrors: dict[str, object] = {}  # URL: a bundle, or why there is none
        self.stamp = 0  # which timestamp the mirrors show
        self.roots_end: dict[str, int] = {}  # root: when its own certificate ends
        self.captured: list[tuple[int, End]] = []  # CONNECTs that reached an attacker
        self._ids = self.sessions = self._entries = 0
        self.pairs: list = []
        self._due: list[tuple[int, int, Callable]] = []
        self._alarms: list[tuple[int, int, object]] = []
        self.issuers = Issuers(
            b"", 0, utc_s=self.utc_s, make_id=self._make_id, journal=self.journal,
            faults=self.faults,
        )  # fmt: skip
        self.issuer_down: object = None  # IssueRefused or IssueLater fields, while it is
        self.hub, self.hub2 = self._hub("hub", HUB), self._hub("hub2", SECOND)
        self.dps = ProvisioningService(
            SCOPE, [self.hub, self.hub2], utc_s=self.utc_s, make_id=self._make_id,
            journal=self.journal, faults=self.faults, namespace=self.issuers.namespace,
        )  # fmt: skip
        self.fronts = {HUB: Front(self.hub), SECOND: Front(self.hub2), DPS: Front(self.dps)}

    def _hub(self, name: str, host: str) -> IotHub:
        return IotHub(
            [host], utc_s=self.utc_s, make_id=self._make_id, journal=self.journal,
            faults=self.faults, name=name, namespace=self.issuers.namespace,
        )  # fmt: skip

    def issue(self, order: object, shown: list[bytes]) -> object:
        """What the tenant CA answers to an Enroll, whoever brings it."""
        if self.issuer_down is not None:
            return self.issuer_down(order.slot)
        read = csr.read(csr.from_base64(order.csr))
        fault = self.faults.take("est", "issue", read.common_name)
        try:
            chain = chain_for(self.issuers.tenant, read, self.now_ms, fault)
        except csr.CsrRefused as e:
            return events.IssueRefused(order.slot, "identity", e.reason, str(e), [], [], 0)
        self.journal.add(self.now_ms, "est", "issued", read.common_name, shown=bool(shown))
        return events.Issued(order.slot, chain)

    def _make_id(self) -> str:
        self._ids += 1
        return f"{self._ids:x}"

    def utc_s(self, now_ms: int) -> int:
        """Wall clock of the services."""
        return EPOCH_UTC_S + now_ms // 1000

    def at(self, at_ms: int, does: Callable[[], object]) -> None:
        """Do this then; what is due at the same moment is done in the order of these calls."""
        self._entries += 1
        heapq.heappush(self._due, (at_ms, self._entries, does))

    def every(self, each_ms: int, until_ms: int, does: Callable[[], object]) -> None:
        """Do this again and again, the first time now."""
        for at_ms in range(self.now_ms, until_ms, each_ms):
            self.at(at_ms, does)

    def offered(self, url: str, files: dict) -> object:
        """What a Fetch from there meets; inline, trust.json is a bundle's tree."""
        if files:
            return json.loads(files["trust.json"])
        return self.mirrors.get(url, "network")

    def down(self, host: str) -> None:
        """A name stops answering, and its sessions are cut."""
        self.fronts[host].up = False
        for pair in self.pairs:
            for link in list(pair.links.values()):
                if link.host == host:
                    link.broken("network")

    def up(self, host: str) -> None:
        """It answers again."""
        self.fronts[host].up = True

    def run_for(self, span_ms: int) -> None:
        """Let time pass."""
        end_ms = self.now_ms + span_ms
        while self._step(end_ms):
            pass
        self.now_ms = end_ms

    def run_until(self, done: Callable[[], object], at_most_ms: int) -> int:
        """Let time pass until done(); the milliseconds that took. AssertionError after at_most."""
        began_ms = self.now_ms
        while not done():
            if not self._step(began_ms + at_most_ms):
                states = [(pair.watch.states(), pair.fault) for pair in self.pairs]
                raise AssertionError(f"not reached in {at_most_ms} ms: {states}")
        return self.now_ms - began_ms

    def _step(self, end_ms: int) -> bool:
        """Do all that is due at the next moment; False when that lies beyond end_ms."""
        at_ms = max(self.now_ms, min(self._deadlines(), default=end_ms + 1))
        if at_ms > end_ms:
            return False
        self.now_ms = at_ms
        for _ in range(SPINS_AT_MOST):
            if not self._one_thing():
                return True
        raise AssertionError(f"no end of events at {at_ms} ms: {self.pairs[0].told[-5:]}")

    def _one_thing(self) -> bool:
        if self._due and self._due[0][0] <= self.now_ms:
            heapq.heappop(self._due)[2]()
            return True
        while self._alarms and self._alarms[0][0] <= self.now_ms:
            if heapq.heappop(self._alarms)[2].wake():
                return True
        return False

    def alarm(self, pair: object) -> None:
        """A device did something: it may wake at another time now; older alarms are let pass."""
        due_ms = pair.watch.wake_at
        if due_ms is not None:
            self._entries += 1
            heapq.heappush(self._alarms, (due_ms, self._entries, pair))

    def _deadlines(self) -> list[int]:
        wakes = [self._due[0][0]] if self._due else []
        wakes += [self._alarms[0][0]] if self._alarms else []
        turns = [service.turn(self.now_ms) for service in (self.hub, self.hub2)]
        return wakes + [t for t in turns if t is not None]
