"""The commands that publish and look: one function each.

Rule: what is published has passed the device's own verifier in the same run.
"""

import os

from ..errors import ConfigError
from ..pki.der import sha256_hex
from ..wire import jsonread
from . import entries, factory, files, page, publication, rehearsal, workspace

DONE = 0


def publish(arguments) -> int:
    """Release the draft and write the folder for a file server."""
    work = workspace.load(arguments.dir)
    publication.check_complete(work)
    entries.check_whole(work.trust, arguments.now_s)
    found = publication.contents(work)
    publication.check_folder(arguments.out, found)
    for device in publication.devices(work):
        rehearsal.run(device, found.get, arguments.now_s)
    if work.papers.draft:
        work.release()
    written = publication.write(arguments.out, found)
    print("published trust.json %d, root %d: %d files new or changed in %s" % (
        work.trust["version"], work.papers.version("root"), written, arguments.out))
    return DONE


def verify(arguments) -> int:
    """Let a device out of its box walk the folder."""
    read = _reader(arguments.dir)
    root = files.read(arguments.root) if arguments.root else read("1.root.json")
    if root is None:
        raise ConfigError("no 1.root.json in the folder", arguments.dir, "add --root FILE")
    return _tell(rehearsal.run(rehearsal.fresh(root, arguments.cloud), read, arguments.now_s), {})


def rehearse(arguments) -> int:
    """What a device with that state would do with the folder."""
    device = rehearsal.stored(arguments.from_, arguments.cloud, arguments.layer)
    known = device.files.get(workspace.TRUST)
    before = jsonread.parse_object(known) if known else {}
    return _tell(rehearsal.run(device, _reader(arguments.dir), arguments.now_s), before)


def make_factory(arguments) -> int:
    """Write the factory layer of the integrator's package."""
    found = factory.contents(workspace.load(arguments.dir))
    factory.write(arguments.out, found)
    print("\n".join([os.path.join(arguments.out, name) for name in found]))
    print("sha256 of %s: %s" % (
        factory.VENDOR_ROOT, sha256_hex(found[factory.VENDOR_ROOT])))
    return DONE


def show(arguments) -> int:
    """Print the workspace."""
    work = workspace.load(arguments.dir)
    for line in page.trust(work.trust) + page.signatures(work, arguments.now_s) + page.draft(work):
        print(line)
    return DONE


def _reader(folder: str):
    """Of a published folder, or of what a workspace would publish."""
    if not os.path.isdir(os.path.join(folder, "released")):
        return rehearsal.reader(folder)
    work = workspace.load(folder)
    publication.check_written(work)
    return publication.contents(work).get


def _tell(verdict: rehearsal.Verdict, before: dict) -> int:
    (old_root, root), (old_targets, targets) = verdict.roots, verdict.targets
    print("root %d" % root if root == old_root else "root %d -> %d" % (old_root, root))
    print("trust.json %d: nothing to do" % targets if targets == old_targets
          else "trust.json %d -> %d: taken" % (old_targets, targets))
    for line in page.changes(before, jsonread.parse_object(verdict.trust)):
        print(line)
    return DONE
