"""trust.json, the one signed target that the agent interprets: roots, their states, distrust.

Rule: it is read whole or refused whole, with bounds on every list. Members nobody here knows are
ignored, words nobody here knows are not: `min_agent` keeps older agents away from them. Moments are
seconds since 1970 once they are read.

Source: design, "Trust".
"""

from ..errors import MalformedMessage, TrustError
from ..values import host_problem
from ..wire.jsonread import parse_object
from . import fields
from .der import anchor_entry
from .roles import refused
from .shapes import Entry

TRUST = "trust.json"
TRUST_AT_MOST = 65_536
SCOPES = ("hub", "dps", "est", "mirror")
CLOUDS = ("global", "usgov", "china")
STATES = ("staged", "active", "sunset", "retired")
KINDS = ("hard", "sunset")
HOLD_S_MOST = 1_209_600
_ANCHORS_AT_MOST = 64
_DISTRUST_AT_MOST = 256
_ANNOUNCEMENTS_AT_MOST = 64
_SUFFIXES_AT_MOST = 32
POLICY = {
    # name: (what holds without it, least, most)
    "evidence_days": (7, 1, 90),
    "unseen_days": (30, 1, 365),
    "reserve_days": (90, 90, 3650),
}


class Bundle:
    """What a trust.json says.

    version        that of the targets which sign it; issued_s  when it was made
    anchors        [{"sha256", "spki_sha256", "name", "scope", "suffixes", "clouds", "state",
                   "active_from", "leaf_not_before_max", "enforce_expiry"}]; a limit that is not
                   given is an empty list or None
    distrust       [{"hash", "of": "certificate" or "key", "kind", "after", "hold_s", "reason"}]
    announcements  [{"endpoint", "root", "date"}]
    policy         {name of POLICY: number}
    floor_reset_s  what the time floor is lowered to, or None
    """

    def __init__(self, data: bytes) -> None:
        tree = parse_object(data, TRUST_AT_MOST)
        self.version = fields.whole(tree, "version", 1)
        self.issued_s = fields.instant(tree, "issued")
        self.min_agent = fields.text(tree, "min_agent", 32) if "min_agent" in tree else "0"
        self.anchors = [_anchor(a) for a in fields.objects(tree, "anchors", _ANCHORS_AT_MOST)]
        rows = fields.objects(tree, "distrust", _DISTRUST_AT_MOST) if "distrust" in tree else []
        self.distrust = [_distrust(row) for row in rows]
        told = "announcements" in tree
        rows = fields.objects(tree, "announcements", _ANNOUNCEMENTS_AT_MOST) if told else []
        self.announcements = [_announcement(row) for row in rows]
        self.policy = _policy(fields.mapped(tree, "policy", 64) if "policy" in tree else {})
        self.floor_reset_s = _moment(tree, "floor_reset")
        _once("anchors", [anchor["sha256"] for anchor in self.anchors])
        _once("distrust", [row["hash"] for row in self.distrust])
        _numbers(self.min_agent)

    def check_agent(self, version: str) -> None:
        """Raise if the bundle is made for a later agent than `version`."""
        if _numbers(version) < _numbers(self.min_agent):
            shown = "%s, here is %s" % (self.min_agent, version)
            raise TrustError("bundle needs a newer agent", shown, "update the agent first")

    def of_cloud(self, cloud: str) -> list[Entry]:
        """The anchors for a cloud."""
        return [anchor for anchor in self.anchors if cloud in anchor["clouds"]]


def certificate_name(anchor: Entry) -> str:
    """The path of the target that holds an anchor's certificate."""
    return "%s.der" % anchor["sha256"]


def entry(anchor: Entry, der: bytes) -> Entry:
    """What a trust layer keeps: the certificate's own facts (der.anchor_entry) and the limits."""
    known = anchor_entry(der)
    for name in ("sha256", "spki_sha256"):
        if known[name] != anchor[name]:
            raise refused("file is not the one that was signed", certificate_name(anchor))
    return dict(anchor, **known)


def content(found: Bundle, entries: list[Entry], digest: str, expires_s: int) -> Entry:
    """A bundle as a tree that JSON can hold: what the core decides on.

    entries    of the anchors for this device's cloud, as `entry` makes them
    digest     SHA-256 of trust.json
    expires_s  when the first of the files that vouch for it ends
    """
    return {
        "digest": digest,
        "version": found.version,
        "issued_s": found.issued_s,
        "expires_s": expires_s,
        "anchors": entries,
        "distrust": found.distrust,
        "announcements": found.announcements,
        "policy": found.policy,
        "floor_reset_s": found.floor_reset_s,
    }


def _anchor(tree: dict[str, object]) -> Entry:
    return {
        "sha256": fields.sha256(tree, "sha256"),
        "spki_sha256": fields.sha256(tree, "spki_sha256"),
        "name": fields.text(tree, "name", 1024),
        "scope": _some(tree, "scope", SCOPES),
        "clouds": _some(tree, "clouds", CLOUDS),
        "state": fields.chosen(tree, "state", STATES),
        "suffixes": _suffixes(tree) if "dns" in tree else [],
        "active_from": _moment(tree, "not_before"),
        "leaf_not_before_max": _moment(tree, "leaf_not_before_max"),
        "enforce_expiry": fields.flag(tree, "enforce_expiry", True),
    }


def _some(tree: dict[str, object], name: str, known: tuple[str, ...]) -> list[str]:
    found = fields.words(tree, name, len(known))
    strange = [word for word in found if word not in known]
    if strange or not found:
        raise fields.wrong(name, ", ".join(strange))
    return [word for word in known if word in found]


def _suffixes(tree: dict[str, object]) -> list[str]:
    """Ends of host names, in lower case; one that allows nothing or everything is refused."""
    found = fields.words(tree, "dns", _SUFFIXES_AT_MOST)
    for suffix in found:
        if host_problem(suffix[1:] if suffix[:1] == "." else suffix):
            raise fields.wrong("dns", suffix)
    if not found:
        raise fields.wrong("dns")
    return [suffix.lower() for suffix in found]


def _distrust(tree: dict[str, object]) -> Entry:
    of_key = "spki_sha256" in tree
    kind = fields.chosen(tree, "kind", KINDS)
    if of_key == ("sha256" in tree):
        raise fields.wrong("distrust", "names a certificate or a key, one of them")
    if (kind == "sunset") != ("after" in tree):
        raise fields.wrong("after", "goes with sunset")
    if kind == "sunset" and "hold_s" in tree:
        raise fields.wrong("hold_s", "goes with hard")
    return {
        "hash": fields.sha256(tree, "spki_sha256" if of_key else "sha256"),
        "of": "key" if of_key else "certificate",
        "kind": kind,
        "after": _moment(tree, "after"),
        "hold_s": fields.whole(tree, "hold_s", 0) if "hold_s" in tree else HOLD_S_MOST,
        "reason": fields.text(tree, "reason", 512) if "reason" in tree else "",
    }


def _announcement(tree: dict[str, object]) -> Entry:
    return {
        "endpoint": fields.chosen(tree, "endpoint", SCOPES),
        "root": fields.sha256(tree, "root"),
        "date": fields.instant(tree, "date"),
    }


def _policy(tree: dict[str, object]) -> dict[str, int]:
    found = {}
    for name in POLICY:
        otherwise, least, most = POLICY[name]
        found[name] = fields.whole(tree, name, least, most) if name in tree else otherwise
    return found


def _moment(tree: dict[str, object], name: str) -> int | None:
    return fields.instant(tree, name) if name in tree else None


def _once(name: str, hashes: list[str]) -> None:
    for value in hashes:
        if hashes.count(value) > 1:
            raise fields.wrong(name, "%s twice" % value)


def _numbers(version: str) -> list[int]:
    """`0.10.2` as [0, 10, 2], so that it sorts; what follows the digits of a part is dropped."""
    parts = version.split(".")
    if len(parts) > 4 or [p for p in parts if not 0 < len(p) <= 6 or [c for c in p if c not in _D]]:
        raise MalformedMessage("version that is not numbers and dots", version)
    return [int(part) for part in parts]


_D = "0123456789"
