"""The command line through main([...]): usage, errors, exit codes; a real agent behind it."""

import json
import os
import subprocess
import sys

import pytest

from anchorwatch.linux import cli, page
from tests.linux import authority
from tests.linux.agent_process import AgentProcess, write_config


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli")
    running = AgentProcess(path, write_config(path))
    running.ready()
    yield running
    assert running.end() == 0


def _main(capsys, *arguments):
    """(exit code, standard output, standard error)."""
    try:
        code = cli.main(list(arguments))
    except SystemExit as left:
        code = left.code
    return (code, *capsys.readouterr())


def test_wrong_usage_is_exit_code_two(capsys):
    for arguments in ([], ["dance"], ["told", "maybe"], ["roots"], ["roots", "explain"]):
        assert _main(capsys, *arguments)[0] == 2


CASES = (
    # the configuration                                  said                    and
    ("[device\n",                                        "not TOML",             "line 1"),
    ("[device]\nx = \n",                                 "not TOML",             "line 2"),
    ("[dveice]\n",                                       "unknown section",      "device"),
    ("[mqtt]\nkeepalive = 5\n",                          "unknown setting",      "keepalive_s"),
    ("[mqtt]\nkeepalive_s = 2\n",                        "keepalive_s",          "5"),
    ("[credential]\ngroup_key = 'c2VjcmV0c2VjcmV0'\n",   "a group's master key", "bench"),
)  # fmt: skip


@pytest.mark.parametrize("text,said,also", CASES, ids=[case[1] for case in CASES])
@pytest.mark.parametrize("command", ["status", "check"])
def test_configuration_error_says_what_and_where_and_is_exit_code_two(
        capsys, tmp_path, command, text, said, also):
    file = tmp_path / "a.toml"
    file.write_text(text)
    code, out, err = _main(capsys, "--config", str(file), command)
    assert code == 2 and out == ""
    assert said in err and also in err, err
    assert "c2VjcmV0" not in err


@pytest.mark.parametrize("text,said,also", CASES, ids=[case[1] for case in CASES])
def test_configuration_error_stops_run_before_it_is_an_agent(tmp_path, text, said, also):
    (tmp_path / "a.toml").write_text(text)
    command = [sys.executable, "-m", "anchorwatch.linux.cli", "--config", "a.toml", "run"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, cwd=tmp_path, check=False
    )
    assert done.returncode == 2 and done.stdout == ""
    assert said in done.stderr and also in done.stderr and "Traceback" not in done.stderr
    assert "c2VjcmV0" not in done.stderr and os.listdir(tmp_path) == ["a.toml"]


def test_missing_and_binary_configuration_is_exit_code_two(capsys, tmp_path):
    code, _, err = _main(capsys, "--config", str(tmp_path / "none.toml"), "status")
    assert code == 2 and "configuration cannot be read" in err and "none.toml" in err
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    code, _, err = _main(capsys, "--config", str(tmp_path / "b.toml"), "status")
    assert code == 2 and "not UTF-8" in err


def test_command_without_an_agent_says_try_later(capsys, tmp_path):
    code, _, err = _main(capsys, "--config", write_config(tmp_path), "status")
    assert code == 3 and "no agent answers" in err and "anchorwatch run" in err


def test_status_is_short_for_people_and_whole_for_programs(capsys, agent):
    code, out, _ = _main(capsys, "--config", agent.config, "status")
    assert code == 0 and "dps.example" in out and "queue" in out and len(out.splitlines()) < 20
    code, out, _ = _main(capsys, "--config", agent.config, "status", "--json")
    assert code == 0 and json.loads(out)["schema"] == 1


def test_sent_message_prints_its_id(capsys, agent):
    code, out, _ = _main(capsys, "--config", agent.config, "send", "--property", "a=b",
                         "--mid", "m-1", "hello")
    assert (code, out) == (0, "m-1\n")


def test_payload_is_read_from_standard_input(capsys, agent, monkeypatch, tmp_path):
    (tmp_path / "payload").write_bytes(b"\x00\xff")
    with open(tmp_path / "payload", encoding="latin-1") as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert _main(capsys, "--config", agent.config, "send", "-")[0] == 0


def test_property_without_a_value_is_wrong_usage(capsys, agent):
    code, _, err = _main(capsys, "--config", agent.config, "send", "--property", "a", "x")
    assert code == 2 and "NAME=VALUE" in err


def test_busy_agent_says_try_later(capsys, agent):
    """Registration is under way or waited for, so there is no second handshake to make."""
    code, _, err = _main(capsys, "--config", agent.config, "reverify")
    assert code == 3 and "busy" in err


@pytest.mark.parametrize("offered", ["leaf", "intermediate"])
def test_leaf_or_intermediate_offered_as_a_root_is_refused_and_the_file_named(
        capsys, agent, tmp_path, offered):
    file = tmp_path / (offered + ".pem")
    file.write_bytes(authority.root().issue("hub.example", ca=offered != "leaf").pem)
    code, _, err = _main(capsys, "--config", agent.config, "roots", "add", str(file))
    assert code == 1 and "leaf or intermediate offered as a root" in err and file.name in err
    code, out, _ = _main(capsys, "--config", agent.config, "roots", "list")
    assert code == 0 and "hub.example" not in out


def test_private_key_offered_as_a_root_is_refused_and_not_shown(capsys, agent, tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(authority.root().key_pem)
    code, _, err = _main(capsys, "--config", agent.config, "roots", "add", str(file))
    assert code == 1 and "private key" in err and "MI" not in err


def test_root_is_added_explained_and_distrusted(capsys, agent, tmp_path):
    root = authority.root("Operator's Root")
    (tmp_path / "root.pem").write_bytes(root.pem)
    config = ("--config", agent.config)
    assert _main(capsys, *config, "roots", "add", str(tmp_path / "root.pem"))[:2] == (0, "done\n")
    assert "site trusts it" in _main(capsys, *config, "roots", "explain", root.sha256)[1]
    assert _main(capsys, *config, "roots", "distrust", root.sha256)[0] == 0
    assert "site distrusts it" in _main(capsys, *config, "roots", "explain", root.sha256)[1]
    listed = _main(capsys, *config, "roots", "list")[1]
    assert [line for line in listed.splitlines()
            if line.startswith(root.sha256) and "distrusted" in line]


def test_logs_are_lines_with_their_time(capsys, agent):
    code, out, _ = _main(capsys, "--config", agent.config, "logs", "--most", "2")
    assert code == 0 and 1 <= len(out.splitlines()) <= 2


def test_check_names_every_part_and_fails_while_one_is_bad(capsys, agent):
    code, out, _ = _main(capsys, "--config", agent.config, "check", "--json")
    rows = {row["check"]: row for row in json.loads(out)}
    assert code == 3
    assert rows["credential"]["ok"] and rows["trust"]["ok"] and rows["state"]["ok"]
    assert not rows["dps tcp"]["ok"] and "network: refused" == rows["dps tcp"]["what"]
    assert rows["dps tcp"]["remedy"]


def test_check_without_a_usable_key_says_so_and_goes_on(capsys, tmp_path):
    config = write_config(tmp_path)
    (tmp_path / "device.key").unlink()
    code, out, _ = _main(capsys, "--config", config, "check")
    assert code == 1 and "key file cannot be read" in out and "device.key" in out
    assert "trust" in out and "dps" in out
    assert not (tmp_path / "state").exists()


def test_a_fault_is_shown_with_verdict_remedy_and_next_try():
    lines = page.status({
        "agent": {"state": "waiting for hub", "since_s": None, "version": "1", "mode": "own"},
        "fault": {"class": "trust", "verdict": "unknown-issuer", "what": "hub h: unknown-issuer",
                  "value": "", "remedy": "add the root", "tries": 2, "next_in_ms": 65_000},
        "gap": [{"endpoint": "hub", "presented": "CN=New Root", "verdict": "unknown-issuer",
                 "remedy": "put its root there"}],
        "clock": {"standing": "plausible"}})
    text = "\n".join(lines)
    for part in ("trust: hub h: unknown-issuer", "add the root", "try 3 follows in 1 min 5 s",
                 "hub presents CN=New Root", "put its root there"):
        assert part in text


def test_warnings_are_shown_with_class_value_remedy_and_how_often():
    row = {"class": "state", "what": "state file is damaged", "value": "clock.0 (torn)",
           "remedy": "the other slot is used", "count": 1, "since_s": 65, "last_s": 65}
    often = {**row, "class": "message", "what": "no JSON", "value": "", "count": 3}
    lines = page.status({
        "agent": {"state": "online", "since_s": 70, "version": "1", "mode": "own"},
        "warnings": [row, often], "clock": {"standing": "plausible"}})
    assert lines[1:5] == [
        "warning   state: state file is damaged: clock.0 (torn)",
        "          the other slot is used (1 min 5 s ago)",
        "warning   message: no JSON",
        "          the other slot is used (3 times, first 1 min 5 s ago)",
    ]


def test_root_store_is_shown_as_far_as_it_differs_from_the_first_day():
    bundle = {"stage": "trial", "version": 3, "in_force": 3, "seen": [], "boots": 0, "why": "",
              "stale": False}
    bundles = {"vendor": bundle, "site": dict(bundle, stage="rooted", version=0, in_force=0)}
    root = {"name": "CN=Old", "expired_days": 12, "offered": ["hub"], "reserve": [],
            "proven": ["hub"]}
    tree = {"agent": {"state": "online", "since_s": 1, "version": "1", "mode": "own"},
            "clock": {"standing": "plausible"}}
    first_day = page.status(tree)
    tree["trust"] = {"bundles": bundles, "held_until_utc_s": {"hub": 2_000_000_000},
                     "emergency": {"dps": ["ab" * 32]}, "expired": [root]}
    assert [line for line in page.status(tree) if line not in first_day] == [
        "bundle    site: a root of trust, no bundle",
        "bundle    vendor: trial, version 3",
        "hold      hub: a distrusted root until 2033-05-18T03:33:20Z",
        "reserve   dps was found to need " + "ab" * 32,
        "expired   CN=Old, 12 days ago  [offered to hub; proven at hub]"]
    bundle.update(stage="reverted", in_force=2, why="hub: unknown-issuer", stale=True)
    assert [line for line in page.status(tree) if line.endswith("stale")] == [
        "bundle    vendor: reverted, version 3, version 2 in force, hub: unknown-issuer, stale"]


@pytest.mark.parametrize("seconds,text", [(0, "0 s"), (59, "59 s"), (3600, "1 h"),
                                          (3725, "1 h 2 min"), (90_061, "1 d 1 h")])
def test_spans_show_their_two_largest_units(seconds, text):
    assert page.span(seconds) == text
