"""Who takes what of a signed bundle. Rule: it routes; commit.py and bundles.py decide.

The frame `trust` is saved for evidence too: only the answer to the save that commit waits for is
its own.
"""

from .meanings import LookNow
from .shapes import Event, Items, Watch


class BundleRoutes:
    """`watch` holds the machines."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def start(self, event: Event, now: int) -> Items:
        """The layers, then the bundles over them."""
        watch, state = self._watch, event.state
        out: Items = watch.trust.start(event.layers, state.get("trust", {}), now)
        if state.get("rooted"):
            watch.bundles.start(state["rooted"], now)
        contents = state.get("bundles", {})
        return out + watch.commit.start(contents) if watch.trust.bundles or contents else out

    def answered(self, event: Event, now: int) -> Items:
        """Saved or SaveFailed of any file."""
        if event.name != "trust":
            return []
        watch = self._watch
        watch.trust.answered += 1
        if watch.trust.answered != watch.commit.waits_for:
            return []
        return watch.commit.handle(event, now)

    def woke(self, event: Event, now: int) -> Items:
        """The daily count of a hold."""
        holds = self._watch.trust.holds
        if holds.wake_at is None or holds.wake_at > now:
            return []
        told: Items = holds.woke(now)
        return told + [self._watch.trust.save(), event]

    def brought(self, event: Event, now: int) -> Items:
        """What the driver fetched, or not."""
        bundles = self._watch.bundles
        out: Items = bundles.handle(event, now) if bundles.awaits(event) else []
        return out

    def stranded(self, event: Event, now: int) -> Items:
        """A mirror may be anybody's: what it presents is no need of the device."""
        carries = self._watch.device.carries(event.endpoint)
        out: Items = self._watch.bundles.stranded(now) if carries else []
        return out

    def presented(self, event: Event, now: int) -> Items:
        """Only what carries the device speaks for a bundle in its trial, or brings one back."""
        carries = self._watch.device.carries(event.endpoint)
        out: Items = self._watch.commit.handle(event, now) if carries else []
        return out

    def changed(self, event: Event, now: int) -> Items:
        """Other anchors are in force."""
        self._watch.reverify.times.probe_soon(now)
        return [LookNow(False)]
