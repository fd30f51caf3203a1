"""Devices whose issuer is not there when they ask, and devices that are killed while a new
certificate is tried and committed; on real sockets.

Rule: what is asserted is seen in the journal, in the status or on the disk.
"""

import os
import signal

import pytest

from hil.bench.cloud import Cloud
from tests.linux import rolling_devices
from tests.linux.rolling_devices import GROUPS, MANAGED, WAITS, made, online

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
TRYING = "trying the new certificate"
AT_ONCE = {"first": "at_once"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud"), *rolling_devices.CLOUD) as running:
        running.post("/enrollments/" + GROUPS[MANAGED], {"operational": True})
        yield running


@pytest.fixture(autouse=True)
def nothing_left(cloud):
    yield
    cloud.delete("/faults")
    cloud.post("/hub/listen", {"up": True})


@pytest.mark.parametrize("gone", [{"up": False}, {"up": False, "cut": False, "freeze": True}],
                         ids=["nobody listens", "nobody answers"])
def test_hub_that_is_gone_when_a_renewal_is_due_issues_when_it_is_back(cloud, gone):
    board = made(cloud, "gone-%d" % len(gone), "hub", identity=AT_ONCE)
    cloud.post("/hub/listen", gone)
    board.start()
    try:
        page = board.shows("its renewal waits", lambda page: page["roll"] == WAITS and page["why"])
        assert (page["why"], page["active"]) == ("no session", "onboarding")
        assert board.request() and board.state() != "online"
        cloud.post("/hub/listen", {"up": True})
        board.reach("online", 90)
        new = board.serves("a", 120)
        (last,) = cloud.rows("connected", board.since, device=board.name, service="hub")[-1:]
        assert last["thumbprint"].lower() == new["fingerprint"] != board.configured()
    finally:
        board.cut()


def test_folder_to_which_no_right_file_comes_leaves_the_old_one_serving(cloud):
    """Nothing, a folder in its place, another key's, half of the right one, and then all of it."""
    with online(cloud, "dropped", ("files",)) as boards:
        board = boards["files"]
        board.roll()
        page = board.shows("its request waits", lambda page: page["roll"] == WAITS)
        assert page["why"] == "no certificate for it in the folder yet"
        request = board.folder / "drop" / (board.name + ".csr")
        asked = request.read_text().strip()
        chain = board.issued(asked)
        file = request.with_suffix(".crt")
        for spoil, why in (
            (file.mkdir, "the file in the folder holds no certificate"),
            (lambda: replaced(file, (board.folder / "device.pem").read_text()), "wrong-key"),
            (lambda: replaced(file, chain[:300]), "the file in the folder holds no certificate"),
        ):
            spoil()
            os.kill(board.pid, signal.SIGHUP)
            page = board.shows(why, lambda page, why=why: page["why"] == why)
            assert (page["roll"], page["active"], board.state()) == (WAITS, "onboarding", "online")
            assert board.request() == asked == request.read_text().strip()
        board.answered()
        board.serves("a")
        (reason,) = board.ended_sessions()
        assert reason.startswith("taken over")


def replaced(file, text):
    """Another file, or a folder, is not there any more."""
    if file.is_dir():
        file.rmdir()
    file.write_text(text)


def keys(board):
    """The names of the slots with a key on the disk."""
    return {file.name.split(".")[0] for file in (board.folder / "state").glob("slot-*")}


def known_to_the_hub(cloud, board, since):
    """Wait for a session under another certificate than the configured one."""
    old = board.configured()
    cloud.see(board.name + " shows the new one", lambda row: (
        row["what"], row["device"], row["service"]) == ("connected", board.name, "hub")
        and row["thumbprint"].lower() != old, since)  # fmt: skip


def test_device_that_is_killed_while_it_tries_goes_on_trying_and_commits(cloud):
    """The hub keeps silent to the CONNECT with the new certificate, until the device is dead."""
    with online(cloud, "tried") as boards:
        for board in boards.values():
            fault = {"name": "SILENT_CONNECT", "device": board.name, "service": "hub"}
            cloud.post("/faults", {**fault, "count": None})
            board.roll()
        for board in boards.values():
            board.given()
        for one, board in boards.items():
            page = board.shows("it tries", lambda page: page["roll"] == TRYING)
            cloud.see(one + " shows the new one", lambda row, board=board: (
                row["what"], row["device"]) == ("fault", board.name), board.since)  # fmt: skip
            assert (page["active"], page["trial"]) == ("onboarding", "a"), one
            board.cut()
        cloud.delete("/faults")
        for board in boards.values():
            assert keys(board) == {"slot-a"}
            board.restore()
        for board in boards.values():
            board.serves("a")
            assert keys(board) == {"slot-a"} and (board.folder / "device.key").stat().st_size


def test_device_that_is_killed_while_it_commits_serves_with_the_new_one(cloud):
    """At the moment of the first session with it, whatever of the commit is on the disk by then."""
    with online(cloud, "committed") as boards:
        for one, board in boards.items():
            since = cloud.mark()
            board.roll()
            board.given()
            known_to_the_hub(cloud, board, since)
            board.cut()
            assert keys(board) == {"slot-a"}, one
        for board in boards.values():
            board.restore()
        for one, board in boards.items():
            new = board.serves("a")
            rows = cloud.rows("connected", board.since, device=board.name, service="hub")
            assert rows[-1]["thumbprint"].lower() == new["fingerprint"], one
            assert keys(board) == {"slot-a"} and (board.folder / "device.key").stat().st_size
