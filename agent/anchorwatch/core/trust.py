"""The root store of one device: the set of anchors in force, what handshakes say of it, what is
saved.

Rule: a change is tried on a copy and taken whole or not at all. The decisions on single anchors are
in rules.py, on a set in anchors.py; a signed bundle comes in through commit.py.

Source: design section 7; rules R1, R2 and R10.
"""

from ..errors import RootsRejected
from . import rules
from .actions import Save, Tell
from .anchors import Anchors
from .answers import warning
from .endpoints import has_own_roots
from .evidence import DAYS, GONE_DAYS, Evidence
from .holds import Holds
from .rules import SCOPES  # noqa: F401
from .shapes import Any_, Config, Entry, Event, Items, MaybeTree, Tree
from .trustmeanings import Presented, Stranded

# A completed chain verdict: no offered anchor fits. The last two are guesses at why.
UNFIT = ("unknown-issuer", "no-anchor", "intermediate-missing", "intercepted")
UNFIT_TWICE = 2
LIMITED = ("sunset", "on-hold")  # one fits, and is past its time
HISTORY_AT_MOST = 32


class Trust:
    """offered(endpoint), record, accepted, refused; `anchors` is the set in force."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.evidence = Evidence()
        self.anchors = Anchors(self.evidence)
        self.holds = Holds(config.trust.hold_max_s, self.anchors)
        self.bundles: Tree = {}  # layer: its record, see commit.py
        self.history: Items = []
        self.gaps: Tree = {}  # endpoint: {"presented", "verdict", "since_utc_s"}
        self.saves = self.answered = 0  # of the frame `trust`
        self._last: Tree = {}  # endpoint: anchor of its last verified handshake
        self._unfit: Tree = {}  # endpoint: chain verdicts in a row that no offered anchor fits

    @property
    def endpoints(self) -> Items:
        """Endpoints in use."""
        return ["dps", "hub"] if self._config.dps.host else ["hub"]

    def start(self, layers: Tree, body: Tree, now: int = 0) -> Items:
        """Take what the driver found; what cannot be connected with is told, not refused: there is
        nothing older."""
        self.evidence.restore(body)
        self.bundles, self.history = body.get("bundles", {}), body.get("history", [])
        anchors = self.anchors
        anchors.holds, anchors.retired = body.get("holds", {}), body.get("retired", {})
        anchors.emergency, anchors.closed = body.get("emergency", {}), body.get("closed", {})
        anchors.layers = {name: layers[name] for name in layers}
        held = [self.save()] if self.holds.found(self.endpoints) else []
        self.holds.start(now)
        bare = [e for e in self.endpoints if not self.offered(e)]
        return held + [
            warning(
                "no trust anchor for " + e,
                "",
                "put roots into trust.factory_dir or trust.site_dir",
                "trust",
            )
            for e in bare
        ]

    def judge_at(self, judged_utc_s: int, expired_utc_s: int, authenticated: bool = False) -> None:
        """The time of this event: staged anchors wait for the one, roots and holds end at the
        other, which is authenticated or the floor (R7)."""
        self.anchors.judged_utc_s, self.anchors.expired_utc_s = judged_utc_s, expired_utc_s
        self.anchors.authenticated = authenticated

    def layer(self, name: str) -> Tree:
        """{"anchors": [entry], "distrust": [row]} of a layer, empty when it is absent."""
        return self.anchors.layer(name)

    def load(self, name: str, anchors: list[Any_], distrust: list[Any_]) -> None:
        """Replace one layer; on failure the store is unchanged. Raises as `check`."""
        self.check(name, {"anchors": anchors, "distrust": distrust})
        self.anchors.layers[name] = {"anchors": anchors, "distrust": distrust}

    def check(self, name: str, content: Tree) -> Anchors:
        """Rehearse a layer on a copy; the set it would give.

        Raises  RootsRejected: an endpoint in use would lose its last unrestricted anchor (R1)
        """
        for anchors in self._rolled_back(name) + [self.anchors]:
            before = anchors.bare(self.endpoints)
            view = anchors.with_layer(name, content, self.anchors.holds)
            bare = [e for e in view.bare(self.endpoints) if e not in before]
            if bare:
                what, remedy = "this would leave no trust anchor for", "add the new root first"
                raise RootsRejected(what, ", ".join(bare), remedy)
        return view

    def _rolled_back(self, name: str) -> list[Anchors]:
        """The sets to which another layer's trial may still go back: they too must stay whole."""
        found = []
        for spare in self.anchors.spare:
            layer = spare["layer"]
            record = self.bundles.get(layer, {})
            if layer != name and record.get("stage") == "trial":
                rows = [rules.row_of(item) for item in self.layer(layer)["distrust"]]
                hard = [row for row in rows if row["kind"] == "hard"]
                back = {"anchors": spare["anchors"], "distrust": hard}
                found.append(self.anchors.with_layer(layer, back, self.anchors.holds))
        return found

    def offered(self, endpoint: str, host: str = "") -> Items:
        """SHA-256 of the anchors to hand to TLS, sorted; the proven one is always among them (R2).
        Empty for an endpoint with a file of its own roots: the driver takes them from there."""
        own = has_own_roots(self._config, endpoint)
        return [] if own else self.anchors.offered(endpoint, host)

    def reserve(self, endpoint: str, host: str = "") -> Items:
        """SHA-256 of the anchors that only a third dial may try, sorted (R10)."""
        return self.anchors.reserve(endpoint, host)

    def for_dial(self, endpoint: str, host: str = "") -> Items:
        """The offered anchors; with the reserve once two chain verdicts in a row found none to fit
        (R10)."""
        found = self.offered(endpoint, host)
        if self._unfit.get(endpoint, 0) >= UNFIT_TWICE:
            found = sorted(found + self.reserve(endpoint, host))
        return found

    def entry(self, sha256: str) -> MaybeTree:
        """The entry of an anchor of any layer, or of a kept one."""
        return self.anchors.entry(sha256)

    def layer_of(self, sha256: str) -> str:
        """As of Anchors."""
        return self.anchors.layer_of(sha256)

    def record(self, endpoint: str, verified: Event, utc_s: int | None) -> Items:
        """A verified full handshake: evidence, the end of a gap, of a hold, of a need."""
        anchor = verified.anchor
        self._last[endpoint] = anchor
        self._unfit[endpoint] = 0
        out: Items = [Presented(endpoint, anchor, verified.chain)]
        if self.gaps.pop(endpoint, None) is not None:
            out.append(Tell("gap", {"endpoint": endpoint, "open": False}))
        news = self.evidence.presented(endpoint, anchor, utc_s)
        issuer = self.evidence.issued(endpoint, anchor, verified.issuer_spki, utc_s)
        news = news or (issuer and self.evidence.proven.get(endpoint) == anchor)
        if self.holds.works(endpoint, anchor):
            out.append(Tell("hold", {"endpoint": endpoint, "anchor": anchor, "open": False}))
            news = True
        if endpoint in self.endpoints and anchor not in self.offered(endpoint, verified.host):
            out += self._found_in_need(endpoint, anchor)
            news = True
        return out + self._proven(endpoint, anchor, news)

    def accepted(self, endpoint: str, verified: Event, utc_s: int | None) -> Items:
        """An accepted session over the last verified handshake."""
        anchor = verified.anchor if verified is not None else self._last.get(endpoint)
        if anchor is None:
            return []
        return self._proven(endpoint, anchor, self.evidence.accepted(endpoint, anchor))

    def refused(self, endpoint: str, failed: Event, utc_s: int | None) -> Items:
        """A chain verdict against the server: a gap, told once for each presented root."""
        unfit = self._unfit.get(endpoint, 0) + 1 if failed.verdict in UNFIT else 0
        self._unfit[endpoint] = unfit if unfit <= UNFIT_TWICE else 0
        out: Items = [Presented(endpoint, "", failed.chain)]
        if unfit >= UNFIT_TWICE or failed.verdict in LIMITED:
            out.append(Stranded(endpoint))
        presented = failed.presented[-1] if failed.presented else ""
        before = self.gaps.get(endpoint)
        if before and before["presented"] == presented and before["verdict"] == failed.verdict:
            return out
        told = {"presented": presented, "verdict": failed.verdict}
        self.gaps[endpoint] = dict(told, since_utc_s=utc_s)
        if endpoint not in self.endpoints:  # no fault is told of it, which would say what to do
            from .remedies import of_gap

            told["remedy"] = of_gap(failed.verdict, has_own_roots(self._config, endpoint))
        return out + [Tell("gap", dict(told, endpoint=endpoint, open=True))]

    def body(self) -> Tree:
        """What is saved."""
        body = self.evidence.body()
        more = {
            "bundles": {layer: dict(self.bundles[layer]) for layer in self.bundles},
            "retired": self.anchors.retired,
            "holds": self.anchors.holds,
            "closed": self.anchors.closed,
            "emergency": self.anchors.emergency,
            "history": self.history,
        }
        body.update({name: more[name] for name in more if more[name]})
        return body

    def save(self) -> Save:
        """The frame `trust`; the save that was asked for last is number `saves`."""
        self.saves += 1
        return Save("trust", self.body())

    def put(self, layer: str, content: Tree, spare: Items) -> None:
        """A signed layer as its record says; checked before it came so far."""
        self.anchors.layers[layer] = content
        others = [one for one in self.anchors.spare if one["layer"] != layer]
        self.anchors.spare = others + [dict(one, layer=layer) for one in spare]
        policy = self.layer("vendor").get("policy", {})
        self.evidence.days_needed = policy.get("evidence_days", DAYS)
        self.evidence.gone_days = policy.get("unseen_days", GONE_DAYS)

    def hold(self, view: Anchors, works: Items, issued_s: int, now: int) -> Items:
        """Before `view` comes into force: hold what it distrusts where nothing else works (R5)."""
        kept: Tree = {}
        for endpoint in self.endpoints:
            if endpoint not in works:
                kept[endpoint] = self.holds.needed(endpoint, view, issued_s)
        return self.holds.set(kept, now)

    def retire(self, before: Items, content: Tree) -> None:
        """A bundle is committed: what it no longer offers stays in the reserve for a while (R6)."""
        from . import records

        anchors = self.anchors
        judged = anchors.judged_utc_s
        anchors.retired = records.retired(anchors.retired, before, content, judged)

    def remember(self, about: Tree, utc_s: int | None) -> None:
        """One line more in the history."""
        self.history = self.history[1 - HISTORY_AT_MOST :] + [dict(about, utc_s=utc_s)]

    def distrusted(self, sha256: str) -> bool:
        """True when a layer's hard distrust names the certificate or its key."""
        return self.anchors.distrusted(sha256)

    def _proven(self, endpoint: str, anchor: str, news: bool) -> Items:
        before = self.evidence.proven.get(endpoint)
        lost = before is not None and self.distrusted(before) and not self.distrusted(anchor)
        if self.evidence.prove(endpoint, anchor, self.entry(anchor), lost) or news:
            return [self.save()]
        return []

    def _found_in_need(self, endpoint: str, anchor: str) -> Items:
        """The third dial found it in the reserve: it is offered from now on (R10)."""
        entry: Entry | None = self.entry(anchor)
        if entry is None or self.distrusted(anchor):
            return []
        self.anchors.emergency.setdefault(endpoint, {})[anchor] = entry
        return [Tell("emergency_anchor", {"endpoint": endpoint, "anchor": anchor})]
