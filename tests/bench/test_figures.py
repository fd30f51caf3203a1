"""The bench's arithmetic: what a journal says of moves, and which limits hold."""

import json
import shutil

import pytest

from hil.bench import __main__ as bench
from hil.bench import figures, gaps, growth, idle, page, start, swap
from hil.bench.devices import OURS, PAHO, SDK

FIGURE = {OURS: 1.5, SDK: 3, PAHO: None, "limit": 2, "unit": "ms", "how": "with <care>"}


def row(t_ms, what, service="hub", device="d", **more):
    return {"t_ms": t_ms, "what": what, "service": service, "device": device, **more}


JOURNAL = [
    row(0, "connected", "dps"),
    row(1_000, "connected"),
    row(1_500, "telemetry", mid="m-0"),
    row(1_700, "telemetry", device="another", mid="m-0"),
    row(2_000, "telemetry", mid="m-1"),
    row(2_010, "c2d acked", mid="c"),
    row(2_020, "c2d sent", mid="c"),
    row(2_030, "disconnected"),
    row(2_050, "connected"),
    row(2_100, "twin get"),
    row(2_130, "telemetry", mid="m-1"),
]


def test_a_move_is_timed_by_what_the_device_sent_and_the_hub_took():
    assert gaps.moves(JOURNAL, "d") == [
        {"without_ms": 40, "working_ms": 90, "telemetry_ms": 130, "down_ms": 20}
    ]


def test_a_session_that_nobody_used_has_no_working_time():
    assert gaps.moves(JOURNAL[:-2], "d") == [
        {"without_ms": 40, "working_ms": None, "telemetry_ms": None, "down_ms": 20}
    ]


def test_messages_are_counted_by_id_and_device():
    assert gaps.delivery(JOURNAL, "d", ["m-0", "m-1", "m-2"]) == {"lost": 1, "twice": 1}


def test_letters_are_counted_by_their_texts():
    assert gaps.received(["a", "b", "c"], ["a", "b", "b"]) == {"lost": 1, "twice": 1}


@pytest.mark.parametrize(("values", "middle"), [([3], 3), ([9, 1, 2], 2), ([1, 2, 3, 10], 2.5)])
def test_the_median_is_the_middle(values, middle):
    assert gaps.median(values) == middle


MISSES = {
    "at the limit": ({OURS: 2}, False),
    "above it": ({OURS: 2.1}, True),
    "not measured": ({OURS: None}, True),
    "no limit": ({OURS: 99, "limit": None}, False),
}


@pytest.mark.parametrize("case", MISSES)
def test_a_limit_holds_when_ours_is_there_and_not_above_it(case):
    change, is_missed = MISSES[case]
    found = {"a figure": {**FIGURE, **change}}
    assert figures.missed(found) == (["a figure"] if is_missed else [])
    assert any("MISSED" in line for line in figures.lines(found)) is is_missed


def test_a_missed_limit_is_the_exit_status_and_stands_in_the_report(tmp_path, capsys):
    for limit, status in ((2, 0), (1, 1)):
        figures.write(
            tmp_path, figures.document("looks", {"bytes": {**FIGURE, "limit": limit}}, 1.0)
        )
        assert bench.closed(tmp_path, ["looks"]) == status
    assert "limits missed: bytes" in capsys.readouterr().out
    assert "Missed: bytes." in (tmp_path / "report.html").read_text()


def test_the_report_is_whole_in_itself_and_escapes():
    text = page.page([figures.document("looks", {"<b>": FIGURE}, 1.0)])
    assert "&lt;b&gt;" in text and "with &lt;care&gt;" in text
    assert "<b>" not in text and "http" not in text.partition("</style>")[2] + text[:80]


def test_a_file_says_when_and_on_what_machine(tmp_path):
    made = json.loads(figures.write(
        tmp_path, figures.document("looks", {"bytes": FIGURE}, 1.0)).read_text())  # fmt: skip
    assert made["date"].endswith("Z")
    assert {"cpus", "python", "openssl", "load"} <= set(made["machine"])
    assert set(made["figures"]["bytes"]) == {OURS, SDK, PAHO, "limit", "unit", "how"}


def test_growth_is_the_slope_and_not_the_ends():
    readings = [{"after": n, "uss_kib": 1_000 + 3 * n} for n in range(5)]
    assert growth.slope(readings) == 3
    assert growth.slope([*readings[:2], {"after": 2, "uss_kib": 1_003}]) == 1.5
    jump = [{"after": n, "uss_kib": 1_000 + n + (600 if n > 4 else 0)} for n in range(10)]
    assert growth.slope(jump) == 1


START = {
    "half of the SDK's": ({OURS: 100.0, SDK: 200.0, PAHO: 90.0}, []),
    "more than its share": (
        {OURS: 130.0, SDK: 200.0, PAHO: 90.0}, ["start to connected: processor"]
    ),
    "no SDK to compare with": ({OURS: 10.0, PAHO: 90.0}, ["start to connected: processor"]),
}  # fmt: skip


@pytest.mark.parametrize("case", START)
def test_a_start_is_judged_by_what_the_sdk_took_in_the_same_run(case):
    spent, missed = START[case]
    assert figures.missed(start.figures(spent, 3)) == missed


def test_every_figure_of_a_swap_is_there_for_both_round_trips():
    move = {"without_ms": 120, "working_ms": 130, "telemetry_ms": None, "down_ms": 0}
    clean = {"lost": 0, "twice": 0}
    outcome = swap.Outcome([move], 10, clean, {"lost": 0, "twice": 2}, 5, [], 0)
    found = swap.figures({(OURS, 0): outcome, (OURS, 100): outcome}, 1)
    assert figures.missed(found) == [
        "without median, round trip 0 ms", "without worst, round trip 0 ms",
        "C2D twice, round trip 0 ms", "C2D twice, round trip 100 ms",
    ]  # fmt: skip
    assert found["without worst, round trip 100 ms"]["limit"] == 140
    assert found["telemetry worst, round trip 0 ms"][OURS] is None


def test_idle_figures_have_the_limits_of_the_design():
    seen = {OURS: {"memory": 12.6, "threads": 1, "switches": 6, "wake-ups": 1.0}}
    assert figures.missed(idle.figures(seen, 60)) == ["idle: memory"]


@pytest.mark.tls
def test_a_short_bench_runs_and_writes_its_files(tmp_path, capsys):
    if not shutil.which("openssl"):
        pytest.skip("the program openssl is missing: apt-get install openssl")
    assert bench.main(["looks", "--short", "--dir", str(tmp_path)]) == 0
    made = json.loads((tmp_path / "looks.json").read_text())
    assert made["figures"]["reverify: bytes of a look"][OURS] > 1_000
    assert "every limit holds" in capsys.readouterr().out


def test_an_unknown_bench_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        bench.main(["swaps"])
    assert caught.value.code == 2 and "there are looks" in capsys.readouterr().err
