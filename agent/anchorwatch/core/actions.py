"""Everything that comes out of the core. Rule: plain data, performed by the driver in the order
given.

The events that answer each action are named in its docstring.
"""

from .credentials import Enroll as Enroll
from .credentials import Install as Install
from .credentials import MakeCsr as MakeCsr
from .credentials import NewKey as NewKey
from .credentials import Prove as Prove
from .credentials import WipeKey as WipeKey
from .errands import AskDate as AskDate
from .errands import AskTime as AskTime
from .errands import Fetch as Fetch
from .errands import Glance as Glance
from .errands import LookUp as LookUp
from .errands import SetTime as SetTime
from .record import Record
from .shapes import Any_, Tree


class Dial(Record):
    """Open TCP and TLS to an endpoint and judge the server: Verified or Failed. No CONNECT, no
    token.

    endpoint     hub | dps | est | mirror; host is also the name in SNI, and the one that the
                 certificate must carry
    transport    mqtt | websocket | https: what is spoken in TLS, if anything; a probe ends before
    anchors      SHA-256 hex of the anchors offered to TLS, sorted; the driver finds the DER. Empty
                 for est where est.anchors_file is set: the driver reads that file at each dial, and
                 takes its roots, all and no others
    limits       {sha256: {"leaf_not_before_max": utc_s or None, "issuers": [spki sha256] or None}}
                 of anchors that are offered with a restriction: a leaf that is younger, or one
                 whose issuer's key is another, fails with the verdict `sunset` or `on-hold`
    profile      {"suites", "max_fragment", "strict", "all_ecc", "check_time"}; and unless
                 max_fragment is off, "max_fragment_bytes"
    slot         credential slot for the client certificate; None is a probe: no client certificate
    judge_utc_s  the time at which dates are judged
    """

    fields = (
        "link",
        "endpoint",
        "host",
        "port",
        "transport",
        "anchors",
        "limits",
        "profile",
        "slot",
        "judge_utc_s",
        "proxy",
        "mode",
    )
    link: str
    endpoint: str
    host: str
    port: int
    transport: str
    anchors: list[Any_]
    limits: Tree
    profile: Tree
    slot: str | None
    judge_utc_s: int
    proxy: str
    mode: str


class Connect(Record):
    """MQTT CONNECT on a verified link: Connected or Refused, later Disconnected."""

    fields = ("link", "client_id", "username", "password", "keepalive_s", "clean")
    secret = ("password",)
    link: str
    client_id: str
    username: str
    password: str | None
    keepalive_s: int
    clean: bool


class Subscribe(Record):
    """MQTT SUBSCRIBE, QoS 1 each: Subscribed."""

    fields = ("link", "filters")
    link: str
    filters: list[Any_]


class Publish(Record):
    """MQTT PUBLISH of the core's own message; Acked for QoS 1."""

    fields = ("link", "topic", "payload", "qos", "mid")
    link: str
    topic: str
    payload: bytes
    qos: int
    mid: str


class Close(Record):
    """End a link (DISCONNECT where MQTT spoke); nothing answers. Closing a link that is not open
    does nothing."""

    fields = ("link", "reason")
    link: str
    reason: str


class Swap(Record):
    """Make next the live link; the old one is read to its end and dropped. Unacknowledged messages
    go again on the new."""

    fields = ()


class Ping(Record):
    """MQTT PINGREQ: Ponged."""

    fields = ("link",)
    link: str


class Feed(Record):
    """Send the telemetry queue over this link until Hold."""

    fields = ("link",)
    link: str


class Hold(Record):
    """Stop sending telemetry and wait for its acknowledgements, at most until `until_ms`: Held."""

    fields = ("until_ms",)
    until_ms: int


class Save(Record):
    """Write one state file through the two-slot layer: Saved or SaveFailed.

    name  clock assignment budgets trust (body: a tree of dicts, lists, str, int) or
          site/<sha256>.pem, site/distrust (body: text)
    """

    fields = ("name", "body")
    name: str
    body: object


class Wipe(Record):
    """Overwrite and remove a state file; Saved with generation 0."""

    fields = ("name",)
    name: str


class Sign(Record):
    """HMAC-SHA-256 with the symmetric key of a slot: Signed."""

    fields = ("purpose", "data", "slot")
    purpose: str
    data: bytes
    slot: str


class Tell(Record):
    """Something for people and programs: the log, `watch` streams, an answer to Asked, a C2D or a
    method for the application.

    name  state fault gap swap reverify clock trust assignment answer c2d method desired warning
    """

    fields = ("name", "about")
    name: str
    about: Tree
