"""The device twin: desired versions without gaps, reported properties without repetition.

Rule: one request at a time; the cloud's copy is asked for whole after every connect, swap and gap.
Source: Microsoft Learn, "Understand and use device twins"; design section 12.
"""

from ..constants import const
from ..wire import hub as hub_wire
from .actions import Publish, Tell
from .events import Asked
from .machine import Machine
from .meanings import (
    Desired,
    Dirty,
    Gap,
    Got,
    Overtaken,
    Patched,
    Quiet,
    Tuned,
    TwinRefused,
)
from .shapes import Any_, Event, Items, Table, Tree

OFFLINE = const("offline")
GETTING = const("getting")
READY = const("ready")
PATCHING = const("patching")
LATER = const("waiting to ask")

# fmt: off
TWIN: Table = (
    # in       on             go to     and
    (OFFLINE,  "Online",      GETTING,  "get"),
    (GETTING,  "Got",         READY,    "take"),
    (GETTING,  "Overtaken",   GETTING,  "get_again"),
    (GETTING,  "TwinRefused", LATER,    "later"),
    (GETTING,  "Woke",        LATER,    "later"),
    (GETTING,  "Desired",     GETTING,  "mind"),
    (GETTING,  "Gap",         GETTING,  "mind"),
    (GETTING,  "Moved",       GETTING,  "get"),
    (GETTING,  "Offline",     OFFLINE,  "close"),
    (READY,    "Gap",         GETTING,  "get"),
    (READY,    "Moved",       GETTING,  "get"),
    (READY,    "Desired",     READY,    "apply"),
    (READY,    "Dirty",       PATCHING, "patch"),
    (READY,    "Offline",     OFFLINE,  "close"),
    (PATCHING, "Patched",     READY,    "patched"),
    (PATCHING, "TwinRefused", LATER,    "later"),
    (PATCHING, "Woke",        LATER,    "later"),
    (PATCHING, "Desired",     PATCHING, "apply_on"),
    (PATCHING, "Gap",         GETTING,  "get"),
    (PATCHING, "Moved",       GETTING,  "get"),
    (PATCHING, "Offline",     OFFLINE,  "close"),
    (LATER,    "Woke",        GETTING,  "get"),
    (LATER,    "Moved",       GETTING,  "get"),
    (LATER,    "Desired",     LATER,    "apply_on"),
    (LATER,    "Gap",         LATER,    "mind"),
    (LATER,    "Offline",     OFFLINE,  "close"),
)
# fmt: on

REPLY_MS = 30_000
LATER_MS = 60_000
INTERVAL_LEAST_S = 900
INTERVAL_MOST_S = 86_400
KEY = const("anchorwatch")
TRY_LATER = 3
ANSWER_AT_MOST = 256


class Twin(Machine):
    """`wanted` is what should be reported under `anchorwatch`; version is the desired version we
    hold."""

    table = TWIN
    late = ("Got", "Patched", "TwinRefused", "Desired", "Gap", "Dirty", "Moved")
    state = OFFLINE

    def __init__(self) -> None:
        self.version: int | None = None
        self._wanted: Tree = {}
        self._reported: Tree = {}
        self._sent: Tree = {}
        self._acknowledged: Tree = {}
        self._request = 0
        self._minded = 0
        self._until_ms = 0  # of the request, or of the pause after a refused one

    @property
    def open(self) -> int:
        """Requests without a reply."""
        return 1 if self.state in (GETTING, PATCHING) else 0

    def forget(self) -> None:
        """Another hub, or a reset one: its twin is not the one we knew."""
        self.version = None
        self._reported = {}

    def report(self, wanted: Tree) -> Items:
        """[Dirty()] when what should be reported is not what was."""
        self._wanted = wanted
        return [Dirty()] if self.state == READY and self._patch_tree() else []

    def meaning(self, parsed: tuple[Any_, ...]) -> object:
        """A parsed twin or desired message as a meaning; None for a reply nobody waits for."""
        if parsed[0] == "desired":
            _, version, patch = parsed
            if self.version is not None and version <= self.version:
                return None
            follows = self.version is not None and version == self.version + 1
            return Desired(patch, version) if follows else Gap(version)
        _, status, request_id, version, document = parsed
        if request_id != str(self._request) or not self.open:
            return None
        if document is not None and self.state == GETTING:
            version = document["desired"]["$version"]
            return Overtaken() if self._minded > version else Got(document["desired"], version)
        if status == 204 and self.state == PATCHING:
            return Patched(version or 0)
        return TwinRefused(status)

    def _get(self, event: Event, now: int) -> Items:
        self.wake_at = self._until_ms = now + REPLY_MS
        return [Publish("live", hub_wire.twin_get_topic(self._next_id()), b"", 1, self._mid())]

    def _get_again(self, event: Event, now: int) -> Items:
        self._minded = 0
        return self._get(event, now)

    def _take(self, event: Event, now: int) -> Items:
        """The whole document: what changed while we were away is in it."""
        self._minded = 0
        news = event.version != self.version
        self.version = event.version
        desired = {k: event.desired[k] for k in event.desired if k != "$version"}
        out = [Tell("desired", {"version": event.version, "whole": True, "desired": desired})]
        return (out + self._obey(desired) if news else []) + self._settled()

    def _apply(self, event: Event, now: int) -> Items:
        return self._apply_on(event, now) + self._settled()

    def _apply_on(self, event: Event, now: int) -> Items:
        if self.state != READY:
            self.wake_at = self._until_ms
        self.version = event.version
        told = Tell("desired", {"version": event.version, "whole": False, "desired": event.patch})
        return [told] + self._obey(event.patch)

    def _obey(self, desired: Tree) -> Items:
        """Our own desired properties: each is acknowledged with value, ac, av, ad."""
        ours = desired.get(KEY)
        if not isinstance(ours, dict):
            return []
        out = self._interval(ours.get("reverifyIntervalS")) + self._bundle(ours.get("bundle"))
        return out + self._roll(ours.get("roll"))

    def _roll(self, value: object) -> Items:
        """A certificate to renew: {"issued_before": utc_s, "reason"}; one issued since is kept."""
        before = value.get("issued_before") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(before, int):
            return []
        return [Asked("roll", dict(value, by="cloud"), "r:%d" % before)]

    def _bundle(self, value: object) -> Items:
        """A bundle to fetch: {"version", "url"}, or {"version", "files"} when it is small."""
        if not isinstance(value, dict):
            return []
        asked: Tree = dict(value, by="cloud", layer="vendor", dry_run=False)
        return [Asked("roots_import", asked, "t:%s" % value.get("version", ""))]

    def answer(self, about: Tree) -> Items:
        """What became of a desired bundle or roll: 200 taken, 202 try later, 409 refused."""
        text = "" if about["ok"] else "%s: %s" % (about["what"], about["value"])
        code = 200 if about["ok"] else (202 if about["code"] == TRY_LATER else 409)
        name = "roll" if about["ask_id"][:2] == "r:" else "bundle"
        self._acknowledged[name] = hub_wire.acknowledgement(
            about["ask_id"][2:], code, self.version or 0, text[:ANSWER_AT_MOST]
        )
        return [Dirty()] if self.state == READY and self._patch_tree() else []

    def _interval(self, value: object) -> Items:
        if not isinstance(value, int) or isinstance(value, bool):
            return []
        clamped = min(max(value, INTERVAL_LEAST_S), INTERVAL_MOST_S)
        text = "" if clamped == value else "clamped"
        self._acknowledged["reverifyIntervalS"] = hub_wire.acknowledgement(
            clamped, 200, self.version or 0, text
        )
        return [Tuned(clamped)]

    def _patch(self, event: Event, now: int) -> Items:
        self.wake_at = self._until_ms = now + REPLY_MS
        self._sent = self._patch_tree()
        topic = hub_wire.twin_patch_topic(self._next_id())
        return [Publish("live", topic, hub_wire.twin_patch_body({KEY: self._sent}), 1, self._mid())]

    def _patched(self, event: Event, now: int) -> Items:
        for name in self._sent:
            self._reported[name] = self._sent[name]
        return [Quiet()] + self._settled()

    def _later(self, event: Event, now: int) -> Items:
        self.wake_at = self._until_ms = now + LATER_MS
        return [Quiet()]

    def _mind(self, event: Event, now: int) -> Items:
        self.wake_at = self._until_ms
        self._minded = max(self._minded, event.version)
        return []

    def _close(self, event: Event, now: int) -> Items:
        self._minded = 0
        return []

    def _settled(self) -> Items:
        return [Quiet()] + ([Dirty()] if self._patch_tree() else [])

    def _patch_tree(self) -> Tree:
        """What differs from what was reported; a name that is gone becomes None."""
        wanted = {name: self._wanted[name] for name in self._wanted}
        wanted.update(self._acknowledged)
        patch = {n: wanted[n] for n in wanted if self._reported.get(n) != wanted[n]}
        for name in self._reported:
            if name not in wanted and self._reported[name] is not None:
                patch[name] = None
        return patch

    def _next_id(self) -> str:
        self._request += 1
        return str(self._request)

    def _mid(self) -> str:
        return "t%d" % self._request
