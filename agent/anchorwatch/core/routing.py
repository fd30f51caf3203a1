"""Who takes which event and which meaning. Rule: it routes; the machines decide what follows.

An event goes to the machine that owns its link or asked for it.
"""

from . import sleepers
from .answers import not_written
from .bundleroutes import BundleRoutes
from .gates import Gates
from .inbound import Inbound
from .lifecycle import REPROVISIONING
from .meanings import ClockStepped, DpsLater, HubLater
from .rollroutes import RollRoutes
from .shapes import Event, Items, Route, Watch

NEW_TWIN = ("initialAssignment", "deviceDataReset")

# fmt: off
TAKERS = (
    # a machine or a part of this,    what it does,    with which events and meanings
    ("", "_by_link", ("Verified", "Failed", "Connected", "Refused", "Disconnected")),
    ("", "_start", ("Start",)),
    ("", "_woke", ("Woke",)),
    ("", "_saved", ("Saved",)),
    ("", "_save_failed", ("SaveFailed",)),
    ("", "_signed", ("Signed",)),
    ("", "_clock_set", ("ClockSet",)),
    ("", "_credential_read", ("CredentialRead",)),
    ("", "_assigned", ("Assigned",)),
    ("", "_unregistered", ("Unregistered",)),
    ("", "_online", ("Online",)),
    ("", "_offline", ("Offline",)),
    ("", "_moved", ("Moved",)),
    ("", "_tuned", ("Tuned",)),
    ("inbound", "message", ("Message",)),
    ("inbound", "subscribed", ("Subscribed",)),
    ("commands", "asked", ("Asked",)),
    ("gates", "look_now", ("LookNow",)),
    ("gates", "register_beside", ("RegisterBeside",)),
    ("gates", "hub_later", ("HubLater",)),
    ("gates", "dps_later", ("DpsLater",)),
    ("connection", "handle", (
        "Stop", "LookedUp", "LookUpFailed", "LookUpNow", "Joining", "Renew", "Stayed",
    )),
    ("registration", "handle", ("Register",)),
    ("reverify", "handle", (
        "Ponged", "Held", "Glanced", "Adrift", "LookDue", "ProbeDue", "Taken", "Unchanged",
        "Changed", "SwapDue", "Quiet", "ClockStepped", "GlanceDue", "RenewDue",
    )),
    ("ladder", "handle", (
        "Accepted", "Spent", "Sound", "NoDps", "ClockSuspect", "OtherSlot", "LastResort",
        "NothingLeft",
    )),
    ("twin", "handle", ("Dirty",)),
    ("methods", "acked", ("Acked",)),
    ("clock", "failed", ("TimeFailed",)),
    ("roots", "layer_read", ("LayerRead",)),
    ("commit", "handle", (
        "Came", "Resumed", "Rested", "TakeBack", "Unheard", "NotYet", "Enough", "Proved", "Against",
        "Doubted", "Undecided",
    )),
    ("bundles", "handle", ("Wished",)),
    ("of_bundles", "brought", ("Fetched", "FetchFailed")),
    ("of_bundles", "stranded", ("Stranded",)),
    ("of_bundles", "presented", ("Presented",)),
    ("of_bundles", "changed", ("TrustChanged",)),
    ("identity", "handle", (
        "KeyWiped", "AskDps", "Done", "FormerDue", "GivenUp", "Propagating", "ResumeDue", "RollDue",
        "TookOver", "TrialBad", "TrialDue", "TrialGood", "TrialLater",
    )),
    ("identity", "not_moved", ("NotMoved",)),
    ("of_rolls", "of_request", (
        "CsrMade", "Installed", "InstallRefused", "Issued", "IssueLater", "KeyFailed", "KeyMade",
    )),
    ("of_rolls", "issue_refused", ("IssueRefused",)),
)
# fmt: on


class Routing:
    """`watch` holds the machines."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.of_bundles, self.of_rolls = BundleRoutes(watch), RollRoutes(watch)
        self.gates, self.commands = Gates(watch), sleepers.commands(watch)
        self.inbound = Inbound(watch, self.of_rolls)
        self._new_twin = False

    def taker(self, kind: str) -> Route:
        """The function of (event, now) that takes this kind; None for what leaves the core."""
        for part, does, kinds in TAKERS:
            if kind in kinds:
                holder = getattr(self, part, None) or getattr(self._watch, part, None) or self
                taker: Route = getattr(holder, does)
                return taker
        return None

    def _start(self, event: Event, now: int) -> Items:
        self._watch.device.start(event)
        out = self._watch.clock.start(event.state.get("clock", {}), now)
        out += self.of_bundles.start(event, now)
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
        held = self.gates.woke(event, now) or self.of_rolls.woke(event, now)
        if held:
            return held
        machines = (watch.connection, watch.registration, watch.reverify, watch.twin)
        for machine in machines + (watch.commit, watch.bundles, watch.identity):
            if machine.wake_at is not None and machine.wake_at <= now:
                deaf = watch.connection.subscribe_again() if machine is watch.twin else []
                return deaf + machine.handle(event, now) + [event]
        late: Items = watch.methods.woke(now)
        return late or self.of_bundles.woke(event, now)

    def _by_link(self, event: Event, now: int) -> Items:
        if self._watch.registration.busy and event.link == self._watch.registration.link:
            return self._watch.registration.handle(event, now)
        if event.link == "next" and self._watch.commit.probing:
            return self._watch.commit.handle(event, now)
        machine = self._watch.connection if event.link == "live" else self._watch.reverify
        return machine.handle(event, now)

    def _saved(self, event: Event, now: int) -> Items:
        if event.name == "assignment":
            return self.of_rolls.settled(event, now)
        answered = self.of_bundles.answered(event, now) + self.of_rolls.answered(event, now)
        return answered + self._watch.roots.saved(event, now)

    def _save_failed(self, event: Event, now: int) -> Items:
        told = not_written(event)
        if event.name == "assignment":
            return [told] + self.of_rolls.settled(event, now)
        failed = self._watch.roots.save_failed(event, now)
        answered = self.of_bundles.answered(event, now) + self.of_rolls.answered(event, now)
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
            out += self.gates.go_on("identity")  # what was refused may be the time in the token
        news = self._watch.clock.standing != before or stepped
        if news:
            self._watch.identity.timed(now)
            self._watch.commit.timed(now)
        return out + (self.gates.go_on("clock") if news else [])

    def _credential_read(self, event: Event, now: int) -> Items:
        self._watch.device.slots.read(event.credential)
        self._watch.identity.timed(now)
        return self.gates.go_on("identity")

    def _assigned(self, event: Event, now: int) -> Items:
        if event.substatus in NEW_TWIN or event.hub != self._watch.device.hub:
            self._new_twin = True
        self._watch.dps_faults.good()
        out: Items = self._watch.ladder.handle(event, now) + self.of_rolls.assigned(event, now)
        return out + self._watch.connection.handle(event, now)

    def _unregistered(self, event: Event, now: int) -> Items:
        beside = self._watch.connection.state == REPROVISIONING
        out: Items = self._watch.connection.handle(event, now)
        return out + self.of_rolls.unregistered(event, beside, now)

    def _online(self, event: Event, now: int) -> Items:
        self._well()
        self.inbound.letters.began(now, moved=False)
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
        self.inbound.letters.began(now, moved=True)
        out: Items = self._watch.connection.handle(event, now) + self._watch.methods.moved()
        out += self._watch.twin.handle(event, now)
        return out + self._watch.identity.session(now)

    def _tuned(self, event: Event, now: int) -> Items:
        self._watch.reverify.tune(event.interval_s, now)
        return []
