"""What a device does with a published folder: its own verifier, run here.

Rule: not a word of its own on signatures, versions or dates; all of that is pki/, as on the device.
"""

import os
import re

from ..errors import ConfigError, StateError, TrustError
from ..pki import bundle, metadata, tuf
from ..pki.delivery import Delivery
from ..version import __version__
from ..wire import frame
from . import files

ROLES = ("root", "timestamp", "snapshot", "targets")


class Device:
    """What a device trusts before.

    root   bytes; kept  {role: bytes} of the metadata it has installed
    files  {name: bytes} of the targets it has installed
    cloud  whose roots it wants
    """

    def __init__(self, root: bytes, kept: dict[str, bytes], files: dict[str, bytes],
                 cloud: str = "global") -> None:
        self.root, self.kept, self.files, self.cloud = root, kept, files, cloud


class Verdict:
    """What it trusts afterwards.

    roots   (version before, version after); targets  the same of targets, 0 before the first
    trust   trust.json, bytes
    """

    def __init__(self, roots: tuple[int, int], targets: tuple[int, int], trust: bytes) -> None:
        self.roots, self.targets, self.trust = roots, targets, trust


def fresh(root: bytes, cloud: str = "global") -> Device:
    """A device out of its box."""
    return Device(root, {}, {}, cloud)


def stored(folder: str, cloud: str = "global", layer: str = "vendor") -> Device:
    """A device as its files tell: a state folder, a client's metadata folder, or a published one.

    layer   vendor | site: which of a state folder's two
    Raises  ConfigError: no root there
    """
    folder = _innermost(folder, layer)
    names = files.names(folder)
    newest: dict[str, tuple[int, str]] = {}
    for name in names:
        match = re.fullmatch(r"(?:(\d{1,9})\.)?(%s)\.json" % "|".join(ROLES), name)
        if match:
            row = int(match[1] or 0), name
            newest[match[2]] = max(newest.get(match[2], row), row)
    if "root" not in newest:
        raise ConfigError("no root.json in the folder", folder,
                          "name a device's state folder or a published one")
    kept = {role: files.read(os.path.join(folder, newest[role][1])) for role in newest}
    targets = {name: files.read(os.path.join(folder, name)) for name in names
               if name == bundle.TRUST or name.endswith(".der")}
    return Device(kept.pop("root"), kept, targets, cloud)


def run(device: Device, read, utc_s: int | None) -> Verdict:
    """Let a device walk a published folder; `read(name)` gives bytes or None.

    Raises  TrustError, MalformedMessage: what the device would say
    """
    trusted = tuf.TrustedSet(device.root, device.kept, utc_s)
    delivery = Delivery(trusted, device.files, device.cloud, __version__)
    first, trust = trusted.root.version, device.files.get(bundle.TRUST, b"")
    wanted = delivery.wanted()
    while wanted is not None:
        data = read(wanted.name)
        if data is not None and len(data) > wanted.at_most:
            raise TrustError("file longer than a device reads", "%s, %d bytes" % (
                wanted.name, len(data)), "put less into it")
        if delivery.take(data) == bundle.TRUST:
            trust = data
        wanted = delivery.wanted()
    targets = _version(device.kept), trusted.targets.version
    return Verdict((first, trusted.root.version), targets, trust)


def check_trust(data: bytes, ders: dict[str, bytes]) -> None:
    """What a device says of trust.json itself and of its certificates."""
    for anchor in bundle.Bundle(data).anchors:
        bundle.entry(anchor, ders.get(anchor["sha256"], b""))


def reader(folder: str):
    """`read` for `run` of a folder."""
    def read(name: str) -> bytes | None:
        path = os.path.join(folder, name)
        return files.read(path) if os.path.exists(path) else None
    return read


def _version(kept: dict[str, bytes]) -> int:
    return metadata.Targets(kept["targets"]).version if "targets" in kept else 0


def _innermost(folder: str, layer: str) -> str:
    """The folder bundle/N of a state folder with a layer's newest metadata; the folder itself if
    it has none. What no frame names is the newest of them."""
    bundles = os.path.join(folder, "bundle")
    numbers = sorted(int(name) for name in files.names(bundles) if name.isdigit())
    named = _named(folder).get(layer, {}).get("folder", 0)
    if named not in numbers:
        return os.path.join(bundles, str(numbers[-1])) if numbers else folder
    return os.path.join(bundles, str(named))


def _named(folder: str) -> dict:
    """The layers in the newer whole slot of a device's frame `trust`."""
    whole = {}
    for name in ("trust.0", "trust.1"):
        if name in files.names(folder):
            try:
                generation, body = frame.decode(files.read(os.path.join(folder, name)))
                whole[generation] = frame.load(body)
            except StateError:
                continue  # a device would take the other slot
    found: dict = whole[max(whole)].get("bundles", {}) if whole else {}
    return found
