"""What the machines know in common: configuration, assignment, credential, clock, trust, counters.
Decides nothing.

Rule: one machine writes each fact; the others read it.
"""

import hashlib

from ..wire import credentials as credentials_wire
from ..wire import hub as hub_wire
from .actions import Connect, Dial, Save
from .anchors import Anchors
from .backoff import PHASES
from .clock import AUTHENTICATED, Clock
from .endpoints import Endpoints
from .shapes import Config, Event, Items, Rand, Tree
from .slots import Slots
from .transports import Transports
from .trust import Trust

CRASHES = 3
CLIENT_TYPE = "anchorwatch"


class Device:
    """The facts of one device."""

    def __init__(self, config: Config, rand_below: Rand, clock: Clock, trust: Trust) -> None:
        self.config, self.rand_below, self.clock, self.trust = config, rand_below, clock, trust
        self.slots = Slots()
        self.assignment: Tree | None = None
        self.reprovision_asked = False
        self.crashes, self.second_session = 0, True  # crashes within the hour before this start
        self.judged_utc_s = 0  # at the last dial
        self.budgets: Tree = {"cycles": [], "hub": {}, "dps": {}}
        self.counters: Tree = {}
        self.transports, self.endpoints = Transports(config), Endpoints(config)
        digest = hashlib.sha256(self._own_id().encode()).digest()
        self.phase = int.from_bytes(digest[:4], "big") % PHASES

    def count(self, name: str) -> None:
        """One more of `name` since the agent started."""
        self.counters[name] = self.counters.get(name, 0) + 1

    @property
    def credential(self) -> Tree:
        """What the live link shows, or would."""
        return self.slots.of("live")

    def proven_utc_s(self, now: int) -> int | None:
        """The time, where it may end a certificate's life: authenticated."""
        return self.clock.utc(now) if self.clock.standing == AUTHENTICATED else None

    @property
    def window_ms(self) -> int:
        """How long the fleet needs to come back through its hub's connect rate."""
        fleet = self.config.fleet
        return 1000 * fleet.devices // fleet.connects_per_s

    @property
    def hub(self) -> str | None:
        """The hub to connect to: assigned, or configured."""
        return self.assignment["hub"] if self.assignment else None

    @property
    def device_id(self) -> str:
        """Assigned by DPS, or configured."""
        return self.assignment["device_id"] if self.assignment else self._own_id()

    @property
    def reduced(self) -> bool:
        """Reduced watch: after three crashes in an hour nothing is moved that can stay."""
        return self.crashes >= CRASHES

    @property
    def may_register(self) -> bool:
        """True when [dps] is configured and unauthorized.action allows it."""
        return bool(self.config.dps.host) and self.config.unauthorized.action == "reprovision"

    def start(self, event: Event) -> None:
        """Take what the driver found."""
        self.slots.start(event)
        self.assignment = event.state.get("assignment")
        self.endpoints.start(event.state.get("rooted", []))
        self.crashes = event.state.get("crash", {}).get("recent", 0)
        self.second_session = event.state.get("second_session", True)
        self.budgets.update(event.state.get("budgets", {}))
        self.transports.start(self.budgets.get("transport", {}))
        if self.assignment is None and self.config.hub.host:
            self.assignment = {
                "hub": self.config.hub.host,
                "device_id": self._own_id(),
                "accepted": "",
                "previous": "",
            }

    def heard(self, event: Event) -> Items:
        """Any event: what it says of the way that its dial took."""
        out, changed = self.transports.heard(event)
        if changed:
            self.budgets["transport"] = self.transports.kept
            out.append(self.save_budgets())
        return out

    def save_budgets(self) -> Save:
        """What a restart must not lose: cycles through DPS, the exponents of the schedules, the way
        to an endpoint that worked."""
        return Save("budgets", self.budgets)

    def assign(self, meaning: Event) -> Save:
        """Keep a new assignment; the former hub is remembered until the new one has accepted."""
        former = self.assignment or {}
        same = former.get("hub") == meaning.hub
        self.assignment = {
            "hub": meaning.hub,
            "device_id": meaning.device_id,
            "accepted": former.get("accepted", "") if same else "",
            "previous": former.get("previous" if same else "hub", ""),
        }
        return Save("assignment", self.assignment)

    def accepted(self) -> Items:
        """The hub accepted the credential: remember which, once."""
        fingerprint = self.credential.get("fingerprint", "")
        kept = self.assignment or {}
        if kept.get("accepted") == fingerprint and not kept.get("previous"):
            return []
        self.assignment = {
            "hub": kept["hub"],
            "device_id": kept["device_id"],
            "accepted": fingerprint,
            "previous": "",
        }
        return [Save("assignment", self.assignment)]

    @property
    def changed_since_accepted(self) -> bool:
        """True when the credential or the hub is not the one last accepted."""
        kept = self.assignment or {}
        return bool(kept.get("accepted", "") != self.credential.get("fingerprint", ""))

    def dial(self, link: str, endpoint: str, probe: bool, now: int) -> Dial:
        """Dial an endpoint with the anchors and the time that hold now."""
        self.judged_utc_s = self.clock.judge_utc_s(now)
        anchors = self._anchors(endpoint)
        self.transports.dialed(link, endpoint)
        return self._dial(link, endpoint, probe, self.trust.anchors, anchors, self.judged_utc_s)

    def shape(self, link: str, endpoint: str, probe: bool, now: int) -> Dial:
        """What a dial would be; AskDate and LookUp are made of it."""
        anchors = self.trust.offered(endpoint, self.host(endpoint))
        judged_utc_s = self.clock.judge_utc_s(now)
        return self._dial(link, endpoint, probe, self.trust.anchors, anchors, judged_utc_s)

    def probe(self, endpoint: str, view: Anchors, judged_utc_s: int, now: int) -> Dial:
        """Try another set of anchors on the second link, without a credential."""
        anchors = view.offered(endpoint, self.host(endpoint))
        self.transports.dialed("next", endpoint)
        return self._dial("next", endpoint, True, view, anchors, judged_utc_s)

    def reserve_next(self, endpoint: str) -> bool:
        """True when the next dial is the third, with a reserve: nothing waits for that (R10)."""
        return self._anchors(endpoint) != self.trust.offered(endpoint, self.host(endpoint))

    def dialable(self) -> Items:
        """The endpoints in use whose host is known."""
        return [e for e in self.trust.endpoints if self.host(e)]

    def others(self) -> Items:
        """What is looked at once a day beside the hub: DPS, EST, a mirror, as configured."""
        return self.endpoints.others

    def watched(self) -> Items:
        """Every endpoint that is looked at."""
        return sorted(set(self.trust.endpoints + self.others()))

    def carries(self, endpoint: str) -> bool:
        """True where the device depends on an endpoint: without it something waits."""
        return endpoint in self.trust.endpoints

    def host(self, endpoint: str) -> str:
        """The name that an endpoint is dialled by; "" while it is not known."""
        return self._where(endpoint)[0]

    def _where(self, endpoint: str) -> tuple[str, int]:
        return self.endpoints.where(endpoint, self.hub, self.transports.of(endpoint))

    def _anchors(self, endpoint: str) -> Items:
        """What a dial is given; the reserve is for what carries the device (R10)."""
        if self.carries(endpoint):
            return self.trust.for_dial(endpoint, self.host(endpoint))
        return self.trust.offered(endpoint, self.host(endpoint))

    def _dial(
        self, link: str, endpoint: str, probe: bool, view: Anchors, anchors: Items, judge_utc_s: int
    ) -> Dial:
        host, port = self._where(endpoint)
        mqtt = self.config.mqtt
        return Dial(
            link,
            endpoint,
            host,
            port,
            self.transports.of(endpoint),
            anchors,
            view.limits(endpoint, host, anchors),
            self.profile(endpoint, not view.past(anchors)),
            None if probe else self.slots.of(link)["slot"],
            judge_utc_s,
            mqtt.proxy,
            mqtt.mode,
        )

    def seek_time(self, endpoint: str, now: int) -> Items:
        """A date or a token failed and the clock is not authenticated: SNTP and a verified Date."""
        endpoint = endpoint if self.hub else "dps"
        probe = self.shape("next", endpoint, True, now)
        return self.clock.suspect(now) + self.clock.ask_date(probe)

    def profile(self, endpoint: str, lasting: bool = True) -> Tree:
        """The TLS profile of an endpoint as a tree; check_time: may the library's own date check
        be on. It may not where an anchor is past its end (R2)."""
        tls = getattr(self.config.tls, endpoint)
        profile: Tree = {
            "suites": tls.suites,
            "max_fragment": tls.max_fragment,
            "strict": tls.strict,
            "all_ecc": tls.all_ecc,
            "check_time": lasting and self.clock.standing == AUTHENTICATED,
        }
        if tls.max_fragment != "off":
            profile["max_fragment_bytes"] = tls.max_fragment_bytes
        return profile

    def connect(self, link: str, password: str | None) -> Connect:
        """CONNECT to the hub as this device."""
        device, mqtt = self.config.device, self.config.mqtt
        api = hub_wire.API_VERSION
        if self.config.identity.issuer == "hub":
            api = credentials_wire.API_VERSION
        client_id = hub_wire.client_id(self.device_id, mqtt.module_id)
        username = hub_wire.user_name(
            self.hub or "", self.device_id, mqtt.module_id, CLIENT_TYPE, device.model_id, api
        )
        return Connect(link, client_id, username, password, mqtt.keepalive_s, False)

    def _own_id(self) -> str:
        device = self.config.device
        return device.device_id or device.registration_id
