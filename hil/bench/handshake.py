"""What a handshake costs the device: RSA against ECC, with and without a certificate of its own,
with each fragment length.

The client is the agent's own Dialer, its judgement included; the server is `openssl s_server`, in
the same run. What the TLS library does of it is counted apart.
"""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from . import callgrind, gaps, papers
from .devices import OURS, PAHO, SDK
from .figures import NotCounted
from .shaker import Counted, Shaker, Traced
from .sserver import SServer
from .tap import Tap

FRAGMENTS = (0, 512, 1024, 2048, 4096)  # 0: not asked for
REDUCED = 1  # the count at which two chains and their bytes must do
_BY_TAP = "records of the handshake from the server by a tap, their heads included, TCP's not"
_ALL = "callgrind: the whole dial: context, TCP, TLS, our judgement of the chain in Python"
_HELD = (
    "glibc's mtrace: bytes that the TLS library asked for and had not given back, at most, its"
    " context included"
)
COLUMNS = {
    # key of a cell      figure                 unit       how it was measured
    "down":             ("bytes down",          "bytes",   _BY_TAP),
    "up":               ("bytes up",            "bytes",   "the same from the client"),
    "bytes":            ("bytes both ways",     "bytes",   "the two together"),
    "instructions":     ("instructions",        "million", "callgrind: within SSL_do_handshake"),
    "instructions_all": ("instructions in all", "million", _ALL),
    "heap":             ("heap peak",           "kB",      _HELD),
}  # fmt: skip
SCALE = {"million": 1e6, "kB": 1e3}


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often each."""

    count: int
    chains: tuple[str, ...] = tuple(papers.CHAINS)
    clients: tuple[str, ...] = tuple(papers.CLIENTS)
    fragments: tuple[int, ...] = FRAGMENTS
    counted: bool = True

    @classmethod
    def of(cls, count: int) -> "Plan":
        if count > REDUCED:
            return cls(count)
        return cls(count, ("rsa", "p256"), ("none",), (0,), counted=False)


@dataclass
class Means:
    """Whoever shakes hands; a counter is gone once it has said that it cannot count here."""

    plain: Shaker
    note: Callable[[str], None]
    counters: dict[str, Counted | Traced] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def counted(self, *given: object) -> dict:
        """What each counter says of one handshake, after one that does not count."""
        seen: dict = {}
        for name in list(self.counters):
            try:
                self.counters[name].warm(*given)
                seen.update(self.counters[name].shake(*given))
            except NotCounted as e:
                self.without(name, str(e))
        return seen

    def without(self, name: str, reason: str) -> None:
        """These columns stay empty, and nobody overlooks it."""
        self.note(f"{name.upper()} NOT COUNTED: {reason}")
        self.reasons[name] = reason
        self.counters.pop(name, None)


def run(count: int, note: Callable[[str], None]) -> tuple[dict, dict]:
    """The figures; and under "cells" every combination, for the report."""
    plan = Plan.of(count)
    cells: list[dict] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        means = _means(plan, folder, stack, note)
        clients = {name: _client(folder, name) for name in plan.clients}
        for chain in plan.chains:
            cells += _of_chain(plan, folder, chain, clients, means)
            note(_brief(chain, cells))
    return figures(cells, count, means.reasons), {"cells": cells}


def _means(plan: Plan, folder: Path, stack: ExitStack, note: Callable[[str], None]) -> Means:
    made = Means(Shaker(), note)
    stack.callback(made.plain.stop)
    if not plan.counted:
        made.reasons = dict.fromkeys(("instructions", "heap"), "a short run counts bytes only")
        return made
    made.counters["heap"] = Traced(folder)
    stack.callback(made.counters["heap"].stop)
    reason = callgrind.missing()
    if reason:
        made.without("instructions", reason)
        return made
    made.counters["instructions"] = Counted(folder)
    stack.callback(made.counters["instructions"].stop)
    return made


def _client(folder: Path, name: str) -> papers.Papers | None:
    keys = papers.CLIENTS[name]
    return None if keys is None else papers.client(folder / f"client-{name}", keys)


def _of_chain(plan: Plan, folder: Path, chain: str, clients: dict, means: Means) -> list[dict]:
    shown = papers.server(folder / f"server-{chain}", papers.CHAINS[chain])
    server = SServer(shown, folder / f"{chain}.log")
    tap = Tap(server.place)
    try:
        return [
            {"chain": chain, "client": name, "fragment": fragment,
             **_cell(plan.count, means, tap, server.place, (shown, client, fragment))}
            for name, client in clients.items() for fragment in plan.fragments
        ]  # fmt: skip
    finally:
        tap.close()
        server.stop()


def _cell(count: int, means: Means, tap: Tap, place: str, given: tuple) -> dict:
    """Median bytes; instructions and heap of one handshake, since they repeat to a percent."""
    seen = []
    for _ in range(count):
        means.plain.shake(tap.place(), *given)
        weight = tap.taken()
        seen.append({**weight, "bytes": weight["up"] + weight["down"]})
    seen.append(means.counted(place, *given))
    values = {key: [one[key] for one in seen if key in one] for key in COLUMNS}
    return {key: gaps.median(of) if of else None for key, of in values.items()}


def _brief(chain: str, cells: list[dict]) -> str:
    cell = next(one for one in cells if one["chain"] == chain)
    return f"{chain}: {len(cells)} cells so far; {cell['down']:g} bytes down, {cell['up']:g} up"


def figures(cells: list[dict], count: int, reasons: dict[str, str]) -> dict:
    """A figure a column, chain and client, without a fragment length; no limit is set on any."""
    found = {}
    for key, (title, unit, how) in COLUMNS.items():
        reason = reasons.get(key.partition("_")[0])
        times = f"; median of {count}" if unit == "bytes" else ""
        said = f"not measured: {reason}" if reason else how + times
        for cell in cells:
            if cell["fragment"]:
                continue
            found[f"{title}: {cell['chain']} chain, client certificate {cell['client']}"] = {
                OURS: scaled(cell[key], unit), SDK: None, PAHO: None, "limit": None, "unit": unit,
                "how": said,
            }  # fmt: skip
    return found


def titled(key: str) -> str:
    """A column's title, with its unit where that is not said yet."""
    title, unit, _ = COLUMNS[key]
    return title if unit in title else f"{title}, {unit}"


def scaled(value: float | None, unit: str) -> float | None:
    """A value of a cell in the unit that it is shown in."""
    return value if value is None or unit not in SCALE else round(value / SCALE[unit], 1)
