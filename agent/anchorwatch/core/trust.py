"""The layered root store: what is offered to each endpoint, and why. Source: design section 7;
rules R1 and R2.

Rule: a change is tried on a copy and taken whole or not at all; distrust of any layer wins. The
layers of this release are
factory, system and site; the signed vendor layer has its place between system and site.
"""

from ..config import Config
from ..errors import RootsRejected
from ..wire.names import is_below
from .actions import Save, Tell
from .answers import warning
from .evidence import Evidence
from .shapes import Any_, Entry, Event, Items, MaybeTree, Tree

LAYERS = ("factory", "system", "vendor", "site")  # lowest first
SCOPES = ("hub", "dps", "est", "mirror")


class Trust:
    """offered(endpoint), explain(sha256), load(layer); evidence and gaps of every endpoint in
    use."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._layers: Tree = {}
        self._last: Tree = {}  # endpoint: anchor of its last verified handshake
        self.evidence = Evidence()
        self.gaps: Tree = {}  # endpoint: {"presented", "verdict", "since_utc_s"}

    @property
    def endpoints(self) -> Items:
        """Endpoints in use."""
        return ["dps", "hub"] if self._config.dps.host else ["hub"]

    def start(self, layers: Tree, body: Tree) -> Items:
        """Take what the driver found; what cannot be connected with is told, not refused: there is
        nothing older."""
        self.evidence.restore(body)
        self._layers = {name: layers[name] for name in layers}
        bare = [e for e in self.endpoints if not self.offered(e)]
        return [
            warning(
                "no trust anchor for " + e, "", "put roots into trust.factory_dir or trust.site_dir"
            )
            for e in bare
        ]

    def layer(self, name: str) -> Tree:
        """{"anchors": [entry], "distrust": [sha256]} of a layer, empty when it is absent."""
        return self._layers.get(name) or {"anchors": [], "distrust": []}

    def load(self, name: str, anchors: list[Any_], distrust: list[Any_]) -> None:
        """Replace one layer; on failure the store is unchanged. Raises as `check`."""
        self.check(name, anchors, distrust)
        self._layers[name] = {"anchors": anchors, "distrust": distrust}

    def check(self, name: str, anchors: list[Any_], distrust: list[Any_]) -> None:
        """Rehearse `load` on a copy.

        Raises  RootsRejected: an endpoint in use would lose its last unrestricted anchor (R1)
        """
        before = self._layers
        bare_before = [e for e in self.endpoints if not self._unrestricted(e)]
        self._layers = {k: before[k] for k in before}
        self._layers[name] = {"anchors": anchors, "distrust": distrust}
        bare = [e for e in self.endpoints if not self._unrestricted(e) and e not in bare_before]
        self._layers = before
        if bare:
            raise RootsRejected(
                "this would leave no trust anchor for", ", ".join(bare), "add the new root first"
            )

    def offered(self, endpoint: str, host: str = "") -> Items:
        """SHA-256 of the anchors to hand to TLS, sorted; the proven one is always among them
        (R2)."""
        found = {e["sha256"] for _, e in self._entries() if self._covers(e, endpoint, host)}
        proven = self.evidence.proven.get(endpoint)
        if proven in self.evidence.kept:
            found.add(proven)
        return sorted([s for s in found if not self._distrusted(s)])

    def entry(self, sha256: str) -> MaybeTree:
        """The entry of an anchor of any layer, or of a kept one."""
        for _, entry in self._entries():
            if entry["sha256"] == sha256:
                return dict(entry)
        return self.evidence.kept.get(sha256)

    def layer_of(self, sha256: str) -> str:
        """The lowest layer that brings an anchor; "kept" when only the state has it, "" when
        nobody."""
        for name, entry in self._entries():
            if entry["sha256"] == sha256:
                return str(name)
        return "kept" if sha256 in self.evidence.kept else ""

    def explain(self, sha256: str) -> Items:
        """Sentences on why an anchor is trusted or not, lowest layer first."""
        told = []
        for name in LAYERS:
            for entry in self.layer(name)["anchors"]:
                if entry["sha256"] == sha256:
                    told.append("%s trusts it for %s" % (name, ", ".join(self._scope(entry))))
            if self._names(name, sha256):
                told.append("%s distrusts it" % name)
        for endpoint in sorted(self.evidence.proven):
            if self.evidence.proven[endpoint] == sha256:
                told.append(
                    "proven for %s on %d days: kept in the state"
                    % (endpoint, self.evidence.days(endpoint, sha256))
                )
        return told or ["no layer names it"]

    def listing(self) -> Items:
        """Every anchor once: name, layer, endpoints it is offered to."""
        known = {e["sha256"]: e for _, e in self._entries()}
        known.update(self.evidence.kept)
        rows = []
        for sha256 in sorted(known):
            entry = known[sha256]
            rows.append(
                {
                    "sha256": sha256,
                    "name": entry["name"],
                    "layer": self.layer_of(sha256),
                    "not_after": entry["not_after"],
                    "distrusted": self._distrusted(sha256),
                    "offered": [e for e in self.endpoints if sha256 in self.offered(e)],
                    "proven": [e for e in self.endpoints if self.evidence.proven.get(e) == sha256],
                }
            )
        return rows

    def record(self, endpoint: str, verified: Event, utc_s: int | None) -> Items:
        """A verified full handshake: evidence, and the end of a gap."""
        self._last[endpoint] = verified.anchor
        out = []
        if self.gaps.pop(endpoint, None) is not None:
            out.append(Tell("gap", {"endpoint": endpoint, "open": False}))
        news = self.evidence.presented(endpoint, verified.anchor, utc_s)
        return out + self._proven(endpoint, verified.anchor, news)

    def accepted(self, endpoint: str, verified: Event, utc_s: int | None) -> Items:
        """An accepted session over the last verified handshake."""
        anchor = verified.anchor if verified is not None else self._last.get(endpoint)
        if anchor is None:
            return []
        return self._proven(endpoint, anchor, self.evidence.accepted(endpoint, anchor))

    def refused(self, endpoint: str, failed: Event, utc_s: int | None) -> Items:
        """A chain verdict against the server: a gap, told once for each presented root."""
        presented = failed.presented[-1] if failed.presented else ""
        before = self.gaps.get(endpoint)
        if before and before["presented"] == presented and before["verdict"] == failed.verdict:
            return []
        self.gaps[endpoint] = {
            "presented": presented,
            "verdict": failed.verdict,
            "since_utc_s": utc_s,
        }
        return [
            Tell(
                "gap",
                {
                    "endpoint": endpoint,
                    "open": True,
                    "presented": presented,
                    "verdict": failed.verdict,
                },
            )
        ]

    def _proven(self, endpoint: str, anchor: str, news: bool) -> Items:
        if self.evidence.prove(endpoint, anchor, self.entry(anchor)) or news:
            return [Save("trust", self.evidence.body())]
        return []

    def _entries(self) -> Items:
        return [(name, entry) for name in LAYERS for entry in self.layer(name)["anchors"]]

    def _covers(self, entry: Entry, endpoint: str, host: str) -> bool:
        """In scope and, where the layer is restricted to name suffixes, one that fits the host."""
        suffixes = entry.get("suffixes") or []
        fits = [s for s in suffixes if is_below(host.lower(), s.lower())]
        return endpoint in self._scope(entry) and (not suffixes or not host or bool(fits))

    def _unrestricted(self, endpoint: str) -> Items:
        free = [
            e["sha256"]
            for name, e in self._entries()
            if name != "system" and endpoint in self._scope(e)
        ]
        return [s for s in free if not self._distrusted(s)]

    def _scope(self, entry: Tree) -> tuple[Any_, ...]:
        return tuple(entry.get("scope") or SCOPES)

    def _distrusted(self, sha256: str) -> bool:
        return bool([name for name in LAYERS if self._names(name, sha256)])

    def _names(self, layer: str, sha256: str) -> bool:
        """True when a layer's distrust names the certificate or its key."""
        distrust = self.layer(layer)["distrust"]
        if sha256 in distrust:
            return True
        keys = [e["spki_sha256"] for _, e in self._entries() if e["sha256"] == sha256]
        kept = self.evidence.kept.get(sha256)
        keys += [kept["spki_sha256"]] if kept else []
        return bool([k for k in keys if k in distrust])
