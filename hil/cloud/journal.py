"""The journal: what happened in the emulated cloud, in order, with the true reasons.

Append-only. Tests, the demo and the management port read it; no service decides by it.
"""


class Journal:
    """Rows: {"n": 3, "t_ms": 120, "service": "hub", "what": "connected", "device": "dev-1"}."""

    def __init__(self) -> None:
        self._rows: list[dict] = []

    def add(self, t_ms: int, service: str, what: str, device: str | None, **more: object) -> dict:
        """Append one row; `more` must be JSON values and hold no secret."""
        row = {
            "n": len(self._rows) + 1,
            "t_ms": t_ms,
            "service": service,
            "what": what,
            "device": device,
            **more,
        }
        self._rows.append(row)
        return row

    def since(self, n: int = 0) -> list[dict]:
        """The rows after number n, oldest first; since(0) is all of them."""
        return self._rows[max(n, 0) :]

    def of(self, what: str, device: str | None = None) -> list[dict]:
        """The rows of one kind, of one device or of all."""
        return [r for r in self._rows if r["what"] == what and device in (None, r["device"])]
