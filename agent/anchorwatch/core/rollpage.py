"""What the agent says of its own certificates: status and reported property. Rule: reads, changes
nothing.

Source: contract section 4, design section 9.
"""

from .identity import Identity
from .shapes import Tree
from .slots import OVERDUE


def page(identity: Identity) -> Tree:
    """The status page's `identity`."""
    kept, due_s = identity.slots.kept, identity.due_utc_s(identity.active)
    unwiped = kept["former"] and kept["former_until_s"] == OVERDUE
    about = {name: kept[name] or None for name in ("active", "trial", "former", "pending")}
    about.update({
        "roll": identity.state, "reason": kept["reason"] or None, "why": identity.why or None,
        "issuer": identity.issuer, "forbidden": identity.forbidden or None,
        "due_utc_s": None if identity.forbidden else due_s,
        "former_until_utc_s": kept["former_until_s"] if kept["former"] and not unwiped else None,
        "unwiped": kept["former"] if unwiped else None,
        "slots": identity.slots.held,
    })  # fmt: skip
    return about


def reported(identity: Identity) -> Tree:
    """For the twin: what serves, its issuing CA, and what a roll waits for."""
    slots = identity.slots
    shown = slots.of("live")
    about = {name: shown.get(name) for name in ("fingerprint", "not_after")}
    if shown.get("issuer"):
        about["issuer_sha1"] = shown["issuer"]["sha1"]
        about["issuer_not_after"] = shown["issuer"].get("not_after")
    if slots.kept["trial"] or identity.why:
        about["roll"] = {"trial": bool(slots.kept["trial"]), "why": identity.why}
    return about
