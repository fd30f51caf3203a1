"""The machines together: one `handle(event, now)`, one `wake_at`. Rule: it holds them and turns the
wheel; `routing.py` says who takes what, the machines decide.
"""

from . import sleepers
from . import status as status_page
from .actions import Publish, Subscribe, Tell
from .clock import AUTHENTICATED, Clock
from .connection import Connection
from .device import Device
from .endpoints import PROBED
from .faults import Faults
from .identity import Identity
from .lifecycle import ADRIFT, IDLE, RESTING, WAITING_FOR_DPS, WAITING_FOR_HUB
from .methods import Methods
from .reverify import Reverify
from .routing import Routing
from .shapes import Config, Event, Items, Rand, Tree
from .taken import Taken
from .token import Tokens
from .trust import Trust
from .twin import OFFLINE, Twin
from .unauthorized import Unauthorized
from .warnings import Warnings
from .weigh import Weigher

WAITING = (WAITING_FOR_HUB, WAITING_FOR_DPS)


class Watch:
    """One device's agent, without I/O. `rand_below(n)` is its only chance, `now` its only clock."""

    def __init__(self, config: Config, rand_below: Rand) -> None:
        self.config = config
        self.trust = Trust(config)
        self.clock = Clock(config, rand_below)
        self.device = Device(config, rand_below, self.clock, self.trust)
        self.ladder = Unauthorized(self.device)
        self.hub_faults, self.dps_faults = Faults(self.device, "hub"), Faults(self.device, "dps")
        self.look_faults = Faults(self.device, "hub")
        self.probe_faults: Tree = {e: Faults(self.device, e) for e in PROBED}
        tokens = Tokens(self.device)
        weigher = Weigher(
            self.device,
            self.hub_faults,
            self.dps_faults,
            self.ladder,
            lambda: self.identity.trying_live,
        )
        self.connection = Connection(self.device, tokens, weigher, self.hub_faults)
        self.registration = sleepers.registration(self.device, tokens)
        self.twin, self.methods = Twin(), Methods(config)
        self.reverify = Reverify(
            self.device,
            tokens,
            self.connection,
            self.look_faults,
            self.probe_faults,
            lambda: self.twin.open + self.methods.open,
            lambda: self.commit.probing,
        )
        self.identity = Identity(self, self.device)
        self.commit = sleepers.commit(self.device, self.probe_free)
        self.bundles = sleepers.bundles(self)
        self.roots = sleepers.roots(self)
        self.warnings, self.taken = Warnings(self.trust), Taken()
        self._told: Tree = {}
        self._routing = Routing(self)

    @property
    def wake_at(self) -> int | None:
        """The earliest deadline of all machines, ms; None when everybody waits for an event."""
        machines = [m.wake_at for m in self._waking()]
        due = [at_ms for at_ms in machines if at_ms is not None]
        return min(due) if due else None

    def handle(self, event: Event, now: int) -> Items:
        """Take one event at `now` (ms, never decreasing); return the actions to perform, in order.

        Raises  UnexpectedEvent: the driver said what cannot be; never for what a peer controls
        """
        self.taken.verified(event, now)
        out: Items = self.device.heard(event)
        pending = [event]
        while pending:
            item = pending.pop(0)
            self._tell_the_time(now)
            route = self._routing.taker(type(item).__name__)
            if route is not None:
                pending = route(item, now) + pending
            elif self._for_the_cloud(item):
                pending = self._answer(item) + pending
            elif not self._nowhere(item):
                out.append(item)
            if not pending:
                pending = self._report() + self.identity.proven()
        self.warnings.hear(event, out, now)
        for endpoint in self.device.watched():
            self.taken.keep(endpoint, status_page.evidence(self, endpoint))
        return out + self._tell_states()

    def warned(self, about: Tree, now: int) -> None:
        """The driver warns of what it alone has seen: {"class", "what", "value", "remedy"}."""
        self.warnings.warned(about, now)

    def status(self, now: int) -> Tree:
        """The status of contract section 4; the driver adds its queue and version."""
        return status_page.page(self, now)

    def states(self) -> Tree:
        """The state words of the machines."""
        return {
            "connection": self.connection.state,
            "registration": self.registration.state,
            "ladder": self.ladder.state,
            "reverify": self.reverify.state,
            "trust": self.commit.state,
            "twin": self.twin.state,
            "roll": self.identity.state,
            "clock": self.clock.standing,
        }

    def _tell_the_time(self, now: int) -> None:
        """Which anchors hold depends on it: staged ones, expired ones, holds."""
        proven = self.clock.standing == AUTHENTICATED
        judged_utc_s = self.clock.judge_utc_s(now)
        expired_utc_s = judged_utc_s if proven else self.clock.floor_utc_s
        self.trust.judge_at(judged_utc_s, expired_utc_s, proven)

    def link_free(self) -> bool:
        """True when nothing uses or awaits the second link. Where there is room for one session,
        whoever asks ends the one there is."""
        resting = self.reverify.state in (IDLE, RESTING)
        return resting and not self.reverify.taken and self.registration.link != "next"

    def probe_free(self) -> bool:
        """The same for a probe, which ends no session."""
        alone = self.device.second_session or self.connection.state in WAITING
        return alone and self.link_free()

    def _report(self) -> Items:
        """What the twin should say; not put together while there is nobody to say it to."""
        heard = self.twin.state != OFFLINE
        return self.twin.report(status_page.reported(self)) if heard else []

    def _for_the_cloud(self, item: Event) -> bool:
        asked = str(item.about.get("ask_id")) if isinstance(item, Tell) else ""
        return asked[:2] in ("m:", "t:", "r:")

    def _answer(self, item: Tell) -> Items:
        """A direct method's answer is a message, a desired property's is a reported one."""
        machine = self.methods if item.about["ask_id"].startswith("m:") else self.twin
        out: Items = machine.answer(item.about)
        return out

    def _nowhere(self, item: Event) -> bool:
        """True for a message to a session that is between two links; what counts is sent again
        after the move."""
        return isinstance(item, (Publish, Subscribe)) and self.connection.state == ADRIFT

    def _tell_states(self) -> Items:
        states = self.states()
        if states == self._told:
            return []
        self._told = states
        evidence = self.connection.evidence if self.connection.online_since_ms is not None else None
        about = {"machines": states, "hub": self.device.hub or ""}
        about["anchor"] = evidence.anchor if evidence else ""
        about["address"] = evidence.address if evidence else ""
        return [Tell("state", about)]

    def _waking(self) -> Items:
        machines = [self.clock, self.connection, self.registration, self.reverify, self.twin]
        machines += [self.commit, self.bundles, self.identity]
        return machines + [self.trust.holds, self.methods]
