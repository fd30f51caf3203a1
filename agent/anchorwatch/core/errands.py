"""Actions that leave the device beside the two links: time, status look-up, bundles.

Rule: plain data, one event answers each; see actions.py, which hands them out.
"""

from .record import Record
from .shapes import Any_, Tree


class AskTime(Record):
    """Ask the SNTP server for the time: ClockSet("sntp") or TimeFailed."""

    fields = ()


class AskDate(Record):
    """HTTPS HEAD to an endpoint, verified like a probe Dial; its Date: ClockSet("date") or
    TimeFailed."""

    fields = (
        "endpoint",
        "host",
        "port",
        "anchors",
        "limits",
        "profile",
        "judge_utc_s",
        "proxy",
    )
    endpoint: str
    host: str
    port: int
    anchors: list[Any_]
    limits: Tree
    profile: Tree
    judge_utc_s: int
    proxy: str


class Glance(Record):
    """Boards with room for one session: a look that ends before the handshake does. TCP, a hello,
    the server's chain in clear, close: Glanced, or Failed on the link "next" when nothing came.

    The rest as in Dial.
    """

    fields = (
        "endpoint",
        "host",
        "port",
        "anchors",
        "limits",
        "profile",
        "judge_utc_s",
        "proxy",
    )
    endpoint: str
    host: str
    port: int
    anchors: list[Any_]
    limits: Tree
    profile: Tree
    judge_utc_s: int
    proxy: str


class SetTime(Record):
    """Boards: set the board's clock before a dial, since their TLS always checks dates. Linux
    ignores it."""

    fields = ("utc_s",)
    utc_s: int


class LookUp(Record):
    """HTTPS POST of the unbilled registration status look-up at DPS: LookedUp or LookUpFailed.

    authorization  the SAS token of a symmetric key, None for a certificate (client certificate of
                   `slot`)
    """

    fields = (
        "host",
        "port",
        "path",
        "body",
        "authorization",
        "anchors",
        "limits",
        "profile",
        "slot",
        "judge_utc_s",
        "proxy",
    )
    secret = ("authorization",)
    host: str
    port: int
    path: str
    body: bytes
    authorization: str | None
    anchors: list[Any_]
    limits: Tree
    profile: Tree
    slot: str
    judge_utc_s: int
    proxy: str


class Fetch(Record):
    """Bring a layer's signed bundle up to date from one place: Fetched or FetchFailed.

    layer    vendor | site
    url      http: or https: prefix of a mirror, file: path of a folder, or inline:
    files    {name: bytes} for inline:, else {}
    utc_s    the time at which metadata expires, None without an authenticated clock: then floor_s
    dry_run  verify only: the state is not written
    """

    fields = ("layer", "url", "files", "utc_s", "floor_s", "until_ms", "dry_run")
    layer: str
    url: str
    files: Tree
    utc_s: int | None
    floor_s: int
    until_ms: int
    dry_run: bool
