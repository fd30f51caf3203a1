"""trust.json, member by member."""

from anchorwatch.pki.bundle import Bundle
from anchorwatch.wire.jsonwrite import write

_A, _B, _C = "a" * 64, "b" * 64, "c" * 64
_DATE = "2026-11-22T00:00:00Z"
_ANCHOR = {"sha256": _A, "spki_sha256": _B, "name": "CN=Root", "scope": ["dps", "hub"],
           "clouds": ["global"], "state": "active"}  # fmt: skip
_PLAIN = {"version": 3, "issued": _DATE, "anchors": [_ANCHOR]}
_OTHER = dict(_ANCHOR, sha256=_C)


def _without(tree, name):
    return {other: tree[other] for other in tree if other != name}


def of(tree, *path):
    """One value of the bundle read from `tree`."""
    value = Bundle(write(tree))
    for step in path:
        value = value[step] if isinstance(step, int) or isinstance(value, dict) else getattr(
            value, step)
    return value


def anchor(change, *path):
    return of(dict(_PLAIN, anchors=[dict(_ANCHOR, **change)]), "anchors", 0, *path)


def distrust(change, *path):
    row = {"sha256": _A, "kind": "hard"}
    row.update(change)
    row = {name: row[name] for name in row if row[name] is not None}
    return of(dict(_PLAIN, distrust=[row]), "distrust", 0, *path)


def _bad(name):
    return ("raises", "MalformedMessage", "signed file with a wrong or missing '%s'" % name)


CASES = (
    ("its version and date", of, (_PLAIN, "issued_s"), 1795305600),
    ("nothing said is nothing", lambda: [of(_PLAIN, n) for n in ("distrust", "announcements",
     "floor_reset_s", "min_agent")], (), [[], [], None, "0"]),
    ("the rules that hold without any", of, (_PLAIN, "policy"), {"evidence_days": 7,
     "unseen_days": 30, "reserve_days": 90}),
    ("a rule of its own", of, (dict(_PLAIN, policy={"evidence_days": 14, "new_rule": "x"}),
     "policy", "evidence_days"), 14),
    ("a reserve shorter than ours", of, (dict(_PLAIN, policy={"reserve_days": 89}),),
     _bad("reserve_days")),
    ("an anchor", anchor, ({},), {"sha256": _A, "spki_sha256": _B, "name": "CN=Root",
     "scope": ["hub", "dps"], "clouds": ["global"], "state": "active", "suffixes": [],
     "active_from": None, "leaf_not_before_max": None, "enforce_expiry": True}),
    ("a member nobody knows", anchor, ({"colour": "blue"}, "state"), "active"),
    ("a date from which", anchor, ({"not_before": "2030-01-31T12:00:00Z"}, "active_from"),
     1896091200),
    ("a date in another zone", anchor, ({"not_before": "2030-01-31T12:00:00+01:00"},),
     _bad("not_before")),
    ("a day that does not exist", anchor, ({"not_before": "2030-02-30T12:00:00Z"},),
     _bad("not_before")),
    ("a day without a time", anchor, ({"not_before": "2030-02-20"},), _bad("not_before")),
    ("a fraction of a second", anchor, ({"not_before": "2030-01-31T12:00:00.99Z"}, "active_from"),
     1896091200),
    ("a fraction without digits", anchor, ({"not_before": "2030-01-31T12:00:00.Z"},),
     _bad("not_before")),
    ("a space for the T", anchor, ({"not_before": "2030-01-31 12:00:00Z"},), _bad("not_before")),
    ("names by their ends", anchor, ({"dns": [".Azure-Devices.NET", "x.example"]}, "suffixes"),
     [".azure-devices.net", "x.example"]),
    ("an end that is everything", anchor, ({"dns": ["."]},), _bad("dns")),
    ("an end that is empty", anchor, ({"dns": [""]},), _bad("dns")),
    ("no ends at all", anchor, ({"dns": []},), _bad("dns")),
    ("a scope nobody knows", anchor, ({"scope": ["hub", "fridge"]},), _bad("scope")),
    ("no scope", anchor, ({"scope": []},), _bad("scope")),
    ("a scope twice", anchor, ({"scope": ["hub", "hub"]},), _bad("scope")),
    ("a cloud nobody knows", anchor, ({"clouds": ["cumulus"]},), _bad("clouds")),
    ("a state nobody knows", anchor, ({"state": "trusted"},), _bad("state")),
    ("a fingerprint in capitals", anchor, ({"sha256": "A" * 64},), _bad("sha256")),
    ("a fingerprint cut off", anchor, ({"spki_sha256": "b" * 63},), _bad("spki_sha256")),
    ("a name that is no text", anchor, ({"name": 7},), _bad("name")),
    ("expiry as a word", anchor, ({"enforce_expiry": "no"},), _bad("enforce_expiry")),
    ("an anchor twice", of, (dict(_PLAIN, anchors=[_ANCHOR, _ANCHOR]),), _bad("anchors")),
    ("64 anchors", lambda: len(of(dict(_PLAIN, anchors=[dict(_ANCHOR, sha256="%064x" % n)
     for n in range(64)]), "anchors")), (), 64),
    ("65 anchors", of, (dict(_PLAIN, anchors=[_ANCHOR] * 65),), _bad("anchors")),
    ("an anchor that is text", of, (dict(_PLAIN, anchors=["x"]),), _bad("anchors")),
    ("no anchors", of, (_without(_PLAIN, "anchors"),), _bad("anchors")),
    ("two anchors of one key", of, (dict(_PLAIN, anchors=[_ANCHOR, _OTHER]), "anchors", 1,
     "sha256"), _C),
    ("version zero", of, (dict(_PLAIN, version=0),), _bad("version")),
    ("a version that is true", of, (dict(_PLAIN, version=True),), _bad("version")),
    ("no date of issue", of, (_without(_PLAIN, "issued"),), _bad("issued")),
    ("hard distrust of a certificate", distrust, ({},), {"hash": _A, "of": "certificate",
     "kind": "hard", "after": None, "hold_s": 1209600, "reason": ""}),
    ("of a key, at once", distrust, ({"sha256": None, "spki_sha256": _B, "hold_s": 0}, "hold_s"),
     0),
    ("of both", distrust, ({"spki_sha256": _B},), _bad("distrust")),
    ("of nothing", distrust, ({"sha256": None},), _bad("distrust")),
    ("sunset after a date", distrust, ({"kind": "sunset", "after": _DATE}, "after"), 1795305600),
    ("sunset without a date", distrust, ({"kind": "sunset"},), _bad("after")),
    ("hard with a date", distrust, ({"after": _DATE},), _bad("after")),
    ("sunset with a hold", distrust, ({"kind": "sunset", "after": _DATE, "hold_s": 5},),
     _bad("hold_s")),
    ("a hold below zero", distrust, ({"hold_s": -1},), _bad("hold_s")),
    ("a kind nobody knows", distrust, ({"kind": "soft"},), _bad("kind")),
    ("an announcement", of, (dict(_PLAIN, announcements=[{"endpoint": "hub", "root": _C,
     "date": _DATE}]), "announcements", 0), {"endpoint": "hub", "root": _C, "date": 1795305600}),
    ("an announcement for nobody", of, (dict(_PLAIN, announcements=[{"endpoint": "", "root": _C,
     "date": _DATE}]),), _bad("endpoint")),
    ("a floor that is lowered", of, (dict(_PLAIN, floor_reset=_DATE), "floor_reset_s"),
     1795305600),
    ("a later agent", lambda: of(dict(_PLAIN, min_agent="1.2")) .check_agent("1.10"), (), None),
    ("an earlier agent", lambda: of(dict(_PLAIN, min_agent="1.10")) .check_agent("1.2.9"), (),
     ("raises", "TrustError", "bundle needs a newer agent: 1.10, here is 1.2.9")),
    ("a version that is no number", of, (dict(_PLAIN, min_agent="1.x"),),
     ("raises", "MalformedMessage", "version that is not numbers and dots")),
    ("not JSON", Bundle, (b"trust",), ("raises", "MalformedMessage", "JSON: ")),
    ("longer than allowed", Bundle, (b" " * 65537,), ("raises", "MalformedMessage",
     "JSON longer than 65536 bytes")),
)  # fmt: skip
