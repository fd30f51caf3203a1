"""A run as the report sees it: acts, spans and levels, out of the rows of timeline.jsonl.

Rule: reads rows and nothing else, so a page can be made again from the file long after the run.
Source: contract section 7.
"""

from dataclasses import dataclass, field

ONLINE, JOINING, AT_DPS, WAITING, MOVING = "online", "joining", "at-dps", "waiting", "moving"
NOTHING = ""
ANCHOR_COLOURS = 5

# The agent's state words, put into five kinds a newcomer can tell apart.
KINDS = {
    "online": ONLINE,
    "reprovisioning": ONLINE,
    "settling beside": ONLINE,
    "swapping": MOVING,
    "adrift": MOVING,
    "dialing hub": JOINING,
    "signing": JOINING,
    "connecting": JOINING,
    "registering": AT_DPS,
    "settling": AT_DPS,
    "looking up": AT_DPS,
}


@dataclass
class Act:
    """One act as it was played; `result` is its line of the last row, {} when there is none."""

    number: int
    name: str
    title: str
    short: str
    claim: str
    start_ms: int
    end_ms: int
    result: dict = field(default_factory=dict)
    failure: dict = field(default_factory=dict)


@dataclass
class Span:
    """Something that held for a while; `kind` picks the colour, `label` is what is read."""

    start_ms: int
    end_ms: int
    kind: str
    label: str


class Story:
    """Everything the page shows.

    rows   of timeline.jsonl, sorted by t_ms
    """

    def __init__(self, rows: list[dict]) -> None:
        self.rows = rows
        self.end_ms = max([row["t_ms"] for row in rows], default=0)
        self.run = _first(rows, "run")
        self.result = _first(rows, "result")
        self.stopped = _first(rows, "stopped").get("why", "")
        self.roots: dict[str, str] = self.run.get("roots", {})

    def root_name(self, sha256: str) -> str:
        """The name of an anchor; the beginning of its fingerprint when nobody named it."""
        return self.roots.get(sha256, sha256[:12])

    def title(self, name: str) -> str:
        """The title of an act, also of one that was not played."""
        return self.run.get("titles", {}).get(name, name)

    def acts(self) -> list[Act]:
        """In the order played; each lasts until the next begins, the last to the end of the run."""
        results = {act["name"]: act for act in self.result.get("acts", [])}
        found: list[Act] = []
        for row in self._of("demo"):
            if row["what"] == "act":
                if found:
                    found[-1].end_ms = row["t_ms"]
                named = [row[key] for key in ("number", "name", "title", "short", "claim")]
                act = Act(*named, row["t_ms"], self.end_ms)
                act.result = results.get(act.name, {})
                found.append(act)
            elif row["what"] == "act over" and found:
                found[-1].failure = row.get("failure") or {}
        return found

    def sessions(self) -> list[Span]:
        """The connection's state, joined where it did not change."""
        return self._spans(_connection, lambda word: (KINDS.get(word, WAITING), word))

    def anchors(self) -> list[Span]:
        """The anchor of the live session, nothing while there is none."""
        known: list[str] = []

        def shown(sha256: str) -> tuple[str, str]:
            if not sha256:
                return NOTHING, ""
            if sha256 not in known:
                known.append(sha256)
            return "anchor-%d" % (known.index(sha256) % ANCHOR_COLOURS), self.root_name(sha256)

        return [span for span in self._spans(_anchor, shown) if span.kind]

    def faults(self) -> list[Span]:
        """The last fault told, by class, until the session is up or the status is well again."""
        session = {"connection": ""}

        def fault(row: dict) -> tuple[str, str] | None:
            before = session["connection"]
            session["connection"] = _connection(row) or before
            came_up = session["connection"] == "online" and before not in ("online", "swapping")
            return (NOTHING, NOTHING) if came_up else _fault(row)

        spans = self._spans(fault, lambda fault: (fault[0], ": ".join(f for f in fault if f)))
        return [span for span in spans if span.kind]

    def looks(self) -> list[Span]:
        """Second handshakes, as moments: the same anchor, another one, or a swap that follows."""
        moments = []
        for row in self._of("agent"):
            if row["what"] == "swap" and "why" in row:
                moments.append(_moment(row, "swap", "the session moves: %s" % row["why"]))
            elif row["what"] == "reverify" and "anchor" in row:
                name = self.root_name(row["anchor"])
                moments.append(_moment(row, "look", "second handshake: %s" % name))
            elif row["what"] == "gap" and row.get("open"):
                moments.append(_moment(row, "gap", "no root for %s" % row.get("presented")))
        return moments

    def in_flight(self, step_ms: int) -> list[tuple[int, int]]:
        """(t_ms, most messages sent and not yet in the hub's journal) for each step of time."""
        known: set[str] = set()
        changes = []
        for row in self.rows:
            if row["what"] == "sent":
                changes.append((row["t_ms"], 1))
            elif row["what"] == "telemetry" and row["mid"] not in known:
                known.add(row["mid"])
                changes.append((row["t_ms"], -1))
        return _peaks(changes, step_ms, self.end_ms)

    def _of(self, who: str) -> list[dict]:
        return [row for row in self.rows if row["who"] == who]

    def _spans(self, value_of, shown) -> list[Span]:
        """Join equal values of the agent's rows into spans."""
        spans: list[Span] = []
        last: object = None
        for row in self._of("agent"):
            value = value_of(row)
            if value is None or (spans and value == last):
                continue
            if spans:
                spans[-1].end_ms = row["t_ms"]
            spans.append(Span(row["t_ms"], self.end_ms, *shown(value)))
            last = value
        return spans


def _first(rows: list[dict], what: str) -> dict:
    found = [row for row in rows if row["who"] == "demo" and row["what"] == what]
    return found[0] if found else {}


def _connection(row: dict) -> str | None:
    return row["machines"]["connection"] if row["what"] in ("state", "status") else None


def _anchor(row: dict) -> str | None:
    return row["anchor"] if row["what"] in ("state", "status") else None


def _fault(row: dict) -> tuple[str, str] | None:
    """What a row says of faults; None for nothing.

    The status shows one fault of several and is read now and then, so it only ends them; a fault
    that is over before it is read ends with what it was about.
    """
    if row["what"] == "fault":
        return row["class"], row["verdict"]
    well = {
        "status": not row.get("fault"),
        "gap": not row.get("open"),
    }
    return (NOTHING, NOTHING) if well.get(row["what"]) else None


def _moment(row: dict, kind: str, label: str) -> Span:
    return Span(row["t_ms"], row["t_ms"], kind, label)


def _peaks(changes: list[tuple[int, int]], step_ms: int, end_ms: int) -> list[tuple[int, int]]:
    peaks, level, at = [], 0, 0
    for start_ms in range(0, end_ms + 1, step_ms):
        most = level
        while at < len(changes) and changes[at][0] < start_ms + step_ms:
            level += changes[at][1]
            most = max(most, level)
            at += 1
        peaks.append((start_ms, most))
    return peaks
