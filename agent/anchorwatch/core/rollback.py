"""A bundle on its way back: what is written, how long it rests, when it is tried again.

Rule: a roll-back restores anchors, never versions, keys or hard distrust; the version comes again
once a day at most, or once for every other chain that is presented. Source: design section 7, R4.
"""

from ..errors import RootsRejected
from . import records, rules
from .actions import Tell
from .bundlemeanings import TakeBack
from .device import Device
from .probing import Probes
from .shapes import Event, Free, Items, Tree
from .stages import REVERTED
from .trustmeanings import TrustChanged

SAVE_MS = 10_000
DAY_MS = 86_400_000
LEAVES_AT_MOST = 8


class Rollback(Probes):
    """The part of Commit that takes a bundle back."""

    def __init__(self, device: Device, free: Free) -> None:
        super().__init__(device, free)
        self.waits_for = 0  # number of the save of `trust` that is under way for us

    def force(self, layer: str) -> Items:
        """The layer as its record says; what lies damaged is told, the rest of the store stands."""
        content, spare, told = records.in_force(self._trust.bundles[layer], self.contents)
        self._trust.put(layer, content, spare)
        return told

    def former(self, layer: str) -> Tree:
        """What a roll-back of this layer would put into force: hard distrust stays."""
        record: Tree = self._trust.bundles[layer]
        number = record["previous"] if record["stage"] == "committed" else record["in_force"]
        found: Tree = self.contents.get(str(number)) or records.empty()
        back: Tree = self.contents.get(str(record["folder"])) or records.empty()
        hard = [row for row in back["distrust"] if rules.row_of(row)["kind"] == "hard"]
        return dict(found, distrust=list(found["distrust"]) + hard)

    def _distrust_stays(self, now: int) -> tuple[Items, bool]:
        """Hard distrust outlives a roll-back, with the holds that it needs (R5); but not where the
        anchors before would then leave an endpoint bare (R1)."""
        try:
            view = self._trust.check(self.layer, self.former(self.layer))
        except RootsRejected:
            return self._trust.hold(self.previous(), [], 0, now), False
        issued_s = self._content.get("issued_s", 0)
        return self._trust.hold(view, [], issued_s, now), True

    def _revert(self, event: Event, now: int) -> Items:
        """Back to the anchors before; versions, keys and hard distrust stay."""
        self.wake_at = now + SAVE_MS
        by = "operator" if isinstance(event, TakeBack) else ""
        leaf = list(self._failed.chain[:1]) if self._failed is not None and not by else []
        against = {"endpoint": "" if by else self._endpoint, "leaf": leaf, "why": event.why}
        against["others"] = [] if by else [known for known in self._leaves() if known not in leaf]
        out, distrusts = self._distrust_stays(now)
        record = records.reverted(self.record, against, by, distrusts)
        record["tried_utc_s"] = self._device.clock.utc(now) or 0
        self._trust.bundles[self.layer] = record
        return out + self.force(self.layer) + self._save(event.why, now)

    def _rest(self, event: Event, now: int) -> Items:
        """A day, then it is tried again; what a person took back waits for another bundle."""
        self.layer = records.resting(self._trust.bundles) or self.layer
        if self.record["by"] != "operator":
            self.wake_at = self._until_ms = self._rested_at(now)
        return [TrustChanged()]

    def timed(self, now: int) -> None:
        """The time is known now: a rest that began before this start may be over."""
        if self.state == REVERTED and self.wake_at is not None:
            self.wake_at = self._until_ms = min(self.wake_at, self._rested_at(now))

    def _rested_at(self, now: int) -> int:
        """A day after the last try; counted from now where either moment has no date."""
        utc_s = self._device.clock.utc(now) or 0
        tried_utc_s = self.record.get("tried_utc_s") or utc_s
        rested_s = utc_s - tried_utc_s if utc_s else 0
        return now + DAY_MS - 1000 * min(max(0, rested_s), rules.DAY_S)

    def _again(self, event: Event, now: int) -> Items:
        record = dict(self.record, stage="candidate", seen=[], boots=0)
        if self._rested_at(now) <= now:  # a new day, with its own leaves
            record["against"] = dict(record["against"], leaf=[], others=[])
        self._trust.bundles[self.layer] = record
        self._failed, self._endpoint, self._tries = None, "", 0
        return self.force(self.layer) + self._begin(event, now)

    def _notice(self, event: Event, now: int) -> Items:
        """Another chain where one spoke against the bundle: it is tried again, once a chain, also
        where front ends with different chains take turns."""
        if self.record["by"] == "operator":
            return []
        self.wake_at = self._until_ms = min(self._until_ms, self._rested_at(now))
        leaf, against, known = event.chain[:1], self.record["against"], self._leaves()
        if event.endpoint != against.get("endpoint") or not leaf or leaf[0] in known:
            return []
        if len(known) < LEAVES_AT_MOST:
            against = dict(against, others=against.get("others", []) + list(leaf))
            self._trust.bundles[self.layer] = dict(self.record, against=against)
            self.wake_at = self._until_ms = now
        return []

    def _leaves(self) -> Items:
        """Leaves that a rolled-back bundle was tried for since its last whole rest."""
        against = self.record["against"]
        return list(against.get("leaf", [])) + list(against.get("others", []))

    def _save(self, why: str, now: int) -> Items:
        """Note it in the history and write the frame, whose answer is ours."""
        record = self.record
        about = {"layer": self.layer, "stage": record["stage"], "version": record["version"]}
        about["why"] = why
        self._trust.remember(about, self._device.clock.utc(now))
        save = self._trust.save()
        self.waits_for = self._trust.saves
        return [Tell("bundle", about), save]
