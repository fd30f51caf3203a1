"""Performs Fetch on a board: folders by their paths, mirrors where there is room for a connection.

Rule: the heap is collected before each file, since a bundle needs large pieces of it.
"""

import gc

from anchorwatch.errors import LinkError
from anchorwatch.performers import fetch

from .folder import Folder
from .patience import Patience


class Fetcher(fetch.Fetcher):
    """learn  called with the content of a bundle that was written, before the core hears of it
    profile  the settings of [tls.mirror]; crowded  is there no room for another TLS connection
    feed     of the watchdog: a signature takes its time; now_ms  the agent's clock
    reserve  see memory.py
    """

    def __init__(self, cloud, errands, resolver, bundles, learn, profile, post, crowded, feed,
                 now_ms, reserve):
        def pause():
            gc.collect()
            feed()

        super().__init__(cloud, errands.start, _opened, self._of_mirror, bundles, learn, post,
                         pause)
        self._resolver, self._profile, self._crowded = resolver, profile, crowded
        self._now_ms, self._reserve = now_ms, reserve

    def _of_mirror(self, order):
        from anchorwatch.performers.mirror import Mirror
        from anchorwatch.wire import url

        from .mirror import Way

        place = url.parse(order.url)
        if place.scheme == "https" and self._crowded():
            raise LinkError("memory", "one-session")
        patience = Patience(max(0, order.until_ms - self._now_ms()), self._now_ms)
        return Mirror(place, Way(self._resolver, patience, vars_of(self._profile),
                                 self._reserve))


def _opened(path):
    return Folder(path.rstrip("/"))


def vars_of(section):
    """A section of the configuration as a tree."""
    names = ("suites", "max_fragment", "max_fragment_bytes", "strict", "all_ecc")
    return {name: getattr(section, name) for name in names}
