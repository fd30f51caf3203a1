"""Everything that goes into the core. Rule: plain data; whatever a peer sent is in it unchanged.

`link` is "live" (the session) or "next" (the second connection); an event answers the action named
in its docstring.
"""

from .credentials import CsrMade as CsrMade
from .credentials import Installed as Installed
from .credentials import InstallRefused as InstallRefused
from .credentials import Issued as Issued
from .credentials import IssueLater as IssueLater
from .credentials import IssueRefused as IssueRefused
from .credentials import KeyFailed as KeyFailed
from .credentials import KeyMade as KeyMade
from .credentials import KeyWiped as KeyWiped
from .record import Record
from .returns import ClockSet as ClockSet
from .returns import CredentialRead as CredentialRead
from .returns import Fetched as Fetched
from .returns import FetchFailed as FetchFailed
from .returns import Glanced as Glanced
from .returns import LayerRead as LayerRead
from .returns import LookedUp as LookedUp
from .returns import LookUpFailed as LookUpFailed
from .returns import TimeFailed as TimeFailed
from .shapes import Any_, Tree


class Start(Record):
    """The agent starts: what the driver found on the device.

    by_hand     True when a person started it at a terminal: the first dial is not spread
    state       {"assignment": {...}, "budgets": {...}, "trust": {...}, "clock": {...}, "crash":
                {"recent": crashes within the hour}}, absent ones left out
    layers      {"factory": {"anchors": [entry], "distrust": [sha256]}, "system": ..., "site": ...};
                an entry is what `pki.der.anchor_entry` returns
                state["second_session"] False for a board with room for one session
                state["slots"] {"a": credential as in Installed, or {"pending": True} for a key that
                has no certificate yet}, state["identity"] the frame of core/slots.py
    credential  {"kind": "x509" | "symmetric_key", "slot": "a", "fingerprint": ..., "not_before":
                utc_s,
                "not_after": utc_s, "cn": ...}; dates and cn None for a symmetric key
    """

    fields = ("by_hand", "state", "layers", "credential")
    by_hand: bool
    state: Tree
    layers: Tree
    credential: Tree


class Woke(Record):
    """The deadline named by `wake_at` has come."""

    fields = ()


class Stop(Record):
    """The owner asks the agent to end: sessions are closed in order."""

    fields = ()


class Verified(Record):
    """Dial: the TLS handshake is complete and its evidence was judged; no credential of MQTT was
    sent yet.

    anchor  SHA-256 hex of the root of the verified chain; chain  SHA-256 hex, leaf first
    issuer_spki  SHA-256 hex of the key that signed the leaf
    names   readable subject names, leaf first; tls  {"version", "suite", "fragment": {"asked",
            "negotiated", "reason"}}
    addresses  all that the name resolved to now; address  the one that answered
    """

    fields = (
        "link",
        "host",
        "address",
        "addresses",
        "anchor",
        "chain",
        "leaf_spki",
        "issuer_spki",
        "names",
        "not_before",
        "not_after",
        "tls",
        "took_ms",
    )
    link: str
    host: str
    address: str
    addresses: list[Any_]
    anchor: str
    chain: list[Any_]
    leaf_spki: str
    issuer_spki: str
    names: list[Any_]
    not_before: int
    not_after: int
    tls: Tree
    took_ms: int


class Failed(Record):
    """Dial: no usable TLS connection.

    fault      the class of design section 4: network trust policy clock memory identity
    verdict    a word of `pki.judge.VERDICTS` or of the driver's table
    presented  readable names of what the server presented, leaf first; its root or last issuer last
    chain      SHA-256 hex of what it presented, leaf first
    """

    fields = ("link", "fault", "verdict", "presented", "chain", "address")
    link: str
    fault: str
    verdict: str
    presented: list[Any_]
    chain: list[Any_]
    address: str | None


class Connected(Record):
    """Connect: CONNACK 0."""

    fields = ("link", "session_present")
    link: str
    session_present: bool


class Refused(Record):
    """Connect: CONNACK with another code."""

    fields = ("link", "code")
    link: str
    code: int


class Disconnected(Record):
    """The connection is gone. reason: closed | silent | network | asked | protocol."""

    fields = ("link", "reason")
    link: str
    reason: str


class Subscribed(Record):
    """Subscribe: SUBACK; granted in the order asked, 128 is a refusal."""

    fields = ("link", "granted")
    link: str
    granted: list[Any_]


class Acked(Record):
    """Publish: PUBACK for the core's own message `mid`."""

    fields = ("link", "mid")
    link: str
    mid: str


class Message(Record):
    """A PUBLISH from the peer."""

    fields = ("link", "topic", "payload")
    link: str
    topic: str
    payload: bytes


class Ponged(Record):
    """Ping: PINGRESP."""

    fields = ("link",)
    link: str


class Held(Record):
    """Hold: the queue is quiet; in_flight messages are still unacknowledged."""

    fields = ("in_flight",)
    in_flight: int


class Saved(Record):
    """Save: on the disk, synced."""

    fields = ("name", "generation")
    name: str
    generation: int


class SaveFailed(Record):
    """Save: not on the disk; the old state is as it was. reason: full | read-only | io | memory."""

    fields = ("name", "reason")
    name: str
    reason: str


class Signed(Record):
    """Sign: the HMAC of a symmetric key; empty for a certificate, which signs in TLS."""

    fields = ("purpose", "signature")
    secret = ("signature",)
    purpose: str
    signature: bytes


class Asked(Record):
    """Somebody asks: the control socket, a signal, or (through Message) a direct method. Answered
    by Tell("answer").

    what       reverify reprovision told roots_list roots_explain roots_add roots_distrust reply
               status
    arguments  {"by": "operator", ...}
    """

    fields = ("what", "arguments", "ask_id")
    what: str
    arguments: Tree
    ask_id: str
