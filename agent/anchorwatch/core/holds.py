"""Holds: a distrusted anchor that an endpoint has nothing instead of, for a while (rule R5).

Rule: a hold is good for the issuers of the evidence before the distrust, is warned of daily, and
ends by the time, by the count of days awake, or when another anchor works.

Source: design section 7.
"""

from . import rules
from .actions import Tell
from .anchors import Anchors
from .answers import warning
from .shapes import Items, Tree

DAY_MS = 86_400_000
ALWAYS_S = 1 << 40
REMEDY = "bring a bundle: file, drop folder, mirror, twin or importBundle; or `roots add FILE`"


class Holds:
    """{endpoint: {sha256: {"until_s", "left_s", "issuers"}}} is `anchors.holds`; part of the
    saved trust. until_s: 0 until an authenticated time is known; left_s counts days awake."""

    def __init__(self, most_s: int, anchors: Anchors) -> None:
        self._most_s, self._anchors = most_s, anchors
        self.wake_at: int | None = None

    def start(self, now: int) -> None:
        """Holds that outlived a restart go on."""
        if self._anchors.holds:
            self.wake_at = now + DAY_MS

    def needed(self, endpoint: str, view: Anchors, issued_s: int) -> Tree:
        """{sha256: hold} for the proven anchor if `view` distrusts it; {} when that needs none."""
        proven = self._anchors.evidence.proven.get(endpoint)
        if proven is None or not view.distrusted(proven):
            return {}
        held: Tree = self._anchors.holds.get(endpoint, {})
        hard = [row["hold_s"] for _, row in view.rows(proven) if row["kind"] == "hard"]
        hold_s = min(hard + [self._most_s])
        if hold_s and self._anchors.distrusted(proven):
            return dict(held)  # not a new distrust: what is left of its hold, if anything
        return self._new(endpoint, proven, hold_s, issued_s)

    def found(self, endpoints: Items) -> bool:
        """At a start: a distrust that came while no agent ran is held as any other is, since the
        evidence is older; one whose hold is over stays closed. True when there is a new hold."""
        new = False
        for endpoint in endpoints:
            proven = self._anchors.evidence.proven.get(endpoint, "")
            known = self._anchors.holds.get(endpoint, {}), self._anchors.closed.get(endpoint, [])
            if proven in known[0] or proven in known[1] or not self._anchors.distrusted(proven):
                continue
            rows = [row["hold_s"] for _, row in self._anchors.rows(proven) if row["kind"] == "hard"]
            held = self._new(endpoint, proven, min(rows + [self._most_s]), ALWAYS_S)
            if held:
                self._anchors.holds[endpoint] = held
                new = True
        return new

    def _new(self, endpoint: str, proven: str, hold_s: int, issued_s: int) -> Tree:
        issuers = self._anchors.evidence.issuers(endpoint, proven, issued_s)
        if not hold_s or not issuers:
            return {}
        hold: Tree = {"until_s": 0, "left_s": hold_s, "issuers": issuers}
        return {proven: self._dated(hold)}

    def _dated(self, hold: Tree) -> Tree:
        """With the moment of its end once an authenticated time is there; a guess could close it
        at once."""
        if not hold["until_s"] and self._anchors.authenticated:
            hold["until_s"] = self._anchors.expired_utc_s + hold["left_s"]
        return hold

    def set(self, holds: Tree, now: int) -> Items:
        """Put holds into force; those that are new are told."""
        before = self._anchors.holds
        self._anchors.holds = {e: holds[e] for e in holds if holds[e]}
        self.wake_at = None
        out: Items = []
        for endpoint in sorted(self._anchors.holds):
            self.wake_at = now + DAY_MS
            if endpoint not in before:
                out += self._told(endpoint)
        for endpoint in sorted(before):
            if endpoint not in self._anchors.holds:
                gone = {"endpoint": endpoint, "anchor": sorted(before[endpoint])[0]}
                out.append(Tell("hold", dict(gone, open=False)))
        return out

    def works(self, endpoint: str, anchor: str) -> bool:
        """A verified handshake: True when it ended the endpoint's hold, since another anchor
        works."""
        held = self._anchors.holds.get(endpoint, {})
        if not held or anchor in held or self._anchors.distrusted(anchor):
            return False
        del self._anchors.holds[endpoint]
        return True

    def over(self) -> Items:
        """Close what has reached its end; Tell for each."""
        out: Items = []
        for endpoint in sorted(self._anchors.holds):
            held: Tree = self._anchors.holds[endpoint]
            for sha256 in sorted(held):
                if rules.over(self._dated(held[sha256]), self._anchors.expired_utc_s):
                    del held[sha256]
                    closed = self._anchors.closed.get(endpoint, [])
                    self._anchors.closed[endpoint] = closed + [sha256]
                    about = {"endpoint": endpoint, "anchor": sha256, "open": False}
                    out.append(Tell("hold", about))
                    out.append(warning("hold is over: " + endpoint, sha256, REMEDY, "trust"))
            if not held:
                del self._anchors.holds[endpoint]
        return out

    def woke(self, now: int) -> Items:
        """A day has passed: warn of every hold, and close what is over."""
        self.wake_at = now + DAY_MS
        out: Items = []
        for endpoint in sorted(self._anchors.holds):
            for held in self._anchors.holds[endpoint].values():
                held["left_s"] -= rules.DAY_S
        out += self.over()
        for endpoint in sorted(self._anchors.holds):
            out += self._told(endpoint)
        if not self._anchors.holds:
            self.wake_at = None
        return out

    def _told(self, endpoint: str) -> Items:
        out: Items = []
        for sha256 in sorted(self._anchors.holds[endpoint]):
            held = self._anchors.holds[endpoint][sha256]
            left = "%s, %d s left" % (sha256, held["left_s"])
            out.append(Tell("hold", {"endpoint": endpoint, "anchor": sha256, "open": True}))
            told = "a distrusted root is held: " + endpoint
            out.append(warning(told, left, REMEDY, "trust"))
        return out
