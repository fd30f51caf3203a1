"""The commands about keys and signatures: one function each.

Rule: a holder is shown what waits before and how many have signed after; nothing is signed that a
device would refuse.
"""

import itertools
import os

from ..errors import ConfigError
from . import editing, entries, files, holders, page, rehearsal, workspace
from .papers import DAYS, check_threshold, replace_keys

DONE = 0
# Who signs what: the roles of the metadata by the name of their holders.
HOLDERS = {"root": ("root",), "targets": ("targets",), "online": ("snapshot", "timestamp")}


def init(arguments) -> int:
    """Make a workspace: keys named or made, and the first root, unsigned."""
    named = _named(arguments.key)
    plan = {"root": (arguments.root_keys, arguments.threshold),
            "targets": (arguments.targets_keys, arguments.targets_threshold),
            "online": (arguments.online_keys, 1)}
    for holder in plan:
        check_threshold(holder, *plan[holder])
        if len(named[holder]) > plan[holder][0]:
            raise ConfigError("more keys named than there are to be", holder,
                              "raise --%s-keys" % holder)
    missing = sum([plan[holder][0] - len(named[holder]) for holder in plan])
    _check_keys_folder(arguments, missing)
    workspace.check_new(arguments.dir)
    counts = {holder: plan[holder][0] - len(named[holder]) for holder in plan}
    made = _make(arguments, counts)
    for holder in plan:
        named[holder] += made[holder]
    work = workspace.create(arguments.dir)
    work.papers.draft_root(_all_keys(named, plan), arguments.now_s, DAYS["root"])
    work.save()
    _show_keys(work, named)
    return DONE


def rotate(arguments) -> int:
    """Change who signs, or how many must: a next root, and what the new holders have to sign."""
    work = workspace.load(arguments.dir)
    if not (arguments.add or arguments.remove or arguments.make or arguments.threshold):
        raise ConfigError("nothing to change", arguments.holder,
                          "add --add, --make, --remove or --threshold")
    _check_keys_folder(arguments, arguments.make)
    fresh = [holders.public_key(path) for path in arguments.add]
    fresh += _make(arguments, {arguments.holder: arguments.make})[arguments.holder]
    gone = [_keyid(word) for word in arguments.remove]
    for role in HOLDERS[arguments.holder]:
        change = replace_keys(role, fresh, gone, arguments.threshold)
        work.papers.draft_root(change, arguments.now_s, DAYS["root"])
    if arguments.holder == "targets" and work.papers.version("targets"):
        editing.draft_trust(work, arguments.now_s)
    elif arguments.holder == "online" and work.papers.version("targets"):
        work.papers.draft_snapshot(arguments.now_s, DAYS["snapshot"])
    work.save()
    _show_keys(work, {arguments.holder: fresh})
    return DONE


def renew(arguments) -> int:
    """The same content with a later expiry."""
    work = workspace.load(arguments.dir)
    role, now_s = arguments.role, arguments.now_s
    days = arguments.days or DAYS[role]
    if not work.papers.version(role):
        raise ConfigError("nothing to renew yet", role, "add a root to the bundle first")
    if role == "root":
        work.papers.draft_root(lambda root: None, now_s, days)
    elif role == "targets":
        editing.draft_trust(work, now_s, days)
    elif role == "snapshot":
        work.papers.draft_snapshot(now_s, days)
    else:
        work.papers.draft_timestamp(now_s, days)
    work.save()
    print("drafted %s %d: sign it, then publish" % (role, work.papers.version(role)))
    return DONE


def sign(arguments) -> int:
    """Sign what waits, with each key given; how many have signed is shown."""
    work = workspace.load(arguments.dir)
    if "targets" in work.papers.draft:
        entries.check_whole(work.trust, arguments.now_s)
        rehearsal.check_trust(work.trust_bytes(), work.ders)
    secrets = holders.Secrets(arguments.passphrase_fd)
    print("\n".join(page.draft(work)))
    for given in arguments.key:
        signer = holders.signer(given, arguments.public, secrets)
        roles = work.papers.sign(signer)
        work.save()
        print("signed by %s: %s" % (signer.public_key.keyid[:16], ", ".join(roles)))
    print("\n".join(page.signatures(work, arguments.now_s)))
    return DONE


def _keyid(word: str) -> str:
    """Of a public key's file; any other word begins an id."""
    return holders.public_key(word).keyid if os.path.isfile(word) else word


def _named(given: list[str]) -> dict[str, list]:
    """{holder: [key]} of ROLE=FILE arguments."""
    found: dict[str, list] = {holder: [] for holder in HOLDERS}
    for text in given:
        holder, _, path = text.partition("=")
        if holder not in HOLDERS or not path:
            raise ConfigError("not a key of a role", text, "write root=FILE.pem, targets=FILE.pem"
                              " or online=FILE.pem")
        found[holder].append(holders.public_key(path))
    return found


def _check_keys_folder(arguments, missing: int) -> None:
    """Keys that are made need a place of their own: the workspace is handed around."""
    if missing < 0 or (missing and not arguments.keys):
        raise ConfigError("no folder for %d new keys" % missing, "", "add --keys FOLDER")
    if not missing:
        return
    inside = os.path.realpath(arguments.dir) + os.sep
    if (os.path.realpath(arguments.keys) + os.sep).startswith(inside):
        raise ConfigError("private keys would lie in the workspace", arguments.keys,
                          "name a folder outside of it; the workspace is handed around")
    files.make_folder(arguments.keys, 0o700)


def _make(arguments, counts: dict[str, int]) -> dict[str, list]:
    """{holder: [new key]}, numbered on from those in the folder; every passphrase is known before
    the first key is written.
    """
    secrets = holders.Secrets(arguments.passphrase_fd)
    locked = arguments.passphrase or arguments.passphrase_fd is not None
    taken = set(files.names(arguments.keys)) if arguments.keys else set()
    plan = []
    for holder in counts:
        free = ("%s-%d" % (holder, n) for n in itertools.count(1))
        fresh = itertools.islice((n for n in free if n + ".pem" not in taken), counts[holder])
        plan += [(holder, name) for name in fresh]
    words = [secrets.twice("new passphrase of " + name) if locked else None for _, name in plan]
    made: dict[str, list] = {holder: [] for holder in counts}
    for (holder, name), passphrase in zip(plan, words):
        made[holder].append(holders.make(arguments.keys, name, passphrase))
    return made


def _all_keys(named: dict[str, list], plan: dict[str, tuple[int, int]]):
    """The change that makes the first root."""
    def change(root) -> None:
        for holder in HOLDERS:
            for role in HOLDERS[holder]:
                replace_keys(role, named[holder], [], plan[holder][1])(root)
    return change


def _show_keys(work, named: dict[str, list]) -> None:
    for holder in named:
        for key in named[holder]:
            print("%-8s %s" % (holder, key.keyid))
    print("drafted root %d: have it signed" % work.papers.version("root"))
