"""A signed bundle on its way into force: what is written at each step, and what follows from it.

Rule: nothing is in force before it is on the disk. The table is in stages.py, the way back in
rollback.py. Source: design section 7, R4 to R8.
"""

from ..errors import RootsRejected
from . import records
from .answers import refuse, reply
from .bundlemeanings import NotYet, Rested, Resumed
from .device import Device
from .probing import FIRST_MS
from .remedies import to_write
from .rollback import SAVE_MS, Rollback
from .shapes import Event, Free, Items, MaybeTree, Tree
from .stages import REVERTED, SETTLED, TRUST, WAITING
from .trustmeanings import TrustChanged

RESUME_MS = 5_000
UNDER_WAY = ("candidate", "trial")


class Commit(Rollback):
    """One bundle of one layer at a time."""

    table = TRUST
    # fmt: off
    late = (
        "Saved", "SaveFailed", "Verified", "Failed", "Disconnected", "Presented", "Came", "Resumed",
        "Rested", "TakeBack",
    )
    # fmt: on

    def __init__(self, device: Device, free: Free) -> None:
        super().__init__(device, free)
        self._before: MaybeTree = None  # the record before this candidate
        self._ask_id = ""

    def accepts(self, layer: str) -> bool:
        """True when a bundle of this layer may come now, or be taken back."""
        if self.state == WAITING:
            return layer == self.layer
        return self.state in (SETTLED, REVERTED)

    def alone(self, now: int) -> None:
        """The session is gone: where it had the only link, a bundle that waited has its turn."""
        if self.state == WAITING and not self._device.second_session:
            self.wake_at = self._until_ms = now

    def takes_turn(self, now: int) -> bool:
        """A dial is due. True while a probe has, or is to have now, the only link that there is
        room for; what found it taken has it before that dial."""
        if self._device.second_session:
            return False
        if self._crowded and self._free():
            self._crowded = False
            self.alone(now)
        due = self.state == WAITING and self.wake_at is not None and self.wake_at <= now
        return self.probing or due

    def turn_to(self, layer: str) -> None:
        """This layer's bundle is the one that is meant."""
        self.layer = layer

    def start(self, contents: Tree) -> Items:
        """Put into force what the records say; go on with a bundle that is under way."""
        self.contents = contents
        out: Items = []
        stages = {}
        for layer in sorted(self._trust.bundles):
            self._trust.bundles[layer] = records.found(self._trust.bundles[layer], contents)
            out += self.force(layer)
            stages[self._trust.bundles[layer]["stage"]] = layer
        for stage in UNDER_WAY + ("reverted",):
            if stage in stages:
                self.layer = stages[stage]
                return out + [Resumed() if stage in UNDER_WAY else Rested()]
        return out

    def refresh(self, layer: str, content: Tree) -> Items:
        """Newer metadata over the bundle that is known: nothing changes but what is kept."""
        self._trust.bundles[layer] = records.refreshed(self._trust.bundles[layer], content)
        self.contents[str(content["folder"])] = content
        return self.force(layer) + [self._trust.save()]

    def _keep(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_MS
        self.layer, self._before = event.layer, self._trust.bundles.get(event.layer)
        before = self._overtaken(self._before)
        self._trust.bundles[event.layer] = records.candidate(before, event.bundle)
        self.contents[str(event.bundle["folder"])] = event.bundle
        self._floor_only, self._tries, self._ask_id = False, 0, event.ask_id
        self._failed, self._endpoint = None, ""
        return self.force(event.layer) + self._save(event.by, now)

    def _overtaken(self, before: MaybeTree) -> MaybeTree:
        """A newer bundle ends a trial: its hard distrust stays, its anchors go; but where that
        would leave an endpoint bare (R1), it is in force."""
        if before is None or before["stage"] != "trial":
            return before
        try:
            self._trust.check(self.layer, self.former(self.layer))
        except RootsRejected:
            self._retire()
            return records.committed(before)
        return before

    def _kept(self, event: Event, now: int) -> Items:
        """On the disk: whoever brought it may be told."""
        told = {"changed": True, "version": self.record["version"], "stage": "candidate"}
        out: Items = [reply(self._ask_id, told)] if self._ask_id else []
        return out + self._begin(event, now)

    def _give_up(self, event: Event, now: int) -> Items:
        """Not on the disk: everything is as it was, and the bundle will be fetched again."""
        out: Items = []
        if self._ask_id:
            remedy = to_write(getattr(event, "reason", "")) + ", then repeat"  # or it took too long
            out = [refuse(self._ask_id, "not written", "bundle", remedy, 3)]
        if self._before is None:
            del self._trust.bundles[self.layer]
            self._trust.put(self.layer, records.empty(), [])
            return out
        self._trust.bundles[self.layer] = self._before
        return out + self.force(self.layer) + self._go_back(self._before["stage"])

    def _go_back(self, stage: str) -> Items:
        """What the bundle that stays was about to do."""
        if stage in UNDER_WAY:
            return [NotYet(FIRST_MS)]
        return [Rested()] if stage == "reverted" else []

    def _resume(self, event: Event, now: int) -> Items:
        self.wake_at = self._until_ms = now + RESUME_MS
        self._since_ms = now
        if not self.record["seen"]:
            return []
        self.record["boots"] += 1
        return [self._trust.save()]

    def _enter(self, event: Event, now: int) -> Items:
        """The holds that the trial needs are on the disk with it."""
        self.wake_at = now + SAVE_MS
        record = dict(self.record, stage="trial", seen=[], boots=0)
        self._trust.bundles[self.layer] = record
        out = self._trust.hold(self.view(), self._verified, self._content["issued_s"], now)
        return out + self._save("", now)

    def _not_entered(self, event: Event, now: int) -> Items:
        self._trust.bundles[self.layer] = dict(self.record, stage="candidate")
        self.wake_at = self._until_ms = now + self._pause_ms()
        return []

    def _try_out(self, event: Event, now: int) -> Items:
        """On the disk: the candidate is what endpoints are offered, and all are dialled anew."""
        self._since_ms = now
        out: Items = []
        issued_s = self._content["issued_s"]
        # A date of after every leaf's end is none: whoever signed it had a wrong clock.
        if self._verified and not self._floor_only and issued_s <= self._leaves_end_s:
            out = self._device.clock.issued(issued_s, now)
        out += self.force(self.layer)
        return out + self._begin(event, now) + [TrustChanged()]  # the second link is taken first

    def _commit(self, event: Event, now: int) -> Items:
        self.wake_at = now + SAVE_MS
        self._retire()
        self._trust.bundles[self.layer] = records.committed(self.record)
        out = self.force(self.layer)
        reset_s = self._content.get("floor_reset_s")
        if reset_s is not None and not self._trust.anchors.bare_at(reset_s, self._trust.endpoints):
            out += self._device.clock.reset(reset_s)
        return out + self._save("", now)

    def _retire(self) -> None:
        self._trust.retire(self.previous().layer(self.layer)["anchors"], self._content)

    def _settle(self, event: Event, now: int) -> Items:
        named = records.folders(self._trust.bundles)
        self.contents = {n: self.contents[n] for n in self.contents if n in named}
        other = records.resting(self._trust.bundles)
        self.layer = other or self.layer
        return [Rested() if other else TrustChanged()]

    def _hear(self, event: Event, now: int) -> Items:
        """An ordinary handshake in the trial counts; after a refusal the candidate is probed."""
        self.wake_at = self._until_ms
        if event.anchor and self.record["stage"] != "trial":
            return []
        out = self._saw(event.endpoint, now) if event.anchor else []
        if not event.anchor or self._enough_seen(now):
            self.wake_at = self._until_ms = min(self._until_ms, now)
        return out
