"""What goes wrong at a mirror, a row for each: manners of answering, and folders signed wrongly.

A manner is a generator of bytes to write, milliseconds to wait, or CLOSE; the first bytes are the
head of the answer. A forged folder takes the place of the published one. No I/O.
Source: the attacks of the TUF specification 1.0, section 1.5.2; issue "Trust that cannot brick".
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import http1
from .bundles import Vendor
from .refusal import BadRequest

CLOSE = None
Steps = Iterator["bytes | int | None"]
PIECE = 65_536
EVIL = {"roots": {"unknown": "active"}}  # what an attacker would have devices trust
FAR = 2**31
AN_HOUR_MS = 3_600_000
OTHER_DAYS = 200


@dataclass
class Attack:
    """One attack and its particulars.

    file      only answers for this file: "timestamp.json", "targets.json", "trust.json", "der"
    every_ms  slow: a byte each
    after     cut: so many bytes come, then the connection ends
    to        redirect: the base of another place
    version   fast-forward: so far
    """

    name: str
    file: str = ""
    every_ms: int = 1000
    after: int = 1000
    to: str = ""
    version: int = FAR

    def is_for(self, name: str) -> bool:
        """Whether it concerns a file: HASH.trust.json and 2.targets.json by their last words."""
        return not self.file or name == self.file or name.endswith("." + self.file)


@dataclass
class Answer:
    """What an honest mirror would say; `found` is false for a file that does not exist."""

    name: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def found(self) -> bool:
        return self.status != 404

    def head(self, length: int | None, status: int | None = None, **more: str) -> bytes:
        """The head; a length of None says none, so that the end is where the connection ends."""
        headers = {**self.headers, **more}
        headers.update({"Connection": "close"} if length is None else {})
        if length is not None:
            headers["Content-Length"] = str(length)
        return http1.head(status or self.status, headers)


def plain(answer: Answer, attack: Attack | None = None) -> Steps:
    """As it should be."""
    yield answer.head(len(answer.body))
    yield answer.body


def garbage(answer: Answer, attack: Attack) -> Steps:
    """Random bytes instead of the file, also of one that does not exist."""
    length = len(answer.body) if answer.found else 1000
    yield answer.head(length, 200)
    yield random.randbytes(length)


def truncated(answer: Answer, attack: Attack) -> Steps:
    """Half of the file, as if it were the whole."""
    if not answer.found:
        yield from plain(answer)
        return
    half = len(answer.body) // 2
    yield answer.head(half)
    yield answer.body[:half]


def wrong_length(answer: Answer, attack: Attack) -> Steps:
    """More bytes announced than come."""
    yield answer.head(len(answer.body) + 1000)
    yield answer.body
    yield CLOSE


def cut(answer: Answer, attack: Attack) -> Steps:
    """The connection ends after some bytes of each answer: what a resume is for."""
    if len(answer.body) <= attack.after or not answer.found:
        yield from plain(answer)
        return
    yield answer.head(len(answer.body))
    yield answer.body[: attack.after]
    yield CLOSE


def endless(answer: Answer, attack: Attack) -> Steps:
    """Random bytes for as long as somebody listens."""
    yield answer.head(None, 200)
    while True:
        yield random.randbytes(PIECE)


def slow(answer: Answer, attack: Attack) -> Steps:
    """The right bytes, one at a time."""
    yield answer.head(len(answer.body))
    for at in range(len(answer.body)):
        yield attack.every_ms
        yield answer.body[at : at + 1]


def silent(answer: Answer, attack: Attack) -> Steps:
    """The request is taken, and nothing is said."""
    while True:
        yield AN_HOUR_MS


def redirect(answer: Answer, attack: Attack) -> Steps:
    """Sent away to another host."""
    yield answer.head(0, 302, Location=attack.to + answer.name)


def older(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """The release before the newest one."""
    if len(vendor.releases) < 2:
        raise BadRequest("nothing older was published", len(vendor.releases), "publish two")
    return vendor.releases[-2]


def equal(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """A second snapshot of the version that is out: the online key signs two."""
    versions = {**vendor.versions, "timestamp": vendor.versions["timestamp"] + 1}
    return {**vendor.files(), **vendor.online(vendor.targets_paper(), versions, OTHER_DAYS)}


def equal_targets(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """Second targets of the version that is out, by all their keys."""
    vendor.targets_paper()
    versions = {**vendor.next_versions(), "targets": vendor.versions["targets"]}
    return {**vendor.files(), **vendor.folder(EVIL, versions, days=OTHER_DAYS)}


def below_threshold(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """The next release by all holders of the targets but one."""
    holders = vendor.holders["targets"][1:]
    return {**vendor.files(), **vendor.folder(EVIL, vendor.next_versions(), holders)}


def below_threshold_root(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """The next root by one holder, who names himself for every role."""
    return {**vendor.files(), f"{vendor.versions['root'] + 1}.root.json": vendor.root_of_few()}


def other_vendor(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """Another vendor's folder, newer in every role."""
    return vendor.stranger().folder(EVIL, vendor.next_versions())


def expired(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """The next release by the right keys, good until yesterday."""
    vendor.targets_paper()
    return {**vendor.files(), **vendor.folder(vendor.said, vendor.next_versions(), days=-1)}


def fast_forward(vendor: Vendor, attack: Attack) -> dict[str, bytes]:
    """Who holds the online key, and no other, counts far ahead so that nothing newer can come."""
    versions = {**vendor.versions, "snapshot": attack.version, "timestamp": attack.version}
    return {**vendor.files(), **vendor.online(vendor.targets_paper(), versions)}


MANNERS: dict[str, Callable[[Answer, Attack], Steps]] = {
    "garbage": garbage,
    "truncated": truncated,
    "wrong-length": wrong_length,
    "cut": cut,
    "endless": endless,
    "slow": slow,
    "silent": silent,
    "redirect": redirect,
}
FORGED: dict[str, Callable[[Vendor, Attack], dict[str, bytes]]] = {
    "older": older,
    "equal": equal,
    "equal-targets": equal_targets,
    "below-threshold": below_threshold,
    "below-threshold-root": below_threshold_root,
    "other-vendor": other_vendor,
    "expired": expired,
    "fast-forward": fast_forward,
}
