"""The machines together: one `handle(event, now)`, one `wake_at`. Rule: it routes; what follows is decided in the machines.

An event goes to the machine that owns its link or asked for it; a meaning goes to the machines named in ROUTES.
"""

from ..errors import MalformedMessage
from ..wire import hub as hub_wire
from . import status as status_page
from .actions import Tell
from .asked import Commands
from .clock import Clock
from .connection import Connection
from .device import Device
from .events import (Acked, Asked, ClockSet, Connected, CredentialRead, Disconnected, Failed, Held,
                     LayerRead, LookedUp, LookUpFailed, Message, Ponged, Refused, Saved, SaveFailed,
                     Signed, Start, Stop, Subscribed, TimeFailed, Verified, Woke)
from .faults import Faults
from .lifecycle import WAITING_FOR_DPS, WAITING_FOR_HUB
from .meanings import (Accepted, Adrift, Assigned, Changed, ClockStepped, Dirty, DpsLater, HubLater,
                       Joining, LookDue, LookNow, LookUpNow, Moved, NoDps, Offline, Online, ProbeDue,
                       Quiet, Register, RegisterBeside, Sound, Spent, Stayed, SwapDue, Tuned,
                       Unchanged, Unregistered, ClockSuspect)
from .methods import Methods
from .registration import Registration
from .reverify import Reverify
from .roots import Roots
from .token import Tokens
from .trust import Trust
from .twin import Twin
from .unauthorized import Unauthorized
from .weigh import Weigher

NEW_TWIN = ("initialAssignment", "deviceDataReset")


class Watch:
    """One device's agent, without I/O. `rand_below(n)` is its only chance, `now` its only clock."""

    def __init__(self, config, rand_below) -> None:
        self.config = config
        self.trust = Trust(config)
        self.clock = Clock(config, rand_below)
        self.device = Device(config, rand_below, self.clock, self.trust)
        self.ladder = Unauthorized(self.device)
        self.hub_faults, self.dps_faults = Faults(self.device, "hub"), Faults(self.device, "dps")
        self.look_faults = Faults(self.device, "hub")
        self.probe_faults = Faults(self.device, "dps")
        tokens = Tokens(self.device)
        weigher = Weigher(self.device, self.hub_faults, self.dps_faults, self.ladder)
        self.connection = Connection(self.device, tokens, weigher, self.hub_faults)
        self.registration = Registration(self.device, tokens)
        self.twin, self.methods = Twin(), Methods(config)
        self.reverify = Reverify(self.device, tokens, self.connection, self.look_faults,
                                 self.probe_faults, lambda: self.twin.open + self.methods.open)
        self.roots = Roots(self.trust)
        self._commands = Commands(self)
        self._told: dict = {}
        self._routes = self._events()
        self._routes.update(self._meanings())

    @property
    def wake_at(self) -> int | None:
        """The earliest deadline of all machines, ms; None when everybody waits for an event."""
        due = [m.wake_at for m in self._waking() if m.wake_at is not None]
        return min(due) if due else None

    def handle(self, event, now: int) -> list:
        """Take one event at `now` (ms, never decreasing); return the actions to perform, in order.

        Raises  UnexpectedEvent: the driver said what cannot be; never for what a peer controls
        """
        out: list = []
        pending = [event]
        while pending:
            item = pending.pop(0)
            route = self._routes.get(type(item))
            if route is not None:
                pending = route(item, now) + pending
            elif isinstance(item, Tell) and str(item.about.get("ask_id")).startswith("m:"):
                pending = self.methods.answer(item.about) + pending
            else:
                out.append(item)
            if not pending:
                pending = self.twin.report(status_page.reported(self))
        return out + self._tell_states()

    def status(self, now: int) -> dict:
        """The status of contract section 4; the driver adds its queue and version."""
        return status_page.page(self, now)

    def states(self) -> dict:
        """The state words of the machines."""
        return {"connection": self.connection.state, "registration": self.registration.state,
                "ladder": self.ladder.state, "reverify": self.reverify.state,
                "twin": self.twin.state, "clock": self.clock.standing}

    def _tell_states(self) -> list:
        states = self.states()
        if states == self._told:
            return []
        self._told = states
        evidence = self.connection.evidence if self.connection.online_since_ms is not None else None
        return [Tell("state", {"machines": states, "hub": self.device.hub or "",
                               "anchor": evidence.anchor if evidence else "",
                               "address": evidence.address if evidence else ""})]

    def _waking(self) -> list:
        return [self.clock, self.connection, self.registration, self.reverify, self.twin, self.methods]

    def _events(self) -> dict:
        """Event: who takes it."""
        by_link = {t: self._by_link for t in (Verified, Failed, Connected, Refused, Disconnected)}
        by_link.update({
            Start: self._start, Woke: self._woke, Stop: self.connection.handle,
            Subscribed: self._subscribed, Acked: self._nothing, Message: self._message,
            Ponged: self.reverify.handle, Held: self.reverify.handle,
            Saved: self._saved, SaveFailed: self._save_failed, Signed: self._signed,
            ClockSet: self._clock_set, TimeFailed: self.clock.failed,
            LookedUp: self.connection.handle, LookUpFailed: self.connection.handle,
            LayerRead: self.roots.layer_read, CredentialRead: self._credential_read,
            Asked: self._commands.asked,
        })
        return by_link

    def _meanings(self) -> dict:
        """Meaning: who takes it."""
        routes = {t: self.connection.handle for t in (
            HubLater, DpsLater, LookUpNow, RegisterBeside, Unregistered, Joining, Stayed)}
        routes.update({t: self.reverify.handle for t in (
            Adrift, LookDue, ProbeDue, Unchanged, Changed, SwapDue, Quiet, ClockStepped)})
        routes.update({t: self.ladder.handle for t in (Accepted, Spent, Sound, NoDps, ClockSuspect)})
        routes.update({
            Register: self.registration.handle, Dirty: self.twin.handle, Assigned: self._assigned,
            Online: self._online, Offline: self._offline, Moved: self._moved,
            LookNow: self._look_now, Tuned: self._tuned,
        })
        return routes

    def _start(self, event, now: int) -> list:
        self.device.start(event)
        out = self.clock.start(event.state.get("clock", {}), now)
        out += self.trust.start(event.layers, event.state.get("trust", {}))
        self.ladder.start(now)
        held_ms = max(self.hub_faults.start(), self.dps_faults.start())
        spread_ms = max(1000 * self.config.boot.spread_s, self.device.window_ms)
        wait_ms = 0 if event.by_hand else max(held_ms, self.device.rand_below(spread_ms + 1))
        return out + [HubLater(wait_ms) if self.device.hub else DpsLater(wait_ms)]

    def _woke(self, event, now: int) -> list:
        out = []
        if self.clock.wake_at is not None and self.clock.wake_at <= now:
            out += self.clock.woke(now)
        for machine in (self.connection, self.registration, self.reverify, self.twin):
            if machine.wake_at is not None and machine.wake_at <= now:
                out += machine.handle(event, now)
        return out + self.methods.woke(now)

    def _by_link(self, event, now: int) -> list:
        if self.registration.busy and event.link == self.registration.link:
            return self.registration.handle(event, now)
        machine = self.connection if event.link == "live" else self.reverify
        return machine.handle(event, now)

    def _subscribed(self, event, now: int) -> list:
        if self.registration.busy and event.link == self.registration.link:
            return self.registration.handle(event, now)
        if max(event.granted) < 128:
            return []
        return [Tell("warning", {"what": "the hub refused a subscription", "value": repr(event),
                                 "remedy": "check that this identity may receive"})]

    def _message(self, event, now: int) -> list:
        if self.registration.busy and event.link == self.registration.link:
            return self.registration.message(event, now)
        try:
            parsed = hub_wire.parse_message(event.topic, event.payload, self.device.device_id)
        except MalformedMessage as error:
            self.device.count("malformed")
            return [Tell("warning", {"what": "message of the hub: " + error.reason,
                                     "value": error.value, "remedy": "none here"})]
        if parsed[0] == "method":
            return self.methods.call(parsed, now)
        if parsed[0] == "c2d":
            self.device.count("c2d")
            return [Tell("c2d", {"properties": parsed[1], "payload": parsed[2]})]
        meaning = self.twin.meaning(parsed)
        return self.twin.handle(meaning, now) if meaning is not None else []

    def _saved(self, event, now: int) -> list:
        if event.name == "assignment":
            return self.connection.handle(event, now)
        return self.roots.saved(event, now)

    def _save_failed(self, event, now: int) -> list:
        told = Tell("warning", {"what": "state not written: " + event.reason, "value": event.name,
                                "remedy": "the agent goes on from memory; make room on the disk"})
        if event.name == "assignment":
            return [told] + self.connection.handle(event, now)
        return [told] + self.roots.save_failed(event, now)

    def _signed(self, event, now: int) -> list:
        owner = {"dps": self.registration, "hub next": self.reverify}.get(event.purpose, self.connection)
        return owner.handle(event, now)

    def _clock_set(self, event, now: int) -> list:
        return self.clock.set(event, now) + self._go_on("clock")

    def _credential_read(self, event, now: int) -> list:
        self.device.credential = event.credential
        return self._go_on("identity")

    def _look_now(self, event, now: int) -> list:
        return self.reverify.handle(event, now) + self._go_on("trust")

    def _go_on(self, fault: str) -> list:
        """The cause of a wait may be gone: dial now."""
        faults = {WAITING_FOR_HUB: self.hub_faults, WAITING_FOR_DPS: self.dps_faults}.get(
            self.connection.state)
        if faults is None or faults.present is None or faults.present["class"] != fault:
            return []
        return [HubLater(0) if faults is self.hub_faults else DpsLater(0)]

    def _assigned(self, event, now: int) -> list:
        if event.substatus in NEW_TWIN or event.hub != self.device.hub:
            self.twin.forget()
        self.dps_faults.good()
        return self.ladder.handle(event, now) + self.connection.handle(event, now)

    def _online(self, event, now: int) -> list:
        dial = self.device.dial("next", "hub", True, now)
        return (self.reverify.handle(event, now) + self.twin.handle(event, now)
                + self.clock.ask_date(dial))

    def _offline(self, event, now: int) -> list:
        self.methods.offline()
        return self.reverify.handle(event, now) + self.twin.handle(event, now)

    def _moved(self, event, now: int) -> list:
        return self.connection.handle(event, now) + self.twin.handle(event, now)

    def _tuned(self, event, now: int) -> list:
        self.reverify.tune(event.interval_s, now)
        return []

    def _nothing(self, event, now: int) -> list:
        return []
