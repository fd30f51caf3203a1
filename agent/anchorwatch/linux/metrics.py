"""The status as Prometheus text.

Rule: only numbers that are in the status, under names that never change.

Source: Prometheus, "Exposition formats".
"""

# fmt: off
FIGURES = (
    # name                              type       path in the status         help
    ("anchorwatch_up_seconds",          "gauge",   ("agent", "up_s"),         "Since the start."),
    ("anchorwatch_queue_waiting",       "gauge",   ("queue", "waiting"),      "Unacknowledged."),
    ("anchorwatch_queue_in_flight",     "gauge",   ("queue", "in_flight"),    "Sent of those."),
    ("anchorwatch_queue_dropped_total", "counter", ("queue", "dropped"),      "Queue was full."),
    ("anchorwatch_fault_tries",         "gauge",   ("fault", "tries"),        "Of this fault."),
    ("anchorwatch_clock_floor_seconds", "gauge",   ("clock", "floor_utc_s"),  "Time floor."),
)
# fmt: on


def text_of(status: dict) -> str:
    """The whole exposition."""
    lines = []
    for name, kind, path, words in FIGURES:
        value = _at(status, path)
        if value is not None:
            lines += _head(name, kind, words) + ["%s %s" % (name, value)]
    state = status["agent"]["state"]
    lines += _head("anchorwatch_state", "gauge", "1 for the state the connection is in.")
    lines.append('anchorwatch_state{state="%s"} 1' % state)
    lines += _head("anchorwatch_trust_gaps", "gauge", "Endpoints whose chain has no root here.")
    lines.append("anchorwatch_trust_gaps %d" % len(status.get("gap") or ()))
    lines += _head("anchorwatch_warnings", "gauge", "Warnings that the status lists.")
    lines.append("anchorwatch_warnings %d" % len(status.get("warnings") or ()))
    lines += _counters(status.get("counters") or {})
    return "\n".join(lines) + "\n"


def _counters(counters: dict) -> list[str]:
    lines = _head("anchorwatch_events_total", "counter", "What happened since the start.")
    for name in sorted(counters):
        lines.append('anchorwatch_events_total{event="%s"} %d' % (name, counters[name]))
    return lines


def _head(name: str, kind: str, words: str) -> list[str]:
    return ["# HELP %s %s" % (name, words), "# TYPE %s %s" % (name, kind)]


def _at(tree: dict, path: tuple[str, ...]):
    found: object = tree
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None
