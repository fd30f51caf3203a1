"""What happened, by real milliseconds since the start: the rows of timeline.jsonl.

Rule: rows are added from several threads and only sorted when they are read.
Source: contract section 7.
"""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

WHO = ("agent", "hub", "dps", "operator", "demo")


class Timeline:
    """add() a row; `heard` is called with each, one at a time."""

    def __init__(self, heard: Callable[[dict], None] = lambda row: None) -> None:
        self._start_s = time.monotonic()
        self._rows: list[dict] = []
        self._lock = threading.Lock()
        self._heard = heard

    def now_ms(self) -> int:
        return int(1000 * (time.monotonic() - self._start_s))

    def add(self, who: str, what: str, t_ms: int | None = None, **more: object) -> None:
        """One row, of now if no time is given."""
        if who not in WHO:
            raise ValueError(f"who is {who!r}, not one of {', '.join(WHO)}")
        with self._lock:
            at_ms = self.now_ms() if t_ms is None else t_ms
            row = {**more, "t_ms": at_ms, "who": who, "what": what}
            self._rows.append(row)
            self._heard(row)

    def rows(self) -> list[dict]:
        """All rows so far, sorted by time; the result stays the last."""
        with self._lock:
            return sorted(self._rows, key=lambda row: (row["what"] == "result", row["t_ms"]))

    def write(self, file: Path) -> None:
        """One JSON object a line."""
        lines = [json.dumps(_in_order(row)) + "\n" for row in self.rows()]
        file.write_text("".join(lines), encoding="utf-8")


def _in_order(row: dict) -> dict:
    head = {key: row[key] for key in ("t_ms", "who", "what")}
    return {**head, **row}
