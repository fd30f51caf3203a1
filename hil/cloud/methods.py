"""Direct methods: calls that wait for the device's reply.

A call belongs to the device, not to a session: after a takeover the reply may come over the
new one.
Source: "Understand and invoke direct methods from IoT Hub".
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

LARGEST = 128 * 1024
NOT_ONLINE = 404103
TIMED_OUT = 504101
BAD_REPLY = 400000


@dataclass
class Call:
    """One open call; `done` takes {"status", "payload"} or {"error", "message"}, once."""

    request_id: str
    device_id: str
    name: str
    payload: bytes
    until_ms: int
    done: Callable[[dict], None]


class OpenCalls:
    """The calls that wait for a device."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], Call] = {}

    def add(self, call: Call) -> None:
        """Wait for this call's reply."""
        self._calls[call.device_id, call.request_id] = call

    def answer(self, device_id: str, request_id: str, status: str, body: bytes) -> dict | None:
        """Give a reply to its call; the outcome, or None when no such call waits."""
        call = self._calls.pop((device_id, request_id), None)
        if call is None:
            return None
        outcome = _outcome(status, body)
        call.done(outcome)
        return outcome

    def expire(self, now_ms: int) -> list[Call]:
        """End the calls whose time is over and return them."""
        over = [call for call in self._calls.values() if call.until_ms <= now_ms]
        for call in over:
            del self._calls[call.device_id, call.request_id]
            call.done({"error": TIMED_OUT, "message": "the device did not reply in time"})
        return over

    def next_ms(self) -> int | None:
        """When the next call's time is over."""
        return min((call.until_ms for call in self._calls.values()), default=None)


def _outcome(status: str, body: bytes) -> dict:
    try:
        if len(body) > LARGEST:
            raise ValueError("too large")
        return {"status": int(status), "payload": json.loads(body) if body else None}
    except (ValueError, RecursionError):
        return {"error": BAD_REPLY, "message": "the reply is too large, not JSON, or has no status"}
