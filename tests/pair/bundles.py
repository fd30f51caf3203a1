"""Signed bundles for pair tests: what a mirror carries and what a device's disk makes of it.

Rule: a tree here is what `Fetched.bundle` is to the core; signatures are tested elsewhere, while
versions, ends and folders behave as with the real driver.
"""

import copy
import hashlib
import json

from anchorwatch.core import actions, events
from anchorwatch.core.records import folders
from tests.pair.cloud import ENDS_UTC_S, EPOCH_UTC_S
from tests.timelines.replay import entry

MIRROR = "http://mirror.example/vendor"
FOLDER = "file:/drop"
TRUST = {"trust": {"mirrors": [MIRROR]}}
HOLD_S = 1_209_600
LIMITS = {"scope": [], "suffixes": [], "active_from": None, "leaf_not_before_max": None,
          "enforce_expiry": True}  # fmt: skip


def anchor(name: str, state: str = "active", **limits: object) -> dict:
    """A root of a bundle; limits as pki.bundle reads them, not_after of the certificate."""
    return {**entry(name), **LIMITS, "clouds": ["global"], "state": state, **limits}


def hard(name: str, hold_s: int = HOLD_S) -> dict:
    """Hard distrust of a root by its certificate."""
    return {"hash": name, "of": "certificate", "kind": "hard", "after": None, "hold_s": hold_s,
            "reason": ""}  # fmt: skip


def sunset(name: str, after_s: int) -> dict:
    """Distrust of leaves that begin later."""
    return dict(hard(name), kind="sunset", after=after_s)


def bundle(version: int, anchors: list, distrust: tuple | list = (), *,
           issued_s: int = EPOCH_UTC_S, expires_s: int = ENDS_UTC_S,
           floor_reset_s: int | None = None, **policy: int) -> dict:  # fmt: skip
    """A bundle of this version; anchors are names or what `anchor` gives."""
    rows = [anchor(one) if isinstance(one, str) else one for one in anchors]
    tree = {"version": version, "issued_s": issued_s, "expires_s": expires_s, "anchors": rows,
            "distrust": list(distrust), "announcements": [], "policy": policy,
            "floor_reset_s": floor_reset_s}  # fmt: skip
    return {**tree, "digest": hashlib.sha256(json.dumps(tree).encode()).hexdigest()}


class Folders:
    """The disk's bundle/N/ of one device; `contents` {"N": content}, `writes` counts them.

    rooted   layers that have a root of trust
    stamps   {"N": which timestamp vouched for it}
    """

    def __init__(self, rooted: tuple) -> None:
        self.rooted = list(rooted)
        self.contents: dict[str, dict] = {}
        self.stamps: dict[str, int] = {}
        self.writes = 0
        self._before: list[str] = []

    def start(self, trust: dict | None) -> dict:
        """What Start tells of the folders that the frame names; those that came after it go."""
        named = folders((trust or {}).get("bundles", {}))
        newest = max([int(number) for number in named], default=0)
        self._keep([n for n in self.contents if int(n) <= newest])
        return {n: copy.deepcopy(self.contents[n]) for n in named if n in self.contents}

    def saved(self, trust: dict) -> None:
        """The frame is on the disk: what neither it nor the one before names goes."""
        named = folders(trust.get("bundles", {}))
        newest = max([int(number) for number in named], default=0)
        kept = [n for n in self.contents if n in named or n in self._before or int(n) > newest]
        self._keep(kept)
        self._before = named

    def fetched(self, order: actions.Fetch, offer: object, stamp: int, trust: dict | None,
                full: str | None) -> object:  # fmt: skip
        """The answer to a Fetch: `offer` is a bundle or why there is none."""
        if isinstance(offer, str):
            return events.FetchFailed(order.layer, order.url, offer, "")
        record = (trust or {}).get("bundles", {}).get(order.layer, {})
        held = str(record.get("folder", 0))
        wrong = refused(offer, self.contents.get(held), order)
        number = 0
        if not wrong and not order.dry_run and not self._same(held, offer, stamp):
            wrong = full or ""
            number = 0 if wrong else self._write(offer, stamp)
        if wrong:
            return events.FetchFailed(order.layer, order.url, wrong, "")
        found = copy.deepcopy(dict(offer, folder=number))
        return events.Fetched(order.layer, order.url, found)

    def _same(self, held: str, offer: dict, stamp: int) -> bool:
        there = self.contents.get(held, {})
        return there.get("digest") == offer["digest"] and self.stamps[held] == stamp

    def _write(self, offer: dict, stamp: int) -> int:
        number = 1 + max([int(n) for n in self.contents] + [0])
        self.contents[str(number)] = copy.deepcopy(dict(offer, folder=number))
        self.stamps[str(number)] = stamp
        self.writes += 1
        return number

    def _keep(self, numbers: list[str]) -> None:
        self.contents = {n: self.contents[n] for n in self.contents if n in numbers}
        self.stamps = {n: self.stamps[n] for n in self.contents}


def refused(offer: dict, there: dict | None, order: actions.Fetch) -> str:
    """What a verifier says against a bundle; "" when nothing."""
    if there and offer["version"] < there["version"]:
        return "older than what is known"
    if there and offer["version"] == there["version"] and offer["digest"] != there["digest"]:
        return "another content under the same version"
    ends = order.floor_s if order.utc_s is None else order.utc_s
    return "expired" if offer["expires_s"] < ends else ""
