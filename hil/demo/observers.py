"""Eyes on both processes: the cloud's journal, the agent's status, a call from the cloud.

Rule: each method is one look; threads.py repeats it.
"""

from hil.bench.board import Process
from hil.bench.cloud import Cloud
from hil.bench.control import Unanswered
from hil.cloud.remote import Refused

from .application import METHOD
from .timeline import Timeline

SERVICES = {"hub": "hub", "hub2": "hub", "dps": "dps", "operator": "operator"}
CALL_S = 10
KEPT_OF_TELEMETRY = ("mid", "session", "service")


class JournalFollower:
    """The cloud's rows, put on the timeline's clock."""

    def __init__(self, cloud: Cloud, timeline: Timeline) -> None:
        self._cloud, self._timeline = cloud, timeline
        self._read = 0
        self._behind_ms = min(self._offset_ms() for _ in range(5))

    def look(self) -> None:
        for row in self._cloud.rows(since=self._read):
            self._read = row["n"]
            who = SERVICES.get(row["service"])
            if who:
                at_ms = row["t_ms"] + self._behind_ms
                self._timeline.add(who, row["what"], at_ms, **_kept(row))

    def _offset_ms(self) -> int:
        """The timeline's clock minus the cloud's; too large by the answer's way, so the least."""
        cloud_ms = self._cloud.get("/journal")["now_ms"]
        return self._timeline.now_ms() - cloud_ms


class StatusReader:
    """A row whenever the status says something new about the session, its anchor or its fault."""

    def __init__(self, device: Process, timeline: Timeline) -> None:
        self._device, self._timeline = device, timeline
        self._last: dict = {}

    def look(self) -> None:
        try:
            status = self._device.status()
        except Unanswered:
            return  # a full house of clients, or the end
        shown = shown_of(status)
        if shown != self._last:
            self._last = shown
            self._timeline.add("agent", "status", **shown)


class Caller:
    """The cloud calls the device's method, as an operator's page would every so often."""

    def __init__(self, cloud: Cloud, device_id: str, timeline: Timeline) -> None:
        self._cloud, self._device_id, self._timeline = cloud, device_id, timeline

    def look(self) -> None:
        path = f"/devices/{self._device_id}/method"
        try:
            answer = self._cloud.post(path, {"name": METHOD, "payload": {}, "timeout_s": CALL_S})
        except Refused as e:
            answer = {"error": str(e)}
        self._timeline.add("demo", "method", status=answer.get("status"), why=answer.get("error"))


def shown_of(status: dict) -> dict:
    """What a status row holds."""
    online = status["agent"]["since_s"] is not None
    hub, fault = status["endpoints"].get("hub", {}), status["fault"] or {}
    return {
        "machines": status["machines"],
        "anchor": (hub.get("anchor") or "") if online else "",
        "fault": {key: fault[key] for key in ("class", "verdict", "endpoint")} if fault else None,
        "gap": [gap["presented"] for gap in status["gap"]],
    }


def _kept(row: dict) -> dict:
    if row["what"] == "telemetry":
        return {key: row[key] for key in KEPT_OF_TELEMETRY}
    return {key: row[key] for key in row if key not in ("n", "t_ms", "what", "who")}
