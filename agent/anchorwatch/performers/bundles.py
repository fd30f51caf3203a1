"""The signed bundles on the disk: one folder bundle/N/ each, whole or not there.

Rule: N is a number that no frame has named, and what is in its folder is never changed. Which
folders count is said by the frame `trust`. What neither that frame nor the one before it names is
removed when it is safe: a start from the older slot finds its folders too.

Source: contract of the state directory; design, "Trust".
"""

import binascii
import hashlib

from ..core.records import FOLDERS
from ..core.shapes import Any_, MaybeTree, Tree
from ..errors import AgentError, why

LAYERS = ("vendor", "site")
ROOTED = "rooted"
NEW = "new"
_HOME = "bundle"
_FILES_AT_MOST, _FILE_AT_MOST = 128, 131_072  # the longest of metadata.py


class Held:
    """What a delivery begins with.

    root     the root in force; kept  {role: bytes} of metadata; files  {name: bytes} of the rest
    lineage  SHA-256 of the roots of trust taken so far, this one's included
    stored   {name: bytes} of the folder as it is
    """

    def __init__(self, root: bytes, lineage: list[str], stored: dict[str, bytes]) -> None:
        from ..pki import delivery
        from ..pki.metadata import ROLES

        self.root, self.lineage, self.stored = root, lineage, stored
        self.kept = {role: stored[role + ".json"] for role in ROLES[1:] if role + ".json" in stored}
        self.files = {name: stored[name] for name in stored if name not in delivery.METADATA}


class Bundles:
    """Folders below `state`, and the part of the frame `trust` that names them.

    fill   (folder, name, {name: bytes}) -> None: makes a folder in it, whole or not there, if need
           be under the name NEW before; raises OSError
    roots  called with a layer: the bytes of the root of trust that came with it, or None
    cloud  whose anchors are wanted
    warn   called with (what, value, remedy) when something was damaged and survived
    """

    def __init__(self, state: Any_, fill: Any_, roots: Any_, cloud: str, warn: Any_) -> None:
        self._state, self._fill, self._roots = state, fill, roots
        self._cloud, self._warn = cloud, warn
        self._records: Tree = {}
        self._unnamed: dict[str, int] = {}
        self._highest = 0

    def start(self, trust: MaybeTree, whole: bool = True) -> Tree:
        """{"N": content} of the folders that the frame `trust` names; None: there is no frame.

        whole  False when a slot of the frame could not be read: the folders that only it names must
               stay until it is written anew, since the next start may read it
        """
        self._records = (trust or {}).get("bundles", {})
        newest = max([0] + list(self._named()))
        # A folder below the newest may be of the frame's older slot; one above it is of no frame.
        unnamed = whole and trust is not None
        self._sweep(lambda number: unnamed and number > newest)
        contents = {}
        for layer in self._records:
            for number, digest in _numbers(self._records[layer]):
                found = self.read(number, digest)
                if found is not None:
                    contents[str(number)] = found
        return contents

    def saved(self, trust: Tree) -> None:
        """The frame `trust` is on the disk: folders that it and the one before do not name go."""
        before = self._named()
        self._records = trust.get("bundles", {})
        kept = self._named() | before | set(self._unnamed.values())
        self._sweep(lambda number: number not in kept)

    def record(self, layer: str) -> Tree:
        """What the frame says of a layer; empty when it says nothing."""
        found: Tree = self._records.get(layer, {})
        return found

    def signs(self, layer: str) -> bool:
        """Whether a layer is what a bundle says: a root of trust for it is known."""
        return bool(self.record(layer).get("folder")) or self._roots(layer) is not None

    def read(self, number: int, digest: str = "") -> MaybeTree:
        """The content of a folder; None and a warning when it is missing or damaged.

        digest  of its trust.json; without it the folder's own signed targets are compared
        """
        try:
            from ..pki import delivery  # a start without a bundle does without the verifier

            return dict(delivery.stored(self._files(number), self._cloud, digest), folder=number)
        except AgentError as error:
            self._warn("bundle on the disk is damaged", "%s (%s: %s)" % (
                self._path(number), error.what, error.value), "import it again")
        return None

    def stored(self, layer: str) -> dict[str, bytes]:
        """What can be read of a layer's newest folder, {name: bytes}."""
        return self._files(self.record(layer).get("folder", 0))

    def held(self, layer: str) -> "Held | None":
        """What a delivery for a layer begins with; None without a root of trust.

        A root that came with the layer and was never taken before goes first. Metadata stays: what
        it says of versions holds where the keys are the same.
        """
        record, stored = self.record(layer), self.stored(layer)
        lineage, given = list(record.get("lineage", [])), self._roots(layer)
        own = [stored.get("root.json"), self._files(record.get("in_force", 0)).get("root.json")]
        new = given is not None and _sha256(given) not in lineage
        for root in [given] + own if new else own + [given]:
            if root is not None and self._sound(root, layer):
                taken = [_sha256(root)] if root is given else []
                return Held(root, lineage + [one for one in taken if one not in lineage], stored)
        return None

    def write(self, layer: str, files: dict[str, bytes]) -> int:
        """Write a verified bundle; its number. Nothing names it until a frame does.

        Raises  OSError: nothing has changed; see reason_of
        """
        home = self._home()
        try:
            there = [int(name) for name in home.names() if _is_number(name)]
            number = 1 + max([self._highest] + list(self._named()) + there)
            self._fill(home, str(number), files)
        finally:
            home.shut()
        self._unnamed[layer] = self._highest = number
        return number

    def forget(self, layer: str) -> None:
        """No frame will name what was written for a layer: it goes."""
        number = self._unnamed.pop(layer, 0)
        self._sweep(lambda found: found == number and number not in self._named())

    def _home(self) -> Any_:
        home = self._state.inside(_HOME)
        if home is None:
            self._state.mkdir(_HOME)
            self._state.syncdir()
            home = self._state.inside(_HOME)
        if home is None:
            raise OSError("folder is gone")
        return home

    def _files(self, number: int) -> dict[str, bytes]:
        """What can be read in a folder: the judgement is the verifier's."""
        found: dict[str, bytes] = {}
        home: Any_ = None
        folder: Any_ = None
        try:
            home = self._state.inside(_HOME) if number else None
            folder = home.inside(str(number)) if home else None
            for name in folder.names()[:_FILES_AT_MOST] if folder else ():
                data = folder.own(name, _FILE_AT_MOST + 1)
                found.update({} if data is None else {name: data})
        except OSError as error:
            self._warn("bundle on the disk cannot be read", "%s (%s)" % (
                self._path(number), why(error)), "correct its owner, or import it again")
        finally:
            for one in (folder, home):
                if one is not None:
                    one.shut()
        return found

    def _sound(self, root: bytes, layer: str) -> bool:
        from ..pki import tuf

        try:
            tuf.TrustedSet(root, {})
        except AgentError as error:
            self._warn("root of trust is damaged", "%s (%s)" % (layer, error.what),
                       "install %s.root.json again" % layer)
            return False
        return True

    def _named(self) -> set[int]:
        records = [self._records[layer] for layer in self._records]
        return {record[key] for record in records for key in FOLDERS if record.get(key)}

    def _sweep(self, goes: Any_) -> None:
        """Remove what was not finished, and the folders whose number `goes`."""
        try:
            home = self._state.inside(_HOME)
            if home is None:
                return
            try:
                for name in home.names():
                    if name == NEW or (_is_number(name) and goes(int(name))):
                        remove(home, name)
            finally:
                home.shut()
        except OSError as error:
            self._warn("old bundle cannot be removed", why(error), "remove it by hand")

    def _path(self, number: int) -> str:
        return "%s/%s/%d" % (self._state.path, _HOME, number)


def _numbers(record: Tree) -> list[tuple[int, str]]:
    """(folder, digest of its trust.json if the record has it) of the bundles that a record names;
    where there is only a root of trust there is none."""
    newest = record.get("folder", 0)
    others = {record.get(key, 0) for key in FOLDERS} - {0, newest}
    found = [] if record.get("stage") == ROOTED else [(newest, record.get("digest", ""))]
    return [row for row in found if newest] + [(number, "") for number in sorted(others)]


def remove(home: Any_, name: str) -> None:
    """Remove a folder of files; nothing when there is none. Raises OSError."""
    folder = home.inside(name)
    if folder is None:
        return
    try:
        for file in folder.names():
            folder.unlink(file)
    finally:
        folder.shut()
    home.rmdir(name)


def _is_number(name: str) -> bool:
    return name != "" and not [c for c in name if not "0" <= c <= "9"]


def _sha256(data: bytes) -> str:
    return binascii.hexlify(hashlib.sha256(data).digest()).decode()
