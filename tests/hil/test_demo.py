"""What the demo writes down and how it counts, without a cloud and without a device."""

import io
import json
import threading

import pytest

from hil.bench.threads import Regular
from hil.demo.__main__ import main
from hil.demo.acts import ACTS, SETTINGS, claim_of, name_of
from hil.demo.application import Answerer, Sender
from hil.demo.observers import JournalFollower, StatusReader
from hil.demo.stage import Stage
from hil.demo.tally import results, silence_ms
from hil.demo.terminal import Terminal
from hil.demo.timeline import Timeline

from . import made_up

NAMES = ["first_boot", "root_changes", "root_reverts"]


def counted(rows, name):
    return {result["name"]: result for result in results(rows, NAMES)}[name]


def test_message_counts_for_the_act_in_which_it_was_sent():
    rows = made_up.rows()
    assert counted(rows, "first_boot") == {
        "name": "first_boot", "reached": True, "sent": 2, "delivered": 2, "lost": 0,
        "duplicated": 1, "longest_silence_ms": 600,
    }  # fmt: skip


def test_message_the_hub_never_had_is_lost():
    found = counted(made_up.rows(), "root_changes")
    assert (found["sent"], found["delivered"], found["lost"]) == (1, 0, 1)


def test_act_that_was_not_played_is_not_reached():
    found = counted(made_up.rows(), "root_reverts")
    assert found["reached"] is False and found["sent"] == 0


def test_act_that_never_ended_is_not_reached_and_its_messages_count():
    rows = [row for row in made_up.rows() if row["what"] != "act over"]
    found = counted(rows, "root_changes")
    assert found["reached"] is False and found["sent"] == 1


def test_act_that_failed_is_not_reached():
    rows = [row for row in made_up.rows() if row != made_up.over(4_000, 2)]
    rows.append(made_up.over(4_000, 2, {"waited_for": "a swap", "last": None}))
    assert counted(rows, "root_changes")["reached"] is False


@pytest.mark.parametrize("arrivals, longest", [
    ([], 100), ([50], 50), ([10, 90], 80), ([95], 95), ([-5, 200], 100), ([30, 20, 10], 70),
])  # fmt: skip
def test_silence_is_the_longest_gap_of_arrivals_and_edges(arrivals, longest):
    assert silence_ms(0, 100, arrivals) == longest


def test_timeline_file_is_sorted_and_ends_with_the_result(tmp_path):
    timeline = Timeline()
    timeline.add("hub", "connected", 50)
    timeline.add("demo", "result", 10, acts=[])
    timeline.add("agent", "state", 20, machines={})
    timeline.write(tmp_path / "t.jsonl")
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["what"] for row in rows] == ["state", "connected", "result"]
    assert lines[0].startswith('{"t_ms": 20, "who": "agent", "what": "state"')


def test_timeline_refuses_a_stranger():
    with pytest.raises(ValueError, match="'bystander'"):
        Timeline().add("bystander", "watches")


class FakeCloud:
    """Rows, and a clock that is 1000 ms behind."""

    def __init__(self, timeline, rows):
        self._timeline, self._rows = timeline, rows

    def get(self, path):
        return {"now_ms": self._timeline.now_ms() - 1_000}

    def rows(self, since):
        return [row for row in self._rows if row["n"] > since]


def row(n, t_ms, service, what, **more):
    return {"n": n, "t_ms": t_ms, "service": service, "what": what, "device": "d", **more}


def test_journal_rows_are_put_on_the_clock_of_the_timeline_once():
    timeline = Timeline()
    cloud = FakeCloud(timeline, [
        row(1, 10, "hub2", "connected"), row(2, 20, "sntp", "sntp"),
        row(3, 30, "hub", "telemetry", mid="m1", session=4, text="secret of the customer"),
    ])  # fmt: skip
    follower = JournalFollower(cloud, timeline)
    follower.look()
    follower.look()
    seen = [(row["who"], row["what"], row["t_ms"]) for row in timeline.rows()]
    assert [s[:2] for s in seen] == [("hub", "connected"), ("hub", "telemetry")]
    assert 1_010 <= seen[0][2] <= 1_020
    assert timeline.rows()[1]["mid"] == "m1" and "text" not in timeline.rows()[1]


STATUS = {
    "agent": {"state": "online", "since_s": 1}, "machines": {"connection": "online"},
    "endpoints": {"hub": {"anchor": "a", "host": "h"}}, "fault": None, "gap": [], "queue": {},
}  # fmt: skip


class FakeDevice:
    def __init__(self, *statuses):
        self._statuses = list(statuses)

    def status(self):
        return self._statuses.pop(0)


def test_status_is_written_down_when_it_says_something_new():
    fault = {"class": "network", "verdict": "refused", "endpoint": "hub", "next_in_ms": 5}
    timeline = Timeline()
    later = {**STATUS, "fault": {**fault, "next_in_ms": 4}}
    offline = {**STATUS, "agent": {"state": "waiting for hub", "since_s": None}}
    reader = StatusReader(
        FakeDevice(STATUS, STATUS, {**STATUS, "fault": fault}, later, offline), timeline
    )
    for _ in range(5):
        reader.look()
    shown = [(row["anchor"], row["fault"]) for row in timeline.rows()]
    del fault["next_in_ms"]
    assert shown == [("a", None), ("a", fault), ("", None)]


def test_terminal_tells_acts_and_what_was_waited_for():
    out = io.StringIO()
    terminal = Terminal(out)
    for made in made_up.rows()[:-4]:
        terminal.hear({"took_ms": 1_000, **made})
    terminal.hear({**made_up.over(9, 2, {"waited_for": "a swap", "last": {"seen": ["x"] * 9_999}})})
    text = out.getvalue()
    assert "1  First boot through DPS" in text and "A device finds its hub." in text
    assert "NOT REACHED: a swap" in text and 'seen: ["x", ' in text
    assert len(text) < 4_000, "the page has the rest"
    assert "\033" not in text, "colours are for terminals"


def test_terminal_says_why_a_run_was_stopped():
    out = io.StringIO()
    Terminal(out).hear({"who": "demo", "what": "stopped", "why": "no port", "t_ms": 1})
    assert out.getvalue() == "\nSTOPPED: no port\n"


def test_cloud_that_does_not_start_still_leaves_a_report(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("hil.demo.acts.CLOUD", ("--net", "300.1"))
    assert main(["--dir", str(tmp_path)]) == 1
    assert "the cloud did not start" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "timeline.jsonl").read_text().splitlines()[-1])["acts"][7] == {
        "name": "hub_moves", "reached": False, "sent": 0, "delivered": 0, "lost": 0,
        "duplicated": 0, "longest_silence_ms": 0,
    }  # fmt: skip
    said = capsys.readouterr()
    assert "STOPPED: NotReached: the cloud did not start" in said.out and "300.1" in said.out
    assert "Traceback" not in said.err


def test_what_is_repeated_tells_the_fault_that_ended_it_and_stops():
    told, over = [], threading.Event()

    def fail():
        raise ValueError("no more")

    regular = Regular(0.001, fail, lambda e: (told.append(str(e)), over.set()))
    regular.start()
    assert over.wait(10)
    regular.stop()
    assert told == ["no more"]


def test_folder_of_somebody_else_is_not_removed(tmp_path):
    (tmp_path / "cloud").mkdir()
    (tmp_path / "cloud" / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="remove it, or use --dir"):
        Stage(tmp_path, Timeline())
    assert (tmp_path / "cloud" / "thesis.txt").exists()


def test_folder_of_an_earlier_run_is_made_new(tmp_path):
    Stage(tmp_path, Timeline())
    (tmp_path / "cloud" / "old").touch()
    Stage(tmp_path, Timeline())
    assert not (tmp_path / "cloud" / "old").exists()


def test_program_on_the_device_sends_and_answers(agent_double):
    timeline = Timeline()
    sender = Sender(agent_double.path, timeline)
    sender.send()
    sender.send()
    sender.close()
    answerer = Answerer(agent_double.path, timeline)
    answerer.start()
    agent_double.tell({"event": "method", "rid": "7", "name": "blink", "payload": ""})
    agent_double.tell({"event": "warning", "t_ms": 5, "what": "low battery", "value": "", "id": 3})
    assert agent_double.heard("reply") == {"rid": "7", "status": 200, "payload": {"lamp": "on"}}
    answerer.stop()
    assert agent_double.heard("send")["mid"] == "m00001"
    assert agent_double.heard("serve")["methods"] == ["blink"]
    assert [row["mid"] for row in timeline.rows() if row["what"] == "sent"] == ["m00001", "m00002"]
    warning = [row for row in timeline.rows() if row["what"] == "warning"]
    assert warning[0]["said"] == "low battery" and "event" not in warning[0]


def test_every_act_has_a_claim_and_the_names_are_the_scenarios():
    assert len(ACTS) == 11
    for scenario, title, short in ACTS:
        assert claim_of(scenario).count(".") >= 2, name_of(scenario)
        assert len(short) <= 23 and title
    assert name_of(ACTS[0][0]) == "first_boot"


def test_settings_of_the_demo_are_only_short_ones():
    """A mode of its own in the agent would be a setting nobody else has."""
    assert set(SETTINGS) <= {"dps", "mqtt", "reverify", "unauthorized", "fleet", "boot"}
    for section in SETTINGS.values():
        assert all(type(value) is int for value in section.values())
