"""Layers put together: what an endpoint is offered, with which limits, and what is its reserve.

Rule: distrust of any layer wins; an anchor that is proven, or was found in need, stays offered
whatever the layers say, unless it is distrusted. Source: design section 7, R1, R2, R5, R6, R10.
"""

from . import rules
from .evidence import Evidence
from .shapes import Any_, Entry, Items, MaybeTree, Tree


class Anchors:
    """One set of layers over what the state keeps; `with_layer` gives another over the same.

    layers     {name: {"anchors": [entry], "distrust": [row or sha256]}}
    evidence   proven anchors and their certificates
    emergency  {endpoint: {sha256: entry}} found by R10
    retired    {sha256: {"entry", "since_s"}} of bundles that are gone (R6)
    holds      {endpoint: {sha256: {"until_s", "left_s", "issuers"}}} (R5), see holds.py
    spare      layers of which only the reserve and hard distrust are in force: a bundle that was
               rolled back
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.layers: Tree = {}
        self.emergency: Tree = {}
        self.retired: Tree = {}
        self.holds: Tree = {}
        self.closed: Tree = {}  # endpoint: [sha256] whose hold is over
        self.spare: list[Tree] = []
        self.judged_utc_s = 0  # staged anchors wait for it
        self.expired_utc_s = 0  # the authenticated time, or the floor (R7)
        self.authenticated = False  # which of them

    def with_layer(self, name: str, content: Tree, holds: Tree) -> "Anchors":
        """Another set: one layer replaced, and these holds."""
        other = Anchors(self.evidence)
        other.emergency, other.retired = self.emergency, self.retired
        other.judged_utc_s, other.expired_utc_s = self.judged_utc_s, self.expired_utc_s
        other.authenticated = self.authenticated
        other.layers = {k: self.layers[k] for k in self.layers}
        other.layers[name] = content
        other.spare = [one for one in self.spare if one["layer"] != name]
        other.holds = holds
        return other

    def layer(self, name: str) -> Tree:
        """A layer; empty when it is absent."""
        return self.layers.get(name) or {"anchors": [], "distrust": []}

    def entries(self) -> Items:
        """[(layer, entry)], lowest layer first."""
        return [(name, e) for name in rules.LAYERS for e in self.layer(name)["anchors"]]

    def offered(self, endpoint: str, host: str = "") -> Items:
        """SHA-256 of the anchors to hand to TLS, sorted."""
        found = {e["sha256"] for e in self._in_force(endpoint, host)}
        found.update(self._kept_for(endpoint))
        return sorted([s for s in found if self.usable(endpoint, s)])

    def reserve(self, endpoint: str, host: str = "") -> Items:
        """SHA-256 of the anchors that only a third dial may try, sorted."""
        known = [e for _, e in self.entries()] + [r["entry"] for r in self.retired.values()]
        known += [e for layer in self.spare for e in layer["anchors"]]
        offered = self.offered(endpoint, host)
        found = {e["sha256"] for e in known if rules.covers(e, endpoint, host)}
        return sorted([s for s in found if s not in offered and not self.distrusted(s)])

    def usable(self, endpoint: str, sha256: str) -> bool:
        """Not distrusted, or held for this endpoint."""
        held = self.holds.get(endpoint, {}).get(sha256)
        if held is not None and not rules.over(held, self.expired_utc_s):
            return True
        return not self.distrusted(sha256)

    def distrusted(self, sha256: str) -> bool:
        """True when a layer's hard distrust names the certificate or its key."""
        return bool([row for _, row in self.rows(sha256) if row["kind"] == "hard"])

    def condemns(self, entry: Entry) -> bool:
        """The same of an anchor that another set knows, and this one perhaps not."""
        hard = [row for _, row in self._distrust() if row["kind"] == "hard"]
        return bool([row for row in hard if rules.names(row, entry)])

    def rows(self, sha256: str) -> Items:
        """[(layer, row)] of the distrust that names an anchor."""
        distrust = self._distrust()
        if not distrust:
            return []
        entry = self.entry(sha256) or {"sha256": sha256, "spki_sha256": ""}
        return [(name, row) for name, row in distrust if rules.names(row, entry)]

    def limits(self, endpoint: str, host: str, anchors: Items) -> Tree:
        """What `Dial.limits` says of these anchors; those without a limit are left out."""
        found: Tree = {}
        for sha256 in anchors:
            youngest = self._youngest_leaf(sha256, endpoint, host)
            held = self.holds.get(endpoint, {}).get(sha256, {}) if self.distrusted(sha256) else {}
            issuers = held.get("issuers")
            if youngest is not None or issuers is not None:
                found[sha256] = {"leaf_not_before_max": youngest, "issuers": issuers}
        return found

    def past(self, anchors: Items) -> bool:
        """True when one of these roots is past its end; it is offered since it is proven (R2)."""
        found = [self.entry(sha256) for sha256 in anchors]
        return bool([e for e in found if e and e["not_after"] < self.expired_utc_s])

    def entry(self, sha256: str) -> MaybeTree:
        """An anchor's entry of any layer, the highest state first, or of what is kept."""
        found = [e for _, e in self.entries() if e["sha256"] == sha256]
        found += [e for layer in self.spare for e in layer["anchors"] if e["sha256"] == sha256]
        if sha256 in self.retired:
            found.append(self.retired[sha256]["entry"])
        found += [held[sha256] for held in self.emergency.values() if sha256 in held]
        return dict(found[0]) if found else self.evidence.kept.get(sha256)

    def layer_of(self, sha256: str) -> str:
        """The lowest layer that brings an anchor; "kept" when only the state has it, "" when
        nobody."""
        for name, entry in self.entries():
            if entry["sha256"] == sha256:
                return str(name)
        return "kept" if self.entry(sha256) is not None else ""

    def bare(self, endpoints: Items) -> Items:
        """The endpoints without an unrestricted offered anchor (R1); the system layer alone does
        not count."""
        distrust = [row for _, row in self._distrust()]
        return [e for e in endpoints if not self._carries(e, distrust)]

    def bare_at(self, utc_s: int, endpoints: Items) -> Items:
        """The same at another time: what waits for its date then waits again."""
        now_s, self.judged_utc_s = self.judged_utc_s, utc_s
        found = self.bare(endpoints)
        self.judged_utc_s = now_s
        return found

    def _carries(self, endpoint: str, distrust: Items) -> bool:
        for name, entry in self.entries():
            fits = endpoint in rules.scope(entry) and rules.in_force(entry, self.judged_utc_s)
            if name != "system" and fits and rules.unrestricted(entry, distrust):
                return True
        return False

    def _in_force(self, endpoint: str, host: str) -> list[Entry]:
        found = []
        for _, entry in self.entries():
            now = rules.in_force(entry, self.judged_utc_s)
            past = rules.expired(entry, self.expired_utc_s)
            if now and not past and rules.covers(entry, endpoint, host):
                found.append(entry)
        return found

    def _kept_for(self, endpoint: str) -> list[str]:
        """What stays offered whatever the layers say: proven, or found in need."""
        proven = self.evidence.proven.get(endpoint)
        kept = [proven] if proven in self.evidence.kept else []
        return kept + sorted(self.emergency.get(endpoint, {}))

    def _youngest_leaf(self, sha256: str, endpoint: str, host: str) -> int | None:
        """The date after which no leaf may have begun: of sunset distrust, or of the entries if
        each of them has one."""
        rows = [row["after"] for _, row in self.rows(sha256) if row["kind"] == "sunset"]
        own = [e for _, e in self.entries() if e["sha256"] == sha256]
        dates = [e.get("leaf_not_before_max") for e in own if rules.covers(e, endpoint, host)]
        if dates and None not in dates:
            rows.append(max(dates))
        return min(rows) if rows else None

    def _distrust(self) -> list[Any_]:
        rows = []
        for name in rules.LAYERS:
            rows += [(name, rules.row_of(item)) for item in self.layer(name)["distrust"]]
        for layer in self.spare:
            back = [rules.row_of(item) for item in layer["distrust"]]
            rows += [(layer["layer"], row) for row in back if row["kind"] == "hard"]
        return rows
