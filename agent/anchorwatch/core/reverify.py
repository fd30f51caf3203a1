"""Moving: from a look that gives a reason to a session on the second link.

Source: design section 6.

Rule: nothing here touches the live session before the second link has been accepted.
"""

# isort: off
# fmt: off
from ..wire import hub as hub_wire
from .actions import Close, Connect, Feed, Hold, Ping, Swap, Tell
from .backoff import delay_ms
from .connection import Connection
from .device import Device
from .events import Disconnected, Failed, Refused
from .faults import CONNACK, Faults
from .lifecycle import REVERIFY
from .glances import Glances
from .meanings import (
    Joining, Moved, Quiet, Stayed,
)
from .rollmeanings import NotMoved
from .shapes import Count, Event, Free, Items, Tree
from .token import Tokens
# fmt: on
# isort: on

DIAL_MS = 60_000
JOIN_MS = 60_000
QUIET_MS = 35_000
PING_MS = 10_000
STAY_MS = 30_000
STAY_MOST_MS = 600_000


class Reverify(Glances):
    """The second link, next to a live session."""

    table = REVERIFY
    # fmt: off
    late = (
        "Disconnected", "Failed", "Refused", "Held", "Ponged", "Signed", "Saved", "SaveFailed",
        "Adrift", "LookNow", "ClockStepped", "Quiet", "Glanced", "GlanceNow",
    )
    # fmt: on

    def __init__(
        self,
        device: Device,
        tokens: Tokens,
        connection: Connection,
        faults: Faults,
        other_faults: Tree,
        open_requests: Count,
        probing: Free,
    ) -> None:
        super().__init__(device, tokens, connection, faults, other_faults, probing)
        self._requests = open_requests
        self._connect: Connect | None = None
        self._due_ms: int | None = None
        self._answer = None
        self._refusals = 0
        self._why = ""

    def _drop(self, event: Event, now: int) -> Items:
        gone = Failed("next", "network", event.reason, [], [], None)
        return [Feed("live")] + self._warn(gone, now)

    def _sign(self, event: Event, now: int) -> Items:
        self.wake_at = now + DIAL_MS
        self._why = event.why
        device = self._device
        resource = hub_wire.sas_resource(
            device.hub or "", device.device_id, device.config.mqtt.module_id
        )
        return [Tell("swap", {"why": event.why})] + self._tokens.ask(
            "hub next", "next", resource, now
        )

    def _quieten(self, event: Event, now: int) -> Items:
        self.wake_at = now + QUIET_MS
        self._connect = self._device.connect("next", self._tokens.password(event))
        self._due_ms = self._tokens.due_ms("next", now)
        return [] if self._open_requests() else [Quiet()]

    def _open_requests(self) -> int:
        return self._requests()

    def _drain(self, event: Event, now: int) -> Items:
        until_ms = now + 1000 * self._device.config.mqtt.drain_s
        self.wake_at = until_ms + 500
        return [Hold(until_ms)]

    def _join(self, event: Event, now: int) -> Items:
        self.wake_at = now + JOIN_MS
        return [Joining(), self._connect]

    def _join_alone(self, event: Event, now: int) -> Items:
        self.wake_at = now + JOIN_MS
        return []

    def _swap(self, event: Event, now: int) -> Items:
        self._device.count("swaps")
        self._comparison.swapped(now, self._why in ("anchor", "address"))
        self._refusals = 0
        self._connection.moved_to(self.last, self._due_ms)
        return [Swap(), Moved(event.session_present)] + self._rest(now)

    def _ask_live(self, event: Event, now: int) -> Items:
        """The new link was refused: is the old one still there? Until then it goes on sending."""
        self.wake_at = now + PING_MS
        self._answer = self._for_live(event)
        return [Close("next", "refused"), Feed("live"), Ping("live")]

    def _stay(self, event: Event, now: int) -> Items:
        """The live session holds; a due token would else be tried again at once, for ever."""
        self._device.count("swap_refused")
        self._refusals += 1
        tries = self._refusals - 1
        wait_ms = delay_ms(self._device.rand_below, STAY_MS, STAY_MS, STAY_MOST_MS, tries)
        self._rest(now, wait_ms if self.times.token_due(now) else None)
        told = Tell("swap", {"refused": repr(self._answer)})
        return [Stayed(), told, self._not_moved()]

    def _not_moved(self) -> NotMoved:
        refused = CONNACK.get(getattr(self._answer, "code", 0), ("network", "no-answer"))
        return NotMoved(*refused)

    def _lose(self, event: Event, now: int) -> Items:
        self._answer = self._for_live(event)
        return [Close("next", "refused"), self._answer, self._not_moved()]

    def _lose_answer(self, event: Event, now: int) -> Items:
        return [self._answer, self._not_moved()]

    def _lose_both(self, event: Event, now: int) -> Items:
        gone = [Close("live", "silent"), Disconnected("live", "silent")]
        return gone + [self._answer, self._not_moved()]

    def _for_live(self, event: Event) -> Event:
        if isinstance(event, Refused):
            return Refused("live", event.code)
        return Disconnected("live", getattr(event, "reason", "silent"))

    def _abandon(self, event: Event, now: int) -> Items:
        return [Close("next", "session gone")]

    def _nothing(self, event: Event, now: int) -> Items:
        return []
