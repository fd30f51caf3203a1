"""Devices roll their certificates with the emulated cloud, on real sockets, with every issuer.

Rule: what is asserted is seen in the journal, in the status or on the disk.
"""

import base64

import pytest

from hil.bench.cloud import Cloud
from hil.bench.control import Line
from hil.bench.waiting import until
from tests.linux import rolling_devices
from tests.linux.rolling_devices import WAITS, online, program, rolled

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
AFTER = ("resting", WAITS)  # where a failed request leaves the machine


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud"), *rolling_devices.CLOUD) as running:
        yield running


@pytest.fixture(scope="module")
def standing(cloud):
    """A device for each issuer, with its configured certificate and one session; a test leaves
    it so."""
    with online(cloud, "standing") as boards:
        yield boards


@pytest.fixture(autouse=True)
def nothing_left(cloud):
    yield
    cloud.delete("/faults")
    for service in ("est", "dps"):
        cloud.post(f"/{service}/listen", {"up": True})


def undisturbed(boards):
    """Each serves with what it had, in the session that it had."""
    for board in boards:
        assert (board.state(), board.identity()["active"]) == ("online", "onboarding"), board.name
        assert board.ended_sessions() == [], board.name


def faulty(cloud, boards, name, count=1, **parameters):
    for board in boards:
        fault = {"name": name, "device": board.name, "count": count, **parameters}
        cloud.post("/faults", fault)


def say(board, word, count=10):
    """Messages by the program on the device; their ids."""
    mids = ["%s-%s-%d" % (board.name, word, number) for number in range(count)]
    with Line(board.socket) as line:
        for mid in mids:
            line.ask("send", mid=mid, payload=base64.b64encode(mid.encode()).decode())
    return mids


def arrived(cloud, mids, since):
    """Wait until the hub has every message."""

    def look():
        missing = set(mids) - {row["mid"] for row in cloud.rows("telemetry", since)}
        return not missing, sorted(missing)

    until("the hub has %d messages" % len(mids), look, 20)


def test_every_issuers_certificate_serves_in_a_session_that_goes_on(cloud):
    since, mids = cloud.mark(), []
    with online(cloud, "rolls") as boards:
        configured = {one: board.configured() for one, board in boards.items()}
        for slot in ("a", "b"):
            for board in boards.values():
                mids += say(board, "before " + slot)
            shown = rolled(boards.values(), slot, dropped=slot == "b")
            for one, board in boards.items():
                mids += say(board, "after " + slot)
                (last,) = cloud.rows("connected", since, device=board.name, service="hub")[-1:]
                assert last["thumbprint"].lower() == shown[one]["fingerprint"] != configured[one]
                assert (shown[one]["cn"], shown[one]["by"]) == (board.name, one)
                assert shown[one]["assignment"]["device_id"] == board.name
                assert list(shown[one]["evidence"]["accepted"]) == ["hub"]
        for board in boards.values():
            reasons = board.ended_sessions()
            assert len(reasons) == 2 and all(r.startswith("taken over") for r in reasons), reasons
            assert board.identity()["former"] == "a"
        arrived(cloud, mids, since)


@pytest.mark.parametrize("fault, why", [
    ("WRONG_CN", "wrong-name"), ("WRONG_KEY", "wrong-key"), ("EXPIRED_CERTIFICATE", "expired")])
def test_certificate_that_does_not_fit_is_not_tried(cloud, standing, fault, why):
    boards, since = list(standing.values()), cloud.mark()
    faulty(cloud, boards, fault)
    for board in boards:
        board.roll()
    for board in boards:
        board.answered()
    for board in boards:
        board.shows("it says " + why, lambda page: page["why"] == why and page["roll"] in AFTER)
    undisturbed(boards)
    shown = {row["client_certificate"] for row in cloud.rows("tls handshake", since)}
    assert shown <= {board.configured() for board in boards} | {None}


def test_status_says_how_an_issuer_refused(cloud, standing):
    words = {"est": "issuer-refused", "command": "issuer-refused", "hub": "hub-400037",
             "dps": "dps-400037"}  # fmt: skip
    boards = [standing[one] for one in words]
    faulty(cloud, boards, "ISSUE_REFUSED")
    for board in boards:
        board.roll()
    for board in boards:
        board.shows("it is refused", lambda page, why=words[board.issuer]: page["why"] == why)
    undisturbed(boards)


def test_issuer_that_asks_to_come_later_is_asked_until_it_issues(cloud):
    later = {"est": ("enroll", "SERVER_ERROR"), "dps": ("register", "BUSY"),
             "hub": ("credential", "SERVER_ERROR")}  # fmt: skip
    with online(cloud, "later", tuple(later)) as boards:
        for board in boards.values():
            at, name = later[board.issuer]
            faulty(cloud, [board], name, 2, at=at, retry_after_s=1)
        rolled(boards.values())
        for board in boards.values():
            (reason,) = board.ended_sessions()
            assert reason.startswith("taken over")
        assert not cloud.get("/faults")["faults"]


def test_issuer_that_is_gone_costs_no_session_and_a_later_roll_is_served(cloud):
    with online(cloud, "gone", ("est", "dps", "command")) as boards:
        program(boards["command"], "#!/bin/sh\necho nobody answers >&2; exit 75\n")
        for service in ("est", "dps"):
            cloud.post(f"/{service}/listen", {"up": False})
        for board in boards.values():
            board.roll()
        for board in boards.values():
            page = board.shows("it waits", lambda page: page["roll"] == WAITS)
            assert page["why"], board.name
        undisturbed(boards.values())
        program(boards["command"])
        for service in ("est", "dps"):
            cloud.post(f"/{service}/listen", {"up": True})
        rolled(boards.values())
