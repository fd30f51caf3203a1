"""The emulated cloud as scenarios use it: its management port, and waiting for its journal.

Rule: knows the port's paths and nothing behind them.
Source: contract section 6; hil/cloud/README.md.
"""

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import quote

from hil.cloud.remote import RemoteCloud

from .waiting import until

SHOWN = 5  # rows that a complaint shows


class Cloud(RemoteCloud):
    """A running cloud; see hil/cloud/remote.py for how it is started and ended."""

    def delete(self, path: str) -> dict:
        return self.ask("DELETE", path)

    def mark(self) -> int:
        """The number of the newest row, for see(since=)."""
        rows = self.rows()
        return rows[-1]["n"] if rows else 0

    def see(
        self,
        waited_for: str,
        sought: Callable[[dict], bool],
        since: int = 0,
        within_s: float = 30,
    ) -> dict:
        """Wait for a row of the journal after number `since`; the first that fits."""
        read = since
        seen: list[dict] = []

        def look() -> tuple[object, object]:
            nonlocal read
            for row in self.rows(since=read):
                read = row["n"]
                if sought(row):
                    return row, None
                if row["what"] != "telemetry":
                    seen.append(row)
            return None, seen[-SHOWN:]

        return until(waited_for, look, within_s)

    def reported(self, device_id: str, service: str = "hub") -> dict:
        """The reported properties of a device's twin at a hub."""
        return self.get(f"/devices/{quote(device_id)}/twin?hub={service}")["reported"]

    def root(self, name: str) -> bytes:
        """A root certificate of this cloud, as PEM: what its operator publishes."""
        return (self.folder / "roots" / f"{name}.pem").read_bytes()

    def anchor(self, name: str) -> str:
        """The SHA-256 of a root certificate."""
        lines = self.root(name).decode().splitlines()
        der = base64.b64decode("".join(line for line in lines if "-----" not in line))
        return hashlib.sha256(der).hexdigest()
