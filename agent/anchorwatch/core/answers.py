"""Answers to Asked, one shape for the control socket and for direct methods. Source: contract
section 4."""

from .actions import Tell
from .shapes import Event, Tree

MEMORY = "memory"


def reply(ask_id: str, result: Tree) -> Tell:
    """Done: `is` holds the result."""
    return Tell("answer", {"ask_id": ask_id, "ok": True, "is": result})


def refuse(ask_id: str, what: str, value: str, remedy: str, code: int = 1) -> Tell:
    """Not done: what, with which value, what to do; code 1 refused, 3 try later."""
    return Tell(
        "answer",
        {
            "ask_id": ask_id,
            "ok": False,
            "code": code,
            "what": what,
            "value": value,
            "remedy": remedy,
        },
    )


def warning(what: str, value: str, remedy: str, kind: str = "") -> Tell:
    """Something that needs a person's eye and no reaction of ours.

    kind  one of warnings.CLASSES; without it the event that led here says which
    """
    about = {"what": what, "value": value, "remedy": remedy}
    if kind:
        about["class"] = kind
    return Tell("warning", about)


def not_written(event: Event) -> Tell:
    """The warning of a SaveFailed: want of memory is not the disk's fault."""
    from .remedies import to_write

    remedy = "the agent goes on from memory; " + to_write(event.reason)
    kind = MEMORY if event.reason == MEMORY else ""
    return warning("state not written: " + event.reason, event.name, remedy, kind)
