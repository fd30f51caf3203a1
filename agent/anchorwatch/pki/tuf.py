"""The signed bundle's metadata, file by file: from a trusted root to targets.

Rule: no I/O and no clock. `wanted` says which file is needed next, `take` verifies it and then
assigns it; what was there stays in force if it is refused. Versions never go back; an equal version
with another content is an alarm, except of timestamp, where it is nothing to do.

Source: TUF specification 1.0, section 5.3 to 5.6; design, "Trust", R3 and R7.
"""

from ..errors import MalformedMessage, TrustError
from .metadata import (
    ROOT_AT_MOST,
    SNAPSHOT_AT_MOST,
    TARGETS_AT_MOST,
    TIMESTAMP_AT_MOST,
    Root,
    Snapshot,
    Targets,
    Timestamp,
)
from .roles import Meta, Role, Signed, refused
from .shapes import File, Maker  # noqa: F401

ROOT_STEPS_AT_MOST = 1024
EXPIRED = "metadata expired"


class Wanted:
    """The next file: its role, its name and the most bytes it may have."""

    def __init__(self, role: str, name: str, at_most: int) -> None:
        self.role, self.name, self.at_most = role, name, at_most


class TrustedSet:
    """What is verified so far.

    root     the root in force, verified when it was stored; it must be signed by its own keys
    kept     files verified earlier, {"timestamp": bytes, "snapshot": ..., "targets": ...}
    utc_s    the time at which expiry is judged; None: no clock to believe, `floor_s` is taken
    """

    def __init__(
        self, root: bytes, kept: dict[str, bytes], utc_s: int | None = None, floor_s: int = 0
    ) -> None:
        self.root = Root(root)
        self.root.require(self.root.roles["root"], "root")
        self.root.forget()
        self.judged_s = floor_s if utc_s is None else utc_s
        self.timestamp: Timestamp | None = None
        self.snapshot: Snapshot | None = None
        self.targets: Targets | None = None
        self._kept, self._steps, self._phase = kept, 0, "root"
        self._known_snapshot: Snapshot | None = None
        self._known_targets: Targets | None = None

    def wanted(self) -> Wanted | None:
        """The file to give to `take`; None when everything is there."""
        if self._phase == "root":
            return Wanted("root", "%d.root.json" % (self.root.version + 1), ROOT_AT_MOST)
        if self._phase == "timestamp":
            return Wanted("timestamp", "timestamp.json", TIMESTAMP_AT_MOST)
        if self._phase == "snapshot":
            return self.file_of("snapshot", self._snapshot_announced(), SNAPSHOT_AT_MOST)
        if self._phase == "targets":
            return self.file_of("targets", self.announced("targets"), TARGETS_AT_MOST)
        return None

    def file_of(self, role: str, meta: Meta, at_most: int) -> Wanted:
        """How a file of metadata is named and how long it may be."""
        name = "%d.%s.json" % (meta.version, role) if self.root.consistent else role + ".json"
        return Wanted(role, name, at_most if meta.length < 0 else min(at_most, meta.length))

    def announced(self, role: str) -> Meta:
        """What the snapshot says of a targets file."""
        name = role + ".json"
        if self.snapshot is None or name not in self.snapshot.meta:
            raise refused("file is not part of the bundle", name)
        return self.snapshot.meta[name]

    def target(self, path: str) -> Meta:
        """What the targets say of a file."""
        if self.targets is None or path not in self.targets.targets:
            raise refused("file is not part of the bundle", path)
        return self.targets.targets[path]

    def file_of_target(self, path: str, meta: Meta, at_most: int) -> Wanted:
        """How a target is named, with the hash in front where snapshots are consistent."""
        folder, slash, name = path.rpartition("/")
        hashes = [meta.hashes[kind] for kind in sorted(meta.hashes)]
        if self.root.consistent:
            path = "%s%s%s.%s" % (folder, slash, hashes[0], name)
        return Wanted(path, path, min(at_most, meta.length))

    def take(self, data: bytes | None) -> str:
        """The file last wanted, None if it does not exist; the role that is new now, or ""."""
        role = self._phase
        if role == "root" and data is None:
            self._end_of_roots()
            return ""
        if data is None or role == "done":
            raise refused("file is missing", role)
        if role == "root":
            self._take_root(data)
        elif role == "timestamp":
            return role if self._take_timestamp(data) else ""
        elif role == "snapshot":
            self._take_snapshot(data)
        else:
            known = self._known_targets
            self.targets = self.read_targets(data, "targets", self.root.roles["targets"], known)
            self._phase = "done"
        return role

    def _take_root(self, data: bytes) -> None:
        """The next root: signed by the keys of the one in force and by its own."""
        if self._steps >= ROOT_STEPS_AT_MOST:
            raise refused("root chain too long", self._steps)
        new = Root(data)
        _as_announced("root", self.root.version + 1, new.version)
        new.require(self.root.roles["root"], "root")
        new.require(new.roles["root"], "root")
        new.forget()
        self.root, self._steps = new, self._steps + 1

    def _end_of_roots(self) -> None:
        """No further root: this one must be in date; what was kept counts if it still verifies."""
        self._check_date(self.root)
        kept, self._phase = self._kept, "timestamp"
        if "timestamp" in kept:
            self.timestamp = self._recalled(Timestamp, kept["timestamp"])
        if "snapshot" in kept:
            self._known_snapshot = self._recalled(Snapshot, kept["snapshot"])
        if "targets" in kept:
            self._known_targets = self._recalled(Targets, kept["targets"])

    def _recalled(self, kind: "Maker[File]", data: bytes) -> "File | None":
        """None after a change of keys: such a file says nothing about versions any more."""
        try:
            file = kind(data)
            file.require(self.root.roles[file.kind], file.kind)
        except (TrustError, MalformedMessage):
            return None
        file.forget()
        return file

    def _check_date(self, file: Signed) -> None:
        if file.expires_s <= self.judged_s:
            raise refused(EXPIRED, "%s %d" % (file.kind, file.version))

    def _take_timestamp(self, data: bytes) -> bool:
        """True if it is newer than the one known."""
        new, known = Timestamp(data), self.timestamp
        new.require(self.root.roles["timestamp"], "timestamp")
        new.forget()
        if known is not None:
            _not_back("timestamp", known.version, new.version)
        if known is not None and known.version == new.version:
            new = known
        elif known is not None:
            _not_back("snapshot", known.snapshot.version, new.snapshot.version)
        self._check_date(new)
        self.timestamp, self._phase = new, "snapshot"
        snapshot = self._known_snapshot
        if snapshot is not None and self._still_good("snapshot", new.snapshot, snapshot):
            self._assign_snapshot(snapshot)
        return new is not known

    def _still_good(self, role: str, meta: Meta, known: Signed) -> bool:
        """Whether the kept file is the announced one and in date, so that none is fetched."""
        try:
            meta.check(self._kept[role], role)
            _as_announced(role, meta.version, known.version)
            self._check_date(known)
        except TrustError:
            return False
        return True

    def _take_snapshot(self, data: bytes) -> None:
        """The snapshot that the timestamp announces: no file of it may go back or away."""
        meta, known = self._snapshot_announced(), self._known_snapshot
        meta.check(data, "snapshot")
        new = Snapshot(data)
        new.require(self.root.roles["snapshot"], "snapshot")
        new.forget()
        _as_announced("snapshot", meta.version, new.version)
        if known is not None:
            _not_back("snapshot", known.version, new.version)
            _same_content(known, new)
            for name in sorted(known.meta):
                if name not in new.meta:
                    raise refused("metadata no longer lists a file", name)
                _not_back(name, known.meta[name].version, new.meta[name].version)
        self._check_date(new)
        self._assign_snapshot(new)

    def _snapshot_announced(self) -> Meta:
        if self.timestamp is None:
            raise refused("file is missing", "timestamp")
        return self.timestamp.snapshot

    def _assign_snapshot(self, snapshot: Snapshot) -> None:
        self.snapshot, self._phase = snapshot, "targets"
        targets, meta = self._known_targets, snapshot.meta["targets.json"]
        if targets is not None and self._still_good("targets", meta, targets):
            self.targets, self._phase = targets, "done"

    def read_targets(
        self, data: bytes, name: str, role: Role, known: Targets | None = None
    ) -> Targets:
        """A verified targets file, also a delegated one; nothing is assigned."""
        meta = self.announced(name)
        meta.check(data, name)
        new = Targets(data)
        new.require(role, name)
        new.forget()
        _as_announced(name, meta.version, new.version)
        if known is not None:
            _same_content(known, new)
        self._check_date(new)
        return new


def _as_announced(name: str, announced: int, found: int) -> None:
    if found != announced:
        shown = "%s %d instead of %d" % (name, found, announced)
        raise refused("metadata of another version than announced", shown)


def _not_back(name: str, known: int, new: int) -> None:
    if new < known:
        raise refused("metadata version went back", "%s from %d to %d" % (name, known, new))


def _same_content(known: Signed, new: Signed) -> None:
    if known.version == new.version and known.digest != new.digest:
        raise refused("metadata changed under the same version", "%s %d" % (new.kind, new.version))
