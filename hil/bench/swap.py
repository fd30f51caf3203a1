"""Acts 2 and 3 under load, again and again, at 0 and at 100 ms of round trip.

Ours moves because the hub's chain changed (Baltimore -> G2 -> Baltimore ...), found by its own
reverify. The SDK renews its token, which is its own way to a fresh session; paho leaves and comes
back when told. The hub's journal is the only clock.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from . import gaps, sdk
from .devices import OURS, PAHO, SDK
from .journal import Journal
from .load import Load
from .rig import CHAINS, Rig
from .waiting import NotReached, until

ROUND_TRIPS_MS = (0, 100)
MESSAGES_PER_S = 100
SETTINGS = {"interval_s": 5, "confirm_s": 1, "swap_every_s": 0, "address_gone_s": 60}
SDK_TOKEN_S = 125  # the SDK renews 120 s before a token's end: every 5 s
MOVE_S, QUIET_S, DRAIN_S = 30, 1, 30
HOW = {
    "without": "hub's journal: last PUBLISH or PUBACK accepted on the old link -> CONNECT accepted"
               " on the new one; {n} moves, %d messages/s, 5 methods/s, 20 C2D/s" % MESSAGES_PER_S,
    "working": "the same, to the first PUBLISH or PUBACK after CONNECT",
    "telemetry": "last message on the old link -> first message on the new one",
    "down": "the old session's end -> the new one's beginning",
}  # fmt: skip


@dataclass
class Outcome:
    """One device at one round trip."""

    moves: list[dict]
    messages: int
    telemetry: dict
    letters: dict
    methods: int
    failed_methods: list[dict]
    desired_missed: int | None


def run(count: int, note: Callable[[str], None]) -> dict:
    """The figures; `count` moves of each device at each round trip."""
    outcomes: dict = {}
    with Rig() as rig:
        for name in (OURS, SDK, PAHO):
            for round_trip_ms in ROUND_TRIPS_MS:
                try:
                    outcome = _observed(rig, name, round_trip_ms, count)
                except sdk.NoSdk as e:
                    note(f"{name}: not measured: {e}")
                    continue
                outcomes[name, round_trip_ms] = outcome
                note(f"{name}, {round_trip_ms} ms: {_brief(outcome)}")
    return figures(outcomes, count)


def _brief(outcome: Outcome) -> str:
    times = [move["without_ms"] for move in outcome.moves]
    return (
        f"{len(times)} moves, {gaps.median(times):g} ms median, {max(times)} ms worst without"
        f" a packet; {outcome.messages} messages, telemetry {outcome.telemetry}, C2D"
        f" {outcome.letters}, {len(outcome.failed_methods)} of {outcome.methods} methods failed"
    )


def _observed(rig: Rig, name: str, round_trip_ms: int, count: int) -> Outcome:
    rig.network.round_trip(round_trip_ms)
    device = rig.device(name, token_s=SDK_TOKEN_S if name == SDK else 3600,
                        **({"reverify": SETTINGS} if name == OURS else {}))  # fmt: skip
    journal = Journal(rig.cloud)
    device.start()
    load = Load(rig.cloud, device.device_id)
    device.begin(MESSAGES_PER_S, f"{name}-{round_trip_ms}")
    load.begin()
    try:
        missed = MOVERS[name](rig, device, load, count, journal)
        time.sleep(QUIET_S)
    finally:
        load.end()
        sent = device.rest()
    mids = [f"{name}-{round_trip_ms}-{n}" for n in range(sent)]
    rows = _drained(journal, device, load, mids)
    device.stop()
    _intact(device, load)
    return Outcome(
        gaps.moves(rows, device.device_id)[:count], sent,
        gaps.delivery(rows, device.device_id, mids),
        gaps.received(load.letters, device.heard.letters), load.methods, load.failed_methods,
        missed,
    )  # fmt: skip


def _intact(device: object, load: Load) -> None:
    broken = [*device.broken, *load.broken]
    if broken:
        raise RuntimeError("the load broke off: " + "; ".join(broken))


def _drained(journal: Journal, device: object, load: Load, mids: list[str]) -> list[dict]:
    """The journal once everything sent has come, or nothing more comes."""

    def look() -> tuple[object, object]:
        lost = gaps.delivery(journal.read(), device.device_id, mids)["lost"]
        letters = gaps.received(load.letters, device.heard.letters)["lost"]
        return not lost and not letters, (lost, letters)

    try:
        until("everything sent has come", look, DRAIN_S, every_s=0.5)
    except NotReached:
        pass  # what is missing is a figure
    return journal.rows


def _sessions(journal: Journal, device: object, wanted: int) -> None:
    """Wait for the device's session number `wanted`."""

    def look() -> tuple[object, object]:
        count = journal.sessions(device.device_id)
        return count >= wanted, count

    until(f"{wanted} sessions of {device.device_id}", look, MOVE_S, every_s=0.2)


def _move_ours(rig: Rig, device: object, load: Load, count: int, journal: Journal) -> int:
    """The chain changes; one desired change falls into each move. How many were not seen."""
    device.heard.on_move = load.change_desired
    missed = 0
    for number in range(count):
        before = load.desired
        rig.cloud.post("/hub/chain", {"name": CHAINS[(number + 1) % 2]})
        _sessions(journal, device, number + 2)
        try:
            until("the desired change is seen", lambda b=before: (
                load.desired > b and device.heard.desired == load.desired, load.desired), 5)
        except NotReached:
            missed += 1
    if count % 2:
        rig.cloud.post("/hub/chain", {"name": CHAINS[0]})
    return missed


def _move_sdk(rig: Rig, device: object, load: Load, count: int, journal: Journal) -> None:
    for number in range(count):
        _sessions(journal, device, number + 2)


def _move_paho(rig: Rig, device: object, load: Load, count: int, journal: Journal) -> None:
    for number in range(count):
        time.sleep(QUIET_S)
        device.reconnect()
        _sessions(journal, device, number + 2)


MOVERS = {OURS: _move_ours, SDK: _move_sdk, PAHO: _move_paho}


def figures(outcomes: dict, count: int) -> dict:
    """{name of a figure: {"ours", "azure-iot-device", "paho", "limit", "unit", "how"}}"""
    found: dict = {}
    for round_trip_ms in ROUND_TRIPS_MS:
        limit = 1.2 * round_trip_ms + 20
        of = {n: outcomes[n, round_trip_ms] for n in (OURS, SDK, PAHO)
              if (n, round_trip_ms) in outcomes}  # fmt: skip
        for word, how in HOW.items():
            for kind, choose in (("median", gaps.median), ("worst", max)):
                found[f"{word} {kind}, round trip {round_trip_ms} ms"] = {
                    **_each(of, lambda o, w=word, c=choose: _time(o, w, c)),
                    "limit": limit if word == "without" else None, "unit": "ms",
                    "how": how.format(n=count),
                }  # fmt: skip
        found.update(_losses(of, round_trip_ms))
    return found


def _losses(of: dict, round_trip_ms: int) -> dict:
    rows = (
        # figure                  taken from an outcome                     what it is
        ("messages lost",         lambda o: o.telemetry["lost"],
         "sent by the program, never in the hub's journal, by message id"),
        ("messages twice",        lambda o: o.telemetry["twice"], "in the hub's journal again"),
        ("C2D lost",              lambda o: o.letters["lost"],
         "taken by the hub, never told to the program"),
        ("C2D twice",             lambda o: o.letters["twice"], "told to the program again"),
        ("methods failed",        lambda o: len(o.failed_methods),
         "direct methods not answered with 200"),
        ("desired changes missed", lambda o: o.desired_missed,
         "one made during each move, not seen 5 s later; the others do not fetch the twin"),
    )  # fmt: skip
    return {
        f"{name}, round trip {round_trip_ms} ms": {
            **_each(of, take), "limit": 0, "unit": "", "how": how,
        }  # fmt: skip
        for name, take, how in rows
    }


def _time(outcome: Outcome, word: str, choose: Callable[[list], float]) -> float | None:
    values = [m[f"{word}_ms"] for m in outcome.moves if m[f"{word}_ms"] is not None]
    return choose(values) if values else None


def _each(of: dict, take: Callable[[Outcome], object]) -> dict:
    return {name: take(of[name]) if name in of else None for name in (OURS, SDK, PAHO)}
