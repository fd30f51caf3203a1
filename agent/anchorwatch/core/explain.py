"""Why an anchor is trusted, and the list of all: sentences and rows for people.

Rule: it reads, it changes nothing. Source: design section 12.
"""

from . import rules
from .shapes import Entry, Items, Tree
from .trust import Trust


def reasons(trust: Trust, sha256: str) -> Items:
    """Sentences on why an anchor is trusted or not, lowest layer first, with the rule."""
    told: Items = []
    for name in rules.LAYERS:
        for entry in trust.layer(name)["anchors"]:
            if entry["sha256"] == sha256:
                told.append(_brought(trust, name, entry))
        for layer, row in trust.anchors.rows(sha256):
            if layer == name:
                told.append(_distrusts(name, row))
    for endpoint in trust.endpoints:
        told += _at(trust, endpoint, sha256)
    return told or ["no layer names it"]


def _brought(trust: Trust, name: str, entry: Entry) -> str:
    told = "%s trusts it for %s" % (name, ", ".join(rules.scope(entry)))
    state = entry.get("state", "active")
    if state != "active":
        told += ", state %s" % state
    elif not rules.in_force(entry, trust.anchors.judged_utc_s):
        told += ", from %d on" % entry["active_from"]
    if entry.get("suffixes"):
        told += ", names below %s" % ", ".join(entry["suffixes"])
    if entry.get("leaf_not_before_max") is not None:
        told += ", leaves begun until %d" % entry["leaf_not_before_max"]
    return told


def _distrusts(name: str, row: Tree) -> str:
    if row["kind"] == "sunset":
        return "%s distrusts leaves begun after %d (sunset)" % (name, row["after"])
    return "%s distrusts it%s" % (name, ": " + row["reason"] if row["reason"] else "")


def _at(trust: Trust, endpoint: str, sha256: str) -> Items:
    """What one endpoint makes of it."""
    told: Items = []
    evidence, anchors = trust.evidence, trust.anchors
    if evidence.proven.get(endpoint) == sha256:
        days = evidence.days(endpoint, sha256)
        told.append("proven for %s on %d days: kept in the state (R2)" % (endpoint, days))
    held = anchors.holds.get(endpoint, {}).get(sha256)
    if held:
        left = (endpoint, held["left_s"])
        told.append("held for %s, %d s left: nothing else works (R5)" % left)
    if sha256 in anchors.emergency.get(endpoint, {}):
        told.append("found in the reserve for %s and offered since (R10)" % endpoint)
    elif sha256 in trust.reserve(endpoint):
        told.append("in the reserve of %s: a third dial may try it (R10)" % endpoint)
    entry = trust.entry(sha256)
    if entry and rules.expired(entry, anchors.expired_utc_s):
        over = (anchors.expired_utc_s - entry["not_after"]) // rules.DAY_S
        if sha256 in trust.offered(endpoint):
            told.append("expired %d days ago, still offered to %s (R2)" % (over, endpoint))
    return told


def listing(trust: Trust) -> Items:
    """Every anchor once: name, layer, state, endpoints it is offered to, in reserve or proven."""
    known = [e for _, e in trust.anchors.entries()] + list(trust.evidence.kept.values())
    known += [row["entry"] for row in trust.anchors.retired.values()]
    rows = []
    for sha256 in sorted({e["sha256"] for e in known}):
        entry = trust.entry(sha256) or {}
        rows.append(
            {
                "sha256": sha256,
                "name": entry["name"],
                "layer": trust.layer_of(sha256),
                "state": entry.get("state", "active"),
                "not_after": entry["not_after"],
                "expired_days": _days(trust.anchors.expired_utc_s - entry["not_after"]),
                "distrusted": trust.distrusted(sha256),
                "offered": [e for e in trust.endpoints if sha256 in trust.offered(e)],
                "reserve": [e for e in trust.endpoints if sha256 in trust.reserve(e)],
                "proven": [e for e in trust.endpoints if trust.evidence.proven.get(e) == sha256],
            }
        )
    return rows


def _days(past_s: int) -> int:
    """Whole days past the end, 0 before it; offered all the same only where it is proven (R2)."""
    return max(0, past_s // rules.DAY_S)


def bundle(trust: Trust, layer: str) -> Tree:
    """What the status says of a signed layer."""
    record = trust.bundles.get(layer)
    if record is None:
        return {"stage": "none", "version": 0}
    told = {name: record[name] for name in ("stage", "version", "seen", "boots")}
    told["why"] = record["against"].get("why", "")
    content = trust.layer(layer)
    told["in_force"] = content.get("version", 0)
    told["issued_utc_s"] = content.get("issued_s")
    ends_s = content.get("expires_s")
    told["stale"] = ends_s is not None and ends_s < trust.anchors.expired_utc_s
    return told
