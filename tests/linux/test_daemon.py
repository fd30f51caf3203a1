"""The real process: start, damage, signals, end."""

import hashlib
import os
import signal
import stat
import subprocess
import sys

import pytest

from anchorwatch.linux.caller import Refusal
from anchorwatch.linux.crash import within_the_hour
from anchorwatch.linux.store import open_store
from anchorwatch.wire import frame
from tests.linux import authority
from tests.linux.agent_process import AgentProcess, write_config


@pytest.fixture
def start(tmp_path):
    """start(more configuration) -> a process; ended after the test."""
    begun = []

    def begin(more=""):
        begun.append(AgentProcess(tmp_path, write_config(tmp_path, more)))
        return begun[-1]

    yield begin
    for agent in begun:
        if agent.process.poll() is None:
            agent.process.kill()
            agent.process.wait()


def _warnings(agent, kind):
    """What the status lists of one class."""
    with agent.caller() as caller:
        return [row for row in caller.ask("status")["warnings"] if row["class"] == kind]


def _store(tmp_path):
    class Config:
        class state:
            dir = str(tmp_path / "state")

        class trust:
            site_dir = ""

    return open_store(Config, lambda *parts: None)[0]


def test_agent_without_any_service_answers_and_ends_on_sigterm(start, tmp_path):
    agent = start()
    status = agent.ready()
    assert status["schema"] == 1 and status["queue"] == {
        "waiting": 0, "in_flight": 0, "dropped": 0}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert agent.end() == 0
    assert not os.path.exists(agent.socket)
    assert "crash" not in agent.text()


def test_fault_is_named_with_its_class_verdict_and_remedy(start):
    agent = start()
    agent.ready()
    found = []

    def failed():
        with agent.caller() as caller:
            found.append(caller.ask("status")["fault"])
        return found[-1] is not None

    agent.until(failed)
    assert (found[-1]["class"], found[-1]["verdict"]) == ("network", "refused")
    assert found[-1]["remedy"]


def test_no_secret_and_no_setting_is_in_arguments_or_environment(start):
    agent = start()
    agent.ready()
    proc = "/proc/%d/" % agent.process.pid
    with open(proc + "cmdline", "rb") as cmdline, open(proc + "environ", "rb") as environ:
        shown = cmdline.read() + environ.read()
    for word in (b"AAECAwQF", b"0ne00AB12CD", b"registration_id"):
        assert word not in shown
    assert b"AAECAwQF" not in agent.log.read_bytes()


def test_second_agent_on_the_same_state_is_told_to_try_later(start):
    first = start()
    first.ready()
    second = subprocess.run(
        [sys.executable, "-m", "anchorwatch.linux.cli", "--config", first.config, "run"],
        capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 3 and "another agent runs on this state" in second.stderr
    assert first.ready()


def test_flipped_byte_in_the_state_is_survived_and_reported(start, tmp_path):
    write_config(tmp_path)
    store = _store(tmp_path)
    for floor in (1_800_000_000, 1_800_000_001):
        store.save("clock", {"floor_utc_s": floor})
    slot = tmp_path / "state" / "clock.0"
    data = bytearray(slot.read_bytes())
    data[20] ^= 1
    slot.write_bytes(data)
    agent = start()
    assert agent.ready()["clock"]["floor_utc_s"] == 1_800_000_000
    assert "state file is damaged" in agent.text() and "clock.0" in agent.text()
    assert "the other slot is used" in agent.text()
    told = _warnings(agent, "state")
    assert [(row["what"], row["remedy"], row["count"]) for row in told] == [
        ("state file is damaged", "the other slot is used", 1)]
    assert told[0]["value"].startswith("clock.0 (")


def test_state_of_a_newer_anchorwatch_is_refused_at_the_start(start, tmp_path):
    write_config(tmp_path)
    _store(tmp_path).save("trust", {})
    head = bytearray(frame.encode(2, b"{}"))[:-32]
    head[3] = frame.FORMAT + 1
    (tmp_path / "state" / "trust.0").write_bytes(bytes(head) + hashlib.sha256(head).digest())
    agent = start()
    assert agent.process.wait(timeout=20) == 1
    assert "newer anchorwatch" in agent.text()


def test_open_key_file_stops_the_start_with_its_name(tmp_path):
    config = write_config(tmp_path)
    (tmp_path / "device.key").chmod(0o644)
    agent = AgentProcess(tmp_path, config)
    assert agent.process.wait(timeout=20) == 2
    assert "device.key" in agent.text() and "read or written by others" in agent.text()


def test_key_that_does_not_match_its_certificate_stops_the_start(tmp_path):
    config = write_config(tmp_path)
    root = authority.root()
    root.issue("dev-7", client=True).write(tmp_path)
    (tmp_path / "device.key").write_bytes(root.key_pem)
    with open(config, encoding="utf-8") as file:
        text = file.read().replace('"symmetric_key"', '"x509"\ncert_file = "device.pem"')
    with open(config, "w", encoding="utf-8") as file:
        file.write(text)
    agent = AgentProcess(tmp_path, config)
    assert agent.process.wait(timeout=20) == 2
    assert "key does not match certificate" in agent.text()


def test_leaf_in_the_factory_layer_stops_the_start_and_names_the_file(start, tmp_path):
    folder = tmp_path / "roots"
    folder.mkdir()
    root = authority.root("Good")
    (folder / "good.pem").write_bytes(root.pem)
    (folder / "leaf.pem").write_bytes(root.issue("hub.example").pem)
    agent = start('[trust]\nfactory_dir = "roots"\n')
    assert agent.process.wait(timeout=20) == 2
    assert "leaf or intermediate offered as a root" in agent.text()
    assert "leaf.pem" in agent.text()


def test_leaf_in_the_site_layer_is_reported_and_the_rest_stands(start, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    root = authority.root("Good")
    (folder / "good.pem").write_bytes(root.pem)
    (folder / "leaf.pem").write_bytes(root.issue("hub.example").pem)
    agent = start('[trust]\nsite_dir = "site"\n')
    agent.ready()
    assert "leaf or intermediate offered as a root" in agent.text()
    assert "leaf.pem" in agent.text()
    with agent.caller() as caller:
        roots = caller.ask("roots_list")["roots"]
    assert [row["sha256"] for row in roots if row["layer"] == "site"] == [root.sha256]


def test_refused_root_is_in_the_status_until_it_is_gone_and_the_layer_read_again(start, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("one.pem", "two.pem"):
        (folder / name).write_bytes(authority.root("Good").issue("hub.example").pem)
    agent = start('[trust]\nsite_dir = "site"\n')
    agent.ready()
    told = _warnings(agent, "trust")
    assert [row["what"] for row in told] == ["leaf or intermediate offered as a root"] * 2
    assert told[0]["value"].startswith(str(folder / "one.pem")) and told[0]["remedy"]
    (folder / "one.pem").unlink()
    os.kill(agent.process.pid, signal.SIGHUP)
    agent.until(lambda: len(_warnings(agent, "trust")) == 1)
    assert _warnings(agent, "trust")[0]["value"].startswith(str(folder / "two.pem"))


def test_key_that_became_unreadable_is_in_the_status_until_it_is_read(start, tmp_path):
    agent = start()
    agent.ready()
    key = tmp_path / "device.key"
    key.chmod(0o644)
    os.kill(agent.process.pid, signal.SIGHUP)
    agent.until(lambda: _warnings(agent, "identity"))
    told = _warnings(agent, "identity")[0]
    assert "device.key" in told["value"] and told["remedy"]
    key.chmod(0o600)
    os.kill(agent.process.pid, signal.SIGHUP)
    agent.until(lambda: not _warnings(agent, "identity"))
    assert "AAECAwQF" not in agent.text()


def test_sighup_reads_the_site_layer_again(start, tmp_path):
    agent = start()
    agent.ready()
    root = authority.root("Late")
    (tmp_path / "state" / "site" / "late.pem").write_bytes(root.pem)
    os.kill(agent.process.pid, signal.SIGHUP)

    def there():
        with agent.caller() as caller:
            return root.sha256 in [row["sha256"] for row in caller.ask("roots_list")["roots"]]

    agent.until(there)
    assert agent.end() == 0


def test_added_root_is_on_the_disk_and_there_after_a_restart(start, tmp_path):
    agent = start()
    agent.ready()
    root = authority.root("Site")
    with agent.caller() as caller:
        answer = caller.ask("roots_add", {"pem": root.pem.decode()})
        again = caller.ask("roots_add", {"pem": root.pem.decode()})
    assert answer["changed"] and not again["changed"]
    assert agent.end() == 0
    second = start()
    second.ready()
    with second.caller() as caller:
        assert root.sha256 in [row["sha256"] for row in caller.ask("roots_list")["roots"]]


CRASHING = """
import os, sys
from anchorwatch.config import Config
from anchorwatch.linux.daemon import Agent
from anchorwatch.linux.toml import load
agent = Agent(Config(*load(sys.argv[1])), by_hand=True)
start = agent.begin()
agent._inbox.post(object())          # what no driver may post
try:
    agent.keep(start)
except Exception:
    sys.exit(70)
"""


def test_crash_is_written_down_and_shown_after_the_next_start(start, tmp_path):
    config = write_config(tmp_path)
    done = subprocess.run([sys.executable, "-c", CRASHING, config], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 70 and "crash what=" in done.stderr
    agent = start()
    crash = agent.ready()["agent"]["last_crash"]
    assert crash["count"] == 1 and [w for w in crash["where"] if "loop.py" in w]


def test_three_crashes_in_an_hour_lead_to_a_reduced_watch(start, tmp_path):
    config = write_config(tmp_path)
    for _ in range(3):
        subprocess.run([sys.executable, "-c", CRASHING, config], capture_output=True, timeout=30,
                       check=False)
    assert start().ready()["agent"]["reduced"]


def test_crashes_of_another_hour_do_not_count():
    assert within_the_hour({"recent": [100, 3_000, 3_700]}, 3_701) == [3_000, 3_700]
    assert within_the_hour({"recent": [5_000]}, 4_000) == []
    assert within_the_hour(None, 4_000) == []


FULL_DISK = """
import errno, os, sys
from anchorwatch.config import Config
from anchorwatch.linux import folder
from anchorwatch.linux.daemon import Agent
from anchorwatch.linux.toml import load
def write(self, descriptor, data):
    raise OSError(errno.ENOSPC, "full")
folder.Folder.write = write
agent = Agent(Config(*load(sys.argv[1])), by_hand=True)
agent.run()
"""


def test_full_disk_is_reported_and_the_agent_keeps_watch(tmp_path):
    config = write_config(tmp_path)
    agent = AgentProcess(tmp_path, config, [sys.executable, "-c", FULL_DISK, config])
    agent.ready()
    agent.until(lambda: "fault" in agent.text())
    with agent.caller() as caller:
        with pytest.raises(Refusal, match="not written: full") as refused:
            caller.ask("roots_distrust", {"sha256": "ab" * 32})
        assert refused.value.code == 3
        assert caller.ask("roots_explain", {"sha256": "ab" * 32})["why"] == ["no layer names it"]
    told = [row for row in _warnings(agent, "state") if row["value"] == "site/distrust"]
    assert told[0]["what"] == "state not written: full" and "make room" in told[0]["remedy"]
    assert agent.end() == 0
    assert "state not written: full" in agent.text()
    assert os.listdir(tmp_path / "state" / "site") == []
