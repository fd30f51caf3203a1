"""The commands that change what trust.json says: one function each.

Rule: load, one edit of the tree, the device's own checks, one file written. Signatures that a draft
had are void with the edit, and this is said.
"""

import copy
import os

from ..errors import ConfigError, TrustError
from ..pki import bundle
from . import dates, entries, files, rehearsal, workspace
from .papers import DAYS
from .workspace import Workspace

DONE = 0


def add(arguments) -> int:
    """Put new roots into the bundle."""
    def change(work: Workspace) -> None:
        for path in arguments.file:
            entry, der = root_of(path)
            entries.add(work.trust, entry, arguments.state, _limits(arguments))
            work.ders[entry["sha256"]] = der
    return _edit(arguments, change)


def set_state(arguments) -> int:
    """Move a root to the state that the command is called after."""
    dated = {name: dates.text(dates.utc_s(text)) for name, text in (
        ("not_before", getattr(arguments, "from_", None)),
        ("leaf_not_before_max", getattr(arguments, "after", None))) if text}
    return _edit(arguments, lambda work: entries.set_state(
        work.trust, fingerprint(arguments.root), arguments.state, dated))


def forget(arguments) -> int:
    """Take a retired root out of the bundle."""
    return _edit(arguments, lambda work: entries.forget(work.trust, fingerprint(arguments.root)))


def distrust(arguments) -> int:
    """Distrust a root, or take that back."""
    row = _subject(arguments)
    if arguments.withdraw:
        return _edit(arguments, lambda work: entries.withdraw(work.trust, row))
    if (arguments.kind == "sunset") != (arguments.after is not None):
        raise ConfigError("--after goes with --kind sunset, and only with it", arguments.kind,
                          "give both, or --kind hard")
    row["kind"] = arguments.kind
    if arguments.after:
        row["after"] = dates.text(dates.utc_s(arguments.after))
    if arguments.hold_s is not None:
        row["hold_s"] = arguments.hold_s
    if arguments.reason:
        row["reason"] = arguments.reason
    return _edit(arguments, lambda work: entries.distrust(work.trust, row))


def announce(arguments) -> int:
    """Tell devices which root an endpoint will present, or take that back."""
    if arguments.withdraw:
        return _edit(arguments, lambda work: entries.silence(work.trust, arguments.endpoint))
    if arguments.root is None or arguments.date is None:
        raise ConfigError("an announcement names a root and a date", arguments.endpoint,
                          "add --root and --date, or --withdraw")
    root, date_s = fingerprint(arguments.root), dates.utc_s(arguments.date)
    return _edit(arguments, lambda work: entries.announce(
        work.trust, arguments.endpoint, root, date_s))


def policy(arguments) -> int:
    """Change numbers of the policy; one that is not given stays the device's own."""
    numbers = {}
    for word in arguments.number:
        name, _, number = word.partition("=")
        if name not in bundle.POLICY or not number.isdigit():
            raise ConfigError("not a number of the policy", word,
                              "write NAME=N, NAME one of " + ", ".join(sorted(bundle.POLICY)))
        numbers[name] = int(number)
    return _edit(arguments, lambda work: work.trust.update(
        policy=dict(work.trust.get("policy", {}), **numbers)))


def reset_floor(arguments) -> int:
    """Lower the time floor of devices that took a wrong date."""
    date = dates.text(dates.utc_s(arguments.date))
    return _edit(arguments, lambda work: work.trust.update(floor_reset=date))


def draft_trust(work: Workspace, now_s: int, days: int = DAYS["targets"]) -> None:
    """Draft targets for the tree as it is, checked as a device checks it."""
    if "issued" in work.trust and dates.utc_s(work.trust["issued"]) > now_s:
        raise ConfigError("this machine's clock is behind the last edit", dates.text(now_s),
                          "set the clock: devices take the date for the earliest time there is")
    work.trust["version"] = work.papers.next_version("targets")
    work.trust["issued"] = dates.text(now_s)
    rehearsal.check_trust(work.trust_bytes(), work.ders)
    work.papers.draft_targets(work.targets(), now_s, days)


def root_of(path: str) -> tuple[dict, bytes]:
    """(entry, DER) of a PEM file; the refusal names the file."""
    try:
        return entries.one_root(files.read(path), path)
    except TrustError as error:
        shown = "%s (%s)" % (path, error.value) if error.value else path
        raise TrustError(error.what, shown, error.remedy) from error


def fingerprint(word: str) -> str:
    """The SHA-256 of a root given as a PEM file or by the first digits of its SHA-256."""
    return root_of(word)[0]["sha256"] if os.path.isfile(word) else word.lower()


def _edit(arguments, change) -> int:
    work = workspace.load(arguments.dir)
    if work.papers.newest("root") is None:
        raise ConfigError("workspace has no keys", arguments.dir, "make one: init")
    before, had = copy.deepcopy(work.trust), work.papers.draft.get("targets")
    change(work)
    if work.trust == before:
        print("nothing to do: it is so already")
        return DONE
    entries.check(before, work.trust, arguments.now_s)
    draft_trust(work, arguments.now_s)
    work.save()
    if had and had.signatures:
        print("the draft has changed: its signatures are void")
    print("drafted trust.json %d: sign it, then publish" % work.trust["version"])
    return DONE


def _limits(arguments) -> dict:
    limits = {"scope": list(dict.fromkeys(arguments.scope or ("hub", "dps"))),
              "clouds": list(dict.fromkeys(arguments.cloud or ("global",)))}
    if arguments.dns:
        limits["dns"] = list(arguments.dns)
    if arguments.from_:
        limits["not_before"] = dates.text(dates.utc_s(arguments.from_))
    return limits


def _subject(arguments) -> dict:
    """A PEM file names its key, which every reissue of the certificate shares."""
    if os.path.isfile(arguments.root):
        return {"spki_sha256": root_of(arguments.root)[0]["spki_sha256"]}
    if not entries.is_fingerprint(arguments.root):
        raise ConfigError("neither a PEM file nor a SHA-256 fingerprint", arguments.root,
                          "give 64 hexadecimal digits")
    return {"spki_sha256" if arguments.key else "sha256": arguments.root.lower()}
