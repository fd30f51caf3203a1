"""Performs Fetch: a signed bundle from a folder, from memory or from a mirror, verified on the way.

Rule: the verifier says which file is next and how long it may be; a source only gives bytes. The
thread of an errand gets plain values; the disk is written on the loop, and only what is complete.

Source: design, "Trust", R3, R8 and R9.
"""

import hashlib
from collections import deque

from .. import __version__
from ..core import actions
from ..core.clock import BUILD_UTC_S
from ..core.events import Fetched, FetchFailed
from ..core.transports import on_the_way
from ..errors import AgentError, LinkError, MalformedMessage, TrustError, reason_of
from ..performers.bundles import LAYERS, Bundles, Held
from ..wire import http
from .clock import now_ms
from .folder import Folder, open_source
from .patience import Patience
from .route import Route
from .shortrecords import OFF, ShortRecords

_CONNECT_S = 10.0
TOTAL_AT_MOST = 1_048_576
FILES_AT_MOST = 200
_USUAL = {"suites": "any", "max_fragment": OFF}
# Words of a failed connection that are told by themselves; every other one is told with "network",
# or with "policy" where [tls.mirror] is what ended it.
_OWN_WORDS = ("silent", "slow", "cut", "redirected")


class Inline:
    """Files that came with the order, {name: bytes}."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def file(self, name: str, at_most: int) -> bytes | None:
        """A file, whatever its length; None without one."""
        return self._files.get(name)

    def close(self) -> None:
        """Nothing is open."""


class Drop:
    """Files of a folder: no links, no pipes. Whose they are does not matter, they are signed."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def file(self, name: str, at_most: int) -> bytes | None:
        """At most one byte more than `at_most` of a file; None without one."""
        try:
            return self._folder.read(name, at_most + 1)
        except OSError as error:
            raise TrustError("file of a bundle cannot be read", "%s (%s)" % (name, error.strerror),
                             "put the file itself there, readable") from error

    def close(self) -> None:
        """The folder is not read any more."""
        self._folder.shut()


class Found:
    """A complete, verified bundle: its files by the names they are kept under, and its content."""

    def __init__(self, files: dict[str, bytes], content: dict) -> None:
        self.files, self.content = files, content


def source(order, route, proxy: str, patience: Patience, profile: dict, records: ShortRecords):
    """Where the files of an order come from. Raises AgentError: not to be used."""
    if order.url == "inline:":
        return Inline(order.files)
    if order.url.startswith("file:"):
        return Drop(_opened(order.url[len("file:"):]))
    from ..wire import url
    from .mirror import Mirror
    from .veil import Veil

    return Mirror(url.parse(order.url), route, proxy, patience, Veil(profile, records))


def _opened(path: str) -> Folder:
    if not path.startswith("/") or "\0" in path:
        raise TrustError("not the path of a folder", path, "give file:/FOLDER")
    return open_source(path)


def deliver(order, held: Held, given, cloud: str, patience: Patience) -> Found:
    """Fetch and verify until a bundle is complete.

    A floor that lies in the future makes everything expired, also the bundle that lowers it: that
    one is judged at the date of this release instead.

    given    a source: file(name, at_most) -> bytes, None if there is none of that name
    Raises   AgentError: nothing has changed
    """
    from ..pki.tuf import EXPIRED

    try:
        return _walked(order, order.floor_s, held, given, cloud, patience)
    except TrustError as error:
        if error.what != EXPIRED or order.utc_s is not None or order.floor_s <= BUILD_UTC_S:
            raise
        found = _walked(order, BUILD_UTC_S, held, given, cloud, patience)
        lowered_s = found.content["floor_reset_s"]
        if lowered_s is None or lowered_s >= order.floor_s:
            raise
        return found


def _walked(order, floor_s: int, held: Held, given, cloud: str, patience: Patience) -> Found:
    from ..pki.delivery import Delivery  # the verifier is loaded by the first bundle
    from ..pki.tuf import TrustedSet

    trusted = TrustedSet(held.root, held.kept, order.utc_s, floor_s)
    delivery = Delivery(trusted, held.files, cloud, __version__)
    files = dict(held.files, **{role + ".json": held.kept[role] for role in held.kept})
    files["root.json"], lineage = held.root, list(held.lineage)
    budget = _Budget(given, patience)
    wanted = delivery.wanted()
    while wanted is not None:
        data = budget.file(wanted.name, wanted.at_most)
        name = _taken(delivery, wanted.name, data)
        if name:
            files[name] = data or b""
        if name == "root.json":
            lineage.append(hashlib.sha256(files[name]).hexdigest())
        wanted = delivery.wanted()
    content = dict(delivery.content(), lineage=lineage)
    return Found({name: files[name] for name in delivery.names()}, content)


def _taken(delivery, name: str, data: bytes | None) -> str:
    """What the verifier makes of a file; its complaint says of which."""
    try:
        return delivery.take(data)
    except MalformedMessage as error:
        raise MalformedMessage(error.reason, ", ".join([name] + [error.value] * bool(error.value)),
                               "ask another mirror, or the signers") from error


class _Budget:
    """A source of which not more is taken than any bundle needs."""

    def __init__(self, given, patience: Patience) -> None:
        self._given, self._patience = given, patience
        self._bytes_left, self._files_left = TOTAL_AT_MOST, FILES_AT_MOST

    def file(self, name: str, at_most: int) -> bytes | None:
        self._patience.check()
        self._files_left -= 1
        try:
            data = self._given.file(name, min(at_most, self._bytes_left))
        except http.TooLong as error:
            raise http.TooLong(error.reason, name) from error
        length = 0 if data is None else len(data)
        self._bytes_left -= length
        if length > at_most or self._bytes_left < 0 or self._files_left < 0:
            raise http.TooLong("bundle is too long", name)
        return data


class Fetcher:
    """`perform` for Fetch; every order is answered by exactly one event, those of one layer one
    after the other: each begins with what the one before has left.

    learn  called with the content of a bundle that was written, before the core hears of it
    proxy  http://HOST:PORT on the way to mirrors, and the file with its credentials; "" for none
    profile, records  of TLS to mirrors: the settings of [tls.mirror], and see shortrecords.py
    """

    def __init__(self, cloud: str, errands, resolver, bundles: Bundles, learn, post,
                 now=now_ms, proxy: str = "", proxy_auth_file: str = "",
                 profile: dict | None = None, records: ShortRecords | None = None) -> None:
        self._cloud, self._errands, self._proxy = cloud, errands, proxy
        self._route = Route(resolver, proxy_auth_file, _CONNECT_S)
        self._profile, self._records = profile or _USUAL, records or ShortRecords()
        self._bundles, self._learn, self._post, self._now = bundles, learn, post, now
        self._orders: dict[str, deque] = {layer: deque() for layer in LAYERS}
        self.perform = {actions.Fetch: self.fetch}

    def fetch(self, order) -> None:
        """Bring a layer's bundle up to date from one place: Fetched or FetchFailed."""
        orders = self._orders[order.layer]
        orders.append(order)
        if len(orders) == 1:
            self._begin(order)

    def _begin(self, order) -> None:
        held = self._bundles.held(order.layer)
        patience = Patience(max(0, order.until_ms - self._now()) / 1000)
        self._errands.start(lambda: self._found(order, held, patience),
                            lambda found: self._take(order, held, found))

    def _found(self, order, held: Held | None, patience: Patience) -> Found | FetchFailed:
        if held is None:
            return FetchFailed(order.layer, order.url, "no-root", order.layer)
        try:
            given = source(order, self._route, self._proxy, patience, self._profile,
                           self._records)
            try:
                return deliver(order, held, given, self._cloud, patience)
            finally:
                given.close()
        except AgentError as error:
            return failed(order, error)

    def _take(self, order, held: Held, found: Found | FetchFailed) -> None:
        self._post(self._kept(order, held, found) if isinstance(found, Found) else found)
        orders = self._orders[order.layer]
        orders.popleft()
        if orders:
            self._begin(orders[0])

    def _kept(self, order, held: Held, found: Found) -> Fetched | FetchFailed:
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


def failed(order, error: AgentError) -> FetchFailed:
    """An error in the words of FetchFailed."""
    reason, value = error.what, error.value
    if isinstance(error, LinkError):
        ours = error.fault == "policy" and not on_the_way(error.verdict)
        usual = "policy" if ours else "network"
        reason = error.verdict if error.verdict in _OWN_WORDS else usual
        value = value or order.url
        if reason == usual:
            value = "%s: %s" % (error.verdict, value)
    elif isinstance(error, http.TooLong):
        reason, value = "too-long", "%s: %s" % (value or order.url, error.what)
    return FetchFailed(order.layer, order.url, reason, value)
