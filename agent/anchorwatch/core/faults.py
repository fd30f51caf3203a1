"""The fault classes: what each failure is, and when the next attempt comes. Source: design section
4.

Rule: every failure is put into exactly one class; a service's retry-after is a floor that nothing
shortens.
"""

from .actions import Tell
from .backoff import at_ceiling, delay_ms, phase_wait_ms
from .device import Device
from .events import Disconnected, Refused
from .shapes import Any_, Event, Items, MaybeTree, Tree

# class: floor, first, ceiling in ms
SCHEDULES = {
    "network": (0, 1_000, 300_000),
    "service": (5_000, 5_000, 600_000),
    "contended": (30_000, 60_000, 3_600_000),
    "throttled": (30_000, 30_000, 3_600_000),
    "trust": (0, 30_000, 3_600_000),
    "policy": (30_000, 60_000, 3_600_000),
    "clock": (0, 10_000, 600_000),
    "memory": (0, 10_000, 300_000),
}
# Identity beside a session; without one the ladder says how long to wait.
BESIDE = (30_000, 60_000, 3_600_000)
CONNACK = {
    1: ("policy", "protocol-version"),
    2: ("identity", "id-rejected"),
    3: ("service", "unavailable"),
    4: ("identity", "bad-credentials"),
    5: ("identity", "not-authorized"),
}
LASTED_MS = 60_000
KEPT_MOST = 12  # doubled so often, every schedule is at its ceiling
CONTENDED_MS = 300_000
REPEATED = 3
LOOK_UP_TRIES = 10
LOOK_UP_MS = 900_000


class Faults:
    """Failures of one endpoint: counts per class, the present fault for `status`, and the next
    wait."""

    def __init__(self, device: Device, endpoint: str) -> None:
        self._device, self._endpoint = device, endpoint
        self._tries: Tree = {}
        self._closed_at: list[Any_] = []
        self._unanswered = 0
        self._outage_since_ms: int | None = None
        self._outage_tries = 0
        self._looked_up = False
        self._held_until_ms = 0
        self._online_ms: int | None = None
        self.present: Tree | None = None

    def classify(self, event: Event, now: int) -> tuple[Any_, ...]:
        """(class, verdict) of a Failed, Refused, Disconnected or Unregistered."""
        accepted = self._ended(now)
        if isinstance(event, Refused):
            return CONNACK.get(event.code, ("service", "connack-%d" % event.code))
        if isinstance(event, Disconnected):
            return self._closed(event, accepted, now)
        if event.fault not in SCHEDULES and event.fault != "identity":
            return ("network", event.verdict)
        return (event.fault, event.verdict)

    def _ended(self, now: int) -> bool:
        """Whatever failed, no session is left; True when there was one."""
        online_ms, self._online_ms = self._online_ms, None
        if online_ms is not None:
            self._settle(now - online_ms)
        return online_ms is not None

    def _closed(self, event: Event, accepted: bool, now: int) -> tuple[Any_, ...]:
        if not accepted:
            self._unanswered += 1
            if self._unanswered >= REPEATED:
                return ("throttled", "closed-before-connack")
            return ("network", event.reason)
        if event.reason != "closed":
            return ("network", event.reason)
        self._closed_at = [t for t in self._closed_at if now - t < CONTENDED_MS] + [now]
        if len(self._closed_at) >= REPEATED or "contended" in self._tries:
            return ("contended", "closed-after-accept")
        return ("network", event.reason)

    def _settle(self, lasted_ms: int) -> None:
        """Forget exponents after a session that lasted; contention only after one that outlasted
        its window."""
        if lasted_ms < LASTED_MS:
            return
        contended = self._tries.get("contended")
        self._tries = {}
        if contended is not None:
            self._tries["contended"] = contended
            if not self._still_contended(lasted_ms):
                del self._tries["contended"]

    def _still_contended(self, lasted_ms: int) -> bool:
        floor, first, ceiling = SCHEDULES["contended"]
        window_ms = min(ceiling, first << min(self.tries("contended"), 30))
        return "contended" in self._tries and lasted_ms < floor + 2 * window_ms

    def online(self, now: int) -> None:
        """The endpoint accepted us; a session that moved over goes on."""
        self._online_ms = now if self._online_ms is None else self._online_ms
        self._unanswered = 0
        self._outage_since_ms = None
        self._outage_tries = 0
        self._looked_up = False
        if self.present is not None and self.present["class"] != "contended":
            self.present = None

    def now(self, now: int) -> MaybeTree:
        """The fault that holds; contention is over once a session has outlasted its window."""
        if self._online_ms is not None and not self._still_contended(now - self._online_ms):
            self.present = None
        return self.present

    def good(self) -> None:
        """A second handshake was good: its exponents begin anew."""
        self._tries = {}
        self.present = None

    def held_ms(self, now: int) -> int:
        """What is left of the wait that the service asked for."""
        return max(0, self._held_until_ms - now)

    def tries(self, fault: str) -> int:
        """Failures of a class since it was last reset."""
        return int(self._tries.get(fault, 0))

    def counted(self, fault: str) -> int:
        """One more failure of a class; how many there were before."""
        tries = self.tries(fault)
        self._tries[fault] = tries + 1
        return tries

    def wait_ms(self, fault: str, now: int, retry_after_s: int = 0) -> int:
        """Count one more failure of a class and say how long to wait."""
        tries = self.counted(fault)
        floor, first, ceiling = SCHEDULES.get(fault, BESIDE)
        floor = 1000 * retry_after_s or floor
        if retry_after_s:
            self._held_until_ms = now + floor
        ceiling = max(ceiling, self._device.window_ms)
        if at_ceiling(first, ceiling, tries):
            utc_ms = self._device.clock.utc_ms(now)
            t_ms = now if utc_ms is None else utc_ms
            return floor + phase_wait_ms(t_ms + floor, ceiling, self._device.phase)
        return delay_ms(self._device.rand_below, floor, first, ceiling, tries)

    def look_up_due(self, fault: str, now: int) -> bool:
        """True once per outage: the hub has been away for 10 attempts or 15 to 30 minutes, by
        phase."""
        if fault not in ("network", "service"):
            return False
        if self._outage_since_ms is None:
            self._outage_since_ms = now
        self._outage_tries += 1
        spread_ms = phase_wait_ms(0, LOOK_UP_MS, self._device.phase)
        long = now - self._outage_since_ms >= LOOK_UP_MS + spread_ms
        if self._looked_up or not (long or self._outage_tries >= LOOK_UP_TRIES):
            return False
        self._looked_up = True
        return True

    def note(self, fault: str, verdict: str, event: Event) -> Items:
        """Keep the fault for `status` and tell it."""
        from .remedies import OF_LEAF, remedy

        presented = getattr(event, "presented", None) or []
        shown = presented[:1] if verdict in OF_LEAF else presented[-1:]
        host = self._device.host(self._endpoint)
        self.present = {
            "endpoint": self._endpoint,
            "class": fault,
            "verdict": verdict,
            "what": "%s %s: %s" % (self._endpoint, host, verdict),
            "value": (shown + [getattr(event, "address", None) or ""])[0],
            "remedy": remedy(fault, verdict),
            "tries": self._tries.get(fault, 0) + 1,
        }
        self._device.count("fault_" + fault)
        return [Tell("fault", self.present)]

    def waiting(self, wait_ms: int) -> None:
        """Put the announced wait into the status."""
        if self.present is not None:
            self.present["wait_ms"] = wait_ms

    def keep(self) -> bool:
        """Put exponents past the first few into the budgets; True when that changed them."""
        kept = {n: self._tries[n] for n in self._tries if n in SCHEDULES and self._tries[n] > 2}
        kept = {n: min(kept[n], KEPT_MOST) for n in kept}  # a long outage is not written for ever
        changed = kept != self._device.budgets[self._endpoint]
        self._device.budgets[self._endpoint] = kept
        return bool(changed)

    def start(self) -> int:
        """Take the saved exponents; the wait in ms that they impose before the first dial."""
        saved = self._device.budgets[self._endpoint]
        self._tries = {name: saved[name] for name in saved if name in SCHEDULES}
        reach = [0]
        for name in self._tries:
            floor, first, ceiling = SCHEDULES[name]
            reach.append(floor + min(ceiling, first << min(self._tries[name], 30)))
        return int(self._device.rand_below(max(reach) + 1))
