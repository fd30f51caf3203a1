"""What was sent and what arrived, act by act. Rule: counted from rows alone, by message id.

A message belongs to the act in which it was sent, whenever it arrives.
Source: contract section 7.
"""


def results(rows: list[dict], names: list[str]) -> list[dict]:
    """One result an act, in the order of `names`; an act that was not played sent nothing."""
    windows = _windows(rows)
    sent = [row for row in rows if row["what"] == "sent"]
    arrivals = [row for row in rows if row["what"] == "telemetry"]
    times: dict[str, int] = {}
    for row in arrivals:
        times[row["mid"]] = times.get(row["mid"], 0) + 1
    return [_result(name, windows.get(name), sent, arrivals, times) for name in names]


def _windows(rows: list[dict]) -> dict[str, dict]:
    """{name: {"start_ms", "end_ms", "reached"}} of the acts that were played.

    An act lasts until the next begins, the last one until the end: nothing sent is left out.
    """
    acts = [row for row in rows if row["what"] == "act"]
    after_all_ms = max([row["t_ms"] for row in rows], default=0) + 1
    ends = [*[row["t_ms"] for row in acts[1:]], after_all_ms][: len(acts)]
    over = {row["name"]: row for row in rows if row["what"] == "act over"}
    windows = {}
    for row, end_ms in zip(acts, ends, strict=True):
        name = row["name"]
        reached = name in over and not over[name].get("failure")
        until_ms = over[name]["t_ms"] if name in over else end_ms
        windows[name] = {
            "start_ms": row["t_ms"], "end_ms": end_ms, "reached": reached, "over_ms": until_ms,
        }  # fmt: skip
    return windows


def _result(
    name: str, window: dict | None, sent: list[dict], arrivals: list[dict], times: dict[str, int]
) -> dict:
    if window is None:
        window = {"start_ms": 0, "end_ms": 0, "over_ms": 0, "reached": False}
    mine = [r["mid"] for r in sent if window["start_ms"] <= r["t_ms"] < window["end_ms"]]
    delivered = [mid for mid in mine if mid in times]
    first_sent_ms = sent[0]["t_ms"] if sent else 0
    return {
        "name": name,
        "reached": window["reached"],
        "sent": len(mine),
        "delivered": len(delivered),
        "lost": len(mine) - len(delivered),
        "duplicated": sum(times[mid] - 1 for mid in delivered),
        "longest_silence_ms": silence_ms(
            max(window["start_ms"], first_sent_ms), window["over_ms"],
            [row["t_ms"] for row in arrivals],
        ),
    }  # fmt: skip


def silence_ms(start_ms: int, end_ms: int, arrivals_ms: list[int]) -> int:
    """The longest time between two arrivals at the hub, within an act and to its ends."""
    within = sorted(t for t in arrivals_ms if start_ms < t < end_ms)
    edges = [start_ms, *within, end_ms]
    return max([0] + [later - earlier for earlier, later in zip(edges, edges[1:], strict=False)])
