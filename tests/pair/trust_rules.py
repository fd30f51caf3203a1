"""What must hold after each step of a device, whatever was done to it: the rules R1 to R10.

Rule: read from the records, the disk and what passed between driver and core; the core's own
judgement is used for nothing but what it offers.
"""

from anchorwatch.core import actions, events
from tests.pair.bundles import HOLD_S
from tests.pair.cloud import DAY

DAY_S = 86_400
SLACK_S = 7_200
RESERVE_S = 90 * DAY_S
UNFIT = ("unknown-issuer", "no-anchor", "intermediate-missing", "intercepted")
PROBES = ("probing", "comparing with the previous set")


class Broken(AssertionError):
    """A rule does not hold: its name and what was seen."""


def must(holds: object, rule: str, *seen: object) -> None:
    """Broken unless it holds."""
    if not holds:
        raise Broken("%s: %s" % (rule, " ".join([str(one) for one in seen])))


def names(row: dict, root: str) -> bool:
    """A row of distrust means this root: its certificate or its key."""
    wanted = {"certificate": [root], "key": ["key-" + root]}
    return row["hash"] in wanted.get(row["of"], [root, "key-" + root])


def in_scope(entry: dict, endpoint: str, host: str | None) -> bool:
    """An anchor of a bundle may be used for this endpoint."""
    ends = tuple(entry.get("suffixes") or [""])
    return endpoint in (entry.get("scope") or [endpoint]) and (host or "").endswith(ends)


class Rules:
    """The rules over one device; `after` is called with each event and what came of it."""

    def __init__(self, pair: object) -> None:
        self.pair = pair
        self.unfit: dict[str, int] = {}  # endpoint: verdicts in a row that nothing fits
        self.met: dict[tuple, int] = {}  # (endpoint, root, issuer): utc_s of the first handshake
        self.retired: dict[str, int] = {}  # root: ms at which a bundle in force dropped it
        self.held: dict[tuple, int] = {}  # (endpoint, root): ms at which its hold began
        self.tried: dict[str, int] = {}  # digest: ms of the last roll-back
        self.dated: dict[str, int] = {}  # the same as the device dates it
        self.kept: set[str] = set()  # those of them that are on the disk
        self.shown: set[str] = set()  # leaves presented since the last roll-back
        self.noted: dict[str, set] = {}  # digest: leaves that it was or may have been tried for
        self.stages: dict[str, dict] = {}  # layer: record before this step
        self.probed: list = [None, None]  # the last Failed and Verified of a bundle's probe
        self.store: list = []  # see _store
        self.clock_lied = False  # some limits in time are only promised to a sound clock
        self.hard_at: dict[str, set] = {}  # link: what was distrusted when it was dialled
        self.version = 0
        self.probing = False

    def before(self, event: object) -> None:
        """Note what an event will change."""
        watch = self.pair.watch
        self.probing = watch.commit.state in PROBES
        if isinstance(event, events.Start):
            self.unfit = {}
        if isinstance(event, (events.Failed, events.Verified)) and event.link in self.dialed:
            self._answered(event, self.dialed[event.link])

    @property
    def dialed(self) -> dict:
        """{link: the Dial that is under way}."""
        return self.pair.dialed

    def _answered(self, event: object, dial: actions.Dial) -> None:
        if self.probing and event.link == "next":
            self.probed[isinstance(event, events.Verified)] = event
        elif isinstance(event, events.Verified):
            self.unfit[dial.endpoint] = 0
        elif event.verdict in UNFIT:
            self.unfit[dial.endpoint] = self.unfit.get(dial.endpoint, 0) + 1
        if not (self.probing and event.link == "next"):
            self.shown.update(event.chain[:1])
        if isinstance(event, events.Verified):
            known = (dial.endpoint, event.anchor, event.issuer_spki)
            self.met.setdefault(known, self.pair.cloud.utc_s(self.pair.cloud.now_ms))

    def after(self, event: object, done: list) -> None:
        """Check everything that this step may have broken."""
        trust = self.pair.watch.trust
        self._records(event, done)  # a commit first: what it names is retired no longer
        hard = self._hard()
        store = self._store(trust)
        if store != self.store:
            for endpoint in trust.endpoints:
                self._offered(endpoint, trust, hard)
            self._reserve(trust, hard)
            self.store = store
        for action in done:
            if isinstance(action, (actions.Dial, actions.AskDate, actions.LookUp)):
                self._dial(action, hard)
        self._holds(trust, hard)

    def _store(self, trust: object) -> list:
        """What the offered anchors may depend on, so that they are looked at when that changed."""
        anchors, evidence = trust.anchors, trust.evidence
        layers = [id(anchors.layers.get(name)) for name in ("factory", "system", "vendor", "site")]
        held = [(e, sorted(anchors.holds[e])) for e in sorted(anchors.holds)]
        known = [id(anchors.spare), held, dict(evidence.proven), sorted(anchors.retired)]
        found = [(e, len(anchors.emergency[e])) for e in sorted(anchors.emergency)]
        when = [anchors.judged_utc_s // 3600, anchors.expired_utc_s // 3600]
        return [id(self.pair.watch), layers, known, found, when, self.pair.host("hub")]

    def _contents(self, layer: str) -> tuple[dict, list]:
        """(what is in force, what was rolled back) by the layer's record."""
        record = self.pair.watch.trust.bundles.get(layer)
        if record is None:
            return {"anchors": [], "distrust": []}, []
        known = self.pair.watch.commit.contents
        entering = self.pair.watch.commit.state == "entering the trial"  # not on the disk yet
        trial = record["stage"] == "trial" and not entering
        number = record["folder" if trial else "in_force"]
        back = [] if trial else [record["spare"]]  # a newer bundle on trial has its own word
        spare = [known[str(n)] for n in back if str(n) in known]
        return known.get(str(number)) or {"anchors": [], "distrust": []}, spare

    def _hard(self) -> set[str]:
        """Every root that a layer in force, or one that was rolled back, distrusts."""
        rows = [r if isinstance(r, dict) else {"hash": r, "of": "", "kind": "hard"}
                for r in self.pair.watch.trust.layer("site")["distrust"]]  # fmt: skip
        for layer in ("vendor", "site"):
            now, spare = self._contents(layer)
            rows += now["distrust"] if layer == "vendor" else []
            rows += [row for content in spare for row in content["distrust"]]
        hard = [row for row in rows if row["kind"] == "hard"]
        return {root for root in self.pair.universe for row in hard if names(row, root)}

    def _offered(self, endpoint: str, trust: object, hard: set[str]) -> None:
        offered = trust.offered(endpoint, self.pair.host(endpoint))
        held = trust.anchors.holds.get(endpoint, {})
        must([root for root in offered if root not in hard], "R1", endpoint, "has only", offered)
        limits = trust.anchors.limits(endpoint, "", offered)
        free = [root for root in offered if root not in limits]
        must(free, "R1", endpoint, "has only restricted anchors", offered, limits)
        lost = [root for root in offered if root in hard and root not in held]
        must(not lost, "R5", endpoint, "is offered what is distrusted", lost)
        proven = trust.evidence.proven.get(endpoint)
        kept = proven is None or proven in offered or proven in hard
        must(kept, "R2", endpoint, "lost its proven anchor", proven, offered)

    def _dial(self, dial: object, hard: set[str]) -> None:
        trust = self.pair.watch.trust
        self.hard_at[getattr(dial, "link", "")] = hard
        endpoint = getattr(dial, "endpoint", "dps")
        if getattr(dial, "link", "") == "next" and self.pair.watch.commit.state in PROBES:
            must(dial.slot is None, "R4", "a probe shows the device's certificate")
            return
        held = trust.anchors.holds.get(endpoint, {})
        bad = [root for root in dial.anchors if root in hard and root not in held]
        must(not bad, "R10", endpoint, "is dialled with what is distrusted", bad)
        for root in held:
            if root in dial.anchors and root in hard:
                limit = dial.limits.get(root, {}).get("issuers")
                must(limit is not None, "R5", "a held root without its limit", root)
        offered = trust.offered(endpoint, dial.host)
        more = [root for root in dial.anchors if root not in offered]
        fits = not more or self.unfit.get(endpoint, 0) >= 2
        must(fits, "R10", endpoint, "reserve", more, "after", self.unfit.get(endpoint, 0))

    def connected(self, link: str, endpoint: str, end: object) -> None:
        """A credential leaves for a server: the anchor was good for it when it was dialled."""
        if end.root not in self._hard() or end.root not in self.hard_at[link]:
            return
        held = self.pair.watch.trust.anchors.holds.get(endpoint, {}).get(end.root)
        must(held, "R5", endpoint, "a session by a distrusted root", end)
        must(end.issuer in held["issuers"], "R5", endpoint, "an issuer nobody knew", end, held)

    def _records(self, event: object, done: list) -> None:
        """R3, R4 and R8: the record on its way."""
        saved = self.pair.saved.get("trust", {}).get("bundles", {}).get("vendor", {})
        must(saved.get("version", 0) >= self.version, "R3", "version went back to", saved)
        self.version = saved.get("version", 0)
        if saved.get("stage") == "reverted":
            if saved["tried_utc_s"] == self.dated.get(saved["digest"]):
                self.kept.add(saved["digest"])
        if isinstance(event, events.Fetched) and not event.bundle["folder"]:
            wrote = [a for a in done if isinstance(a, actions.Save)]
            must(not wrote, "R8", "the same bundle is written again")
        record = self.pair.watch.trust.bundles.get("vendor", {})
        before, self.stages["vendor"] = self.stages.get("vendor", {}), dict(record)
        if isinstance(event, events.Start) or not before:
            return
        if record.get("stage") == "reverted" != before.get("stage") and record["by"] != "operator":
            self._reverted(record)
        if record.get("stage") == "committed" and record["in_force"] != before["in_force"]:
            self._committed(before, record)

    def _reverted(self, record: dict) -> None:
        now_ms, against = self.pair.cloud.now_ms, record["against"]
        judged = "crashed" not in against["why"] and "no trust anchor" not in against["why"]
        if judged:
            failed, accepted = self.probed
            must(failed and accepted, "R4", "rolled back without a comparison", record)
            same = failed.chain[:1] == accepted.chain[:1] == against["leaf"]
            must(same, "R4", "rolled back for two chains", failed, accepted)
            content = self.pair.watch.commit.contents[str(record["folder"])]
            rows = [row for row in content["distrust"] if row["kind"] == "hard"]
            named = [row for row in rows if names(row, accepted.anchor)]
            must(not named, "R4", "rolled back for a root it distrusts", accepted)
        key = record["digest"]
        last_ms = self.tried.get(key) if key in self.kept else None
        daily = last_ms is None or now_ms - last_ms >= DAY - 60_000 or self.clock_lied
        noted = set() if daily else self.noted.setdefault(key, set())
        again = daily or self.shown - noted
        must(again, "R4", "rolled back twice for one chain within", now_ms - (last_ms or 0), "ms")
        self.noted[key] = noted | set(against["leaf"]) | (set() if daily else self.shown)
        self.tried[key], self.dated[key] = now_ms, record["tried_utc_s"]
        self.kept.discard(key)
        self.shown = set()

    def _committed(self, before: dict, record: dict) -> None:
        known = self.pair.watch.commit.contents
        old, new = known.get(str(before["in_force"])), known.get(str(record["in_force"]))
        if old is None or new is None or old["digest"] == new["digest"]:
            return
        there = [a["sha256"] for a in new["anchors"] if a["state"] != "retired"]
        for entry in old["anchors"]:
            good = [e for e in ("hub", "dps") if in_scope(entry, e, self.pair.host(e))]
            if good and entry["sha256"] not in there:
                self.retired.setdefault(entry["sha256"], self.pair.cloud.now_ms)
        self.retired = {root: self.retired[root] for root in self.retired if root not in there}

    def _holds(self, trust: object, hard: set[str]) -> None:
        """R5: a hold is for issuers seen before, and ends in time."""
        holds, now_ms = trust.anchors.holds, self.pair.cloud.now_ms
        now = {(endpoint, root) for endpoint in holds for root in holds[endpoint]}
        self.held = {key: self.held.get(key, now_ms) for key in now}
        for endpoint, root in now:
            for issuer in holds[endpoint][root]["issuers"]:
                met = (endpoint, root, issuer) in self.met
                must(met, "R5", "held for an issuer never met", endpoint, root, issuer)
            if root in trust.offered(endpoint) and root in hard and not self.clock_lied:
                lasts_s = (now_ms - self.held[endpoint, root]) // 1000
                most_s = self._hold_s(root) + SLACK_S
                must(lasts_s <= most_s, "R5", endpoint, root, "is held for", lasts_s, "s")

    def _hold_s(self, root: str) -> int:
        """The shortest hold that the rows in force grant a root."""
        rows = [row for row in self._contents("vendor")[0]["distrust"] if names(row, root)]
        return min([row["hold_s"] for row in rows if row["kind"] == "hard"] + [HOLD_S])

    def _reserve(self, trust: object, hard: set[str]) -> None:
        """R6: what a bundle retired can still be found by a third dial."""
        if not self.retired or self.clock_lied:
            return
        now_ms = self.pair.cloud.now_ms
        known = [set(trust.reserve(e)) | set(trust.offered(e)) for e in trust.endpoints]
        for root, since_ms in self.retired.items():
            due = now_ms - since_ms < 1000 * RESERVE_S and root not in hard
            there = any(root in one for one in known)
            must(not due or there, "R6", root, "is gone since", since_ms)
