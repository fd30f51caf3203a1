"""What becomes of a device whose new certificate hub or DPS refuse; on real sockets, with every
issuer.

Rule: what is asserted is seen in the journal, in the status or on the disk.
"""

import contextlib

import pytest

from hil.bench.cloud import Cloud
from tests.linux import rolling_devices
from tests.linux.rolling_devices import EST, GROUPS, MANAGED, TENANT, online, rolled

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
HELD = "holding a refused certificate"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud"), *rolling_devices.CLOUD) as running:
        running.post("/enrollments/" + GROUPS[MANAGED], {"operational": True})
        yield running


@pytest.fixture(scope="module")
def fleets(cloud):
    """{"known": {issuer: device}, "stranger": ..., "cut": ...}: all have rolled, and their new
    certificates are what each test says. At once, for they wait long and work little."""
    group = "/enrollments/" + GROUPS[EST]
    with contextlib.ExitStack() as open_:
        cloud.post(group, {"hub_auth": "thumbprint"})
        made = {"known": open_.enter_context(online(cloud, "known"))}
        cloud.post(group, {"hub_auth": "ca"})
        cloud.post("/est", {"with_chain": True})
        for mark in ("stranger", "cut"):
            made[mark] = open_.enter_context(online(cloud, mark))
        spoil(cloud, **made)
        for fleet in made.values():
            for board in fleet.values():
                board.roll()
        for fleet in made.values():
            for board in fleet.values():
                board.given()
        yield made


def spoil(cloud, known, stranger, cut):
    """What goes wrong with each."""
    for one in ("dps", "hub"):  # which tell the hub themselves: it forgets
        faulty(cloud, known[one], "CONNACK", 2, service="hub", code=5)
    for board in stranger.values():
        faulty(cloud, board, "OTHER_CA")
    for board in cut.values():
        faulty(cloud, board, "NO_INTERMEDIATE", at="issue")
    faulty(cloud, cut["est"], "NO_INTERMEDIATE", None, at="cacerts")


def faulty(cloud, board, name, count=1, **parameters):
    cloud.post("/faults", {"name": name, "device": board.name, "count": count, **parameters})


def held(board, why=None):
    """Wait until its new certificate was refused by hub and DPS; the status page's identity."""
    return board.shows("it holds a refused certificate", lambda page: page["roll"] == HELD and (
        why is None or (page["why"] or "").startswith(why)))  # fmt: skip


def registered(cloud, board, since):
    """The codes of DPS to registrations, in their order."""
    return [row["status"] for row in cloud.rows("register", since, device=board.name)]


def refused_by(cloud, board):
    """The services that refused it since it was switched on."""
    rows = cloud.rows("connect refused", board.since, device=board.name)
    rows += cloud.rows("register", board.since, device=board.name, status=401)
    return {row["service"] for row in rows}


def come_back_with_the_old_one(cloud, boards):
    """Their sessions end; the next ones are under the certificates they were configured with."""
    since = cloud.mark()
    for board in boards:
        cloud.post(f"/devices/{board.name}/drop", {"reason": "upgrade"})
    for board in boards:
        back = cloud.see(board.name + " is back", lambda row, name=board.name: (
            row["what"], row["device"], row["service"]) == ("connected", name, "hub"),
            since)  # fmt: skip
        assert back["thumbprint"].lower() == board.configured(), board.name


def test_hub_that_does_not_know_the_new_certificate_learns_of_it_from_dps(cloud, fleets):
    for one, board in fleets["known"].items():
        new = board.serves("a")["fingerprint"]
        rows = cloud.rows("connect refused", board.since, device=board.name, service="hub")
        assert {row["thumbprint"].lower() for row in rows} == {new}, one
        assert registered(cloud, board, board.since)[-1:] == [202], one
        (reason,) = board.ended_sessions()
        assert reason.startswith("taken over"), one


def test_chain_without_its_intermediate_is_refused_and_a_whole_one_serves(cloud, fleets):
    boards = fleets["cut"]
    for one, board in boards.items():
        page = held(board)
        assert page["active"] == "onboarding" and page["slots"]["a"]["issuer"]["sha1"] == "", one
        assert refused_by(cloud, board) == {"hub", "dps"}, one
        assert board.ended_sessions() == [], one
    cloud.delete("/faults")
    rolled([boards["est"]], "b")


def test_new_certificate_that_hub_and_dps_refuse_leaves_the_old_one_serving(cloud, fleets):
    boards = fleets["stranger"]
    for one, board in boards.items():
        page = held(board, "issuer not yet registered: ")
        assert page["why"].endswith(page["slots"]["a"]["issuer"]["sha1"]), one
        assert (page["active"], page["trial"], board.state()) == ("onboarding", "a", "online")
        assert board.ended_sessions() == [], one
        told = cloud.reported(board.name)["anchorwatch"]["identity"]["roll"]
        assert told == {"trial": True, "why": page["why"]}, one
        assert refused_by(cloud, board) == {"hub", "dps"}, one
    come_back_with_the_old_one(cloud, boards.values())


def test_tenant_ca_that_is_registered_late_is_named_and_then_moved_to(cloud):
    with online(cloud, "late", ("est",), TENANT) as boards:
        board = boards["est"]
        cloud.post("/tenant", {"activate": True})
        new = cloud.get("/tenant/certificates/active")["thumbprint"].lower()
        board.roll()
        page = held(board, "issuer not yet registered: " + new)
        assert page["active"] == "onboarding" and board.ended_sessions() == []
        board.cut()  # what is on trial outlasts it
        board.restore()
        held(board)
        cloud.post("/tenant/register", {"name": "tenant-2", "enrollment": GROUPS[TENANT]})
        assert board.serves("a")["issuer"]["sha1"] == new
        assert cloud.reported(board.name)["anchorwatch"]["identity"]["issuer_sha1"] == new
