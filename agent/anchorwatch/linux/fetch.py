"""Performs Fetch on Linux: folders by their descriptors, mirrors through a proxy if one is named.

Rule: the thread of an errand gets plain values; what it fetches is verified in it, and written on
the loop.
"""

from ..errors import TrustError
from ..performers import fetch
from ..performers.bundles import Bundles
from .clock import now_ms
from .errands import ended
from .folder import Folder, open_source
from .patience import Patience
from .route import Route
from .shortrecords import OFF, ShortRecords

_CONNECT_S = 10.0
_USUAL = {"suites": "any", "max_fragment": OFF}


class Fetcher(fetch.Fetcher):
    """learn  called with the content of a bundle that was written, before the core hears of it
    proxy  http://HOST:PORT on the way to mirrors, and the file with its credentials; "" for none
    profile, records  of TLS to mirrors: the settings of [tls.mirror], and see shortrecords.py
    """

    def __init__(self, cloud: str, errands, resolver, bundles: Bundles, learn, post,
                 now=now_ms, proxy: str = "", proxy_auth_file: str = "",
                 profile: dict | None = None, records: ShortRecords | None = None) -> None:
        super().__init__(cloud, lambda work, done: errands.start(lambda: ended(work), done),
                         _opened, self._of_mirror, bundles, learn, post, _nothing)
        self._proxy, self._route = proxy, Route(resolver, proxy_auth_file, _CONNECT_S)
        self._profile, self._records = profile or _USUAL, records or ShortRecords()
        self._now = now

    def _of_mirror(self, order):
        from ..wire import url
        from .mirror import Mirror
        from .veil import Veil

        patience = Patience(max(0, order.until_ms - self._now()) / 1000)
        return Mirror(url.parse(order.url), self._route, self._proxy, patience,
                      Veil(self._profile, self._records)).files


def _opened(path: str) -> Folder:
    if not path.startswith("/") or "\0" in path:
        raise TrustError("not the path of a folder", path, "give file:/FOLDER")
    return open_source(path)


def _nothing() -> None:
    """A thread has time and memory."""
