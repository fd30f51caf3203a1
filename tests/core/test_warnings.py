"""The list of warnings in the status: what stands, what is over, and that it stays small."""

import pathlib

import pytest

from anchorwatch.config import Config
from anchorwatch.core import events
from anchorwatch.core.actions import Tell
from anchorwatch.core.answers import warning
from anchorwatch.core.trust import Trust
from anchorwatch.core.warnings import CLASSES, DAY_MS, MOST, Warnings
from anchorwatch.core.watch import Watch
from tests.timelines import replay

STORIES = pathlib.Path(replay.__file__).parent / "stories"


@pytest.fixture
def warnings():
    return Warnings(Trust(Config(replay.BASE)))


def about(kind="trust", what="not a root", value="/site/a.pem"):
    return {"class": kind, "what": what, "value": value, "remedy": "take it away"}


def shown(warnings, now=0):
    return [(row["class"], row["value"], row["count"]) for row in warnings.listing(now)]


def test_same_warning_is_counted_and_moves_to_the_end_with_its_first_and_last_time(warnings):
    warnings.warned(about(), 1_000)
    warnings.warned(about(value="/site/b.pem"), 2_000)
    warnings.warned(about(), 61_000)
    assert shown(warnings, 63_000) == [("trust", "/site/b.pem", 1), ("trust", "/site/a.pem", 2)]
    last = warnings.listing(63_000)[-1]
    assert last == {**about(), "count": 2, "since_s": 62, "last_s": 2}


@pytest.mark.parametrize("kind", ["message", "service"])
def test_what_peers_repeat_with_ever_other_values_is_one_warning(warnings, kind):
    for number in range(100):
        warnings.warned(about(kind, "no JSON", "byte %d" % number), number)
    assert shown(warnings) == [(kind, "byte 99", 100)]


def test_list_is_bounded_and_no_peer_pushes_out_what_is_ours(warnings):
    warnings.warned(about("state", "state file is damaged", "clock.0 (torn)"), 0)
    for number in range(3 * MOST):
        warnings.warned(about("message", "phrase %d" % number), 1 + number)
    assert len(warnings.listing(100)) == MOST
    assert shown(warnings)[0] == ("state", "clock.0 (torn)", 1)
    for number in range(MOST):
        warnings.warned(about("state", "state file is damaged", "file %d" % number), 100)
    assert [row[1] for row in shown(warnings)] == ["file %d" % n for n in range(MOST)]


def test_text_of_a_peer_is_escaped_and_cut(warnings):
    warnings.warned(about("message", "what\x1b[2J", "\x1b]0;x\x07\u202e" + "y" * 10_000), 0)
    row = warnings.listing(0)[0]
    assert row["what"] == "what\\x1b[2J" and row["value"].startswith("\\x1b]0;x\\x07\\u202ey")
    assert len(row["value"]) < 300


def test_warning_of_the_past_is_listed_for_a_day_and_then_begins_anew(warnings):
    damaged = about("state", "state file is damaged", "clock.0 (torn)")
    warnings.warned(damaged, 0)
    assert shown(warnings, DAY_MS - 1) and not shown(warnings, DAY_MS)
    warnings.warned(damaged, DAY_MS)
    assert shown(warnings, DAY_MS) == [("state", "clock.0 (torn)", 1)]


def test_bad_file_stands_longer_than_a_day_and_until_it_is_read_again_without_it(warnings):
    warnings.warned(about(), 0)
    warnings.warned(about(value="/site/b.pem"), 0)
    assert len(shown(warnings, 9 * DAY_MS)) == 2
    warnings.reread("trust")
    warnings.warned(about(), 9 * DAY_MS)
    assert shown(warnings, 9 * DAY_MS) == [("trust", "/site/a.pem", 2)]
    warnings.reread("trust")
    assert shown(warnings, 9 * DAY_MS) == []


def test_file_that_was_good_meanwhile_is_counted_from_one_again(warnings):
    warnings.warned(about(), 0)
    warnings.reread("trust")
    warnings.reread("trust")
    warnings.warned(about(), 5_000)
    assert warnings.listing(6_000)[0]["count"] == 1 and warnings.listing(6_000)[0]["since_s"] == 1


def test_reading_the_site_layer_again_says_nothing_of_other_warnings(warnings):
    warnings.warned(about("identity", "key does not match", "/k.pem"), 0)
    warnings.warned(about("config", "no store", "/etc/ssl"), 0)
    warnings.reread("trust")
    assert [row[0] for row in shown(warnings)] == ["identity", "config"]


def test_unwritten_state_is_over_when_that_name_is_saved_and_damage_is_not(warnings):
    warnings.warned(about("state", "state file is damaged", "clock.0 (torn)"), 0)
    for name in ("clock", "trust"):
        warnings.hear(events.SaveFailed(name, "full"), [warning("not written", name, "room")], 0)
    assert [row[1] for row in shown(warnings)] == ["clock.0 (torn)", "clock", "trust"]
    warnings.hear(events.Saved("clock", 3), [], 0)
    assert [row[1] for row in shown(warnings)] == ["clock.0 (torn)", "trust"]


def test_credential_that_is_read_ends_what_was_said_of_the_one_before(warnings):
    warnings.warned(about("identity", "key does not match", "/k.pem"), 0)
    warnings.hear(events.Woke(), [warning("expired", "1799999940", "replace it", "identity")], 0)
    assert len(shown(warnings)) == 2
    warnings.hear(events.CredentialRead(replay.x509()), [], 0)
    assert shown(warnings) == []


def test_missing_anchor_is_told_until_a_layer_brings_one():
    watch = Watch(Config(replay.BASE), lambda n: 0)
    watch.handle(replay.start(roots=replay.layers()), 0)
    assert [row["class"] for row in watch.status(0)["warnings"]] == ["trust", "trust"]
    watch.handle(events.LayerRead("site", [], ["baltimore"]), 0)
    assert len(watch.status(0)["warnings"]) == 2
    watch.handle(events.LayerRead("site", [replay.entry("g2")], []), 0)
    assert watch.status(0)["warnings"] == []


def test_warning_that_names_no_class_has_one_of_the_list(warnings):
    told = warning("what", "value", "remedy")
    warnings.hear(events.Woke(), [told], 0)
    assert told.about["class"] == "agent" and shown(warnings)[0][0] == "agent"


def test_every_warning_of_the_stories_has_a_class_of_the_list():
    found = set()
    for file in sorted(STORIES.glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip().startswith("-> Tell(name='warning'"):
                found.add(eval(line.strip()[3:], {"Tell": Tell}).about["class"])
    assert found <= set(CLASSES) and {"state", "trust", "identity", "message", "service"} <= found


@pytest.mark.parametrize("credential, clock, word", [
    (None, None, "none"),
    (replay.key(), None, "active"),
    ((0, replay.T0 - 1), replay.T0, "expired"),
    ((replay.T0 + 60, 4102444800), replay.T0, "not yet valid"),
    ((replay.T0 + 60, 4102444800), None, "active"),  # the floor says nothing of what is too early
    ((0, 1), None, "expired"),
    ((0, 4102444800), replay.T0, "active"),
])  # fmt: skip
def test_status_tells_the_standing_of_the_credential(credential, clock, word):
    watch = Watch(Config(replay.BASE), lambda n: 0)
    if isinstance(credential, tuple):
        dates = {"not_before": credential[0], "not_after": credential[1]}
        credential = {**replay.x509(), **dates}
    if credential:
        watch.handle(replay.start(credential=credential), 0)
    if clock is not None:
        watch.handle(events.ClockSet(clock, "kernel"), 0)
    machines = watch.status(0)["machines"]
    assert machines["identity"] == word and machines["trust"] == watch.commit.state


def test_evidence_has_the_time_of_its_handshake_once_the_time_is_known():
    player = replay.Replay()
    player.text(["given: online"])
    watch, now = player.watch, player.now
    verified_at = watch.connection.online_since_ms
    assert watch.status(now)["endpoints"]["hub"]["at_utc_s"] is None
    watch.handle(events.ClockSet(replay.T0, "kernel"), now + 60_000)
    seen = watch.status(now + 90_000)["endpoints"]["hub"]["at_utc_s"]
    assert replay.T0 - 61 <= seen <= replay.T0 - 60 and verified_at <= now


@pytest.mark.parametrize("story, endpoint", [("swap_commanded", "hub"), ("dps_probe", "dps")])
def test_evidence_of_the_other_link_keeps_the_time_of_its_own_handshake(story, endpoint):
    player = replay.Replay()
    at = None
    for line in (STORIES / (story + ".txt")).read_text(encoding="utf-8").splitlines():
        player.text([line])
        named = 'host="dps.example"' in line
        if 'verified("next"' in line and named == (endpoint == "dps"):
            at = player.now
    player.watch.handle(events.ClockSet(replay.T0, "kernel"), player.now)
    seen = player.watch.status(player.now)["endpoints"][endpoint]["at_utc_s"]
    assert seen == replay.T0 - (player.now - at) // 1000
