"""Performs Fetch: a signed bundle from a folder, from memory or from a mirror, verified on the way.

Rule: the verifier says which file is next and how long it may be; a source only gives bytes. The
flash is written once, when the bundle is complete. The heap is collected before each file, since a
bundle needs large pieces of it.

Source: design, "Trust", R3, R8 and R9.
"""

import gc
import hashlib
from binascii import hexlify

from anchorwatch import __version__
from anchorwatch.core import actions
from anchorwatch.core.clock import BUILD_UTC_S
from anchorwatch.core.events import Fetched, FetchFailed
from anchorwatch.core.transports import on_the_way
from anchorwatch.errors import AgentError, LinkError, MalformedMessage, TrustError, reason_of
from anchorwatch.performers.bundles import LAYERS
from anchorwatch.wire import http

from .clock import now_ms
from .folder import Folder
from .patience import Patience

TOTAL_AT_MOST = 1_048_576
FILES_AT_MOST = 200
# Words of a failed connection that are told by themselves; every other one is told with "network",
# or with "policy" where [tls.mirror] is what ended it.
_OWN_WORDS = ("silent", "slow", "cut", "redirected")


class Inline:
    """Files that came with the order, {name: bytes}."""

    def __init__(self, files):
        self._files = files

    def file(self, name, at_most):
        """A file, whatever its length; None without one."""
        return self._files.get(name)
        yield


class Drop:
    """Files of a folder. Whose they are does not matter, they are signed."""

    def __init__(self, folder):
        self._folder = folder

    def file(self, name, at_most):
        """At most one byte more than `at_most` of a file; None without one."""
        try:
            return self._folder.read(name, at_most + 1)
        except OSError as error:
            raise TrustError("file of a bundle cannot be read", "%s (%s)" % (
                name, reason_of(error)), "put the file itself there, readable")
        yield


class Found:
    """A complete, verified bundle: its files by the names they are kept under, and its content."""

    def __init__(self, files, content):
        self.files, self.content = files, content


class Fetcher:
    """`perform` for Fetch; every order is answered by exactly one event, those of one layer one
    after the other: each begins with what the one before has left.

    learn  called with the content of a bundle that was written, before the core hears of it
    profile  the settings of [tls.mirror]; crowded  is there no room for another TLS connection
    feed     of the watchdog: a signature takes its time
    """

    def __init__(self, cloud, errands, resolver, bundles, learn, profile, post, crowded, feed):
        self._crowded, self._feed = crowded, feed
        self._cloud, self._errands, self._resolver = cloud, errands, resolver
        self._bundles, self._learn, self._profile, self._post = bundles, learn, profile, post
        self._orders = {layer: [] for layer in LAYERS}
        self.perform = {actions.Fetch: self.fetch}

    def fetch(self, order):
        """Bring a layer's bundle up to date from one place: Fetched or FetchFailed."""
        orders = self._orders[order.layer]
        orders.append(order)
        if len(orders) == 1:
            self._begin(order)

    def _begin(self, order):
        gc.collect()
        held = self._bundles.held(order.layer)
        self._errands.start(self._found(order, held), lambda found: self._take(order, held, found))

    def _found(self, order, held):
        if held is None:
            return FetchFailed(order.layer, order.url, "no-root", order.layer)
        patience = Patience(max(0, order.until_ms - now_ms()), now_ms)
        try:
            given = self._source(order, patience)
            return (yield from deliver(order, held, given, self._cloud, self._feed))
        except AgentError as error:
            return failed(order, error)
        except MemoryError:
            gc.collect()
            return FetchFailed(order.layer, order.url, "network", "memory")

    def _source(self, order, patience):
        """Where the files of an order come from. Raises AgentError: not to be used."""
        if order.url == "inline:":
            return Inline(order.files)
        if order.url.startswith("file:"):
            return Drop(Folder(order.url[len("file:"):].rstrip("/")))
        from anchorwatch.wire import url

        from .mirror import Mirror

        place = url.parse(order.url)
        if place.scheme == "https" and self._crowded():
            raise LinkError("memory", "one-session")
        return Mirror(place, self._resolver, patience, vars_of(self._profile))

    def _take(self, order, held, found):
        self._post(self._kept(order, held, found) if isinstance(found, Found) else found)
        orders = self._orders[order.layer]
        orders.pop(0)
        gc.collect()
        if orders:
            self._begin(orders[0])

    def _kept(self, order, held, found):
        """The bundle is on the flash, if there is anything new."""
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


def vars_of(section):
    """A section of the configuration as a tree."""
    names = ("suites", "max_fragment", "max_fragment_bytes", "strict", "all_ecc")
    return {name: getattr(section, name) for name in names}


def deliver(order, held, given, cloud, feed):
    """Fetch and verify until a bundle is complete, as an errand.

    A floor that lies in the future makes everything expired, also the bundle that lowers it: that
    one is judged at the date of this release instead.

    given    a source: file(name, at_most) -> bytes, None if there is none of that name
    feed     called between files
    Raises   AgentError: nothing has changed
    """
    from anchorwatch.pki.tuf import EXPIRED

    try:
        return (yield from _walked(order, order.floor_s, held, given, cloud, feed))
    except TrustError as error:
        if error.what != EXPIRED or order.utc_s is not None or order.floor_s <= BUILD_UTC_S:
            raise
        expired = error
    found = yield from _walked(order, BUILD_UTC_S, held, given, cloud, feed)
    lowered_s = found.content["floor_reset_s"]
    if lowered_s is None or lowered_s >= order.floor_s:
        raise expired
    return found


def _walked(order, floor_s, held, given, cloud, feed):
    from anchorwatch.pki.delivery import Delivery  # the verifier is loaded by the first bundle
    from anchorwatch.pki.tuf import TrustedSet

    trusted = TrustedSet(held.root, held.kept, order.utc_s, floor_s)
    delivery = Delivery(trusted, held.files, cloud, __version__)
    files = dict(held.files)
    files.update({role + ".json": held.kept[role] for role in held.kept})
    files["root.json"], lineage = held.root, list(held.lineage)
    budget = _Budget(given)
    wanted = delivery.wanted()
    while wanted is not None:
        data = yield from budget.file(wanted.name, wanted.at_most)
        gc.collect()
        feed()
        name = _taken(delivery, wanted.name, data)
        if name:
            files[name] = data or b""
        if name == "root.json":
            lineage.append(hexlify(hashlib.sha256(files[name]).digest()).decode())
        wanted = delivery.wanted()
    content = dict(delivery.content(), lineage=lineage)
    return Found({name: files[name] for name in delivery.names()}, content)


def _taken(delivery, name, data):
    """What the verifier makes of a file; its complaint says of which."""
    try:
        return delivery.take(data)
    except MalformedMessage as error:
        raise MalformedMessage(error.reason, ", ".join([name] + [error.value] * bool(error.value)),
                               "ask another mirror, or the signers")


class _Budget:
    """A source of which not more is taken than any bundle needs."""

    def __init__(self, given):
        self._given = given
        self._bytes_left, self._files_left = TOTAL_AT_MOST, FILES_AT_MOST

    def file(self, name, at_most):
        self._files_left -= 1
        try:
            data = yield from self._given.file(name, min(at_most, self._bytes_left))
        except http.TooLong as error:
            raise http.TooLong(error.reason, name)
        length = 0 if data is None else len(data)
        self._bytes_left -= length
        if length > at_most or self._bytes_left < 0 or self._files_left < 0:
            raise http.TooLong("bundle is too long", name)
        return data


def failed(order, error):
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
