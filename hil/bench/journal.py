"""The cloud's journal, read in small pieces: a whole one at a time would hold up the cloud."""

from .cloud import Cloud


class Journal:
    """rows  all of it, from where the reader began."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._read = cloud.mark()
        self.rows: list[dict] = []

    def read(self) -> list[dict]:
        """What has come since; all rows."""
        fresh = self._cloud.rows(since=self._read)
        if fresh:
            self._read = fresh[-1]["n"]
            self.rows += fresh
        return self.rows

    def sessions(self, device_id: str) -> int:
        """How often the hub accepted this device."""
        return sum(
            row["what"] == "connected" and row["service"] == "hub" and row["device"] == device_id
            for row in self.read()
        )
