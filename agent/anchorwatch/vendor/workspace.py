"""The folder that the holders hand around: the trust file, the certificates, drafts, releases.

    DIR/draft.json                 what waits: {"trust", "root", "targets", ...}, one file
    DIR/certificates/SHA256.der    every root that was ever added
    DIR/released/N.root.json ...   every document that was ever published, and N.trust.json

Rule: nothing secret lies in it. A change is one file renamed into place; a release counts from the
moment its timestamp is there, and a draft no newer than that is dead.
"""

import copy
import hashlib
import json
import os

from tuf.api.metadata import Metadata
from tuf.api.serialization import DeserializationError

from ..errors import ConfigError, MalformedMessage, TrustError
from ..pki.bundle import TRUST, Bundle
from ..wire import jsonread, jsonwrite
from . import files
from .papers import ROLES, Papers

_DRAFT = "draft.json"
_RESTORE = "take it back from a holder who has it whole"
DRAFT_AT_MOST = 4_194_304


class Workspace:
    """One folder, opened: `trust` is the tree being edited, `papers` the metadata."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.papers = Papers({}, {})
        self.trust: dict = {"anchors": [], "distrust": [], "announcements": []}
        self.ders: dict[str, bytes] = {}

    def save(self) -> None:
        """Write the draft in one step."""
        draft = {role: self.papers.draft[role].to_dict() for role in self.papers.draft}
        for sha256 in self.ders:
            files.write(self._in("certificates", sha256 + ".der"), self.ders[sha256])
        text = json.dumps(dict(draft, trust=self.trust), indent=1, sort_keys=True)
        files.write(self._in(_DRAFT), text.encode())

    def release(self) -> None:
        """The draft becomes the release; the timestamp last."""
        folder = self._in("released")
        version = self.papers.version("targets")
        files.write(os.path.join(folder, "%d.%s" % (version, TRUST)), self.trust_bytes())
        for role in ROLES:
            if role in self.papers.draft:
                paper = self.papers.draft[role]
                name = "%d.%s.json" % (paper.signed.version, role)
                files.write(os.path.join(folder, name), paper.to_bytes())
        self.papers = Papers(dict(self.papers.released, **self.papers.draft), {})
        self.drop_draft()

    def drop_draft(self) -> None:
        """Forget what is not released."""
        files.remove(self._in(_DRAFT))

    def trust_bytes(self) -> bytes:
        """trust.json as it is signed."""
        return jsonwrite.write(self.trust)

    def targets(self) -> dict[str, bytes]:
        """{path: bytes} of all that the metadata vouches for."""
        found = {TRUST: self.trust_bytes()}
        for anchor in self.trust["anchors"]:
            found[anchor["sha256"] + ".der"] = self.ders[anchor["sha256"]]
        return found

    def released_trust(self) -> dict:
        """trust.json as it was last released."""
        version = self.papers.released["targets"].signed.version
        return _tree(self.document("trust", version), self.path)

    def document(self, role: str, version: int) -> bytes:
        """A released document, or `trust` of that version of targets."""
        return files.read(self._in("released", "%d.%s.json" % (version, role)))

    def metadata(self, role: str, version: int) -> Metadata:
        """The same, read."""
        return _metadata(_tree(self.document(role, version), self.path), self.path)

    def _in(self, *parts: str) -> str:
        return os.path.join(self.path, *parts)


def check_new(path: str) -> None:
    """ConfigError if a folder is a workspace already."""
    if files.names(os.path.join(path, "released")) or os.path.exists(os.path.join(path, _DRAFT)):
        raise ConfigError("folder is a workspace already", path, "name a new folder")


def create(path: str) -> Workspace:
    """A new one."""
    for name in ("released", "certificates"):
        files.make_folder(os.path.join(path, name))
    return Workspace(path)


def load(path: str) -> Workspace:
    """An existing one. ConfigError for a folder that is none or was damaged."""
    if not os.path.isdir(os.path.join(path, "released")):
        raise ConfigError("folder is no workspace", path, "make one: anchorwatch-bundle init")
    work = Workspace(path)
    work.ders = _certificates(os.path.join(path, "certificates"))
    draft = _draft(path)
    released = _released(work, draft)
    if released and _version(draft, "timestamp") <= released["timestamp"].signed.version:
        draft = {}
    trust = draft.pop("trust", None)
    work.papers = Papers(released, {role: _metadata(draft[role], path) for role in draft})
    if trust is None and released:
        trust = work.released_trust()
    if isinstance(trust, dict) and "version" in trust:
        work.trust = trust
        _check(work)
    return work


def _check(work: Workspace) -> None:
    """ConfigError unless what is shown is what is signed, and the release is signed by enough."""
    try:
        Bundle(work.trust_bytes())
        work.papers.check_targets(work.targets())
        before = Papers(work.papers.released, {})
        unsigned = [role for role in before.released if not before.is_complete(role)]
    except (MalformedMessage, TrustError, KeyError, ValueError, AttributeError) as error:
        what = getattr(error, "what", "it does not hold together")
        raise ConfigError("workspace is damaged: " + what, work.path, _RESTORE) from error
    if unsigned:
        raise ConfigError("workspace is damaged: a released document lacks signatures",
                          "%s, %s" % (work.path, unsigned[0]), _RESTORE)


def _certificates(folder: str) -> dict[str, bytes]:
    """{SHA-256: DER}; a file that is not what its name says is refused."""
    found = {}
    for name in files.names(folder):
        path = os.path.join(folder, name)
        data = b"" if name.endswith(".new") else files.read(path)
        if data and name != hashlib.sha256(data).hexdigest() + ".der":
            raise ConfigError("certificate is not the one its name says", path, _RESTORE)
        if data:
            found[name[:-4]] = data
    return found


def _released(work: Workspace, draft: dict) -> dict[str, Metadata]:
    """The newest document of each role, as the newest timestamp names them.

    No timestamp names a root: the newest is it, unless a release was cut short before its timestamp
    and the same number is a draft still.
    """
    names = files.names(os.path.join(work.path, "released"))
    timestamps, roots = _numbers(names, "timestamp"), _numbers(names, "root")
    if not timestamps:
        return {}
    found = {"timestamp": work.metadata("timestamp", timestamps[-1])}
    snapshot = found["timestamp"].signed.snapshot_meta.version
    found["snapshot"] = work.metadata("snapshot", snapshot)
    targets = found["snapshot"].signed.meta["targets.json"].version
    found["targets"] = work.metadata("targets", targets)
    cut_short = _version(draft, "timestamp") > timestamps[-1]
    if cut_short and _version(draft, "root") == roots[-1]:
        roots.pop()
    found["root"] = work.metadata("root", roots[-1])
    return found


def _numbers(names: list[str], role: str) -> list[int]:
    """Sorted versions of a role among file names."""
    parts = [name.partition(".") for name in names]
    return sorted(int(number) for number, _, rest in parts
                  if number.isdigit() and rest == role + ".json")


def _draft(path: str) -> dict:
    file = os.path.join(path, _DRAFT)
    return _tree(files.read(file, DRAFT_AT_MOST), file) if os.path.exists(file) else {}


def _version(draft: dict, role: str) -> int:
    """The number of a drafted document, 0 without one."""
    return _metadata(draft[role], "draft").signed.version if role in draft else 0


def _tree(data: bytes, path: str) -> dict:
    try:
        return jsonread.parse_object(data, DRAFT_AT_MOST)
    except MalformedMessage as error:
        raise ConfigError("workspace is damaged: " + error.what, path, _RESTORE) from error


def _metadata(tree: object, path: str) -> Metadata:
    try:
        return Metadata.from_dict(copy.deepcopy(tree))
    except (DeserializationError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError("workspace is damaged: no TUF metadata", path, _RESTORE) from error
