"""What the commands print: lines made of a workspace or a verdict.

Rule: texts in, lines out; a fingerprint is shown long enough to be used in the next command.
"""

from ..errors import plain
from . import dates
from .entries import short_name
from .papers import ROLES
from .publication import counted
from .workspace import Workspace

_SHOWN = 16
_WIDTH = 400
_SOON_S = 60 * dates.DAY_S


def draft(work: Workspace) -> list[str]:
    """What waits for signatures: all that it says, and `+` or `-` where the release differs."""
    papers = work.papers
    lines = ["draft: %s" % (", ".join(["%s %d" % (role, papers.version(role)) for role in ROLES
                                       if role in papers.draft]) or "none")]
    if "root" in papers.draft:
        before = papers.released.get("root")
        lines += _marked(_keys(before.signed) if before else [], _keys(papers.root))
    if "targets" in papers.draft:
        before = work.released_trust() if "targets" in papers.released else {}
        lines += _marked(trust(before), trust(work.trust))
    return lines


def signatures(work: Workspace, now_s: int) -> list[str]:
    """One line for each document: its expiry, how many have signed, who has not."""
    papers, lines = work.papers, []
    for role in ROLES:
        newest = papers.newest(role)
        if newest is None:
            continue
        state = "draft" if role in papers.draft else "released"
        expires_s = int(newest.signed.expires.timestamp())
        soon = "  renew it soon" if expires_s < now_s + _SOON_S else ""
        lines.append("%-9s %3d  %-8s  until %s  %s%s" % (
            role, newest.signed.version, state, dates.day(expires_s), counted(work, role), soon))
        if not papers.is_complete(role):
            lines += ["%26smissing %s" % ("", key[:_SHOWN]) for key in papers.missing(role)]
    return lines


def trust(tree: dict) -> list[str]:
    """All that a trust.json says, safe on a terminal."""
    lines = [_root(anchor) for anchor in tree.get("anchors", [])]
    lines += [_distrust(row) for row in tree.get("distrust", [])]
    lines += [_announced(row) for row in tree.get("announcements", [])]
    lines += ["policy %s %d" % row for row in sorted(tree.get("policy", {}).items())]
    lines += ["floor of time lowered to " + tree["floor_reset"]] if "floor_reset" in tree else []
    return [plain(line, _WIDTH) for line in lines]


def changes(before: dict, after: dict) -> list[str]:
    """`-` and `+` lines from one trust.json to another."""
    marked = _marked(trust(before), trust(after))
    return [line[2:] for line in marked if line[2] in "+-"]


def _marked(old: list[str], new: list[str]) -> list[str]:
    return (["  - " + line for line in old if line not in new]
            + [("    " if line in old else "  + ") + line for line in new])


def _keys(root) -> list[str]:
    """One line for each key of each role, with the threshold."""
    return ["%-9s %d of %d: %s" % (role, root.roles[role].threshold, len(root.roles[role].keyids),
                                   keyid)
            for role in ROLES for keyid in root.roles[role].keyids]


def _root(anchor: dict) -> str:
    limits = "".join([" %s %s" % (name, anchor[name]) for name in (
        "not_before", "leaf_not_before_max") if name in anchor])
    limits += " only " + ", ".join(anchor["dns"]) if anchor.get("dns") else ""
    return "%-7s %s %s (%s; %s)%s" % (
        anchor["state"], anchor["sha256"][:_SHOWN], short_name(anchor["name"]),
        " ".join(anchor["scope"]), " ".join(anchor["clouds"]), limits)


def _distrust(row: dict) -> str:
    subject = "key " + row["spki_sha256"] if "spki_sha256" in row else row["sha256"]
    after = " after " + row["after"] if "after" in row else ""
    hold = " hold %d s" % row["hold_s"] if "hold_s" in row else ""
    reason = " (%s)" % row["reason"] if "reason" in row else ""
    return "distrust %s %s%s%s%s" % (row["kind"], subject, after, hold, reason)


def _announced(row: dict) -> str:
    return "announced: %s presents %s from %s" % (row["endpoint"], row["root"][:_SHOWN],
                                                  row["date"])
