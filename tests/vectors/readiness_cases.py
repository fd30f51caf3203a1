"""Readiness for announced roots: the same words on both runtimes."""

from anchorwatch.config import Config
from anchorwatch.core import readiness
from anchorwatch.core.trust import Trust

_NOW_S = 1793491200
_TREE = {"device": {"registration_id": "d", "id_scope": "0ne"}, "dps": {}, "state": {"dir": "/s"},
         "credential": {"kind": "symmetric_key", "key_file": "/k"}}  # fmt: skip
_PROFILE = {"suites": "any", "all_ecc": False, "max_fragment": "off"}
_STAGED, _ELSEWHERE, _HELD = "aa" * 32, "bb" * 32, "cc" * 32


def _entry(sha256, **limits):
    found = {"sha256": sha256, "spki_sha256": "00" * 32, "name": "CN=Root", "key": "rsa-2048",
             "not_before": 0, "not_after": 2147169600}  # fmt: skip
    found.update(limits)
    return found


def _store(announced):
    """A store of one factory root, G2, and a vendor's."""
    store = Trust(Config(_TREE))
    rows = [{"endpoint": e, "root": root, "date": _NOW_S + day} for e, root, day in announced]
    store.start({
        "factory": {"anchors": [_entry(readiness.G2)], "distrust": []},
        "vendor": {"anchors": [_entry(_STAGED, state="staged"), _entry(_ELSEWHERE, scope=["dps"])],
                   "distrust": [{"hash": _HELD, "of": "certificate", "kind": "hard", "after": None,
                                 "hold_s": 0, "reason": ""}],
                   "announcements": rows},
    }, {})  # fmt: skip
    store.judge_at(_NOW_S, _NOW_S)
    return store


def reported(*announced):
    return readiness.reported(_store(announced), lambda endpoint: _PROFILE)


def rehearsed(word, endpoint, **profile):
    asked = dict(_PROFILE, **profile)
    where = {"endpoint": endpoint, "host": "", "utc_s": _NOW_S, "profile": asked}
    return readiness.verdict(_store(()), where, readiness.profiles()[word])


def _elliptic(word, endpoint):
    return rehearsed(word, endpoint, suites="ecdsa")


CASES = (
    ("nothing is announced", reported, (), {}),
    ("each announced root by the begin of its hash", reported, (
        ("hub", readiness.G2, 9), ("hub", _STAGED, 5), ("hub", _ELSEWHERE, 5), ("dps", _HELD, 1),
        ("hub", readiness.MS_RSA, 2), ("est", readiness.G2, 2)),
     {"hub": {"root_cb3ccbb76031e5e0": "ready", "root_aaaaaaaaaaaaaaaa": "reserve",
              "root_bbbbbbbbbbbbbbbb": "out-of-scope", "root_c741f70f4b2a8d88": "absent"},
      "dps": {"root_cccccccccccccccc": "distrusted"}}),
    ("a root that ends before the announced day", reported, (("hub", readiness.G2, 360_000_000),),
     {"hub": {"root_cb3ccbb76031e5e0": "expired"}}),
    ("a long chain under a root that is here", rehearsed, ("g2-rsa-long", "dps"), "ready"),
    ("the root of the last migration", rehearsed, ("baltimore", "hub"), "expired"),
    ("an RSA leaf for ECDSA suites", _elliptic, ("g2-rsa", "hub"), "suites"),
    ("what a library says that is in no list", readiness.of_chain, ("new",), "chain-refused"),
    ("what the judge says of a limit", readiness.of_chain, ("sunset",), "sunset"),
    ("what the judge says of a date", readiness.of_chain, ("expired",), "chain-expired"),
)  # fmt: skip
