"""A device and everything that may happen to it, by chance: bundles, operators, servers, clocks,
disks, power.

Rule: every deed is drawn from the world's own random numbers, so that a seed plays it again.
"""

import random
from collections.abc import Callable

from anchorwatch.core import actions, events
from tests.pair import credentials
from tests.pair.bundles import FOLDER, MIRROR, anchor, bundle, hard, sunset
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE, SECOND, Cloud, End
from tests.pair.pair import Pair
from tests.pair.trust_rules import DAY_S, Rules
from tests.timelines.replay import entry

FACTORY = ("baltimore", "g2")
VENDOR = ("r1", "r2", "r3", "r4")
UNIVERSE = (*FACTORY, *VENDOR, "s1", "u1")
YEAR_S = 365 * DAY_S
STATES = ("staged", "active", "active", "active", "sunset", "retired")
GAPS_MS = (0, 50, 90, 500, 5_000, MINUTE, 10 * MINUTE, HOUR, 3 * HOUR) * 4 + (
    12 * HOUR, DAY)  # fmt: skip
LEAF_S = 60 * DAY_S


class Steady(Pair):
    """A pair whose every step is held against the rules; `cut` actions after that many are lost
    with the power."""

    universe = UNIVERSE

    def __init__(self, *given: object, **named: object) -> None:
        self.steps, self.cut = 0, None
        self.dialed: dict[str, actions.Dial] = {}
        self.rules = Rules(self)
        super().__init__(*given, **named)

    def host(self, endpoint: str) -> str:
        """The name that an endpoint has now."""
        return DPS if endpoint == "dps" else self.watch.device.hub or ""

    def hear(self, event: object) -> None:
        """One step."""
        self.steps += 1
        self.rules.before(event)
        done = self.watch.handle(event, self.cloud.now_ms)
        self.rules.after(event, done)
        watch = self.watch
        for at, action in enumerate(done):
            if self.cut is not None and len(done) > 1 and at >= self.cut:
                self.cut = None
                self.restart()
                return
            if self.watch is watch:
                self._do(action)
        self.cloud.alarm(self)

    def _do(self, action: object) -> None:
        if isinstance(action, actions.Dial):
            self.dialed[action.link] = action
        if isinstance(action, actions.Swap):
            self.dialed["live"] = self.dialed.get("next")
        if isinstance(action, actions.Connect):
            link = self.links.get(action.link)
            if link is not None and link.end is not None:
                self.rules.connected(action.link, self.dialed[action.link].endpoint, link.end)
        self.perform(action)


class World:
    """One device in its cloud; `deed` does one thing to it and lets time pass."""

    def __init__(self, seed: int) -> None:
        self.rand = random.Random(seed)
        self.cloud = Cloud(seed)
        credential, enrolled = credentials.x509_individual()
        self.cloud.dps.enrollments.put(enrolled)
        self.version = 0
        self.states: dict[str, str] = {}
        self.newest: dict | None = None
        self.genuine = {HUB: self._end("g2"), SECOND: self._end("g2"), DPS: self._end("g2")}
        self._present()
        pick = self.rand.choice
        config = {
            "trust": {"mirrors": [MIRROR], "trial_max_s": pick([60, 3600])},
            "reverify": {"interval_s": pick([2_700, 86_400, 86_400, 86_400])},
            "clock": {"sntp": "time.example:123"},
        }
        self.pair = Steady(
            self.cloud, credential, config, roots=pick([("g2",), FACTORY]), rooted=("vendor",)
        )
        self.log: list[str] = []
        self.troubles = 0  # how often calm has come: what began before is over

    def later(self, does: Callable[[], object]) -> None:
        """After minutes or days, unless the trouble ends before."""
        before = self.troubles
        at_ms = self.cloud.now_ms + self.rand.choice([MINUTE, HOUR, DAY, 5 * DAY])
        self.cloud.at(at_ms, lambda: does() if self.troubles == before else None)

    def _end(self, root: str) -> End:
        """A genuine server's front end, its leaf a month old."""
        now_s = self.cloud.utc_s(self.cloud.now_ms)
        leaf = "leaf-%d" % self.rand.randrange(10**6)
        return End("127.0.0.2", root, leaf, now_s - 30 * DAY_S, now_s + LEAF_S)

    def _present(self) -> None:
        for host, end in self.genuine.items():
            self.cloud.fronts[host].ends = [end]
            self.cloud.fronts[host].choose = None

    def deed(self) -> None:
        """One thing, and what passes until the next."""
        does = self.rand.choice(DEEDS)
        self.log.append("%d %s" % (self.cloud.now_ms, does.__name__))
        does(self)
        self._renew()
        self.cloud.run_for(self.rand.choice(GAPS_MS))

    def _renew(self) -> None:
        """A server's leaf is renewed before it ends."""
        now_s = self.cloud.utc_s(self.cloud.now_ms)
        for end in self.genuine.values():
            if end.not_after - now_s < 30 * DAY_S:
                end.leaf = "leaf-%d" % self.rand.randrange(10**6)
                end.not_before, end.not_after = now_s - 100, now_s + LEAF_S

    def publish(self) -> None:
        """The vendor signs another version, or a mirror shows something else."""
        rand, mirrors = self.rand, self.cloud.mirrors
        self.newest = self._bundle()
        mirrors[FOLDER] = self.newest
        chance = rand.random()
        if chance < 0.8:
            mirrors[MIRROR] = self.newest
        elif chance < 0.9:
            mirrors[MIRROR] = rand.choice(["network", "silent", "below threshold"])
        else:
            stale = dict(self.newest, version=max(1, self.version - 1), digest="stale")
            mirrors[MIRROR] = stale

    def _bundle(self) -> dict:
        rand, now_s = self.rand, self.cloud.utc_s(self.cloud.now_ms)
        self.version += 1
        for root in rand.sample(VENDOR, 2):
            self.states[root] = rand.choice(STATES)
            if rand.random() < 0.15:
                del self.states[root]
        anchors = [anchor(r, s, **self._limits(now_s)) for r, s in sorted(self.states.items())]
        anchors += [anchor(root) for root in FACTORY if rand.random() < 0.3]
        issued_s = now_s + (9 * YEAR_S if rand.random() < 0.04 else -rand.randrange(DAY_S))
        reset_s = now_s - DAY_S if rand.random() < 0.05 else None
        return bundle(self.version, anchors, self._distrust(now_s), issued_s=issued_s,
                      floor_reset_s=reset_s)  # fmt: skip

    def _limits(self, now_s: int) -> dict:
        rand, limits = self.rand, {}
        if rand.random() < 0.2:
            limits["scope"] = rand.choice([["hub"], ["dps"], ["mirror"], ["hub", "dps"]])
        if rand.random() < 0.1:
            limits["suffixes"] = rand.choice([[".hubs.example"], [".other.example"]])
        if rand.random() < 0.1:
            limits["leaf_not_before_max"] = now_s + rand.choice([-90, -10, 90]) * DAY_S
        if rand.random() < 0.1:
            limits["active_from"] = now_s + rand.choice([-30, 10, 40]) * DAY_S
        return limits

    def _distrust(self, now_s: int) -> list:
        rand = self.rand
        rows = []
        for root in FACTORY + VENDOR:
            chance = rand.random() * (0.5 if root == "g2" else 1)
            if chance < 0.09:
                rows.append(hard(root, rand.choice([0, 3 * DAY_S, 14 * DAY_S])))
            elif chance < 0.12:
                rows.append(dict(hard("key-" + root), of="key"))
            elif chance < 0.16:
                rows.append(sunset(root, now_s + rand.choice([-90, -10, 10]) * DAY_S))
        return rows

    def bring(self) -> None:
        """An operator imports from a folder."""
        self.pair.ask("roots_import", url=FOLDER, dry_run=self.rand.random() < 0.2)

    def stamp(self) -> None:
        """The mirror's timestamp is signed again."""
        self.cloud.stamp += 1
        self.pair.ask("roots_import", url=FOLDER)

    def move(self) -> None:
        """A server changes its root: to one that is offered, announced, gone or unknown."""
        host = self.rand.choice([HUB, HUB, SECOND, DPS])
        endpoint = "dps" if host == DPS else "hub"
        trust = self.pair.watch.trust
        likely = [*trust.offered(endpoint) * 3, *trust.reserve(endpoint) * 2, *self.states]
        self.genuine[host] = self._end(self.rand.choice([*likely, "u1"]))
        self._present()

    def roll(self) -> None:
        """A new leaf, perhaps of another issuer."""
        end = self.genuine[self.rand.choice([HUB, DPS])]
        end.leaf = "leaf-%d" % self.rand.randrange(10**6)
        end.ca = self.rand.choice(["ca-1", "ca-1", "ca-2", "ca-3"])

    def intrude(self) -> None:
        """A portal, or an attacker who holds some root, answers for a while."""
        rand = self.rand
        host = rand.choice([HUB, DPS])
        front = self.cloud.fronts[host]
        now_s = self.cloud.utc_s(self.cloud.now_ms)
        valid = (now_s - 9 * DAY_S, now_s + LEAF_S)
        portal = End("127.0.0.80", "portal", "portal", *valid, ca="portal")
        root = rand.choice([*UNIVERSE, *self.pair.watch.trust.offered("hub") * 4])
        forger = End("127.0.0.66", root, "forged", *valid, ca="evil", forged=True)
        other = rand.choice([portal, forger])
        front.ends = [other] if rand.random() < 0.3 else [self.genuine[host], other]
        front.choose = lambda number: rand.randrange(2)
        self.later(self._present)

    def outage(self) -> None:
        """A name, or every one, is away for a while."""
        hosts = self.rand.choice([[HUB], [DPS], [HUB, SECOND, DPS]])
        for host in hosts:
            self.cloud.down(host)
            self.later(lambda host=host: self.cloud.up(host))

    def drop(self) -> None:
        """The hub ends the session."""
        for hub in (self.cloud.hub, self.cloud.hub2):
            if hub.registry.get("dev-7"):
                hub.drop("dev-7", "upgrade", self.cloud.now_ms)

    def disk(self) -> None:
        """The disk is full, or has room again."""
        full = self.rand.choice([lambda name: None, lambda name: None, lambda name: "full"])
        self.pair.disk = full

    def reboot(self) -> None:
        """The power goes and comes, once or often."""
        for _ in range(self.rand.choice([1, 1, 4])):
            self.pair.restart()
            self.cloud.run_for(self.rand.choice([0, 40, 1_000, MINUTE]))

    def cut(self) -> None:
        """The power goes in the middle of the next step that asks for more than one thing."""
        self.pair.cut = self.rand.randrange(4)

    def crash(self) -> None:
        """The agent crashed: so often within the hour; or long ago."""
        self.pair.saved["crash"] = {"recent": self.rand.choice([0, 0, 1, 3])}
        self.pair.restart()
        self.pair.saved["crash"] = {"recent": 0}

    def time(self) -> None:
        """Time servers lie, are silent, or tell the truth."""
        cloud, rand = self.cloud, self.rand
        cloud.sntp_offset_s = rand.choice([0, 0, None, DAY_S, -DAY_S, 30 * YEAR_S, -30 * YEAR_S])
        cloud.https = rand.random() < 0.8
        cloud.date_offset_s = rand.choice([0, 0, 0, 20 * DAY_S, 13 * YEAR_S])
        if cloud.sntp_offset_s or cloud.date_offset_s:
            self.pair.rules.clock_lied = True

    def operate(self) -> None:
        """A command."""
        rand, ask = self.rand, self.pair.ask
        root, dry_run = rand.choice(["s1", *VENDOR, "g2"]), rand.random() < 0.3
        what = rand.choice(["roots_add", "roots_distrust", "roots_revert", "clock_reset",
                            "reprovision", "reverify", "status", "roots_list", "roots_explain"])
        if what == "roots_distrust" and rand.random() < 0.7:
            dry_run = True
        ask(what, sha256=root, entry=entry(root), pem="PEM", dry_run=dry_run,
            now=rand.random() < 0.3, swap=rand.random() < 0.3)  # fmt: skip

    def system(self) -> None:
        """The system's store is another after an upgrade."""
        rows = [entry(root) for root in UNIVERSE if self.rand.random() < 0.4]
        self.pair.layers["system"] = {"anchors": rows, "distrust": []}
        self.pair.hear(events.LayerRead("system", rows, []))

    def assign(self) -> None:
        """DPS will assign another hub."""
        self.cloud.dps.enrollments.get("dev-7").hub = self.rand.choice([HUB, SECOND])

    def nothing(self) -> None:
        """Time passes; where all is well, much of it."""
        if self.pair.state == "online" and self.pair.config.reverify.interval_s == 86_400:
            self.cloud.run_for(self.rand.choice([0, 0, 8 * DAY, 35 * DAY]))

    def calm(self) -> None:
        """The trouble ends: lines, clocks, disk and power are sound."""
        cloud = self.cloud
        cloud.sntp_offset_s, cloud.https, cloud.date_offset_s = 0, True, 0
        self.pair.disk, self.pair.cut = lambda name: None, None
        for host in cloud.fronts:
            cloud.up(host)
        self.troubles += 1
        self._renew()
        self._present()


DEEDS = (
    *[World.publish] * 3, *[World.bring] * 3, World.stamp, *[World.move] * 4, World.roll,
    *[World.intrude] * 2, *[World.outage] * 2, *[World.drop] * 3, World.disk, *[World.reboot] * 2,
    World.cut, World.crash, World.time, *[World.operate] * 3, World.system, World.assign,
    *[World.nothing] * 3,
)  # fmt: skip
