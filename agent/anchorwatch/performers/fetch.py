"""Performs Fetch: a signed bundle from a folder, from memory or from a mirror.

Rule: what waits is a generator, so it is an errand of either runtime; the disk is written on the
loop, and only what is complete and verified.

Source: design, "Trust", R3, R8 and R9.
"""

from ..core import actions
from ..core.events import Fetched, FetchFailed
from ..core.shapes import Any_, Performers
from ..errors import AgentError, reason_of
from .bundles import LAYERS, Bundles, Held


class Fetcher:
    """`perform` for Fetch; every order is answered by exactly one event, those of one layer one
    after the other: each begins with what the one before has left.

    start   (generator, done): runs it as an errand, then calls done(what it returned) on the loop
    open_   path -> folder; mirror  order -> a source, see delivering.py; raise AgentError
    learn   called with the content of a bundle that was written, before the core hears of it
    pause   called where something long has ended, or may begin
    """

    def __init__(self, cloud: str, start: Any_, open_: Any_, mirror: Any_, bundles: Bundles,
                 learn: Any_, post: Any_, pause: Any_) -> None:
        self._cloud, self._start, self._open, self._mirror = cloud, start, open_, mirror
        self._bundles, self._learn, self._post, self._pause = bundles, learn, post, pause
        self._orders: dict[str, list[Any_]] = {layer: [] for layer in LAYERS}
        self.perform: Performers = {actions.Fetch: self.fetch}

    def fetch(self, order: Any_) -> None:
        """Bring a layer's bundle up to date from one place: Fetched or FetchFailed."""
        orders = self._orders[order.layer]
        orders.append(order)
        if len(orders) == 1:
            self._begin(order)

    def _begin(self, order: Any_) -> None:
        self._pause()
        held = self._bundles.held(order.layer)
        self._start(self._found(order, held), lambda found: self._take(order, held, found))

    def _found(self, order: Any_, held: Held | None) -> Any_:
        if held is None:
            return FetchFailed(order.layer, order.url, "no-root", order.layer)
        from . import delivering  # a start without a bundle does without

        try:
            given = self._source(order, delivering)
            try:
                return (yield from delivering.deliver(order, held, given, self._cloud, self._pause))
            finally:
                given.close()
        except AgentError as error:
            return delivering.failed(order, error)
        except MemoryError:
            self._pause()
            return FetchFailed(order.layer, order.url, "memory", order.url)

    def _source(self, order: Any_, kinds: Any_) -> Any_:
        if order.url == "inline:":
            return kinds.Inline(order.files)
        if order.url.startswith("file:"):
            return kinds.Drop(self._open(order.url[len("file:"):]))
        return self._mirror(order)

    def _take(self, order: Any_, held: Any_, found: Any_) -> None:
        self._post(found if isinstance(found, FetchFailed) else self._kept(order, held, found))
        orders = self._orders[order.layer]
        orders.pop(0)
        self._pause()
        if orders:
            self._begin(orders[0])

    def _kept(self, order: Any_, held: Any_, found: Any_) -> Fetched | FetchFailed:
        """The bundle is on the disk, if there is anything new."""
        number = 0
        if found.files != held.stored and not order.dry_run:
            try:
                number = self._bundles.write(order.layer, found.files)
            except OSError as error:
                return FetchFailed(order.layer, order.url, reason_of(error), order.layer)
        content = dict(found.content, folder=number)
        if not order.dry_run:
            self._learn(content)
        return Fetched(order.layer, order.url, content)
