"""Events that answer errands.py, or tell of files that changed. Rule: plain data; see events.py,
which hands them out.
"""

from .record import Record
from .shapes import Any_, Tree


class ClockSet(Record):
    """AskTime, AskDate, or the driver's own knowledge. source: sntp | kernel | rtc | date."""

    fields = ("utc_s", "source")
    utc_s: int
    source: str


class TimeFailed(Record):
    """AskTime or AskDate: no answer. source as in ClockSet."""

    fields = ("source", "reason")
    source: str
    reason: str


class LookedUp(Record):
    """LookUp: the HTTPS answer of the registration status look-up."""

    fields = ("status", "retry_after_s", "body")
    status: int
    retry_after_s: int | None
    body: bytes


class LookUpFailed(Record):
    """LookUp: no HTTPS answer; fault and verdict as in Failed."""

    fields = ("fault", "verdict")
    fault: str
    verdict: str


class LayerRead(Record):
    """The driver read a trust layer again; entries as in Start."""

    fields = ("layer", "anchors", "distrust")
    layer: str
    anchors: list[Any_]
    distrust: list[Any_]


class Fetched(Record):
    """Fetch: verified, and (but for a dry run) on the disk in a folder that no frame names yet.

    bundle  {"folder": number of bundle/N/, or 0 when nothing was new, "digest": sha256 of
            trust.json, "version", "issued_s", "expires_s", "anchors": [entry with its limits],
            "distrust": [row], "announcements": [row], "policy", "floor_reset_s", "lineage": [sha256
            of every root of trust so far]}; rows as in `pki.bundle.Bundle`
    """

    fields = ("layer", "url", "bundle")
    layer: str
    url: str
    bundle: Tree


class FetchFailed(Record):
    """Fetch: nothing changed.

    reason  a sentence of the verifier, or network | policy | silent | slow | cut | redirected |
            too-long | full | read-only | io | memory | no-root
    value   what it is about, after the verdict of TLS where that ended it
    """

    fields = ("layer", "url", "reason", "value")
    layer: str
    url: str
    reason: str
    value: str


class CredentialRead(Record):
    """The driver read the credential again, because its files changed; as in Start."""

    fields = ("credential",)
    credential: Tree


class Glanced(Record):
    """Glance: the server's chain in clear, matched against the anchors by names, keys and dates.

    fault, verdict  as in Failed; "" and "ok" where nothing speaks against it
    presented, chain, address  as in Failed
    """

    fields = ("endpoint", "fault", "verdict", "presented", "chain", "address")
    endpoint: str
    fault: str
    verdict: str
    presented: list[Any_]
    chain: list[Any_]
    address: str | None
