"""The second look: when, and whether it leads to a swap. Source: design section 6.

Rule: nothing here touches the live session before the second link has been accepted.
"""

# isort: off
# fmt: off
from ..wire import hub as hub_wire
from .actions import Close, Connect, Feed, Hold, Ping, Swap, Tell
from .backoff import delay_ms
from .comparison import Comparison
from .connection import Connection
from .device import Device
from .events import Disconnected, Failed, Held, Ponged, Refused, Saved, SaveFailed, Signed, Verified
from .faults import Faults
from .lifecycle import REPROVISIONING, RESTING, REVERIFY, SETTLING_BESIDE
from .looktimes import DAY_MS, LookTimes
from .machine import Machine, rows_of
from .meanings import (
    Adrift, Changed, ClockStepped, Joining, LookDue, LookNow, Moved, ProbeDue, Quiet, Stayed,
    SwapDue, Taken, Unchanged,
)
from .shapes import Count, Event, Items
from .token import Tokens
# fmt: on
# isort: on

DIAL_MS = 60_000
JOIN_MS = 60_000
QUIET_MS = 35_000
PING_MS = 10_000
STAY_MS = 30_000
STAY_MOST_MS = 600_000
ALARM_TRIES = 3


class Reverify(Machine):
    """The second link, next to a live session."""

    rows = rows_of(REVERIFY)
    # fmt: off
    late = (
        Disconnected, Failed, Refused, Held, Ponged, Signed, Saved, SaveFailed, Adrift,
        LookNow, ClockStepped, Quiet,
    )
    # fmt: on

    def __init__(
        self,
        device: Device,
        tokens: Tokens,
        connection: Connection,
        faults: Faults,
        dps_faults: Faults,
        open_requests: Count,
    ) -> None:
        self._device, self._tokens, self._connection = device, tokens, connection
        self._faults, self._dps_faults, self._open_requests = faults, dps_faults, open_requests
        self.times = LookTimes(device, connection)
        self.last: Event = None
        self.dps_seen: Verified | None = None
        self._asked = self._probe = False
        self._comparison = Comparison(device.config)
        self._connect: Connect | None = None
        self._due_ms: int | None = None
        self._answer = None
        self._refusals = 0
        self._why = ""

    def _begin(self, event: Event, now: int) -> Items:
        self.times.begin(now)
        self._comparison.begin()
        return self._rest(now)

    def _rest(self, now: int, wait_ms: int | None = None) -> Items:
        self._asked = False
        self.wake_at = self.times.rest(now, wait_ms)
        return []

    @property
    def taken(self) -> bool:
        """True while a registration beside the session has the second link."""
        return self._connection.state in (REPROVISIONING, SETTLING_BESIDE)

    def _choose(self, event: Event, now: int) -> Items:
        if self.taken:
            return [Taken()]
        return [LookDue() if self.times.look_due(now) else ProbeDue()]

    def _rest_a_minute(self, event: Event, now: int) -> Items:
        self.wake_at = now + DIAL_MS
        return []

    def _look_soon(self, event: Event, now: int) -> Items:
        self.wake_at = self.times.soon(now)
        return []

    def tune(self, interval_s: int, now: int) -> None:
        """Another interval, from the cloud."""
        self.times.interval_s = interval_s
        if self.state == RESTING:
            self._rest(now)

    def _look(self, event: Event, now: int) -> Items:
        action = self._device.config.reverify.action
        probe = not self.times.token_due(now) and action != "swap"
        return self._dial("hub", probe, now)

    def _look_asked(self, event: Event, now: int) -> Items:
        self._asked = event.swap
        self._comparison.begin()
        return self._dial("hub", False, now)

    def _look_again(self, event: Event, now: int) -> Items:
        return self._dial("hub", False, now)

    def _dial(self, endpoint: str, probe: bool, now: int) -> Items:
        self.wake_at = now + DIAL_MS
        self._probe = probe
        self._device.count("looks")
        return [self._device.dial("next", endpoint, probe, now)]

    def _compare(self, event: Event, now: int) -> Items:
        """No move over a probe, which showed no certificate, nor by one handshake alone."""
        out, why = self._seen(event, now)
        if why in ("anchor", "address") and not self._comparison.swap_allowed(now):
            return out + [Tell("reverify", {"held": why}), Unchanged()]
        agreed = self._comparison.agreed(why, event, now)
        if not why:
            return out + [Unchanged()]
        return out + [SwapDue(why) if agreed and not self._probe else Changed(why)]

    def _seen(self, event: Event, now: int) -> tuple[Items, str]:
        self.last = event
        self._faults.good()
        out = self._device.trust.record("hub", event, self._device.clock.utc(now))
        out.append(
            Tell(
                "reverify",
                {"anchor": event.anchor, "address": event.address, "took_ms": event.took_ms},
            )
        )
        if self.times.token_due(now):
            return out, "token"
        if self._asked:
            return out, "asked"
        return out, self._comparison.reason(self._connection.evidence, event, now)

    def _close_and_rest(self, event: Event, now: int) -> Items:
        return [Close("next", "looked")] + self._rest(now)

    def _confirm_later(self, event: Event, now: int) -> Items:
        self.wake_at = now + 1000 * self._device.config.reverify.confirm_s
        return [Tell("reverify", {"changed": event.why}), Close("next", "looked")]

    def _warn(self, event: Event, now: int) -> Items:
        """The second handshake failed: the live session stays, the cloud hears of a gap."""
        fault, verdict = self._faults.classify(event, now)
        alarm = fault != "network" or self._faults.tries("network") + 1 >= ALARM_TRIES
        told = self._faults.note(fault, verdict, event) if alarm else []
        wait_ms = self._faults.wait_ms(fault, now)
        self._faults.waiting(wait_ms)
        out = [Close("next", "failed")] + self._rest(now, wait_ms)
        utc_s = self._device.clock.utc(now)
        if fault in ("trust", "policy"):
            out += self._device.trust.refused("hub", event, utc_s)
        if fault == "clock":
            out += self._device.seek_time("hub", now)
        return out + told

    def _silent(self, event: Event, now: int) -> Items:
        return self._warn(Failed("next", "network", "silent", [], None), now)

    def _drop(self, event: Event, now: int) -> Items:
        return [Feed("live")] + self._warn(Failed("next", "network", event.reason, [], None), now)

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
        self._due_ms = self._tokens.due_ms(now)
        return [] if self._open_requests() else [Quiet()]

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
        return [Stayed(), Tell("swap", {"refused": repr(self._answer)})]

    def _lose(self, event: Event, now: int) -> Items:
        return [Close("next", "refused"), self._for_live(event)]

    def _lose_answer(self, event: Event, now: int) -> Items:
        return [self._answer]

    def _lose_both(self, event: Event, now: int) -> Items:
        return [Close("live", "silent"), Disconnected("live", "silent"), self._answer]

    def _for_live(self, event: Event) -> Event:
        if isinstance(event, Refused):
            return Refused("live", event.code)
        return Disconnected("live", getattr(event, "reason", "silent"))

    def _abandon(self, event: Event, now: int) -> Items:
        return [Close("next", "session gone")]

    def _nothing(self, event: Event, now: int) -> Items:
        return []

    def _probe_dps(self, event: Event, now: int) -> Items:
        return self._dial("dps", True, now)

    def _note_dps(self, event: Event, now: int) -> Items:
        self.dps_seen = event
        self._dps_faults.good()
        self.wake_at = self.times.probed(now, DAY_MS)
        kept = self._device.trust.record("dps", event, self._device.clock.utc(now))
        return [Close("next", "looked")] + kept

    def _warn_dps(self, event: Event, now: int) -> Items:
        fault, verdict = self._dps_faults.classify(event, now)
        out: Items = [Close("next", "failed")]
        if fault in ("trust", "policy"):
            out += self._device.trust.refused("dps", event, self._device.clock.utc(now))
            out += self._dps_faults.note(fault, verdict, event)
        self.wake_at = self.times.probed(now, self._dps_faults.wait_ms(fault, now))
        return out

    def _silent_dps(self, event: Event, now: int) -> Items:
        return self._warn_dps(Failed("next", "network", "silent", [], None), now)
