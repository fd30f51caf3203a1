"""The demo's stage with real processes: the cloud, the agent, and an interrupted run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hil.bench.board import BoardError, Process
from hil.bench.cloud import Cloud
from hil.bench.waiting import until
from hil.demo.acts import ACTS, CLOUD, SETTINGS, name_of
from hil.scenarios import first_boot
from tests import house

pytestmark = pytest.mark.tls


def running(folder: Path) -> list[str]:
    """Command lines of living processes that name a folder or work in it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = os.readlink(entry / "cwd")
        except OSError:
            continue  # it has just ended
        if str(folder) in line or place.startswith(str(folder)):
            found.append(line)
    return found


def demo(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "hil.demo", "--dir", str(folder)]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a script's background job has it
    try:
        return subprocess.Popen(command, cwd=house.ROOT, stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def rows_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "timeline.jsonl").read_text().splitlines()]


def test_device_boots_loses_its_power_and_is_back(tmp_path):
    with Cloud(tmp_path, *CLOUD) as cloud:
        device = Process(tmp_path / "x509", cloud.ready["kinds"]["x509"])
        device.configure(SETTINGS)
        try:
            first_boot.play(cloud, device)
            with pytest.raises(BoardError, match="runs already"):
                device.start()
            since = cloud.mark()
            device.cut()
            assert device.pid is None
            device.restore()
            device.reach("online")
            assert not cloud.rows("register", since), "it knew its hub"
        finally:
            code = device.stop()
        assert code == 0
    assert running(tmp_path) == []


def test_interrupted_demo_ends_both_processes_and_still_reports(tmp_path):
    playing = demo(tmp_path)
    try:
        control = tmp_path / "cloud" / "x509" / "control.sock"
        until("the agent's socket", lambda: (control.exists(), playing.poll()), 120)
        assert len(running(tmp_path)) >= 3, "the demo, the cloud and the agent"
        playing.send_signal(signal.SIGINT)
        output, _ = playing.communicate(timeout=60)
    finally:
        playing.kill()
        playing.wait()
    assert playing.returncode == 130, output
    assert "The run was stopped: somebody pressed Ctrl-C." in (tmp_path / "report.html").read_text()
    assert rows_of(tmp_path)[-1]["what"] == "result"
    assert running(tmp_path) == []


@pytest.mark.long
def test_demo_reaches_every_act_and_loses_nothing(tmp_path):
    playing = demo(tmp_path)
    try:
        output, _ = playing.communicate(timeout=240)
    finally:
        playing.kill()
        playing.wait()
    assert playing.returncode == 0, output
    rows = rows_of(tmp_path)
    times = [row["t_ms"] for row in rows]
    assert times == sorted(times)
    assert {row["who"] for row in rows} == {"agent", "hub", "dps", "operator", "demo"}
    acts = rows[-1]["acts"]
    assert [act["name"] for act in acts] == [name_of(scenario) for scenario, _, _ in ACTS]
    for act in acts:
        assert act["reached"] and act["lost"] == 0 and act["sent"] > 20, act
    for name in (
        "root_changes", "root_reverts", "root_unknown", "address_changes", "certificate_rolls",
    ):  # fmt: skip
        act = next(act for act in acts if act["name"] == name)
        assert act["longest_silence_ms"] < 1_000 and act["duplicated"] == 0, act
    assert running(tmp_path) == []
