"""What a hub's journal says of moves: how long no packet came, what was lost, what came twice.

Rule: pure, and from the hub's rows alone. A *packet* here is a PUBLISH or PUBACK of the device that
the hub accepted; CONNECT opens a session and is counted as the first of its link.
"""

PACKETS = ("telemetry", "c2d acked", "method reply", "twin get", "reported")


def moves(rows: list[dict], device_id: str) -> list[dict]:
    """One dict for each session after the first:

    without_ms    last packet on the old link -> CONNECT accepted on the new one
    working_ms    last packet on the old link -> first packet after CONNECT on the new one
    telemetry_ms  last message on the old link -> first message on the new one
    down_ms       the old session's end -> the new one's beginning

    working_ms and telemetry_ms are None when nothing followed.
    """
    mine = [row for row in rows if row["device"] == device_id and row["service"] == "hub"]
    starts = [i for i, row in enumerate(mine) if row["what"] == "connected"]
    ends = [*starts[1:], len(mine)]
    spans = [mine[a:b] for a, b in zip(starts, ends, strict=True)]
    return [_move(old, new) for old, new in zip(spans, spans[1:], strict=False)]


def _move(old: list[dict], new: list[dict]) -> dict:
    began = new[0]["t_ms"]
    last = [row["t_ms"] for row in old if row["what"] in PACKETS]
    last_ms = last[-1] if last else old[0]["t_ms"]
    first = [row["t_ms"] for row in new if row["what"] in PACKETS]
    left = [row["t_ms"] for row in old if row["what"] == "telemetry"]
    came = [row["t_ms"] for row in new if row["what"] == "telemetry"]
    over = [row["t_ms"] for row in old if row["what"] == "disconnected"]
    return {
        "without_ms": began - last_ms,
        "working_ms": first[0] - last_ms if first else None,
        "telemetry_ms": came[0] - left[-1] if came and left else None,
        "down_ms": began - over[-1] if over else 0,
    }


def delivery(rows: list[dict], device_id: str, mids: list[str]) -> dict:
    """{"lost", "twice"} of the messages sent, by message id."""
    times: dict[str, int] = {}
    for row in rows:
        if row["what"] == "telemetry" and row["device"] == device_id:
            times[row["mid"]] = times.get(row["mid"], 0) + 1
    return {
        "lost": sum(1 for mid in mids if mid not in times),
        "twice": sum(times[mid] - 1 for mid in mids if mid in times),
    }


def received(sent: list[str], heard: list[str]) -> dict:
    """{"lost", "twice"} of cloud-to-device messages, by their texts."""
    return {
        "lost": len(set(sent) - set(heard)),
        "twice": len(heard) - len(set(heard)),
    }


def median(values: list) -> float:
    """The middle one."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
