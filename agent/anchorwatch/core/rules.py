"""The rules of the root store, and what single rows of a layer mean. Decides about one anchor at a
time; `anchors.py` puts them together.

Rule: pure functions of a layer's rows and of the time; a limit that is not there limits nothing.
Source: design section 7.
"""

from ..wire.names import is_below
from .shapes import Any_, Entry, Items, Tree

LAYERS = ("factory", "system", "vendor", "site")  # lowest first
SIGNED = ("vendor", "site")  # layers that a signed bundle may bring
SCOPES = ("hub", "dps", "est", "mirror")
OFFERED = ("active", "sunset")
HOLD_S = 1_209_600
RESERVE_DAYS = 90
DAY_S = 86_400

# fmt: off
RULES = (
    # rule, what it says
    ("R1",  ("A change that would leave an endpoint in use without an unrestricted offered anchor "
            "is refused whole; only the end of a hold may suspend this, for one endpoint.")),
    ("R2",  ("The proven anchor of an endpoint stays offered until another one has carried an "
            "accepted session, verified handshakes on 7 days, and it was gone for 30.")),
    ("R3",  "Bytes in: verified, or refused with the store unchanged; versions never go back."),
    ("R4",  ("A candidate is probed, tried and committed; only a chain that the previous set "
            "accepts by an anchor which the candidate does not distrust counts against it.")),
    ("R5",  ("Hard distrust of the proven anchor: while nothing else works, it is held for the "
            "issuers of its evidence, at most hold_s and trust.hold_max_s long.")),
    ("R6",  ("A retired anchor stays in the reserve while the retiring bundle is the newest, and "
            "for 90 days.")),
    ("R7",  ("Expiry is a verdict only with an authenticated clock, else judged at the floor; what "
            "is installed stays in force and is told to be stale.")),
    ("R8",  "The same bundle ten times is the same bundle once; writes only on change."),
    ("R9",  ("The bundle's channel never depends on the anchors it replaces; a URL of the cloud "
            "must be one of trust.mirrors.")),
    ("R10", ("After two chain verdicts that no offered anchor fits, the third dial has the "
            "reserve; what it finds stays offered.")),
)
# fmt: on


def row_of(item: Any_) -> Tree:
    """A row of a layer's distrust: one of a bundle, or a bare SHA-256 of the site's list."""
    if not isinstance(item, str):
        return dict(item)
    return {"hash": item, "of": "", "kind": "hard", "after": None, "hold_s": HOLD_S, "reason": ""}


def names(row: Tree, entry: Entry) -> bool:
    """True when a row of distrust means this anchor: its certificate, or its key."""
    if row["hash"] == entry["sha256"]:
        return bool(row["of"] != "key")
    return bool(row["hash"] == entry["spki_sha256"] and row["of"] != "certificate")


def scope(entry: Entry) -> tuple[Any_, ...]:
    """The endpoints that an anchor is good for."""
    return tuple(entry.get("scope") or SCOPES)


def covers(entry: Entry, endpoint: str, host: str) -> bool:
    """In scope and, where the anchor is restricted to name suffixes, one that fits the host."""
    suffixes = entry.get("suffixes") or []
    fits = [s for s in suffixes if is_below(host.lower(), s.lower())]
    return endpoint in scope(entry) and (not suffixes or not host or bool(fits))


def in_force(entry: Entry, utc_s: int) -> bool:
    """Active or in its sunset; an anchor whose time has not come is staged."""
    begins = entry.get("active_from")
    return entry.get("state", "active") in OFFERED and (begins is None or begins <= utc_s)


def expired(entry: Entry, utc_s: int) -> bool:
    """Past its end, unless the bundle says that this does not matter."""
    return bool(entry.get("enforce_expiry", True) and entry["not_after"] < utc_s)


def over(hold: Tree, utc_s: int) -> bool:
    """A hold has reached its end, by an authenticated time or the floor, or by the days awake."""
    return bool(hold["left_s"] <= 0 or 0 < hold["until_s"] <= utc_s)


def unrestricted(entry: Entry, distrust: Items) -> bool:
    """Good for any server of its endpoints, for good (R1)."""
    limited = entry.get("suffixes") or entry.get("leaf_not_before_max") is not None
    return not limited and not [row for row in distrust if names(row, entry)]
