"""Who takes which event and which meaning. Rule: it routes; the machines decide what follows.

An event goes to the machine that owns its link or asked for it.
"""

# isort: off
# fmt: off
from .alone import LOOKS, Renew
from .answers import warning
from .asked import Commands
from .bundleroutes import BundleRoutes
from .events import (
    Acked, Asked, ClockSet, Connected, CredentialRead, Disconnected, Failed, Glanced, Held,
    LayerRead, LookedUp, LookUpFailed, Message, Ponged, Refused, Saved, SaveFailed, Signed, Start,
    Stop, Subscribed, TimeFailed, Verified, Woke,
)
from .gates import Gates
from .inbound import Inbound
from .lifecycle import REPROVISIONING
from .meanings import (
    Accepted, Adrift, Assigned, Changed, ClockStepped, ClockSuspect, Dirty, DpsLater, HubLater,
    Joining, LookDue, LookUpNow, Moved, NoDps, Offline, Online, ProbeDue, Quiet, Register,
    Sound, Spent, Stayed, SwapDue, Taken, Tuned, Unchanged, Unregistered,
)
from .rollroutes import RollRoutes
from .shapes import Event, Items, Routes, Watch
# fmt: on
# isort: on

NEW_TWIN = ("initialAssignment", "deviceDataReset")


class Routing:
    """`routes`: {type: function of (event, now)}; `watch` holds the machines."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._bundles, self._rolls = BundleRoutes(watch), RollRoutes(watch)
        self._gates = Gates(watch)
        self._commands, self._inbound = Commands(watch), Inbound(watch, self._rolls)
        self._new_twin = False
        self.routes: Routes = self._events()
        self.routes.update(self._meanings())
        self.routes.update(self._gates.routes)
        self.routes.update(self._bundles.routes)
        self.routes.update(self._rolls.routes)

    def _events(self) -> Routes:
        """Event: who takes it."""
        by_link: Routes = {
            t: self._by_link for t in (Verified, Failed, Connected, Refused, Disconnected)
        }
        by_link.update(
            {
                Start: self._start,
                Woke: self._woke,
                Stop: self._watch.connection.handle,
                Subscribed: self._inbound.subscribed,
                Acked: self._watch.methods.acked,
                Message: self._inbound.message,
                Ponged: self._watch.reverify.handle,
                Held: self._watch.reverify.handle,
                Glanced: self._watch.reverify.handle,
                Saved: self._saved,
                SaveFailed: self._save_failed,
                Signed: self._signed,
                ClockSet: self._clock_set,
                TimeFailed: self._watch.clock.failed,
                LookedUp: self._watch.connection.handle,
                LookUpFailed: self._watch.connection.handle,
                LayerRead: self._watch.roots.layer_read,
                CredentialRead: self._credential_read,
                Asked: self._commands.asked,
            }
        )
        return by_link

    def _meanings(self) -> Routes:
        """Meaning: who takes it."""
        routes: Routes = {
            t: self._watch.connection.handle for t in (LookUpNow, Joining, Renew, Stayed)
        }
        routes.update(
            {
                t: self._watch.reverify.handle
                for t in (
                    Adrift,
                    LookDue,
                    ProbeDue,
                    Taken,
                    Unchanged,
                    Changed,
                    SwapDue,
                    Quiet,
                    ClockStepped,
                )
                + LOOKS
            }
        )
        routes.update(
            {t: self._watch.ladder.handle for t in (Accepted, Spent, Sound, NoDps, ClockSuspect)}
        )
        routes.update(
            {
                Register: self._watch.registration.handle,
                Dirty: self._watch.twin.handle,
                Assigned: self._assigned,
                Unregistered: self._unregistered,
                Online: self._online,
                Offline: self._offline,
                Moved: self._moved,
                Tuned: self._tuned,
            }
        )
        return routes

    def _start(self, event: Event, now: int) -> Items:
        self._watch.device.start(event)
        out = self._watch.clock.start(event.state.get("clock", {}), now)
        out += self._bundles.start(event, now)
        self._watch.ladder.cycles.start(now)
        held_ms = max(self._watch.hub_faults.start(), self._watch.dps_faults.start())
        spread_ms = max(1000 * self._watch.config.boot.spread_s, self._watch.device.window_ms)
        at_once = event.by_hand and not self._watch.device.reduced
        self._watch.device.reprovision_asked = at_once and not self._watch.device.hub
        wait_ms = 0 if at_once else max(held_ms, self._watch.device.rand_below(spread_ms + 1))
        out += self._watch.identity.start(now)
        return out + [HubLater(wait_ms) if self._watch.device.hub else DpsLater(wait_ms)]

    def _woke(self, event: Event, now: int) -> Items:
        """One machine at a time: what follows from the first may end the wait of the next."""
        watch = self._watch
        if watch.clock.wake_at is not None and watch.clock.wake_at <= now:
            return watch.clock.woke(now) + [event]
        held = self._gates.woke(event, now) or self._rolls.woke(event, now)
        if held:
            return held
        machines = (watch.connection, watch.registration, watch.reverify, watch.twin)
        for machine in machines + (watch.commit, watch.bundles, watch.identity):
            if machine.wake_at is not None and machine.wake_at <= now:
                deaf = watch.connection.subscribe_again() if machine is watch.twin else []
                return deaf + machine.handle(event, now) + [event]
        late: Items = watch.methods.woke(now)
        return late or self._bundles.woke(event, now)

    def _by_link(self, event: Event, now: int) -> Items:
        if self._watch.registration.busy and event.link == self._watch.registration.link:
            return self._watch.registration.handle(event, now)
        if event.link == "next" and self._watch.commit.probing:
            return self._watch.commit.handle(event, now)
        machine = self._watch.connection if event.link == "live" else self._watch.reverify
        return machine.handle(event, now)

    def _saved(self, event: Event, now: int) -> Items:
        if event.name == "assignment":
            return self._rolls.settled(event, now)
        answered = self._bundles.answered(event, now) + self._rolls.answered(event, now)
        return answered + self._watch.roots.saved(event, now)

    def _save_failed(self, event: Event, now: int) -> Items:
        told = warning(
            "state not written: " + event.reason,
            event.name,
            "the agent goes on from memory; make room on the disk",
        )
        if event.name == "assignment":
            return [told] + self._rolls.settled(event, now)
        failed = self._watch.roots.save_failed(event, now)
        answered = self._bundles.answered(event, now) + self._rolls.answered(event, now)
        return [told] + answered + failed

    def _signed(self, event: Event, now: int) -> Items:
        owner = {"dps": self._watch.registration, "hub next": self._watch.reverify}.get(
            event.purpose, self._watch.connection
        )
        return owner.handle(event, now)

    def _clock_set(self, event: Event, now: int) -> Items:
        """A time that tells nothing new ends no wait: a certificate may be wrong, not the clock."""
        before = self._watch.clock.standing
        out: Items = self._watch.clock.set(event, now)
        stepped = ClockStepped() in out
        if stepped and self._watch.device.credential["kind"] != "x509":
            out += self._gates.go_on("identity")  # what was refused may be the time in the token
        news = self._watch.clock.standing != before or stepped
        if news:
            self._watch.identity.timed(now)
            self._watch.commit.timed(now)
        return out + (self._gates.go_on("clock") if news else [])

    def _credential_read(self, event: Event, now: int) -> Items:
        self._watch.device.slots.read(event.credential)
        self._watch.identity.timed(now)
        return self._gates.go_on("identity")

    def _assigned(self, event: Event, now: int) -> Items:
        if event.substatus in NEW_TWIN or event.hub != self._watch.device.hub:
            self._new_twin = True
        self._watch.dps_faults.good()
        out: Items = self._watch.ladder.handle(event, now) + self._rolls.assigned(event, now)
        return out + self._watch.connection.handle(event, now)

    def _unregistered(self, event: Event, now: int) -> Items:
        beside = self._watch.connection.state == REPROVISIONING
        out: Items = self._watch.connection.handle(event, now)
        return out + self._rolls.unregistered(event, beside, now)

    def _online(self, event: Event, now: int) -> Items:
        self._well()
        self._inbound.letters.began(now, moved=False)
        return (
            self._watch.reverify.handle(event, now)
            + self._watch.twin.handle(event, now)
            + self._ask_date(now)
            + self._watch.identity.session(now)
        )

    def _ask_date(self, now: int) -> Items:
        """A handshake of its own, so not where one is all there is room for."""
        device, clock = self._watch.device, self._watch.clock
        dial = device.shape("next", "hub", True, now)
        out: Items = clock.ask_date(dial) if device.second_session else []
        return out

    def _well(self) -> None:
        """A session is up: what failed on the way to it is history."""
        self._watch.dps_faults.present = None
        self._watch.look_faults.good()
        if self._new_twin:  # not sooner: the former hub may still be listening
            self._new_twin = False
            self._watch.twin.forget()

    def _offline(self, event: Event, now: int) -> Items:
        self._watch.methods.offline()
        self._watch.commit.alone(now)
        if not self._watch.registration.busy:
            self._watch.device.slots.show("next", "")
        return self._watch.reverify.handle(event, now) + self._watch.twin.handle(event, now)

    def _moved(self, event: Event, now: int) -> Items:
        self._well()
        self._watch.device.slots.moved()
        self._inbound.letters.began(now, moved=True)
        out: Items = self._watch.connection.handle(event, now) + self._watch.methods.moved()
        out += self._watch.twin.handle(event, now)
        return out + self._watch.identity.session(now)

    def _tuned(self, event: Event, now: int) -> Items:
        self._watch.reverify.tune(event.interval_s, now)
        return []
