"""The log, systemd's datagrams and the account of a crash."""

import os
import socket

from anchorwatch.linux.crash import account
from anchorwatch.linux.journal import Journal, line_of
from anchorwatch.linux.systemd import Systemd


def test_line_is_printable_and_bounded_whatever_a_peer_sent():
    line = line_of("fault", {"value": "a\x1b[31m\nb\u202e", "presented": ["x" * 5000], "what": '"'})
    assert line.isascii() and line.isprintable() and len(line) <= 1003
    assert "\\x1b[31m\\x0ab\\u202e" in line


def test_payloads_and_desired_properties_are_not_logged():
    line = line_of("c2d", {"payload": b"topsecret", "desired": {"key": "topsecret"}, "n": 1})
    assert line == "c2d n=1"


def test_last_lines_are_kept_and_the_oldest_let_go():
    written = []
    journal = Journal(written.append, lambda: 7)
    for number in range(600):
        journal.note("state", {"n": number})
    assert len(written) == 600
    assert [row["line"] for row in journal.lines(2)] == ["state n=598", "state n=599"]
    assert journal.lines(1)[0]["t_ms"] == 7
    assert len(journal.lines(10_000)) == 500 and journal.lines(0) == []


def test_service_manager_is_told_and_the_watchdog_fed_in_time(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        told = Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000",
                        "WATCHDOG_PID": str(os.getpid())})
        told.ready(1000)
        assert manager.recv(100) == b"READY=1"
        told.turn(1000)
        assert manager.recv(100) == b"WATCHDOG=1" and told.wake_at() == 31_000
        told.turn(10_000)
        told.status("online")
        told.status("online")
        assert manager.recv(100) == b"STATUS=online"
        told.turn(20_000)
        assert manager.recv(100) == b"WATCHDOG=1" and told.wake_at() == 50_000
        told.stopping()
        assert manager.recv(100) == b"STOPPING=1"


def test_without_a_service_manager_nothing_is_due_and_nothing_fails():
    for environment in ({}, {"NOTIFY_SOCKET": "/nowhere/notify"},
                        {"NOTIFY_SOCKET": "@anchorwatch-nobody", "WATCHDOG_USEC": "many"}):
        told = Systemd(environment)
        told.ready(0)
        told.turn(1)
        told.status("x")
        assert told.wake_at() is None


def test_account_of_a_crash_names_places_and_counts_and_shows_no_variable():
    def deep(secret):
        raise KeyError("what")

    try:
        deep("s3cret")
    except KeyError as error:
        about = account(error, 5, {"count": 2})
    assert about["what"] == "KeyError: 'what'" and about["count"] == 3 and about["at_utc_s"] == 5
    assert about["where"][-1].endswith(" deep") and "s3cret" not in repr(about)
