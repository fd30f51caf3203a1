"""What a file server hands out: one folder, complete at every moment.

    1.root.json ... N.root.json     every step, for a device from any year
    timestamp.json                  written last: until then the old release stands
    S.snapshot.json  T.targets.json
    trust.json  SHA256.der          the targets, also as HASH.NAME for clients that ask that way

Rule: only what is signed by enough holders, and only forward.

Source: The Update Framework specification 1.0, section 6.2 (consistent snapshots).
"""

import hashlib
import os

from ..errors import ConfigError, MalformedMessage, TrustError
from ..wire import jsonread
from . import entries, files
from .papers import ROLES
from .rehearsal import Device, fresh
from .workspace import Workspace

TIMESTAMP = "timestamp.json"


def check_written(work: Workspace) -> None:
    """TrustError while a role has no document."""
    for role in ROLES:
        if work.papers.newest(role) is None:
            raise TrustError("nothing to publish yet", role, "add a root to the bundle first")


def check_complete(work: Workspace) -> None:
    """TrustError while a role lacks its document or signatures."""
    check_written(work)
    for role in ROLES:
        if not work.papers.is_complete(role):
            raise TrustError("signatures are missing", "%s, %s" % (role, counted(work, role)),
                             "hand the folder to the next holder: anchorwatch-bundle sign")


def counted(work: Workspace, role: str) -> str:
    """`1 of 2 signatures`; for a new root that also the old holders sign, both counts."""
    rows = ["%d of %d" % row for row in work.papers.counts(role)]
    return " signatures of the old keys, ".join(rows) + (
        " signatures" if len(rows) == 1 else " of the new")


def contents(work: Workspace) -> dict[str, bytes]:
    """{name: bytes} in the order of writing."""
    papers = work.papers
    found = {}
    for version in range(1, papers.version("root")):
        found["%d.root.json" % version] = work.document("root", version)
    for path, data in work.targets().items():
        found["%s.%s" % (hashlib.sha256(data).hexdigest(), path)] = data
        found[path] = data
    for role in ROLES[:3]:
        name = "%d.%s.json" % (papers.version(role), role)
        found[name] = papers.newest(role).to_bytes()
    found[TIMESTAMP] = papers.newest("timestamp").to_bytes()
    return found


def devices(work: Workspace) -> list[Device]:
    """Who has to take the release: a device out of its box and, once there is a release, one that
    has it; of every cloud.
    """
    known = {role: paper.to_bytes() for role, paper in work.papers.released.items()}
    first = known.pop("root", None)
    found = []
    for cloud in entries.clouds(work.trust):
        found.append(fresh(contents(work)["1.root.json"], cloud))
        if first:
            found.append(Device(first, known, {}, cloud))
    return found


def check_folder(out: str, found: dict[str, bytes]) -> None:
    """ConfigError if the folder holds another vendor's bundle or a newer one."""
    first = os.path.join(out, "1.root.json")
    if os.path.exists(first) and files.read(first) != found["1.root.json"]:
        raise ConfigError("folder holds the bundle of other keys", out, "name another folder")
    stamp = os.path.join(out, TIMESTAMP)
    if os.path.exists(stamp) and _version(files.read(stamp)) > _version(found[TIMESTAMP]):
        raise ConfigError("folder holds a newer bundle", out,
                          "fetch the newest workspace from its holder, and start from that")


def write(out: str, found: dict[str, bytes]) -> int:
    """Put everything into the folder; how many files are new or changed."""
    files.make_folder(out)
    return sum([files.write(os.path.join(out, name), found[name]) for name in found])


def _version(data: bytes) -> int:
    try:
        return int(jsonread.parse_object(data)["signed"]["version"])
    except (MalformedMessage, KeyError, TypeError, ValueError):
        return 0
