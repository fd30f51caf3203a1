"""Looking: when a second handshake is due and what it shows. Source: design section 6.

Rule: a look ends before MQTT speaks; it costs the live session nothing.
"""

# isort: off
# fmt: off
from .actions import Close, Tell
from .comparison import Comparison
from .connection import Connection
from .device import Device
from .events import Failed
from .faults import Faults
from .lifecycle import REPROVISIONING, RESTING, SETTLING_BESIDE
from .looktimes import DAY_MS, LookTimes
from .machine import Machine
from .meanings import (
    Changed, LookDue, ProbeDue, SwapDue, Taken, Unchanged,
)
from .rollmeanings import NotMoved
from .shapes import Event, Free, Items, Tree
from .token import Tokens
from .transports import on_the_way
# fmt: on
# isort: on

DIAL_MS = 60_000
ALARM_TRIES = 3


class Looks(Machine):
    """The second link as far as TLS: the hub at its interval, the others once a day.

    other_faults  {endpoint: Faults}
    """

    def __init__(
        self,
        device: Device,
        tokens: Tokens,
        connection: Connection,
        faults: Faults,
        other_faults: Tree,
        probing: Free,
    ) -> None:
        self._probing = probing
        self._device, self._tokens, self._connection = device, tokens, connection
        self._faults, self._other_faults = faults, other_faults
        self.times = LookTimes(device, connection)
        self.last: Event = None
        self.seen: Tree = {}  # other endpoint: (Verified, ms) of its last good probe
        self._endpoint = ""
        self._asked = self._probe = False
        self._comparison = Comparison(device.config)

    def _begin(self, event: Event, now: int) -> Items:
        self._asked = False
        self._comparison.begin()
        self.wake_at = self.times.begin(now)
        return []

    def _rest(self, now: int, wait_ms: int | None = None) -> Items:
        self._asked = False
        self.wake_at = self.times.rest(now, wait_ms)
        return []

    @property
    def taken(self) -> bool:
        """True while a registration beside the session has the second link, or a bundle's probe."""
        return self._connection.state in (REPROVISIONING, SETTLING_BESIDE) or self._probing()

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
            self.wake_at = self.times.begin(now)

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
        self._probe = probe or self._withheld
        self._device.count("looks")
        return [self._device.dial("next", endpoint, self._probe, now)]

    @property
    def _withheld(self) -> bool:
        """A breached key is shown to nobody, so nothing can move; a hub that issues is asked in a
        session."""
        return self._device.slots.withheld("next") and self._device.config.identity.issuer != "hub"

    def _compare(self, event: Event, now: int) -> Items:
        """No move over a probe, which showed no certificate, nor by one handshake alone."""
        out, why = self._seen(event, now)
        if why in ("anchor", "address") and not self._comparison.swap_allowed(now):
            return out + [Tell("reverify", {"held": why}), Unchanged()]
        agreed = self._comparison.agreed(why, event, now)
        if not why or self._withheld:
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
        if self._device.reduced and not self._asked:
            return out, ""
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
        cause: Items = []
        if fault in ("trust", "policy") and not on_the_way(verdict):
            cause = self._device.trust.refused("hub", event, self._device.clock.utc(now))
        if fault == "clock":
            cause = self._device.seek_time("hub", now)
        wait_ms = self._faults.wait_ms(fault, now)
        wait_ms = 0 if fault == "trust" and self._device.reserve_next("hub") else wait_ms
        self._faults.waiting(wait_ms)
        failed = [NotMoved(fault, verdict)] if self._asked else []
        return [Close("next", "failed")] + self._rest(now, wait_ms) + cause + told + failed

    def _silent(self, event: Event, now: int) -> Items:
        return self._warn(Failed("next", "network", "silent", [], [], None), now)

    def _probe_other(self, event: Event, now: int) -> Items:
        self._endpoint = self.times.probe_due()
        return self._dial(self._endpoint, True, now)

    def _note_other(self, event: Event, now: int) -> Items:
        endpoint = self._endpoint
        self.seen[endpoint] = (event, now)
        self._other_faults[endpoint].good()
        self.wake_at = self.times.probed(endpoint, now, DAY_MS)
        kept = self._device.trust.record(endpoint, event, self._device.clock.utc(now))
        return [Close("next", "looked")] + kept

    def _warn_other(self, event: Event, now: int) -> Items:
        """A gap is told of every endpoint; a fault of those only that something waits for: what a
        mirror brings is signed, whoever it is."""
        endpoint, faults = self._endpoint, self._other_faults[self._endpoint]
        fault, verdict = faults.classify(event, now)
        out: Items = [Close("next", "failed")]
        if fault in ("trust", "policy") and not on_the_way(verdict):
            out += self._device.trust.refused(endpoint, event, self._device.clock.utc(now))
            if fault == "policy" or self._device.carries(endpoint):
                out += faults.note(fault, verdict, event)
        self.wake_at = self.times.probed(endpoint, now, self._again_ms(fault, now))
        return out

    def _again_ms(self, fault: str, now: int) -> int:
        """By class; what the device does not depend on has a day's time after the third failure."""
        endpoint, faults = self._endpoint, self._other_faults[self._endpoint]
        wait_ms = faults.wait_ms(fault, now)
        if fault == "trust" and self._device.reserve_next(endpoint):
            return 0
        patient = not self._device.carries(endpoint) and faults.tries(fault) >= ALARM_TRIES
        return DAY_MS if patient else wait_ms

    def _silent_other(self, event: Event, now: int) -> Items:
        return self._warn_other(Failed("next", "network", "silent", [], [], None), now)
