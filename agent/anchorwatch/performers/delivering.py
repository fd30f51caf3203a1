"""From a source, file by file, to a bundle that is complete and verified.

Rule: the verifier says which file is next and how long it may be; a source only gives bytes. What
waits is a generator, so it is an errand of either runtime. A start without a bundle does without.

Source: design, "Trust", R3, R8 and R9.
"""

import binascii
import hashlib

from ..core.clock import BUILD_UTC_S
from ..core.events import FetchFailed
from ..core.shapes import Any_, Tree
from ..core.transports import on_the_way
from ..errors import AgentError, LinkError, MalformedMessage, TrustError, why
from ..version import __version__
from ..wire import http
from .bundles import Held

TOTAL_AT_MOST = 1_048_576
FILES_AT_MOST = 200
# Words of a failed connection that are told by themselves; every other one is told with "network",
# or with "policy" where [tls.mirror] is what ended it.
_OWN_WORDS = ("silent", "slow", "cut", "redirected")


class Inline:
    """Files that came with the order, {name: bytes}."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def file(self, name: str, at_most: int) -> Any_:
        """A file, whatever its length; None without one."""
        return self._files.get(name)
        yield

    def close(self) -> None:
        """Nothing is open."""


class Drop:
    """Files of a folder. Whose they are does not matter, they are signed."""

    def __init__(self, folder: Any_) -> None:
        self._folder = folder

    def file(self, name: str, at_most: int) -> Any_:
        """At most one byte more than `at_most` of a file; None without one."""
        try:
            return self._folder.read(name, at_most + 1)
        except OSError as error:
            raise TrustError("file of a bundle cannot be read", "%s (%s)" % (name, why(error)),
                             "put the file itself there, readable")
        yield

    def close(self) -> None:
        """The folder is not read any more."""
        self._folder.shut()


class Found:
    """A complete, verified bundle: its files by the names they are kept under, and its content."""

    def __init__(self, files: dict[str, bytes], content: Tree) -> None:
        self.files, self.content = files, content


def deliver(order: Any_, held: Held, given: Any_, cloud: str, pause: Any_) -> Any_:
    """Fetch and verify until a bundle is complete.

    A floor that lies in the future makes everything expired, also the bundle that lowers it: that
    one is judged at the date of this release instead.

    given    a source: file(name, at_most) -> bytes, None if there is none of that name
    pause    called between files
    Raises   AgentError: nothing has changed
    """
    from ..pki.tuf import EXPIRED

    try:
        return (yield from _walked(order, order.floor_s, held, given, cloud, pause))
    except TrustError as error:
        if error.what != EXPIRED or order.utc_s is not None or order.floor_s <= BUILD_UTC_S:
            raise
        expired = error
    found = yield from _walked(order, BUILD_UTC_S, held, given, cloud, pause)
    lowered_s = found.content["floor_reset_s"]
    if lowered_s is None or lowered_s >= order.floor_s:
        raise expired
    return found


def _walked(order: Any_, floor_s: int, held: Held, given: Any_, cloud: str, pause: Any_) -> Any_:
    from ..pki.delivery import Delivery  # the verifier is loaded by the first bundle
    from ..pki.tuf import TrustedSet

    trusted = TrustedSet(held.root, held.kept, order.utc_s, floor_s)
    delivery = Delivery(trusted, held.files, cloud, __version__)
    files = dict(held.files)
    files.update({role + ".json": held.kept[role] for role in held.kept})
    files["root.json"], lineage = held.root, list(held.lineage)
    budget = _Budget(given)
    wanted = delivery.wanted()
    while wanted is not None:
        data = yield from budget.file(wanted.name, wanted.at_most)
        pause()
        name = _taken(delivery, wanted.name, data)
        if name:
            files[name] = data or b""
        if name == "root.json":
            lineage.append(binascii.hexlify(hashlib.sha256(files[name]).digest()).decode())
        wanted = delivery.wanted()
    content = dict(delivery.content(), lineage=lineage)
    return Found({name: files[name] for name in delivery.names()}, content)


def _taken(delivery: Any_, name: str, data: bytes | None) -> str:
    """What the verifier makes of a file; its complaint says of which."""
    try:
        kept: str = delivery.take(data)
        return kept
    except MalformedMessage as error:
        raise MalformedMessage(error.reason, ", ".join([name] + [error.value] * bool(error.value)),
                               "ask another mirror, or the signers")


class _Budget:
    """A source of which not more is taken than any bundle needs."""

    def __init__(self, given: Any_) -> None:
        self._given = given
        self._bytes_left, self._files_left = TOTAL_AT_MOST, FILES_AT_MOST

    def file(self, name: str, at_most: int) -> Any_:
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


def failed(order: Any_, error: AgentError) -> FetchFailed:
    """An error in the words of FetchFailed."""
    reason, value = error.what, error.value
    if isinstance(error, LinkError):
        ours = error.fault == "policy" and not on_the_way(error.verdict)
        usual = "memory" if error.fault == "memory" else "policy" if ours else "network"
        reason = error.verdict if error.verdict in _OWN_WORDS else usual
        value = value or order.url
        if reason == usual:
            value = "%s: %s" % (error.verdict, value)
    elif isinstance(error, http.TooLong):
        reason, value = "too-long", "%s: %s" % (value or order.url, error.what)
    return FetchFailed(order.layer, order.url, reason, value)
