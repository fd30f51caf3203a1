"""What a device does with a published folder: its own verifier, run here.

Rule: not a word of its own on signatures, versions or dates; all of that is pki/, as on the device.
"""

import os
import re

from ..errors import ConfigError, TrustError
from ..pki import metadata, tuf
from ..pki.der import anchor_entry
from ..wire import jsonread
from . import files
from .workspace import TRUST

_KEPT = ("timestamp", "snapshot", "targets")


class Device:
    """What a device trusts before: `root` bytes, and `kept`, {role: bytes} of what it installed."""

    def __init__(self, root: bytes, kept: dict[str, bytes]) -> None:
        self.root, self.kept = root, kept


class Verdict:
    """What it trusts afterwards.

    roots   (version before, version after); targets  the same of targets, 0 before the first
    trust   trust.json, bytes
    """

    def __init__(self, roots: tuple[int, int], targets: tuple[int, int], trust: bytes) -> None:
        self.roots, self.targets, self.trust = roots, targets, trust


def fresh(root: bytes) -> Device:
    """A device out of its box."""
    return Device(root, {})


def stored(folder: str) -> Device:
    """A device as its files tell: a state folder, a client's metadata folder, or a published one.

    Raises  ConfigError: no root there
    """
    folder = _innermost(folder)
    found: dict[str, tuple[int, str]] = {}
    for name in files.names(folder):
        match = re.fullmatch(r"(?:(\d{1,9})\.)?(root|timestamp|snapshot|targets)\.json", name)
        if match:
            version = int(match[1] or 0)
            found[match[2]] = max(found.get(match[2], (0, name)), (version, name))
    if "root" not in found:
        raise ConfigError("no root.json in the folder", folder,
                          "name a device's state folder or a published one")
    data = {role: files.read(os.path.join(folder, found[role][1])) for role in found}
    return Device(data.pop("root"), data)


def run(device: Device, read, utc_s: int | None) -> Verdict:
    """Let a device walk a published folder; `read(name)` gives bytes or None.

    Raises  TrustError, MalformedMessage: what the device would say
    """
    trusted = tuf.TrustedSet(device.root, device.kept, utc_s)
    first = trusted.root.version
    before = _version(device.kept)
    wanted = trusted.wanted()
    while wanted is not None:
        data = read(wanted.name)
        if data is not None and len(data) > wanted.at_most:
            raise TrustError("file longer than a device reads", wanted.name, "make it smaller")
        trusted.take(data)
        wanted = trusted.wanted()
    targets = trusted.targets
    found = {path: _target(targets, path, read) for path in targets.targets}
    if TRUST not in found:
        raise TrustError("file is not part of the bundle", TRUST, "have its signers add it")
    check_trust(found.pop(TRUST), {path[:-4]: found[path] for path in found})
    return Verdict((first, trusted.root.version), (before, targets.version), read(TRUST))


def check_trust(data: bytes, ders: dict[str, bytes]) -> None:
    """What a device says of trust.json itself and of its certificates."""
    for anchor in jsonread.parse_object(data)["anchors"]:
        if anchor["sha256"] not in ders:
            raise TrustError("file is missing", anchor["sha256"] + ".der", "add the root again")
        anchor_entry(ders[anchor["sha256"]])


def reader(folder: str):
    """`read` for `run` of a folder."""
    def read(name: str) -> bytes | None:
        path = os.path.join(folder, name)
        return files.read(path) if os.path.exists(path) else None
    return read


def _target(targets, path: str, read) -> bytes:
    data = read(path)
    if data is None:
        raise TrustError("file is missing", path, "publish again")
    targets.targets[path].check(data, path)
    return data


def _version(kept: dict[str, bytes]) -> int:
    return metadata.Targets(kept["targets"]).version if "targets" in kept else 0


def _innermost(folder: str) -> str:
    """The newest `bundle/N` of a state folder; the folder itself if it has none."""
    bundles = os.path.join(folder, "bundle")
    numbers = sorted(int(name) for name in files.names(bundles) if name.isdigit())
    return os.path.join(bundles, str(numbers[-1])) if numbers else folder
