"""A device's part that fetches bundles, on a folder of a test, and all that can be asked of it.

Rule: real errands and a real disk; the test plays the core: it orders, and it saves what it takes.
"""

import selectors

from anchorwatch.core.actions import Fetch
from anchorwatch.core.events import Fetched
from anchorwatch.linux import fetch
from anchorwatch.linux.clock import now_ms
from anchorwatch.linux.errands import Errands
from anchorwatch.linux.folder import open_private
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.storefiles import fill
from anchorwatch.performers.bundles import Bundles
from tests.core.signed import NOW_S

WAIT_S = 20


class Rig:
    """A fetcher on a state folder, with a loop that ends at its first answer."""

    def __init__(self, path, root, utc_s=NOW_S, profile=None):
        self._utc_s = utc_s
        self.path, self.events, self.learned, self.warnings = path / "state", [], [], []
        self._selector = selectors.DefaultSelector()
        self.table = path / "resolve.json"
        self.bundles = Bundles(open_private(str(self.path)), fill, {"vendor": root}.get, "global",
                               lambda *parts: self.warnings.append(parts))
        self.bundles.start(None)
        self.errands = Errands(self._selector)
        self.fetcher = fetch.Fetcher("global", self.errands, Resolver({}, str(self.table)),
                                     self.bundles, self.learned.append, self.events.append,
                                     profile=profile)

    def order(self, url, for_s=WAIT_S, **changed):
        fields = dict(layer="vendor", url=url, files={}, utc_s=self._utc_s, floor_s=0,
                      until_ms=now_ms() + int(1000 * for_s), dry_run=False)
        return Fetch(**dict(fields, **changed))

    def fetch(self, url, for_s=WAIT_S, **changed):
        """The answer to one order."""
        self.fetcher.perform[Fetch](self.order(url, for_s, **changed))
        return self.answers(1)[0]

    def answers(self, count):
        while len(self.events) < count:
            ready = self._selector.select(WAIT_S + 10)
            assert ready, "no answer"
            for key, mask in ready:
                key.data(mask)
        taken, self.events[:] = list(self.events), []
        return taken

    def save(self, bundle):
        """What the core does with a bundle that it takes."""
        self.bundles.saved({"bundles": {"vendor": {
            "folder": bundle["folder"], "in_force": bundle["folder"], "stage": "committed",
            "digest": bundle["digest"], "lineage": bundle["lineage"]}}})

    def installed(self, files):
        """The device has this bundle already."""
        event = self.fetch("inline:", files=files)
        assert isinstance(event, Fetched), event
        self.save(event.bundle)
        return event.bundle

    def disk(self):
        """{path: bytes} of everything in the state folder."""
        return {str(p): p.read_bytes() for p in sorted(self.path.rglob("*")) if p.is_file()}
