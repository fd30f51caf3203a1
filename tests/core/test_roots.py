"""Rules R1 and R2 on the store itself: what is offered, for how long, and what is refused whole."""

import pytest

from anchorwatch.config import Config
from anchorwatch.core import explain, roots
from anchorwatch.core.actions import Save, Tell
from anchorwatch.core.clock import BUILD_UTC_S, Clock
from anchorwatch.core.trust import Trust
from anchorwatch.errors import RootsRejected
from tests.timelines import replay

DAY_S = 86_400
FIRST_DAY = 20_000


def store(*factory, body=None, **others):
    trust = Trust(Config(replay.BASE))
    trust.start(replay.layers(*factory, **others), body or {})
    return trust


def day(trust, number, anchor, accepted=False):
    """One daily handshake with the hub; the saved body if there was one."""
    seen = replay.verified("next", anchor=anchor)
    utc_s = None if number is None else (FIRST_DAY + number) * DAY_S
    out = trust.record("hub", seen, utc_s)
    if accepted:
        out += trust.accepted("hub", seen, utc_s)
    saves = [one for one in out if isinstance(one, Save)]
    return saves[-1].body if saves else None


def tells(out):
    """What is told of it."""
    return [one for one in out if isinstance(one, Tell)]


def moved(trust, start, days):
    """The server shows g2 every day; the days on which g2 is the proven anchor."""
    proven = []
    for number in range(start, start + days):
        day(trust, number, "g2", accepted=number == start)
        if trust.evidence.proven["hub"] == "g2":
            proven.append(number)
    return proven


def test_the_old_anchor_stays_proven_until_it_was_gone_for_thirty_days():
    trust = store("baltimore", "g2")
    day(trust, 0, "baltimore", accepted=True)
    assert moved(trust, 1, 40)[0] == 30


def test_an_old_anchor_whose_last_day_is_unknown_is_gone_since_its_heir_came():
    trust = store("baltimore", "g2")
    day(trust, None, "baltimore", accepted=True)
    assert moved(trust, 1, 40)[0] == 31


def test_an_old_anchor_that_shows_up_again_counts_anew():
    trust = store("baltimore", "g2")
    day(trust, 0, "baltimore", accepted=True)
    moved(trust, 1, 20)
    day(trust, 21, "baltimore")
    assert moved(trust, 22, 40)[0] == 51


def test_an_anchor_on_fewer_than_seven_days_proves_nothing():
    trust = store("baltimore", "g2")
    day(trust, 0, "baltimore", accepted=True)
    for number in (40, 50, 60, 70, 80, 90):
        day(trust, number, "g2", accepted=True)
    assert trust.evidence.proven["hub"] == "baltimore"
    day(trust, 100, "g2")
    assert trust.evidence.proven["hub"] == "g2"


def test_handshakes_without_an_accepted_session_prove_nothing():
    trust = store("baltimore", "g2")
    day(trust, 0, "baltimore", accepted=True)
    for number in range(1, 60):
        day(trust, number, "g2")
    assert trust.evidence.proven["hub"] == "baltimore"


def test_the_proven_anchor_outlives_its_layer_and_a_restart():
    trust = store("baltimore", "g2")
    body = day(trust, 0, "baltimore", accepted=True)
    trust.load("factory", [replay.entry("g2")], [])
    assert trust.offered("hub") == ["baltimore", "g2"]
    again = store("g2", body=body)
    assert again.offered("hub") == ["baltimore", "g2"]
    assert again.layer_of("baltimore") == "kept"
    assert again.offered("dps") == ["g2"]


def test_evidence_is_written_once_a_day_and_not_more():
    trust = store("g2")
    assert day(trust, 0, "g2", accepted=True) is not None
    assert day(trust, 0, "g2", accepted=True) is None
    assert day(trust, 1, "g2") is not None


@pytest.mark.parametrize("distrust", [["g2"], ["key-g2"]], ids=["certificate", "key"])
def test_distrust_of_any_layer_wins_by_certificate_or_by_key(distrust):
    trust = store("baltimore", "g2", distrust=distrust)
    assert trust.offered("hub") == ["baltimore"]
    assert "site distrusts it" in explain.reasons(trust, "g2")


@pytest.mark.parametrize(
    ("layer", "anchors", "distrust"),
    [("factory", [], []), ("site", [], ["g2"]), ("site", [], ["key-g2"])],
)
def test_a_change_that_leaves_an_endpoint_bare_changes_nothing(layer, anchors, distrust):
    trust = store("g2")
    before = (trust.offered("hub"), explain.listing(trust))
    with pytest.raises(RootsRejected, match="dps, hub"):
        trust.load(layer, anchors, distrust)
    assert (trust.offered("hub"), explain.listing(trust)) == before


def test_the_system_layer_alone_does_not_carry_an_endpoint():
    trust = store("g2")
    trust.load("system", [replay.entry("unknown")], [])
    with pytest.raises(RootsRejected):
        trust.load("factory", [], [])
    assert trust.offered("hub") == ["g2", "unknown"]


def test_a_scope_keeps_an_anchor_to_its_endpoint():
    trust = store("g2")
    trust.load("site", [dict(replay.entry("unknown"), scope=["dps"])], [])
    assert trust.offered("dps") == ["g2", "unknown"]
    assert trust.offered("hub") == ["g2"]


def test_a_store_that_starts_bare_may_be_filled_step_by_step():
    trust = store()
    assert trust.offered("hub") == []
    trust.load("site", [dict(replay.entry("g2"), scope=["dps"])], [])
    assert trust.offered("dps") == ["g2"]


def test_the_gap_is_told_once_for_each_presented_root():
    trust = store("g2")
    other = replay.failed("next", "trust", "unknown-root", ["CN=leaf", "CN=Other"])
    unknown = replay.failed("next", "trust", "unknown-root", ["CN=leaf", "CN=Unknown"])
    told = [tells(trust.refused("hub", event, 7)) for event in (unknown, unknown, other, other)]
    assert [len(gaps) for gaps in told] == [1, 0, 1, 0]
    closed = tells(trust.record("hub", replay.verified("next"), None))
    assert [tell.about["open"] for tell in closed] == [False]
    assert trust.gaps == {}


def test_system_root_restricted_to_names_is_offered_to_whole_labels_only():
    trust = Trust(Config(replay.BASE))
    system = dict(replay.entry("msrsa2017"), suffixes=["hubs.example"])
    layers = replay.layers("g2")
    layers["system"] = {"anchors": [system], "distrust": []}
    trust.start(layers, {})
    assert trust.offered("hub", "a.hubs.example") == ["g2", "msrsa2017"]
    assert trust.offered("hub", "evilhubs.example") == ["g2"]


def test_reset_of_the_clock_is_refused_where_an_anchor_would_wait_for_its_date_again():
    """R1 for time, too: what is left beside it is good for older certificates only."""
    clock, trust = Clock(Config(replay.BASE), lambda n: 0), store()
    clock.floor_utc_s = BUILD_UTC_S + 90 * DAY_S
    trust.judge_at(clock.floor_utc_s, clock.floor_utc_s)
    staged = dict(replay.entry("g2"), state="active", active_from=BUILD_UTC_S + DAY_S)
    trust.put("vendor", {"anchors": [staged], "distrust": []}, [])
    answer = roots.reset(clock, trust, "c1")[0].about
    assert answer["code"] == 1 and "hub" in answer["value"]
    assert clock.floor_utc_s == BUILD_UTC_S + 90 * DAY_S
    trust.put("site", {"anchors": [replay.entry("msrsa2017")], "distrust": []}, [])
    told = [one for one in roots.reset(clock, trust, "c2") if isinstance(one, Tell)]
    assert told[-1].about["ok"] and clock.floor_utc_s == BUILD_UTC_S
