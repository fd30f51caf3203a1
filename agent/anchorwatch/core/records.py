"""The record of a layer's signed bundle, and what it puts into force. Rule: pure trees in, trees
out; a record that is made is a new one, so that a save that fails leaves the old one whole.

    folder    number of bundle/N/ with the newest verified metadata; its content is the candidate
    in_force  that of the anchors in force, 0 for none; previous: the one before it; spare: one that
              was rolled back, whose reserve and hard distrust stay
    stage     rooted | candidate | trial | committed | reverted
    version, digest    of the newest trust.json
    seen      endpoints verified in the trial; boots  starts since the first of them
    against   {"endpoint", "leaf", "why", "others"} of a roll-back, others: leaves for which it was
              tried once more since; by  "operator" if a person asked for it
    lineage   SHA-256 of the roots of trust that the package or the operator brought

Source: contract section 3; design section 7, R4, R6, R8.
"""

from . import rules
from .answers import warning
from .shapes import Items, MaybeTree, Tree

FOLDERS = ("folder", "in_force", "previous", "spare")


def none() -> Tree:
    """A layer without a bundle."""
    return {
        "folder": 0,
        "in_force": 0,
        "previous": 0,
        "spare": 0,
        "stage": "rooted",
        "version": 0,
        "digest": "",
        "seen": [],
        "boots": 0,
        "against": {},
        "by": "",
        "lineage": [],
    }


def empty() -> Tree:
    """The content of no bundle."""
    return {"anchors": [], "distrust": []}


def candidate(before: MaybeTree, content: Tree) -> Tree:
    """A new bundle after what there is; what was rolled back, or on trial, keeps its distrust until
    the new one is tried."""
    old = none()
    old.update(before or {})
    spare = old["folder"] if old["stage"] == "trial" else old["spare"]
    changes = {"folder": content["folder"], "stage": "candidate", "spare": spare}
    changes.update({"version": content["version"], "digest": content["digest"]})
    changes.update({"seen": [], "boots": 0, "against": {}, "by": ""})
    changes["lineage"] = content.get("lineage", old["lineage"])
    return dict(old, **changes)


def refreshed(before: Tree, content: Tree) -> Tree:
    """The same bundle under newer metadata: every place of the old folder is the new one's."""
    folder = before["folder"]
    moved = {n: content["folder"] for n in FOLDERS if before[n] == folder}
    return dict(before, lineage=content.get("lineage", before["lineage"]), **moved)


def committed(record: Tree) -> Tree:
    """The candidate is in force; what was in force is kept until the next one is."""
    done = {"stage": "committed", "previous": record["in_force"], "in_force": record["folder"]}
    return dict(record, spare=0, seen=[], boots=0, **done)


def reverted(record: Tree, against: Tree, by: str, distrusts: bool) -> Tree:
    """Back to the anchors before: those in force, or the former ones of a committed bundle.

    distrusts  its hard distrust stays, and its anchors are a reserve
    """
    before = record["previous"] if record["stage"] == "committed" else record["in_force"]
    changes = {"stage": "reverted", "in_force": before, "against": against, "by": by}
    changes["spare"] = record["folder"] if distrusts else record["spare"]
    return dict(record, seen=[], boots=0, **changes)


def found(record: Tree, contents: Tree) -> Tree:
    """As it is at a start: one on trial whose files are damaged waits until they come again."""
    if record["stage"] != "trial" or str(record["folder"]) in contents:
        return record
    return dict(record, stage="candidate", seen=[], boots=0)


def resting(bundles: Tree) -> str:
    """The layer whose bundle was rolled back and has its turn again by itself; "" for none."""
    back = [k for k in sorted(bundles) if bundles[k]["stage"] == "reverted"]
    return ([k for k in back if bundles[k]["by"] != "operator"] or [""])[0]


def in_force(record: Tree, contents: Tree) -> tuple[Tree, Items, Items]:
    """(the layer's content, layers of which only reserve and hard distrust count, warnings)."""
    trial = record["stage"] == "trial"
    number = record["folder"] if trial else record["in_force"]
    held = [contents[str(n)] for n in [record["spare"]] if str(n) in contents]
    if trial:  # its word counts, and what it replaces is the reserve
        before = contents.get(str(record["in_force"])) or empty()
        held = [dict(before, distrust=[])]
    if not number or str(number) in contents:
        return contents.get(str(number)) or empty(), held, []
    lost = "bundle/%d" % number
    remedy = "what is proven stays offered; import the bundle again"
    return empty(), held, [warning("the bundle in force is damaged", lost, remedy, "state")]


def folders(bundles: Tree) -> Items:
    """Every folder that a record names, as text, sorted."""
    found = {str(bundles[layer][name]) for layer in bundles for name in FOLDERS}
    return sorted([number for number in found if number != "0"])


def retired(known: Tree, before: Items, content: Tree, judged_utc_s: int) -> Tree:
    """{sha256: {"entry", "since_s"}} after a commit: what was there and is gone or retired now
    (R6)."""
    days = content.get("policy", {}).get("reserve_days", rules.RESERVE_DAYS)
    there = {e["sha256"]: e["state"] for e in content["anchors"] if e.get("state")}
    found = {}
    for sha256 in known:
        late = known[sha256]["since_s"] + days * rules.DAY_S <= judged_utc_s
        if there.get(sha256, "retired") == "retired" and not (late and sha256 not in there):
            found[sha256] = known[sha256]
    for entry in before:
        gone = there.get(entry["sha256"], "retired") == "retired"
        if gone and entry["sha256"] not in found:
            found[entry["sha256"]] = {"entry": entry, "since_s": judged_utc_s}
    return found
