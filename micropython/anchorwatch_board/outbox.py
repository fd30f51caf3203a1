"""Telemetry that waits for its acknowledgement.

Rule: in memory and bounded; when it is full, the oldest is dropped and counted. A board's dict has
no order, so the records are a list.

A record is {"mid", "properties", "payload", "qos"}; `peek` adds the topic, since the device id is
only known once a hub was assigned.
"""


class Outbox:
    """At most `at_most` records; `topic_of(record)` names the topic of one that is sent next."""

    def __init__(self, topic_of, at_most: int) -> None:
        self._topic_of, self._at_most = topic_of, at_most
        self._records: list = []
        self.dropped = 0
        self.acknowledged = 0

    @property
    def waiting(self) -> int:
        """Records not yet acknowledged, those in flight included."""
        return len(self._records)

    def put(self, record: dict) -> None:
        """Queue a record; the same mid again replaces nothing and is not queued twice."""
        if self._at(record["mid"]) is not None:
            return
        if len(self._records) >= self._at_most:
            self._records.pop(0)
            self.dropped += 1
        self._records.append(dict(record))

    def peek(self, n: int) -> list:
        """The `n` oldest records with their topics; they stay queued until acknowledged."""
        records = self._records[:n]
        for record in records:
            if "topic" not in record:
                record["topic"] = self._topic_of(record)
        return records

    def readdress(self) -> None:
        """The device id has changed: topics are made anew."""
        for record in self._records:
            record.pop("topic", None)

    def ack(self, mid: str) -> None:
        """The hub has it. A mid that is no longer queued is nothing."""
        at = self._at(mid)
        if at is not None:
            self._records.pop(at)
            self.acknowledged += 1

    def _at(self, mid: str):
        for at, record in enumerate(self._records):
            if record["mid"] == mid:
                return at
        return None
