"""Figures as they are written down, and the judgement on their limits.

A figure is {"ours", "azure-iot-device", "paho", "limit", "unit", "how"}; null: cannot apply.
Rule: a limit holds when ours is there and not above it; a figure without a limit is never missed.
Source: contract section 7.
"""

import datetime
import json
import os
import platform
import ssl
from pathlib import Path

from .devices import OURS, PAHO, SDK


class NotCounted(Exception):
    """A figure cannot be had on this machine; the text says why."""


def missed(found: dict) -> list[str]:
    """The names of the figures whose limit does not hold."""
    return [
        name for name, figure in found.items()
        if figure["limit"] is not None and not _holds(figure)
    ]  # fmt: skip


def _holds(figure: dict) -> bool:
    return figure[OURS] is not None and figure[OURS] <= figure["limit"]


def machine() -> dict:
    """What the figures were measured on."""
    return {
        "cpus": os.cpu_count(),
        "processor": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "load": round(os.getloadavg()[0], 2),
    }


def document(bench: str, found: dict, seconds: float) -> dict:
    """One bench's file."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "bench": bench,
        "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "took_s": round(seconds, 1),
        "machine": machine(),
        "figures": found,
        "missed": missed(found),
    }


def write(folder: Path, made: dict) -> Path:
    """build/bench/NAME.json, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{made['bench']}.json"
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(made, indent=1) + "\n")
    beside.replace(file)
    return file


def lines(found: dict) -> list[str]:
    """The figures as a table for the terminal."""
    rows = [("", OURS, SDK, PAHO, "limit", "")]
    for name, figure in found.items():
        bad = "" if figure["limit"] is None or _holds(figure) else "MISSED"
        cells = [_shown(figure[key]) for key in (OURS, SDK, PAHO, "limit")]
        rows.append((name, *cells, " ".join(filter(None, (figure["unit"], bad)))))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 5)),
                   row[5]]).rstrip() for row in rows
    ]  # fmt: skip


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
