"""What each anchor has proven at each endpoint (rule R2). Source: design section 7.

Rule: the proven anchor of an endpoint changes only on evidence; its certificate is kept in the
state until then.
"""

from .shapes import Items, MaybeTree, Tree

DAY_S = 86_400
DAYS, DAYS_MOST = 7, 90
GONE_DAYS = 30
ISSUERS_AT_MOST = 8


class Evidence:
    """Per endpoint and anchor: accepted sessions, days with a verified handshake, the day last
    presented."""

    def __init__(self) -> None:
        # endpoint: {sha256: {"accepted", "days": [day], "last": day, "issuers": {key: utc_s}}}
        self._seen: Tree = {}
        self.days_needed, self.gone_days = DAYS, GONE_DAYS  # a bundle's policy may say otherwise
        self.proven: Tree = {}  # endpoint: sha256
        self.kept: Tree = {}  # sha256: entry with its certificate

    def restore(self, body: Tree) -> None:
        """Take the saved evidence."""
        self._seen = body.get("seen", {})
        self.proven = body.get("proven", {})
        self.kept = body.get("kept", {})

    def body(self) -> Tree:
        """What is saved."""
        return {"seen": self._seen, "proven": self.proven, "kept": self.kept}

    def days(self, endpoint: str, sha256: str | None) -> int:
        """How many different days have seen a verified handshake through this anchor."""
        return len(self._of(endpoint, sha256)["days"]) if sha256 else 0

    def presented(self, endpoint: str, sha256: str, utc_s: int | None) -> bool:
        """A verified full handshake through `sha256`; True when that is news worth saving."""
        seen = self._of(endpoint, sha256)
        if utc_s is None or utc_s // DAY_S == seen["last"]:
            return False
        seen["last"] = utc_s // DAY_S
        if len(seen["days"]) < max(DAYS, min(self.days_needed, DAYS_MOST)):
            seen["days"].append(seen["last"])
        return True

    def issued(self, endpoint: str, sha256: str, issuer: str, utc_s: int | None) -> bool:
        """The key that signed the leaf of a verified handshake; True when that is news."""
        known: Tree = self._of(endpoint, sha256).setdefault("issuers", {})
        if issuer in known:
            return False
        if len(known) >= ISSUERS_AT_MOST:
            newest_first = sorted([(known[key], key) for key in known])
            del known[newest_first[-1][1]]
        known[issuer] = utc_s or 0
        return True

    def issuers(self, endpoint: str, sha256: str, before_s: int) -> Items:
        """The keys that signed leaves below an anchor at an endpoint before a moment (R5); one
        that was seen without a clock counts."""
        known: Tree = self._of(endpoint, sha256).get("issuers", {})
        return sorted([key for key in known if known[key] < before_s])

    def accepted(self, endpoint: str, sha256: str) -> bool:
        """An accepted session through `sha256`; True when that is news worth saving."""
        seen = self._of(endpoint, sha256)
        news = not seen["accepted"]
        seen["accepted"] = True
        return news

    def prove(self, endpoint: str, sha256: str, entry: MaybeTree, lost: bool = False) -> bool:
        """Let `sha256` take over as the proven anchor if R2 is met, or at once if the proven one
        is `lost` to distrust; True when it did."""
        before = self.proven.get(endpoint)
        if before == sha256 or entry is None or not self._of(endpoint, sha256)["accepted"]:
            return False
        if before is not None and not lost and not self._succeeds(endpoint, before, sha256):
            return False
        self.proven[endpoint] = sha256
        self.kept[sha256] = entry
        wanted = [self.proven[e] for e in self.proven]
        self.kept = {s: self.kept[s] for s in self.kept if s in wanted}
        return True

    def _succeeds(self, endpoint: str, before: str, after: str) -> bool:
        seen, old = self._of(endpoint, after), self._of(endpoint, before)
        if len(seen["days"]) < self.days_needed:
            return False
        gone_since = old["last"] or seen["days"][0]  # no day known: not before its heir was seen
        return bool(seen["last"] - gone_since >= self.gone_days)

    def _of(self, endpoint: str, sha256: str) -> Tree:
        anchors: Tree = self._seen.setdefault(endpoint, {})
        seen: Tree = anchors.setdefault(sha256, {"accepted": False, "days": [], "last": 0})
        return seen
