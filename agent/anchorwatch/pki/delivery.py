"""A whole bundle, file by file: metadata, then trust.json, then the certificates it names.

Rule: no I/O. The driver fetches what `wanted` names, gives it to `take`, and keeps it under the
name that `take` answers, beside the files in force and never over them. Only when `done` is true
is there a bundle; until then nothing has changed.

Source: design, "Trust", R3 and R8.
"""

from ..errors import TrustError
from . import bundle
from .der import CERTIFICATE_AT_MOST
from .roles import refused
from .shapes import Entry
from .tuf import TrustedSet, Wanted


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
