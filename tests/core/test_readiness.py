"""Readiness for a chain that is yet to come: each word of the list, and what a fleet is told."""

import json

import pytest

from anchorwatch.config import Config
from anchorwatch.core import readiness
from anchorwatch.core.readiness import G1, G2, G3, MS_ECC, MS_RSA
from anchorwatch.core.trust import Trust
from anchorwatch.pki import judge, pem
from anchorwatch.pki.der import anchor_entry
from tests.core.test_factory_roots import BALTIMORE, ROOTS

TREE = {"device": {"registration_id": "d", "id_scope": "0ne"}, "dps": {}, "state": {"dir": "/s"},
        "hub": {"host": "h.azure-devices.net"},
        "credential": {"kind": "symmetric_key", "key_file": "/k"}}  # fmt: skip
NOW_S = 1793491200
YEAR_S = 31_536_000
PROFILE = {"suites": "any", "all_ecc": False, "max_fragment": "off", "strict": True}
FACTORY = sorted(ROOTS.glob("*.pem"))


def entry(file, **limits):
    return dict(anchor_entry(pem.certificates(file.read_bytes())[0]), **limits)


def trust(anchors=None, distrust=(), announcements=(), state=None):
    """The store after a start: the package's own roots, and a vendor bundle's content."""
    store = Trust(Config(TREE))
    factory = [entry(file) for file in FACTORY]
    layers = {"factory": {"anchors": factory, "distrust": []},
              "vendor": {"anchors": list(anchors or ()), "distrust": list(distrust),
                         "announcements": list(announcements)}}  # fmt: skip
    store.start(layers, state or {})
    store.judge_at(NOW_S, NOW_S)
    return store


def staged(file, **limits):
    return entry(file, state="staged", scope=["hub", "dps"], **limits)


def said(store, name, endpoint="hub", utc_s=NOW_S, host="h.azure-devices.net", **profile):
    chain = name if isinstance(name, dict) else readiness.profiles()[name]
    where = {"endpoint": endpoint, "host": host, "profile": dict(PROFILE, **profile),
             "utc_s": utc_s}  # fmt: skip
    return readiness.verdict(store, where, chain)


SOVEREIGN = ROOTS / "sovereign" / "digicert-global-root-ca.pem"


def other(**limits):
    """A store in which the vendor brings the sovereign root."""
    return trust([entry(SOVEREIGN, **limits)])


def hard(sha256):
    return {"hash": sha256, "of": "certificate", "kind": "hard", "after": None, "hold_s": 0,
            "reason": ""}  # fmt: skip


def sunset(sha256, after):
    return dict(hard(sha256), kind="sunset", after=after)


CASES = (
    # what is asked                                 of which store, profile         the word
    ("a factory root",                              lambda: said(trust(), "g2-rsa"), "ready"),
    ("three certificates under it",                 lambda: said(trust(), "g2-rsa-long"), "ready"),
    ("an elliptic root at the hub",                 lambda: said(trust(), "g3-ecc"), "ready"),
    ("a root that nobody brings",                   lambda: said(trust(), "sovereign"), "absent"),
    ("the root of the last migration",              lambda: said(trust(), "baltimore"), "expired"),
    ("a root of the vendor",                        lambda: said(other(), "sovereign"), "ready"),
    ("a staged root",                               lambda: said(other(state="staged"),
                                                                 "sovereign"), "reserve"),
    ("a retired root of the newest bundle",         lambda: said(other(state="retired"),
                                                                 "sovereign"), "reserve"),
    ("a root that begins by then",                  lambda: said(other(active_from=NOW_S + 5),
                                                                 "sovereign", utc_s=NOW_S + 5),
     "ready"),
    ("a root that begins later",                    lambda: said(other(active_from=NOW_S + 5),
                                                                 "sovereign"), "reserve"),
    ("a root for DPS only",                         lambda: said(other(scope=["dps"]),
                                                                 "sovereign"), "out-of-scope"),
    ("the same at DPS",                             lambda: said(other(scope=["dps"]),
                                                                 "sovereign", "dps"), "ready"),
    ("a root for other names",                      lambda: said(other(suffixes=[".example"]),
                                                                 "sovereign"), "out-of-scope"),
    ("a distrusted root",                           lambda: said(trust(distrust=[hard(G2)]),
                                                                 "g2-rsa"), "distrusted"),
    ("a distrusted root that nobody brings",        lambda: said(trust(distrust=[hard(G1)]),
                                                                 "sovereign"), "distrusted"),
    ("a root at its sunset",                        lambda: said(trust(distrust=[
        sunset(G2, NOW_S - 1)]), "g2-rsa"), "sunset"),
    ("a sunset that is yet to come",                lambda: said(trust(distrust=[
        sunset(G2, NOW_S + 1)]), "g2-rsa"), "ready"),
    ("a root that ends before the day",             lambda: said(trust(), "g2-rsa",
                                                                 utc_s=2147169601), "expired"),
    ("an RSA leaf for a device of ECDSA suites",    lambda: said(trust(), "g2-rsa",
                                                                 suites="ecdsa"), "suites"),
    ("an ECC leaf for a device of RSA suites",      lambda: said(trust(), "g3-ecc",
                                                                 suites="rsa"), "suites"),
    ("an ECC leaf under an RSA root",               lambda: said(trust(), "g2-ecc",
                                                                 suites="ecdsa"), "ready"),
    ("the same where every key must be elliptic",   lambda: said(trust(), "g2-ecc", all_ecc=True),
     "not-ecc"),
    ("ECC throughout",                              lambda: said(trust(), "g3-ecc", all_ecc=True),
     "ready"),
    ("short records that DPS does not make",        lambda: said(trust(), "g2-rsa", "dps",
                                                                 max_fragment="require"),
     "fragment"),
    ("short records that the hub makes",            lambda: said(trust(), "g2-rsa",
                                                                 max_fragment="require"), "ready"),
    ("short records that are only preferred",       lambda: said(trust(), "g2-rsa", "dps",
                                                                 max_fragment="prefer"), "ready"),
    ("nine certificates",                           lambda: said(trust(), dict(
        readiness.profiles()["g2-rsa"], certificates=9)), "chain-too-long"),
    ("more than 64 KiB",                            lambda: said(trust(), dict(
        readiness.profiles()["g2-rsa"], bytes=65_537)), "chain-too-long"),
)  # fmt: skip


@pytest.mark.parametrize("ask, word", [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_each_case_has_its_word(ask, word):
    assert ask() == word


def test_proven_root_is_not_taken_away_by_its_end():
    kept = entry(FACTORY[0])
    proven = {"proven": {"hub": kept["sha256"]}, "kept": {kept["sha256"]: kept}, "seen": {}}
    late = kept["not_after"] + 1
    assert said(trust(state=proven), "g2-rsa", "hub", late) == "ready"
    assert said(trust(state=proven), "g2-rsa", "dps", late) == "expired"


def test_every_word_is_closed_and_has_something_to_do():
    assert [w for w in readiness.VERDICTS if not readiness.VERDICTS[w] and w != "ready"] == []
    for word in judge.VERDICTS:
        if word != "ok":
            assert readiness.of_chain(word) in readiness.VERDICTS
    assert readiness.of_chain("expired") == "chain-expired"
    assert readiness.of_chain("sunset") == "sunset"
    assert readiness.of_chain("a word of a later library") == "chain-refused"


def test_profiles_name_the_roots_that_were_studied(shared_data):
    found = {}
    for file in (shared_data / "roots").glob("*.pem"):
        one = entry(file)
        kind = "ec" if one["key"].startswith("ec-") else "rsa"
        found[one["sha256"]] = (one["name"].split(",")[0][3:], kind, one["not_after"])
    assert readiness.ROOTS == found
    assert set(found) == {G1, G2, G3, MS_ECC, MS_RSA, BALTIMORE}


def announcement(root, endpoint="hub", date=NOW_S + YEAR_S):
    return {"endpoint": endpoint, "root": root, "date": date}


def test_announced_chains_come_by_date_and_with_what_is_known_of_the_root():
    store = trust(announcements=[announcement("ab" * 32), announcement(G3, date=NOW_S),
                                 announcement(G2, "dps", NOW_S)])
    chains = readiness.announced(store)
    assert [(c["endpoints"], c["root"]) for c in chains] == [
        (["dps"], G2), (["hub"], G3), (["hub"], "ab" * 32)]
    assert [c["key"] for c in chains] == ["", "ec", ""]


def test_announced_rsa_root_may_sign_either_kind_of_leaf():
    store = trust(announcements=[announcement(G2)])
    (chain,) = readiness.announced(store)
    assert said(store, chain, suites="ecdsa") == "ready"
    assert said(store, chain, all_ecc=True) == "not-ecc"


def test_reported_property_tells_each_announced_root_of_the_endpoints_in_use():
    store = trust([staged(SOVEREIGN)], [hard(MS_RSA)], [
        announcement(G2), announcement(G1), announcement(MS_RSA), announcement("ab" * 32),
        announcement(G2, "dps"), announcement(G2, "est")])
    told = readiness.reported(store, lambda endpoint: PROFILE, {"hub": "h.azure-devices.net"})
    assert told == {
        "hub": {"root_cb3ccbb76031e5e0": "ready", "root_4348a0e9444c78cb": "reserve",
                "root_c741f70f4b2a8d88": "distrusted", "root_abababababababab": "absent"},
        "dps": {"root_cb3ccbb76031e5e0": "ready"},
    }  # fmt: skip


def test_reported_property_judges_at_the_announced_date():
    store = trust(announcements=[announcement(G2, date=2147169601)])
    assert readiness.reported(store, lambda e: PROFILE) == {
        "hub": {"root_cb3ccbb76031e5e0": "expired"}}


def test_reported_property_is_empty_without_announcements():
    assert readiness.reported(trust(), lambda e: PROFILE) == {}


def test_reported_property_fits_a_twin_whatever_a_bundle_announces():
    rows = [announcement("%016x" % n * 4, ("hub", "dps")[n % 2]) for n in range(64)]
    told = readiness.reported(trust(announcements=rows), lambda e: PROFILE)
    names = [name for endpoint in told for name in [endpoint, *told[endpoint]]]
    assert not [name for name in names if [c for c in name if c in ".$ " or c < " "]]
    assert len(names) == 66 and len(json.dumps(told)) < 4_096
