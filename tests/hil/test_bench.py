"""The bench's own parts: waiting, settings, the control socket, and the device `process`."""

import sys
from pathlib import Path

import pytest

from hil.bench import board, toml
from hil.bench.board import BoardError, Process
from hil.bench.control import Denied, Line, Unanswered
from hil.bench.credential import issue
from hil.bench.waiting import NotReached, until

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOML = '# kept\n[a]\nx = 1\n\n[b]\ny = "old" # comment\nz = [1]\n'


class Clock:
    def __init__(self):
        self.now = 0.0

    def pause(self, seconds):
        self.now += seconds


def test_waiting_returns_the_first_thing_found():
    clock, seen = Clock(), iter([(None, "a"), (False, "b"), ("found", "c")])
    assert until("it", lambda: next(seen), 5, lambda: clock.now, clock.pause) == "found"
    assert clock.now == pytest.approx(0.2)


def test_waiting_in_vain_says_what_for_and_what_was_seen_last():
    clock = Clock()
    with pytest.raises(NotReached, match=r"the moon \(within 5 s\)") as caught:
        until("the moon", lambda: (None, f"at {clock.now:.0f}"), 5, lambda: clock.now, clock.pause)
    assert caught.value.last == "at 5"


def test_nothing_counts_as_found_when_it_is_zero():
    assert until("a number", lambda: (0, None), 1) == 0


def test_settings_replace_add_and_leave_the_rest():
    text = toml.changed(TOML, {"b": {"y": "new", "w": True}, "c": {"v": ["p", "q"]}})
    assert tomllib.loads(text) == {
        "a": {"x": 1}, "b": {"y": "new", "w": True, "z": [1]}, "c": {"v": ["p", "q"]},
    }  # fmt: skip
    assert text.startswith("# kept\n")


def test_settings_changed_twice_are_the_last_ones():
    once = toml.changed(TOML, {"a": {"x": 2}})
    assert tomllib.loads(toml.changed(once, {"a": {"x": 3}}))["a"] == {"x": 3}


def test_answer_of_the_agent_is_returned(agent_double):
    agent_double.answers["status"] = {"ok": True, "is": {"schema": 1}}
    with Line(agent_double.path) as line:
        assert line.ask("status") == {"schema": 1}


def test_refusal_of_the_agent_keeps_its_code_and_its_words(agent_double):
    agent_double.answers["reverify"] = {
        "ok": False, "code": 3, "what": "busy", "value": "settling", "remedy": "ask again",
    }  # fmt: skip
    with Line(agent_double.path) as line, pytest.raises(Denied, match="busy: settling") as caught:
        line.ask("reverify")
    assert caught.value.code == 3


def test_nobody_at_the_socket_is_told_by_its_path(tmp_path):
    with pytest.raises(Unanswered, match=r"control\.sock"):
        Line(tmp_path / "control.sock")


def test_agent_that_hangs_up_is_told(agent_double):
    line = Line(agent_double.path)
    line.ask("status")
    agent_double.close()
    with pytest.raises(Unanswered):
        line.ask("status")
    line.close()


def test_socket_with_a_long_path_is_reached(tmp_path):
    folder = tmp_path / ("f" * 150)
    folder.mkdir()
    with pytest.raises(Unanswered):  # not "AF_UNIX path too long"
        Line(folder / "control.sock")


def test_file_put_on_the_device_is_whole_and_a_key_is_its_owners(tmp_path):
    notes = []
    device = Process(tmp_path, "d", lambda what, **more: notes.append((what, more)))
    device.put("device.key", b"old")
    device.put("device.key", b"k")
    device.put("device.pem", b"c")
    assert (tmp_path / "device.key").read_bytes() == b"k"
    assert (tmp_path / "device.key").stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["device.key", "device.pem"]
    assert notes[-1] == ("file", {"name": "device.pem"})


@pytest.mark.parametrize("word", ["stop", "cut"])
def test_device_that_is_off_cannot_be_switched_off(tmp_path, word):
    with pytest.raises(BoardError, match="does not run"):
        getattr(Process(tmp_path, "d"), word)()


def test_device_that_ends_at_once_is_told_with_its_last_words(tmp_path):
    (tmp_path / "anchorwatch.toml").write_text("[device]\nregistration = 1\n")
    device = Process(tmp_path, "d")
    with pytest.raises(BoardError, match=r"exit code 2: .*registration"):
        device.start()
    assert device.pid is None


def test_command_that_is_refused_is_told_with_its_exit_code(tmp_path):
    (tmp_path / "anchorwatch.toml").write_text("[device]\nregistration = 1\n")
    with pytest.raises(BoardError, match="reprovision: exit code 2"):
        Process(tmp_path, "d").ask("reprovision")


def test_wall_clock_of_a_process_needs_its_library(tmp_path, monkeypatch):
    monkeypatch.setattr(board, "FAKETIME", (str(tmp_path / "none.so"),))
    with pytest.raises(BoardError, match="install Debian's libfaketime"):
        Process(tmp_path, "d").clock(-100)


def test_new_certificate_has_the_devices_name_and_its_own_key():
    certificate, key = issue("dev-7")
    other, _ = issue("dev-7")
    assert certificate.startswith(b"-----BEGIN CERTIFICATE-----") and certificate != other
    assert b"PRIVATE KEY" in key


def test_command_line_is_that_of_this_python():
    words = board.command()
    assert Path(words[0]).exists()
