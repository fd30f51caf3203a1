"""Rounds of probes for a bundle: which endpoint next, what its answer says of the candidate.

Rule: only a chain that the previous set accepts, by an anchor which the candidate does not
distrust, speaks against the candidate. What nobody accepts (a portal, a forger) and a dead line are
no evidence, so they neither veto nor revert. Source: design section 7, R4 and R5.
"""

from ..errors import RootsRejected
from . import records, rules
from .actions import Close
from .anchors import Anchors
from .backoff import delay_ms
from .bundlemeanings import Against, Doubted, Enough, NotYet, Proved, Undecided, Unheard
from .clock import BUILD_UTC_S, NONE
from .device import Device
from .machine import Machine
from .shapes import Event, Free, Items, Tree
from .stages import COMPARING, PROBING, SETTLED

DIAL_MS, SHORT_MS = 60_000, 30_000
BUSY_MS = 15_000
FIRST_MS, MOST_MS = 30_000, 3_600_000
BOOTS = 3
COMPARISONS = 4  # front ends that take turns present one leaf each


class Probes(Machine):
    """The part of Commit that talks to endpoints. `free()`: is the second link nobody's?"""

    state = SETTLED

    def __init__(self, device: Device, free: Free) -> None:
        self._device, self._trust, self._free = device, device.trust, free
        self.layer = rules.SIGNED[0]
        self.contents: Tree = {}  # folder number as text: what it holds
        self._left: Items = []  # endpoints to hear in this round
        self._verified: Items = []  # of this round
        self._distrusted: Items = []  # those that only a distrusted anchor fits
        self._silent: Items = []  # nothing heard of, since the link was free last
        self._crowded = False  # the link was taken when its turn came
        self._endpoint = ""
        self._failed: Event = None
        self._until_ms = self._tries = self._since_ms = self._compared = 0
        self._leaves_end_s = 0  # the last of the leaves that were verified in this round
        self._floor_only = False  # the bundle's own date did not fit: judge at the floor

    @property
    def probing(self) -> bool:
        """True while the second link is ours."""
        return self.state in (PROBING, COMPARING)

    @property
    def record(self) -> Tree:
        """The record of the layer that is under way."""
        found: Tree = self._trust.bundles.get(self.layer) or records.none()
        return found

    @property
    def _content(self) -> Tree:
        """What the candidate says."""
        found: Tree = self.contents.get(str(self.record["folder"])) or records.empty()
        return found

    def _begin(self, event: Event, now: int) -> Items:
        """A round: every endpoint that was not verified in this stage."""
        self._silent = self._silent if self.record["stage"] == "trial" else []
        seen = self.record["seen"] + self._silent
        self._left = [e for e in self._device.dialable() if e not in seen]
        self._verified, self._distrusted, self._leaves_end_s = [], [], 0
        return self._choose(event, now)

    def _choose(self, event: Event, now: int) -> Items:
        """What follows, as one meaning."""
        trial = self.record["stage"] == "trial"
        if str(self.record["folder"]) not in self.contents:
            return [NotYet(MOST_MS)]  # its files are damaged
        if trial and self._device.reduced:
            return [Against("the agent crashed in the trial")]
        if self._enough_seen(now) if trial else not self._changes():
            return [Proved()]
        bare = "" if trial else self._leaves_bare()
        if bare:
            return [Against(bare)]
        self._crowded = not self._free()
        if self._device.reduced or self._crowded:
            return [NotYet(MOST_MS if self._device.reduced else self._busy_ms)]
        if self._left:
            return [Unheard()]
        heard = self._verified + self._distrusted
        if not trial and heard and (self._comparable or len(heard) == len(self._trust.endpoints)):
            return [Enough()]
        return [NotYet(self._pause_ms())]

    @property
    def _busy_ms(self) -> int:
        """Where the link is the session's own it is free after that: see alone(), takes_turn()."""
        return BUSY_MS if self._device.second_session else MOST_MS

    def _pause_ms(self) -> int:
        """Until the next round, longer each time."""
        self._tries += 1
        rand = self._device.rand_below
        return delay_ms(rand, FIRST_MS, FIRST_MS, MOST_MS, self._tries - 1)

    @property
    def _comparable(self) -> bool:
        """False when the bundle in force lies damaged: then nothing can speak against another one,
        and silence of an endpoint is not enough for it."""
        number = self.record["in_force"]
        return not number or str(number) in self.contents

    def _leaves_bare(self) -> str:
        """R1 once more: other layers may have changed since the candidate came."""
        try:
            self._trust.check(self.layer, self._content)
        except RootsRejected as error:
            return "%s: %s" % (error.what, error.value)
        return ""

    def _enough_seen(self, now: int) -> bool:
        """All endpoints; or at the end of the trial those that answered: silence is no evidence."""
        seen = self.record["seen"]
        if not [e for e in self._trust.endpoints if e not in seen]:
            return True
        late = now - self._since_ms >= 1000 * self._device.config.trust.trial_max_s
        return bool(seen) and self._comparable and (late or self.record["boots"] >= BOOTS)

    def _changes(self) -> bool:
        """True when the candidate changes what an endpoint in use is offered."""
        now, then = self._trust.anchors, self.view()
        for endpoint in self._trust.endpoints:
            offered = then.offered(endpoint)
            if offered != now.offered(endpoint):
                return True
            if then.limits(endpoint, "", offered) != now.limits(endpoint, "", offered):
                return True
        return False

    def view(self) -> Anchors:
        """The set that the candidate would give, without a new hold."""
        return self._trust.anchors.with_layer(self.layer, self._content, self._trust.anchors.holds)

    def previous(self) -> Anchors:
        """The set before the candidate."""
        before = self.contents.get(str(self.record["in_force"])) or records.empty()
        return self._trust.anchors.with_layer(self.layer, before, self._trust.anchors.holds)

    def _wait(self, event: Event, now: int) -> Items:
        self._silent = []
        self.wake_at = self._until_ms = now + event.wait_ms
        return []

    def _probe(self, event: Event, now: int) -> Items:
        self._endpoint = self._left[0]
        self.wake_at = now + self._dial_ms
        view = self._trust.anchors if self.record["stage"] == "trial" else self.view()
        return [self._device.probe(self._endpoint, view, self._judge_utc_s(now), now)]

    def _judge_utc_s(self, now: int) -> int:
        """Without any time the bundle's own date is the best guess, while a chain fits it."""
        clock, reset = self._device.clock, self._content.get("floor_reset_s")
        if self._floor_only:
            return clock.judge_utc_s(now)
        if reset is not None and reset < clock.floor_utc_s:
            return clock.judge_with_floor(max(BUILD_UTC_S, reset), now)
        if clock.standing != NONE:
            return clock.judge_utc_s(now)
        return max(clock.floor_utc_s, int(self._content.get("issued_s", 0)))

    def _good(self, event: Event, now: int) -> Items:
        """The set accepts the endpoint; in the trial that is what it is there for."""
        self._left.pop(0)
        self._verified.append(self._endpoint)
        self._leaves_end_s = max(self._leaves_end_s, event.not_after)
        out: Items = [Close("next", "probed")]
        if self.record["stage"] == "trial":
            out += self._trust.record(self._endpoint, event, self._device.clock.utc(now))
            out += self._saw(self._endpoint, now)
        return out + self._choose(event, now)

    def _saw(self, endpoint: str, now: int) -> Items:
        """An endpoint was verified in the trial; the time limit counts from the first."""
        seen = self.record["seen"]
        if endpoint in seen:
            return []
        self._since_ms = self._since_ms if seen else now
        self.record["seen"] = seen + [endpoint]
        return [self._trust.save()]

    def _judge(self, event: Event, now: int) -> Items:
        self._failed, self._compared = event, 0
        out: Items = [Close("next", "probed")]
        guessed = self._judge_utc_s(now) != self._device.clock.judge_utc_s(now)
        if event.fault == "clock" and guessed:
            self._floor_only = True  # and the same endpoint once more
            return out + [Undecided()]
        if event.fault == "trust" and event.chain:
            return out + [Doubted()]
        self._pass()
        return out + [Undecided()]

    def _compare(self, event: Event, now: int) -> Items:
        self.wake_at = now + self._dial_ms
        self._compared += 1
        judged_utc_s = self._device.clock.judge_utc_s(now)
        return [self._device.probe(self._endpoint, self.previous(), judged_utc_s, now)]

    def _weigh(self, event: Event, now: int) -> Items:
        """The previous set accepts what the candidate refused: does that speak against it? Where
        another front end answered, the next may be the one that was refused."""
        out: Items = [Close("next", "probed")]
        known = self.previous().entry(event.anchor)  # the candidate may not even list it
        distrusted = known is not None and self.view().condemns(known)
        other = event.chain[:1] != self._failed.chain[:1]
        if other and not distrusted and self._compared < COMPARISONS:
            return out + [Doubted()]
        self._left.pop(0)
        if distrusted:
            self._distrusted.append(self._endpoint)  # the reason is the distrust: R5 decides
        if distrusted or other:
            return out + [Undecided()]
        return out + [Against("%s: %s" % (self._endpoint, self._failed.verdict))]

    @property
    def _dial_ms(self) -> int:
        """Where there is one link, the hub's dial waits for the answer."""
        waits = self._endpoint != "hub" and not self._device.second_session
        return SHORT_MS if waits else DIAL_MS

    def _unheard(self, event: Event, now: int) -> Items:
        self._pass()
        return [Close("next", "probed")] + self._choose(event, now)

    def _pass(self) -> None:
        """Nothing was heard: not asked again, in the trial, before the session has had the link."""
        self._left.pop(0)
        if not self._device.second_session:
            self._silent.append(self._endpoint)

    def _next(self, event: Event, now: int) -> Items:
        return self._choose(event, now)
