"""Each rule of the root store as a set of tests under its sentence, on the store itself.

Rule: what takes several events is told by the stories of tests/timelines that name the rule.
"""

import pytest

from anchorwatch.config import Config
from anchorwatch.core import explain, records, rules
from anchorwatch.core.actions import Save, Tell
from anchorwatch.core.evidence import Evidence
from anchorwatch.core.trust import Trust
from anchorwatch.errors import RootsRejected
from tests.timelines import replay
from tests.timelines.test_timelines import STORIES, tags

DAY_S = rules.DAY_S
SUNSET = {"hash": "g2", "of": "", "kind": "sunset", "after": replay.T0, "hold_s": 0, "reason": ""}


def store(*factory, proven=None, over=None, **others):
    """A store at T0 by an authenticated clock."""
    trust = Trust(Config(replay.merged(replay.BASE, over or {})))
    trust.start(replay.layers(*factory, **others), replay.proven(proven or {}))
    at(trust, 0)
    return trust


def at(trust, days, authenticated=True):
    utc_s = replay.T0 + days * DAY_S
    trust.judge_at(utc_s, utc_s if authenticated else replay.T0, authenticated)


def put(trust, content, layer="vendor", spare=()):
    trust.put(layer, content, list(spare))


def hold(trust, content, works=(), issued_s=replay.T0):
    """A bundle enters its trial: the holds it needs, then itself."""
    out = trust.hold(trust.check("vendor", content), list(works), issued_s, 0)
    put(trust, content)
    return [one.about for one in out if isinstance(one, Tell) and one.name == "hold"]


def test_every_rule_is_a_tag_of_a_story():
    told = {tag for file in STORIES for tag in tags(file)}
    assert [name for name, _ in rules.RULES if "§7 " + name not in told] == []


def test_rules_are_numbered_and_each_is_a_sentence():
    assert [name for name, _ in rules.RULES] == ["R%d" % n for n in range(1, 11)]
    assert [text for _, text in rules.RULES if text[-1:] != "."] == []


# R1: a change that would leave an endpoint bare is refused whole

CARRIES_NOT = {
    "one that is restricted to names": {"suffixes": ["hubs.example"]},
    "one that takes old leaves only": {"leaf_not_before_max": replay.T0},
    "one that is staged": {"state": "staged"},
    "one that is retired": {"state": "retired"},
    "one whose day has not come": {"active_from": replay.T0 + DAY_S},
    "one for the other endpoint": {"scope": ["hub"]},
}


@pytest.mark.parametrize("limit", CARRIES_NOT.values(), ids=CARRIES_NOT)
def test_distrust_needs_another_unrestricted_anchor_and_this_is_none(limit):
    trust = store("g2")
    before = explain.listing(trust)
    with pytest.raises(RootsRejected, match="dps"):
        trust.check("vendor", replay.bundle(1, {"msrsa2017": limit}, ["g2"]))
    assert explain.listing(trust) == before


def test_sunset_distrust_of_the_last_anchor_is_refused_too():
    with pytest.raises(RootsRejected):
        store("g2").check("vendor", replay.bundle(1, {}, [SUNSET]))


def test_distrust_that_outlived_a_roll_back_counts_when_another_layer_changes():
    trust = store("g2", site=["msrsa2017"])
    put(trust, records.empty(), spare=[replay.bundle(1, {}, ["g2"])])
    with pytest.raises(RootsRejected):
        trust.load("site", [], [])
    assert trust.offered("hub") == ["msrsa2017"]


# R2: the proven anchor stays offered


def test_the_proven_anchor_stays_when_its_bundle_is_gone():
    trust = store("g2", proven={"hub": "msrsa2017"})
    assert trust.offered("hub") == ["g2", "msrsa2017"]
    assert trust.offered("dps") == ["g2"]


def test_a_bundle_may_say_how_much_evidence_an_anchor_needs():
    trust = store("g2", "msrsa2017")
    put(trust, replay.bundle(1, {}, policy={"evidence_days": 2, "unseen_days": 3}))
    assert (trust.evidence.days_needed, trust.evidence.gone_days) == (2, 3)
    put(trust, records.empty())
    assert (trust.evidence.days_needed, trust.evidence.gone_days) == (7, 30)


# R3 is the verifier's (tests/core/test_pki_*.py, tests/linux/test_attacks.py) and check()'s

# R4: what a candidate, a trial and a roll-back put into force

STAGES = {
    # stage: (anchors in force, in the reserve alone, hard distrust in force)
    "candidate": (["old"], [], []),
    "trial": (["new"], ["old"], ["bad"]),
    "committed": (["new"], [], ["bad"]),
    "reverted": (["old"], ["new"], ["bad"]),
}


@pytest.mark.parametrize(("stage", "expected"), STAGES.items(), ids=STAGES)
def test_the_stage_of_a_bundle_says_what_is_in_force(stage, expected):
    contents = {"1": replay.bundle(1, {"old": "active"}),
                "2": replay.bundle(2, {"new": "active"}, ["bad"])}  # fmt: skip
    committed = dict(records.none(), stage="committed", folder=1, in_force=1)
    record = records.candidate(committed, contents["2"])
    if stage == "trial":
        record = dict(record, stage="trial")
    if stage == "committed":
        record = records.committed(record)
    if stage == "reverted":
        record = records.reverted(record, {}, "", True)
    trust = store("g2")
    content, spare, told = records.in_force(record, contents)
    put(trust, content, spare=spare)
    hard = [name for name in ("bad", "g2") if trust.distrusted(name)]
    offered = [name for name in trust.offered("hub") if name != "g2"]
    assert (offered, trust.reserve("hub"), hard, told) == expected + ([],)


def test_records_are_made_anew_so_that_a_failed_save_loses_nothing():
    before = dict(records.none(), stage="committed", folder=1, in_force=1)
    kept = replay.copied(before)
    after = records.candidate(before, replay.bundle(2))
    records.committed(after)
    records.reverted(after, {"why": "x"}, "", True)
    records.refreshed(before, replay.bundle(1, folder=3))
    assert before == kept


# R5: hard distrust of the proven anchor


def test_a_hold_offers_the_anchor_for_the_issuers_before_the_distrust_alone():
    trust = store("g2", "msrsa2017", proven={"hub": "g2"})
    trust.evidence.issued("hub", "g2", "key-of-an-attacker", replay.T0 + 60)
    assert hold(trust, replay.bundle(1, {}, ["g2"]))[0]["open"]
    limits = trust.anchors.limits("hub", "", trust.offered("hub"))
    assert limits["g2"]["issuers"] == ["key-ca-g2"]
    assert trust.offered("dps") == ["msrsa2017"]


HOLDS = {
    # what: (hold_s of the row, hold_max_s of the device, days it lasts)
    "as signed": (3 * DAY_S, 14 * DAY_S, 3),
    "shortened by the operator": (14 * DAY_S, 2 * DAY_S, 2),
    "not lengthened by the operator": (1 * DAY_S, 14 * DAY_S, 1),
}


@pytest.mark.parametrize(("signed_s", "most_s", "days"), HOLDS.values(), ids=HOLDS)
def test_a_hold_lasts_as_long_as_bundle_and_operator_allow(signed_s, most_s, days):
    over = {"trust": {"hold_max_s": most_s}}
    trust = store("g2", "msrsa2017", proven={"hub": "g2"}, over=over)
    hold(trust, replay.bundle(1, {}, [replay.hard("g2", signed_s)]))
    at(trust, days - 1)
    assert "g2" in trust.offered("hub")
    at(trust, days)
    assert trust.offered("hub") == ["msrsa2017"]


NO_HOLD = {
    "hold_s is 0": ([replay.hard("g2", 0)], [], replay.T0),
    "another one works": (["g2"], ["hub"], replay.T0),
    "no issuer is known from before": (["g2"], [], 0),
    "it is not the proven one": (["msrsa2017"], [], replay.T0),
}


@pytest.mark.parametrize(("distrust", "works", "issued_s"), NO_HOLD.values(), ids=NO_HOLD)
def test_no_hold_where(distrust, works, issued_s):
    trust = store("g2", "msrsa2017", "baltimore", proven={"hub": "g2"})
    assert hold(trust, replay.bundle(1, {}, distrust), works, issued_s) == []
    assert trust.anchors.holds == {}


def test_the_same_distrust_again_does_not_begin_the_hold_anew():
    trust = store("g2", "msrsa2017", proven={"hub": "g2"})
    hold(trust, replay.bundle(1, {}, ["g2"]))
    began = replay.copied(trust.anchors.holds)
    at(trust, 5)
    hold(trust, replay.bundle(2, {}, ["g2"]))
    assert trust.anchors.holds == began


def test_a_later_distrust_without_hold_closes_an_open_one():
    trust = store("g2", "msrsa2017", proven={"hub": "g2"})
    hold(trust, replay.bundle(1, {}, ["g2"]))
    told = hold(trust, replay.bundle(2, {}, [replay.hard("g2", 0)]))
    assert [one["open"] for one in told] == [False]
    assert trust.offered("hub") == ["msrsa2017"]


def test_no_time_but_an_authenticated_one_ends_a_hold():
    trust = store("g2", "msrsa2017", proven={"hub": "g2"})
    hold(trust, replay.bundle(1, {}, ["g2"]))
    at(trust, 9_000, authenticated=False)
    assert "g2" in trust.offered("hub")


def test_without_any_clock_a_hold_counts_days_and_is_dated_when_the_time_comes():
    trust = store("g2", "msrsa2017", proven={"hub": "g2"})
    at(trust, 0, authenticated=False)
    hold(trust, replay.bundle(1, {}, ["g2"]))
    trust.holds.woke(0)
    at(trust, 200)
    trust.holds.woke(0)
    assert "g2" in trust.offered("hub")
    for _ in range(12):
        trust.holds.woke(0)
    assert trust.offered("hub") == ["msrsa2017"]


def again(trust, distrust):
    """A start with what that store saved, and this list of the site."""
    after = Trust(Config(replay.BASE))
    saved = after.start(replay.layers("g2", "msrsa2017", distrust=distrust), trust.body())
    at(after, 1)
    return after, [one for one in saved if isinstance(one, Save)]


def test_a_distrust_written_while_no_agent_ran_is_held_at_the_start():
    after, saved = again(store("g2", "msrsa2017", proven={"hub": "g2"}), ["g2"])
    assert after.offered("hub") == ["g2", "msrsa2017"] and after.offered("dps") == ["msrsa2017"]
    assert saved[0].body["holds"]["hub"]["g2"]["issuers"]


def test_a_hold_that_is_over_stays_closed_at_the_next_start():
    first, _ = again(store("g2", "msrsa2017", proven={"hub": "g2"}), ["g2"])
    for _ in range(14):
        first.holds.woke(0)
    after, saved = again(first, ["g2"])
    assert after.offered("hub") == ["msrsa2017"] and saved == []


def test_a_distrust_that_says_now_is_not_held_at_the_start():
    row = {"hash": "g2", "of": "", "kind": "hard", "after": None, "hold_s": 0, "reason": ""}
    after, _ = again(store("g2", "msrsa2017", proven={"hub": "g2"}), [row])
    assert after.offered("hub") == ["msrsa2017"]


# R6: retired anchors


@pytest.mark.parametrize(("days", "there"), [(0, True), (89, True), (90, False)])
def test_an_anchor_that_left_the_bundle_is_a_reserve_for_ninety_days(days, there):
    trust = store("g2")
    trust.retire([replay.limited("msrsa2017", "active")], replay.bundle(2, {}))
    at(trust, days)
    trust.retire([], replay.bundle(3, {}))
    assert (trust.reserve("hub") == ["msrsa2017"]) is there


def test_an_anchor_that_the_newest_bundle_retires_stays_a_reserve():
    trust = store("g2")
    retiring = replay.bundle(2, {"msrsa2017": "retired"})
    trust.retire([replay.limited("msrsa2017", "active")], retiring)
    at(trust, 400)
    trust.retire([], retiring)
    assert trust.reserve("hub") == ["msrsa2017"]


def test_an_anchor_that_came_back_is_no_reserve():
    trust = store("g2")
    trust.retire([replay.limited("msrsa2017", "active")], replay.bundle(2, {}))
    trust.retire([], replay.bundle(3, {"msrsa2017": "active"}))
    assert trust.anchors.retired == {}


# R7: expiry


def test_expiry_counts_at_an_authenticated_time_and_else_at_the_floor():
    trust = store("g2")
    put(trust, replay.bundle(1, {"msrsa2017": {"state": "active"}}))
    trust.layer("vendor")["anchors"][0]["not_after"] = replay.T0 + DAY_S
    at(trust, 2, authenticated=False)
    assert "msrsa2017" in trust.offered("hub")
    at(trust, 2)
    assert "msrsa2017" not in trust.offered("hub")


def test_a_bundle_past_its_end_stays_in_force_and_is_told_to_be_stale():
    trust = store("g2")
    content = replay.bundle(1, {"msrsa2017": "active"}, expires_s=replay.T0 + DAY_S)
    trust.bundles["vendor"] = records.committed(records.candidate(None, content))
    put(trust, content)
    assert explain.bundle(trust, "vendor")["stale"] is False
    at(trust, 2)
    assert explain.bundle(trust, "vendor")["stale"] is True
    assert "msrsa2017" in trust.offered("hub")


# R8 is told by stories: bundle_refreshed, bundle_changes_nothing; R9 by bundle_by_method and others

# R10: the reserve


def refused(trust, verdict="no-anchor", endpoint="hub"):
    trust.refused(endpoint, replay.failed("live", "trust", verdict, ["CN=x"], ["leaf"]), None)


def test_the_reserve_is_dialled_at_every_third_verdict_and_at_no_other():
    trust = store("g2")
    put(trust, replay.bundle(1, {"msrsa2017": "staged"}))
    dialled = []
    for _ in range(6):
        dialled.append("msrsa2017" in trust.for_dial("hub"))
        refused(trust)
    assert dialled == [False, False, True, False, False, True]


@pytest.mark.parametrize("verdict", ["name-mismatch", "expired", "weak-key", "sunset", "on-hold"])
def test_a_verdict_that_is_not_of_the_anchor_opens_no_reserve(verdict):
    trust = store("g2")
    put(trust, replay.bundle(1, {"msrsa2017": "staged"}))
    refused(trust)
    refused(trust, verdict)
    assert trust.for_dial("hub") == ["g2"]


def test_verdicts_of_one_endpoint_open_no_reserve_of_another():
    trust = store("g2")
    put(trust, replay.bundle(1, {"msrsa2017": "staged"}))
    refused(trust)
    refused(trust)
    assert trust.for_dial("dps") == ["g2"]


def test_what_the_reserve_found_stays_offered_until_it_is_distrusted():
    trust = store("g2")
    put(trust, replay.bundle(1, {"msrsa2017": "staged"}))
    trust.record("hub", replay.verified("live", "msrsa2017"), replay.T0)
    put(trust, records.empty())
    assert trust.offered("hub") == ["g2", "msrsa2017"]
    assert trust.offered("dps") == ["g2"]
    put(trust, replay.bundle(2, {}, ["msrsa2017"]))
    assert trust.offered("hub") == ["g2"]


def test_a_distrusted_root_is_in_no_reserve():
    trust = store("g2")
    put(trust, replay.bundle(1, {"msrsa2017": "staged"}, ["msrsa2017"]))
    assert trust.reserve("hub") == []


def test_evidence_keeps_the_issuers_seen_last():
    evidence = Evidence()
    for number in range(20):
        evidence.issued("hub", "g2", "key-%02d" % number, replay.T0 + number)
    assert evidence.issuers("hub", "g2", replay.T0 + 100)[-1] == "key-19"
