"""Answers of the agent as text for people.

Rule: reads a tree, returns lines; a field that is missing is left out.
"""

import time

_MARKS = {True: "  ok", False: "! BAD", None: "  --"}
_PLACES = (("offered", "offered to "), ("reserve", "in reserve for "), ("proven", "proven at "))
_SCALE = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def status(tree: dict) -> list[str]:
    """What `anchorwatch status` prints."""
    agent = tree["agent"]
    since = "" if agent.get("since_s") is None else " since " + span(agent["since_s"])
    lines = ["%s%s (anchorwatch %s, mode %s)" % (agent["state"], since, agent["version"],
                                                 agent["mode"])]
    for name in sorted(tree.get("endpoints") or {}):
        lines += _endpoint(name, tree["endpoints"][name])
    lines += _fault(tree.get("fault"))
    for gap in tree.get("gap") or ():
        lines.append("gap       %s presents %s: no usable root here (%s)" % (
            gap["endpoint"], gap["presented"], gap.get("verdict", "")))
        lines += ["          " + gap["remedy"]] if gap.get("remedy") else []
    lines += _trust(tree.get("trust") or {})
    for told in tree.get("warnings") or ():
        lines += _warning(told)
    lines += _next(tree.get("deadlines") or {})
    lines.append("clock     %s" % tree["clock"]["standing"])
    lines += _queue(tree.get("queue"))
    crash = agent.get("last_crash")
    if crash:
        lines.append("crash     %s (%d so far)" % (crash["what"], crash["count"]))
    if agent.get("reduced"):
        lines.append("reduced   three crashes in an hour: nothing is moved that can stay")
    return lines


def roots(tree: dict) -> list[str]:
    """What `anchorwatch roots list` prints."""
    return ["%s  %-8s %-8s %s%s" % (row["sha256"], row["layer"], row["state"], row["name"],
                                    _marks(row)) for row in tree["roots"]]


def history(tree: dict) -> list[str]:
    """What `anchorwatch roots history` prints, newest last."""
    lines = []
    for row in tree["history"]:
        version = "version %d" % row["version"] if row["version"] else ""
        said = [part for part in (row["stage"], version, row["why"]) if part]
        lines.append("%-20s  %-6s  %s" % (date(row["utc_s"]), row["layer"], ", ".join(said)))
    return lines or ["no bundle so far"]


def changed(answer: dict) -> list[str]:
    """What `roots add` and `roots distrust` print."""
    if "would_offer" in answer:
        return ["nothing is written; it would be done", *_would(answer["would_offer"])]
    return ["done" if answer["changed"] else "nothing to do: it is so already"]


def imported(answer: dict) -> list[str]:
    """What `roots import` prints."""
    version = "version %d" % answer["version"]
    if "would_offer" in answer:
        return ["nothing is written; %s would be taken" % version, *_would(answer["would_offer"])]
    if not answer["changed"]:
        return ["nothing to do: %s is there, %s" % (version, answer["stage"])]
    if answer["stage"] == "committed":
        return ["%s is in force: no endpoint is offered anything else by it" % version]
    if answer.get("offline"):
        return ["%s is a candidate, tried at the agent's next start" % version]
    return ["%s is a candidate, and is tried now: see roots history" % version]


def clock(tree: dict) -> list[str]:
    """What `anchorwatch clock` prints."""
    return ["standing  " + tree["standing"],
            "floor     %s: no date is judged before it" % date(tree["floor_utc_s"]),
            "judged at %s" % date(tree["judged_at_utc_s"])]


def reset(answer: dict) -> list[str]:
    """What `anchorwatch clock reset` prints."""
    floor = date(answer["floor_utc_s"])
    if not answer["changed"]:
        return ["nothing to do: the floor is %s already" % floor]
    return ["the floor is %s, it was %s" % (floor, date(answer["before_utc_s"]))]


def checks(rows: list[dict]) -> list[str]:
    """What `anchorwatch check` prints: a line a step, then what failed in one line."""
    wide = max([len(row["check"]) for row in rows] + [0])
    lines = []
    for row, same in _together(rows):
        value = ": " + row["value"] if row["value"] else ""
        steps = ", ".join([row["check"]] + [one["step"] for one in same])
        lines.append("%-5s %-*s  %s%s" % (_MARKS[row["ok"]], wide, steps, row["what"], value))
        if row["remedy"] and row["ok"] is not True:
            lines.append("%*s" % (wide + 8 + len(row["remedy"]), row["remedy"]))
    wrong = [row["check"] for row in rows if row["ok"] is False]
    tried = len([row for row in rows if row["ok"] is not None])
    lines.append("%d of %d failed: %s" % (len(wrong), tried, ", ".join(wrong)) if wrong
                 else "all %d hold" % tried)
    return lines


def _together(rows: list[dict]) -> list[tuple[dict, list[dict]]]:
    """Each row with those behind it that were not tried for the same reason."""
    found: list[tuple[dict, list[dict]]] = []
    for row in rows:
        last = found[-1][0] if found else row
        if found and row["ok"] is None and (last["ok"], last["endpoint"], last["what"]) == (
                None, row["endpoint"], row["what"]):
            found[-1][1].append(row)
        else:
            found.append((row, []))
    return found


def span(seconds: int) -> str:
    """`2 h 5 min`: the two largest units."""
    parts = []
    for size, unit in _SCALE:
        if seconds >= size and len(parts) < 2:
            parts.append("%d %s" % (seconds // size, unit))
            seconds %= size
        elif parts:
            break
    return " ".join(parts) or "0 s"


def _would(told: dict) -> list[str]:
    return ["%s would be offered %s" % (endpoint, ", ".join(told[endpoint]) or "nothing")
            for endpoint in sorted(told)]


def date(utc_s: int | None) -> str:
    """`2026-11-22T08:00:00Z`; `-` for none."""
    if utc_s is None:
        return "-"
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(utc_s))


def _marks(row: dict) -> str:
    marks = []
    for key, words in _PLACES:
        if row.get(key):
            marks.append(words + ", ".join(row[key]))
    if row.get("expired_days"):
        marks.append("expired %d days ago" % row["expired_days"])
    if row.get("distrusted"):
        marks.append("distrusted")
    return "  [%s]" % "; ".join(marks) if marks else ""


def _endpoint(name: str, tree: dict) -> list[str]:
    lines = ["%-9s %s%s" % (name, tree.get("host") or "not assigned yet",
                            " at " + tree["address"] if tree.get("address") else "")]
    if tree.get("anchor"):
        chain = tree.get("chain") or [tree["anchor"]]
        lines.append("          anchor %s (%s layer)" % (chain[-1], tree.get("layer") or "no"))
    return lines


def _fault(tree: dict | None) -> list[str]:
    if not tree:
        return []
    lines = ["fault     %s: %s" % (tree["class"], tree.get("what") or tree["verdict"])]
    if tree.get("value"):
        lines.append("          %s" % tree["value"])
    lines.append("          %s" % tree["remedy"])
    if tree.get("next_in_ms") is not None:
        lines.append("          try %d follows in %s" % (
            tree.get("tries", 0) + 1, span(tree["next_in_ms"] // 1000)))
    return lines


def _trust(tree: dict) -> list[str]:
    """What of the root store is not as on the first day."""
    bundles, until = tree.get("bundles") or {}, tree.get("held_until_utc_s") or {}
    lines = ["bundle    %s: %s" % (layer, _bundle(bundles[layer])) for layer in sorted(bundles)]
    for endpoint in sorted(until):
        lines.append("hold      %s: a distrusted root until %s" % (
            endpoint, date(until[endpoint])))
    for endpoint, found in sorted((tree.get("emergency") or {}).items()):
        lines.append("reserve   %s was found to need %s" % (endpoint, ", ".join(found)))
    return lines + ["expired   %s, %d days ago%s" % (row["name"], row["expired_days"], _marks(
        {name: row[name] for name, _ in _PLACES})) for row in tree.get("expired") or ()]


def _bundle(row: dict) -> str:
    version, in_force = row["version"], row.get("in_force", 0)
    if not version:
        return "a root of trust, no bundle"
    parts = ["%s, version %d" % (row["stage"], version)]
    if in_force != version:
        parts.append("version %d in force" % in_force if in_force else "none in force")
    if row.get("why"):
        parts.append(row["why"])
    return ", ".join(parts + ["stale"] * bool(row.get("stale")))


def _warning(told: dict) -> list[str]:
    value = ": " + told["value"] if told["value"] else ""
    often = "%d times, first " % told["count"] if told["count"] > 1 else ""
    return ["warning   %s: %s%s" % (told["class"], told["what"], value),
            "          %s (%s%s ago)" % (told["remedy"], often, span(told["since_s"]))]


def _next(deadlines: dict) -> list[str]:
    due = ["%s in %s" % (name[:-6].replace("_", " "), span(deadlines[name] // 1000))
           for name in sorted(deadlines)]
    return ["next      " + ", ".join(due)] if due else []


def _queue(tree: dict | None) -> list[str]:
    if not tree:
        return []
    return ["queue     %d waiting, %d of them sent, %d dropped" % (
        tree["waiting"], tree["in_flight"], tree["dropped"])]
