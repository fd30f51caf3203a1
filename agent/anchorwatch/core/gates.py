"""Wishes to dial, and what stands between them and the links. Rule: it delays and redirects; who
wishes, and why, is the machines' matter.
"""

from .alone import GlanceNow, RegisterAlone, Renew
from .lifecycle import WAITING_FOR_DPS, WAITING_FOR_HUB
from .meanings import DpsLater, HubLater
from .shapes import Event, Items, Watch
from .unauthorized import CLEAR, SLOW

HELD_MS = 300_000
GIVES_WAY_MS = 1_000


class Gates:
    """`watch` holds the machines."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def look_now(self, event: Event, now: int) -> Items:
        reverify = self._watch.reverify
        if not self._watch.device.second_session:
            return self._look_alone(event, now) + self.go_on("trust")
        look = [] if reverify.taken else reverify.handle(event, now)
        return look + self.go_on("trust")

    def _look_alone(self, event: Event, now: int) -> Items:
        """A move is a new session: the former ends first."""
        if event.swap:
            return self._watch.connection.handle(Renew(), now)
        return self._watch.reverify.handle(GlanceNow(), now)

    def register_beside(self, event: Event, now: int) -> Items:
        """DPS, whoever wishes it: beside the session, or without it where there is room for one."""
        device, connection = self._watch.device, self._watch.connection
        if device.second_session:
            self._present("next")
            return connection.handle(event, now)
        device.slots.moved()
        self._present("live")
        return connection.handle(RegisterAlone(), now)

    def go_on(self, fault: str) -> Items:
        """The cause of a wait may be gone: dial now."""
        faults = {
            WAITING_FOR_HUB: self._watch.hub_faults,
            WAITING_FOR_DPS: self._watch.dps_faults,
        }.get(self._watch.connection.state)
        if faults is None or faults.present is None or faults.present["class"] != fault:
            return []
        return [HubLater(0) if faults is self._watch.hub_faults else DpsLater(0)]

    def hub_later(self, event: Event, now: int) -> Items:
        """Whoever wishes it: a device that was never assigned has no hub to dial."""
        if self._watch.device.hub:
            return self._watch.connection.handle(event, now)
        return [DpsLater(event.wait_ms)]

    def dps_later(self, event: Event, now: int) -> Items:
        """Nothing goes to DPS sooner than it asked for, whoever wishes it."""
        wait_ms = max(event.wait_ms, self._watch.dps_faults.held_ms(now))
        return self._watch.connection.handle(DpsLater(wait_ms), now)

    def _present(self, link: str) -> None:
        """Whom a registration shows. DPS hears of an older certificate only after it refused the
        newest, since registering sets the hub's thumbprint back; but with a request it is shown
        whom it issues to, for what the hub then knows is the one that it issued."""
        slots = self._watch.device.slots
        if slots.tries(link) or self._watch.ladder.of_others:
            return
        if not slots.csr:
            slots.show(link, slots.newest())
        elif link == "live":
            slots.show(link, "")

    def woke(self, event: Event, now: int) -> Items:
        """A device that no hub knows yet keeps to the budget, also if it starts again and again;
        what was asked for, or a start by hand, does not wait."""
        watch, wake_at = self._watch, self._watch.connection.wake_at
        if wake_at is None or wake_at > now:
            return []
        way = self._give_way(event, now)
        if way or watch.connection.state != WAITING_FOR_DPS:
            return way
        self._present("live")
        if watch.device.hub:
            return []
        free = watch.ladder.state not in (CLEAR, SLOW) or watch.device.reprovision_asked
        return [] if free or watch.ladder.cycles.left(now) else [DpsLater(HELD_MS), event]

    def _give_way(self, event: Event, now: int) -> Items:
        """Room for one session: what a bundle is probed with goes first, and no dial beside it."""
        later = {WAITING_FOR_HUB: HubLater, WAITING_FOR_DPS: DpsLater}
        kind = later.get(self._watch.connection.state)
        if kind is None or not self._watch.commit.takes_turn(now):
            return []
        return [kind(GIVES_WAY_MS), event]
