"""What needs a person's eye and no reaction of ours, as the status lists it: bounded and counted.

Rule: a warning is listed as long as its cause may hold. What is read from files stands until they
are read again, what could not be written until it is; anything else is past a day after it was last
told.

Source: contract section 4.
"""

from ..errors import plain
from .actions import Tell
from .events import CredentialRead, LayerRead, LookedUp, Saved, SaveFailed, Start
from .shapes import Event, Items, MaybeTree, Tree
from .trust import Trust

# fmt: off
CLASSES = (
    "state",     # the state on the disk: damaged, or not written
    "memory",    # the state was not written, for want of memory
    "trust",     # a root or a layer that was not taken, an endpoint without an anchor
    "identity",  # the device's own credential: unreadable, or past its dates
    "message",   # what the hub sent or would not let us have, what an application wants sent
    "service",   # an answer of DPS that changes nothing
    "config",    # a setting that names what is not there
    "agent",     # none of these
)
# fmt: on
CAUSES = ((SaveFailed, "state"), (Start, "trust"), (LayerRead, "trust"), (LookedUp, "service"))
PEERS = ("message", "service")  # others say how often and with which values
FILES = ("trust", "identity")  # read again when they change
MOST = 16
DAY_MS = 86_400_000


class Warnings:
    """The list; `warned` takes the driver's, `hear` the core's own."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._rows: Items = []

    def warned(self, about: Tree, now: int) -> None:
        """The driver warns: {"class", "what", "value", "remedy"}."""
        self._note(about, now, about["class"] in FILES)

    def reread(self, kind: str) -> None:
        """The driver reads files of this class again: what it does not repeat is over."""
        self._rows = [r for r in self._rows if not (r["class"] == kind and r["over"])]
        for row in self._rows:
            row["over"] = row["class"] == kind and row["stands"]

    def hear(self, event: Event, out: Items, now: int) -> None:
        """An event and what came of it; a warning that names no class gets that of its event."""
        if isinstance(event, Saved):
            self._drop("state", event.name)
            self._drop("memory", event.name)
        elif isinstance(event, CredentialRead):
            self._drop("identity", None)
        for item in [item for item in out if isinstance(item, Tell)]:
            if item.name == "warning":
                item.about.setdefault("class", _cause(event))
                self._note(item.about, now, False)
            elif item.name == "trust":
                self._taken()

    def listing(self, now: int) -> Items:
        """[{"class", "what", "value", "remedy", "count", "since_s", "last_s"}], newest last."""
        shown = [row for row in self._rows if not row["over"] and not _past(row, now)]
        return [_shown(row, now) for row in shown]

    def _note(self, about: Tree, now: int, stands: bool) -> None:
        told = {name: plain(about[name]) for name in ("class", "what", "value", "remedy")}
        rows = [row for row in self._rows if not _past(row, now)]
        row = _same(rows, told) or {"count": 0, "first_ms": now}
        self._rows = [other for other in rows if other is not row]
        while len(self._rows) >= MOST:
            self._rows.remove(_least(self._rows))
        row.update(told)
        row.update({"count": row["count"] + 1, "last_ms": now, "stands": stands, "over": False})
        self._rows.append(row)

    def _drop(self, kind: str, value: str | None) -> None:
        """The cause is over, of one value or of all."""
        over = [r for r in self._rows if r["class"] == kind and value in (None, r["value"])]
        self._rows = [row for row in self._rows if row not in over]

    def _taken(self) -> None:
        """A layer is in force: what was said of layers is history, unless an endpoint is bare."""
        if not [e for e in self._trust.endpoints if not self._trust.offered(e)]:
            self._rows = [r for r in self._rows if r["class"] != "trust" or r["stands"]]


def _cause(event: Event) -> str:
    return ([kind for of, kind in CAUSES if isinstance(event, of)] or ["agent"])[0]


def _same(rows: Items, told: Tree) -> MaybeTree:
    """The row that counts this warning: peers choose values, so theirs do not tell rows apart."""
    names = ("class", "what") if told["class"] in PEERS else ("class", "what", "value")
    same = [row for row in rows if not [name for name in names if row[name] != told[name]]]
    return same[0] if same else None


def _least(rows: Items) -> Tree:
    """What gives way: the oldest that a peer caused, so that no peer hides what is ours."""
    row: Tree = ([row for row in rows if row["class"] in PEERS] or rows)[0]
    return row


def _past(row: Tree, now: int) -> bool:
    return not row["stands"] and now - row["last_ms"] >= DAY_MS


def _shown(row: Tree, now: int) -> Tree:
    shown = {name: row[name] for name in ("class", "what", "value", "remedy", "count")}
    shown["since_s"] = (now - row["first_ms"]) // 1000
    shown["last_s"] = (now - row["last_ms"]) // 1000
    return shown
