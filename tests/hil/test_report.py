"""The report of a run, drawn from a run that never was."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

from hil.report.page import page, picture
from hil.report.sentences import Teller
from hil.report.story import Story
from tests import house

from . import made_up

RESULT = [
    {"name": "first_boot", "reached": True, "sent": 2, "delivered": 2, "lost": 0, "duplicated": 1,
     "longest_silence_ms": 600},
    {"name": "root_changes", "reached": True, "sent": 1, "delivered": 0, "lost": 1,
     "duplicated": 0, "longest_silence_ms": 1_100},
]  # fmt: skip


def run(acts=RESULT, **more):
    result = {"t_ms": 4_100, "who": "demo", "what": "result", "acts": acts}
    return [*made_up.rows(**more), result]


def spans(found):
    return [(span.start_ms, span.end_ms, span.label) for span in found]


class Loaded(HTMLParser):
    """Everything a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.found += [named[key] for key in ("src", "href", "srcset", "data") if key in named]
        self.found += [tag] if tag in ("script", "link", "iframe", "img", "object") else []


def test_page_loads_nothing_from_anywhere():
    text = page(run())
    assert Loaded(text).found == []
    assert "url(" not in text and "@import" not in text


def test_session_lane_joins_what_did_not_change():
    assert spans(Story(run()).sessions()) == [
        (10, 100, "idle"),
        (100, 300, "registering"),
        (300, 900, "waiting for hub"),
        (900, 1_000, "dialing hub"),
        (1_000, 2_700, "online"),
        (2_700, 2_800, "swapping"),
        (2_800, 4_100, "online"),
    ]


def test_anchor_lane_shows_names_and_stays_empty_without_a_session():
    assert spans(Story(run()).anchors()) == [
        (1_000, 2_800, "Baltimore CyberTrust Root"),
        (2_800, 4_100, "DigiCert Global Root G2"),
    ]


def test_anchor_nobody_named_is_shown_by_its_fingerprint():
    story = Story(run(roots={}))
    assert [span.label for span in story.anchors()] == ["b" * 12, "2" * 12]


def test_fault_lasts_from_when_it_was_told_until_the_session_is_up():
    assert spans(Story(run()).faults()) == [(299, 1_000, "network: refused")]


def test_fault_that_no_status_ever_showed_ends_with_its_gap():
    rows = run()
    about = {"class": "trust", "verdict": "unknown-issuer", "said": "hub h: unknown-issuer"}
    rows.insert(-1, {"t_ms": 3_000, "who": "agent", "what": "fault", **about})
    rows.insert(-1, {"t_ms": 3_100, "who": "agent", "what": "gap", "open": False, "endpoint": "h"})
    rows.sort(key=lambda row: row["t_ms"])
    assert spans(Story(rows).faults())[-1] == (3_000, 3_100, "trust: unknown-issuer")


def test_fault_of_a_second_look_lasts_while_the_session_is_up():
    rows = run()
    about = {"class": "trust", "verdict": "unknown-issuer", "said": "hub h: unknown-issuer"}
    rows.insert(-1, {"t_ms": 3_000, "who": "agent", "what": "fault", **about})
    rows.insert(-1, made_up.state(3_050, "online", made_up.G2, "127.7.7.2"))
    rows.insert(-1, made_up.status(3_200, "online", made_up.G2))
    rows.sort(key=lambda row: row["t_ms"])
    assert spans(Story(rows).faults())[-1] == (3_000, 3_200, "trust: unknown-issuer")


def test_second_fault_takes_the_place_of_the_first():
    rows = run()
    about = {"class": "throttled", "verdict": "dps-429", "said": "dps d: dps-429"}
    rows.insert(6, {"t_ms": 500, "who": "agent", "what": "fault", **about})
    rows.sort(key=lambda row: row["t_ms"])
    assert spans(Story(rows).faults()) == [
        (299, 500, "network: refused"), (500, 1_000, "throttled: dps-429"),
    ]  # fmt: skip


def test_message_in_flight_counts_until_its_first_arrival():
    levels = dict(Story(run()).in_flight(100))
    assert [levels[t] for t in (400, 500, 1_000, 1_200, 1_500, 1_600, 2_900)] == [
        0, 1, 1, 0, 1, 0, 0,
    ]  # fmt: skip
    assert levels[4_000] == 1, "the third never arrived"


def test_picture_alone_is_well_formed_and_small():
    text = picture(run())
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "prefers-color-scheme:dark" in text
    assert len(text) < 150_000


def test_picture_of_the_readme_is_one_of_these():
    file = house.ROOT / "hil" / "report" / "demo.svg"
    text = file.read_text()
    assert len(text) < 150_000 and "report/demo.svg" in (file.parents[1] / "README.md").read_text()
    acts = [g for g in ElementTree.fromstring(text).iter() if "act" in g.get("class", "").split()]
    numbers = [act[0].text.partition(" ")[0] for act in acts]
    assert numbers == ["%d." % number for number in range(1, 12)]


def test_service_that_dies_is_told_from_one_that_goes_down():
    row = {"who": "operator", "what": "listen", "of": "hub", "up": False, "address": None}
    assert Teller(str).tell({**row, "freeze": True}) == "hub dies without a word"
    assert Teller(str).tell({**row, "freeze": False}) == "hub goes down"


GAP = {"who": "agent", "what": "gap", "open": True, "endpoint": "hub", "presented": "CN=New"}


def test_gap_of_a_device_without_a_session_is_not_told_of_a_live_one():
    teller = Teller(str)
    assert teller.tell(GAP) == "TRUST GAP: the hub presents CN=New and no root here fits"
    teller.tell(made_up.state(1, "online", made_up.G2, "127.7.7.2"))
    assert teller.tell(GAP).endswith("; the live session stays")


def test_new_certificate_that_serves_is_told_and_so_is_an_older_one_that_must():
    rolled = {"who": "agent", "what": "identity", "active": "a", "reason": "expiry", "rolled": True}
    back = {"who": "agent", "what": "identity", "active": "b", "refused": "a", "why": "refused"}
    assert Teller(str).tell(rolled) == "its new certificate is proven and serves: slot a"
    assert Teller(str).tell(back) == "another of its credentials serves: slot b"


def test_bundle_is_told_from_its_publication_to_its_commit():
    said = {"roots": {"g2": "active", "old": {"state": "retired", "scope": ["hub"]}}}
    published = {"who": "operator", "what": "mirror", "release": said, "versions": {"targets": 7}}
    about = {"who": "agent", "what": "bundle", "layer": "vendor", "version": 7}
    missed = {"who": "agent", "what": "bundle", "layer": "vendor", "reason": "too-long"}
    found = {"who": "agent", "what": "emergency_anchor", "anchor": "a", "endpoint": "hub"}
    told = [Teller(str).tell(row) for row in (
        published, missed, {**about, "stage": "candidate"}, {**about, "stage": "committed"}, found,
    )]  # fmt: skip
    assert told[2].startswith("bundle 7 of the vendor: fetched, verified and on the disk")
    assert told[:2] + told[3:] == [
        "publishes bundle 7 at the mirror: g2 active, old retired",
        "no bundle of the vendor: too-long",
        "bundle 7 of the vendor: committed",
        "found in need: a from the reserve carries the hub",
    ]
    attack = {"who": "operator", "what": "mirror", "attack": "slow", "versions": {}}
    assert Teller(str).tell(attack) == ""


def test_every_bar_and_dot_has_its_hover_title():
    root = ElementTree.fromstring(picture(run()))
    groups = [g for g in root.iter() if g.get("class", "").split()[:1] in (["bar"], ["dot"])]
    assert len(groups) == 7 + 2 + 1 + 2
    for group in groups:
        assert "s" in group[0].text and group[0].tag.endswith("title")


def test_lost_message_makes_the_verdict_bad():
    assert 'class="verdict bad"' in page(run())
    good = [{**RESULT[0]}, {**RESULT[1], "delivered": 1, "lost": 0}]
    assert 'class="verdict"' in page(run(acts=good))


def test_run_that_was_stopped_says_so():
    rows = made_up.rows()
    rows.append({"t_ms": 4_050, "who": "demo", "what": "stopped", "why": "Ctrl-C"})
    good = [{**RESULT[0]}, {**RESULT[1], "delivered": 1, "lost": 0}]
    rows.append({"t_ms": 4_100, "who": "demo", "what": "result", "acts": good})
    text = page(rows)
    assert "The run was stopped: Ctrl-C." in text and 'class="verdict bad"' in text


def test_act_that_failed_names_what_was_waited_for_and_the_last_status():
    rows = made_up.rows()
    failure = {"waited_for": "the session under G2", "last": {"state": "waiting for hub"}}
    rows = [row for row in rows if row != made_up.over(4_000, 2)]
    rows += [made_up.over(4_000, 2, failure)]
    text = page(rows)
    assert "Not reached: the session under G2." in text
    assert "&quot;state&quot;: &quot;waiting for hub&quot;" in text


def test_page_of_a_run_that_ended_before_its_first_act_can_be_read():
    text = page(made_up.rows()[:1])
    assert "0 of 0 acts" in text and 'class="verdict bad"' in text


def test_text_of_a_process_cannot_become_markup():
    hostile = "<script>alert(1)</script>"
    rows = run()
    rows.insert(4, {"t_ms": 200, "who": "hub", "what": "disconnected", "reason": hostile})
    rows.insert(5, made_up.status(201, "idle", fault={"class": "trust", "verdict": hostile}))
    rows.insert(6, {**made_up.state(202, "online", hostile, hostile), "hub": hostile})
    text = page(rows)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_narration_says_each_change_once():
    teller = Teller(Story(run()).root_name)
    told = [sentence for row in made_up.rows() if (sentence := teller.tell(row))]
    moved = "has moved: the session now stands at hub.example (127.7.7.2), under "
    assert told == [
        "asks DPS which hub it belongs to",
        "fault of class network: hub h: refused",
        "dials the hub",
        "is online at hub.example (127.7.7.2), under Baltimore CyberTrust Root",
        "hub now presents the chain g2-rsa",
        "two handshakes agree: moves the session (anchor)",
        moved + "DigiCert Global Root G2",
    ]


def test_page_is_made_again_from_the_timeline_file(tmp_path):
    timeline = tmp_path / "timeline.jsonl"
    timeline.write_text("".join(json.dumps(row) + "\n" for row in run()))
    command = [sys.executable, "-m", "hil.report", str(timeline)]
    command += ["--html", str(tmp_path / "r.html"), "--picture", str(tmp_path / "r.svg")]
    subprocess.run(command, check=True, timeout=60)
    assert (tmp_path / "r.html").read_text() == page(run())
    assert (tmp_path / "r.svg").read_text() == picture(run())


def test_colours_are_named_before_they_are_used():
    text = page(run())
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", text))
    assert used <= set(re.findall(r"(--[a-z0-9]+):", text))
