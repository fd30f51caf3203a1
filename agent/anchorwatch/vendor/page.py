"""What the commands print: lines made of a workspace or a verdict.

Rule: texts in, lines out; a fingerprint is shown long enough to be used in the next command.
"""

from . import dates
from .entries import short_name
from .papers import ROLES
from .publication import counted
from .workspace import Workspace

_SHOWN = 16
_SOON_S = 60 * dates.DAY_S


def draft(work: Workspace) -> list[str]:
    """What waits for signatures, and what it changes."""
    papers = work.papers
    lines = ["draft: %s" % (", ".join(["%s %d" % (role, papers.version(role)) for role in ROLES
                                       if role in papers.draft]) or "none")]
    if "targets" in papers.draft:
        before = work.released_trust() if "targets" in papers.released else {}
        lines += ["  " + line for line in changes(before, work.trust)]
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
    """Every root, distrust and announcement of a trust.json."""
    return ([_root(anchor) for anchor in tree.get("anchors", [])]
            + [_distrust(row) for row in tree.get("distrust", [])]
            + [_announced(row) for row in tree.get("announcements", [])])


def changes(before: dict, after: dict) -> list[str]:
    """`-` and `+` lines from one trust.json to another."""
    old, new = trust(before), trust(after)
    return (["- " + line for line in old if line not in new]
            + ["+ " + line for line in new if line not in old])


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
    return "distrust %s %s%s%s" % (row["kind"], subject, after, hold)


def _announced(row: dict) -> str:
    return "announced: %s presents %s from %s" % (row["endpoint"], row["root"][:_SHOWN],
                                                  row["date"])
