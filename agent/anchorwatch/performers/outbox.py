"""Telemetry that waits for its acknowledgement.

Rule: in memory and bounded; when it is full, the oldest is dropped and counted.

A record is {"mid", "properties", "payload", "qos"}; `peek` adds the topic, since the device id is
only known once a hub was assigned.
"""

from collections import OrderedDict

from ..core.shapes import Any_, Tree


class Outbox:
    """At most `at_most` records; `topic_of(record)` names the topic of one that is sent next."""

    def __init__(self, topic_of: Any_, at_most: int) -> None:
        self._topic_of, self._at_most = topic_of, at_most
        self._records: OrderedDict[str, Tree] = OrderedDict()
        self.dropped = 0
        self.acknowledged = 0

    @property
    def waiting(self) -> int:
        """Records not yet acknowledged, those in flight included."""
        return len(self._records)

    def put(self, record: Tree) -> None:
        """Queue a record; the same mid again replaces nothing and is not queued twice."""
        if record["mid"] in self._records:
            return
        if len(self._records) >= self._at_most:
            del self._records[next(iter(self._records))]
            self.dropped += 1
        self._records[record["mid"]] = dict(record)

    def peek(self, n: int) -> list[Tree]:
        """The `n` oldest records with their topics; they stay queued until acknowledged."""
        records: list[Tree] = []
        for mid in self._records:
            if len(records) == n:
                break
            records.append(self._records[mid])
        for record in records:
            if "topic" not in record:
                record["topic"] = self._topic_of(record)
        return records

    def readdress(self) -> None:
        """The device id has changed: topics are made anew."""
        for mid in self._records:
            self._records[mid].pop("topic", None)

    def ack(self, mid: str) -> None:
        """The hub has it. A mid that is no longer queued is nothing."""
        if self._records.pop(mid, None) is not None:
            self.acknowledged += 1
