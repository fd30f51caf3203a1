"""A whole bundle, file by file: metadata, then trust.json, then the certificates it names.

Rule: no I/O. The driver fetches what `wanted` names, gives it to `take`, and keeps it under the
name that `take` answers, beside the files in force and never over them. Only when `done` is true
is there a bundle; until then nothing has changed.

Source: design, "Trust", R3 and R8.
"""

import binascii
import hashlib

from ..errors import MalformedMessage, TrustError
from . import bundle
from .der import CERTIFICATE_AT_MOST
from .metadata import Root, Snapshot, Targets, Timestamp
from .roles import refused
from .shapes import Entry
from .tuf import TrustedSet, Wanted

METADATA = ("root.json", "timestamp.json", "snapshot.json", "targets.json")
_KINDS = (Root, Timestamp, Snapshot, Targets)


class Delivery:
    """One attempt to bring a device from what it has to the newest bundle.

    trusted  the metadata, at its beginning
    kept     files of the bundle in force by their names: what is unchanged is not fetched again
    cloud    whose anchors are wanted
    agent    the version of this agent
    """

    def __init__(
        self, trusted: TrustedSet, kept: dict[str, bytes], cloud: str, agent: str
    ) -> None:
        self.trusted = trusted
        self.done = False
        self.bundle: bundle.Bundle | None = None
        self.entries: list[Entry] = []
        self._kept, self._cloud, self._agent = kept, cloud, agent
        self._left: list[Entry] = []

    def wanted(self) -> Wanted | None:
        """The next file to give to `take`; None when the bundle is complete."""
        wanted = self.trusted.wanted()
        if wanted is None and not self.done:
            path, at_most = self._path()
            return self.trusted.file_of_target(path, self.trusted.target(path), at_most)
        return wanted

    def take(self, data: bytes | None) -> str:
        """The file last wanted, None if it does not exist; the name to keep it under, or ""."""
        if self.trusted.wanted() is not None:
            new = self.trusted.take(data)
            if self.trusted.wanted() is None:
                self._use_kept()
            return new + ".json" if new else ""
        path, _ = self._path()
        if data is None or self.done:
            raise refused("file is missing", path)
        self._take_target(path, data)
        self._use_kept()
        return path

    def names(self) -> list[str]:
        """What the files of a complete bundle are kept under: metadata, trust.json, certificates.
        """
        certificates = [bundle.certificate_name(entry) for entry in self.entries]
        return list(METADATA) + [bundle.TRUST] + certificates

    def content(self) -> Entry:
        """A complete bundle, as bundle.content describes it."""
        trusted = self.trusted
        files = [trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets]
        if self.bundle is None or not self.done:
            raise refused("file is missing", bundle.TRUST)
        expires_s = min([file.expires_s for file in files if file is not None])
        digest = trusted.target(bundle.TRUST).hashes["sha256"]
        return bundle.content(self.bundle, self.entries, digest, expires_s)

    def _path(self) -> tuple[str, int]:
        if self.bundle is None:
            return bundle.TRUST, bundle.TRUST_AT_MOST
        return bundle.certificate_name(self._left[0]) if self._left else "", CERTIFICATE_AT_MOST

    def _take_target(self, path: str, data: bytes) -> None:
        self.trusted.target(path).check(data, path)
        if self.bundle is not None:
            self.entries.append(bundle.entry(self._left[0], data))
            self._left.pop(0)
        else:
            self.bundle = self._believed(bundle.Bundle(data))
            self._left = self.bundle.of_cloud(self._cloud)
        self.done = not self._left

    def _believed(self, found: bundle.Bundle) -> bundle.Bundle:
        targets = self.trusted.targets
        if targets is None or found.version != targets.version:
            raise refused("metadata of another version than announced", "trust.json")
        found.check_agent(self._agent)
        return found

    def _use_kept(self) -> None:
        """Take what is kept and still the file that is signed, so that it is not fetched."""
        while not self.done:
            path, _ = self._path()
            if path not in self._kept:
                return
            try:
                self.trusted.target(path).check(self._kept[path], path)
            except TrustError:
                return
            self._take_target(path, self._kept[path])


def stored(files: dict[str, bytes], cloud: str, digest: str = "") -> Entry:
    """The content of a bundle that was verified when it was stored, {name: bytes}.

    digest   of trust.json as a frame remembers it; without one the stored targets must name it
    Raises   TrustError, MalformedMessage: a file that a root depends on is missing or another
    Metadata that cannot be read any more takes no root away: it counts as expired.
    """
    data = files.get(bundle.TRUST)
    if data is None:
        raise refused("file is missing", bundle.TRUST)
    found_digest = binascii.hexlify(hashlib.sha256(data).digest()).decode()
    if not digest:
        signed = Targets(files.get("targets.json", b"")).targets
        digest = signed[bundle.TRUST].hashes.get("sha256", "") if bundle.TRUST in signed else ""
    if found_digest != digest:
        raise refused("file is not the one that was signed", bundle.TRUST)
    found = bundle.Bundle(data)
    entries = []
    for anchor in found.of_cloud(cloud):
        name = bundle.certificate_name(anchor)
        if name not in files:
            raise refused("file is missing", name)
        entries.append(bundle.entry(anchor, files[name]))
    return bundle.content(found, entries, digest, min([_expires_s(files, n) for n in range(4)]))


def _expires_s(files: dict[str, bytes], number: int) -> int:
    try:
        return _KINDS[number](files.get(METADATA[number], b"")).expires_s
    except (MalformedMessage, TrustError):
        return 0
