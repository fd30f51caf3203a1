"""What `anchorwatch identity show` prints. Rule: reads the page of the core, returns lines."""

from .page import date, span

_DAY_S = 86_400
_ROLES = (("active", "active"), ("trial", "on trial"), ("former", "former"),
          ("pending", "waits for its certificate"))
_SLOTS = ("a", "b", "onboarding")
_NAMES = {"onboarding": "configured"}


def lines(tree: dict, now_s: int) -> list[str]:
    """One block a credential, then what comes next."""
    found = []
    for slot in _SLOTS:
        held = tree["slots"].get(slot)
        role = _role(tree, slot)
        if held or role:
            found += _credential(_NAMES.get(slot, "slot " + slot), role, held or {}, now_s)
    return found + _next(tree, now_s)


def _role(tree: dict, slot: str) -> str:
    words = [word for part, word in _ROLES if tree.get(part) == slot]
    if tree.get("former") == slot and tree.get("former_until_utc_s"):
        words.append("kept until " + date(tree["former_until_utc_s"]))
    words += ["its key is not wiped"] if tree.get("unwiped") == slot else []
    return ", ".join(words)


def _credential(name: str, role: str, held: dict, now_s: int) -> list[str]:
    kind = held.get("kind", "")
    what = {"none": "not there any more", "symmetric_key": "symmetric key"}.get(kind, "")
    subject = "CN=" + held["cn"] if held.get("cn") else what or "key only"
    parts = [part for part in (subject, held.get("key", ""), role or "not in use") if part]
    found = ["%-10s  %s" % (name, ", ".join(parts))]
    if held.get("not_after") is not None:
        found.append(_row("valid", "%s to %s, %s" % (
            date(held["not_before"]), date(held["not_after"]), _left(held["not_after"], now_s))))
    if kind == "x509" and held.get("fingerprint"):
        found.append(_row("sha256", held["fingerprint"]))
        found += [_row("sha1", held["sha1"])] if held.get("sha1") else []
    return found + _issuer(held.get("issuer"), held.get("by", "")) + _proven(held)


def _issuer(issuer: dict | None, by: str) -> list[str]:
    if not issuer:
        return []
    found = [_row("issuer", issuer["cn"] + (", by " + by if by else ""))]
    if not issuer["sha256"]:
        return found + [_row("", "its certificate is not in the chain")]
    found += [_row("", "sha256 " + issuer["sha256"]), _row("", "sha1   " + issuer["sha1"])]
    ends = issuer.get("not_after")
    return found + ([_row("", "ends   " + date(ends))] if ends is not None else [])


def _proven(held: dict) -> list[str]:
    """What the slot's frame says of it."""
    where, evidence = held.get("assignment"), held.get("evidence") or {}
    since = evidence.get("accepted", {})
    told = ["by %s since %s" % (one, date(since[one]) if since[one] else "a time not known")
            for one in sorted(since)]  # fmt: skip
    found = [_row("device", "%s at %s" % (where["device_id"], where["hub"]))] if where else []
    found += [_row("", "accepted " + ", ".join(told))] if told else []
    refused = "refused by dps when it heard of it last"
    return found + ([_row("", refused)] if evidence.get("refused_by_dps") else [])


def _next(tree: dict, now_s: int) -> list[str]:
    if tree.get("forbidden"):
        return ["renewal     none by itself: " + tree["forbidden"]]
    found = ["renewal     by %s: %s%s" % (
        tree["issuer"], tree["roll"], ", " + tree["reason"] if tree.get("reason") else "")]
    due_s = tree.get("due_utc_s")
    if due_s is not None:
        left = "in " + span(due_s - now_s) if due_s > now_s else "now"
        found.append(_row("due", "%s, %s" % (date(due_s), left)))
    if tree.get("why"):
        found.append(_row("last", tree["why"]))
    return found


def _left(not_after: int, now_s: int) -> str:
    if now_s > not_after:
        return "expired %d days ago" % ((now_s - not_after) // _DAY_S)
    return "%d days left" % ((not_after - now_s) // _DAY_S)


def _row(name: str, text: str) -> str:
    return "            %-7s %s" % (name, text)
