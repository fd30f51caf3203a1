"""A board with room for one session, and a signed bundle that waits for the link.

Rule: never two connections at once, and the session comes back soon whoever else is silent.
"""

import pytest

from anchorwatch.core import actions
from tests.pair.bundles import FOLDER, MIRROR, TRUST, bundle
from tests.pair.cloud import DPS, HOUR, HUB, MINUTE
from tests.pair.world import online

pytestmark = pytest.mark.once


@pytest.fixture
def board():
    """(cloud, pair) of one that is online at roots of its factory layer."""
    cloud, pair = online(config=TRUST, rooted=("vendor",), saved={"second_session": False})
    yield cloud, pair
    assert pair.most_links == 1


def stage(pair):
    """How far the vendor's bundle has come."""
    return pair.watch.trust.bundles.get("vendor", {}).get("stage", "none")


def bring(pair, version=1):
    """A bundle comes from a folder, and is kept."""
    pair.cloud.mirrors[FOLDER] = bundle(version, ["g2", "new"])
    pair.ask("roots_import", url=FOLDER)
    pair.run_until(lambda: stage(pair) == "candidate", MINUTE)


def test_bundle_goes_before_the_registration_that_ends_the_session(board):
    cloud, pair = board
    bring(pair)
    cloud.run_for(HOUR)
    assert stage(pair) == "candidate" and pair.state == "online"
    registrations = pair.watch.device.counters.get("registrations", 0)
    assert pair.ask("reprovision")["ok"]
    pair.run_until(lambda: stage(pair) == "committed", MINUTE)
    assert pair.watch.device.counters.get("registrations", 0) == registrations
    pair.run_until("online")
    assert pair.watch.device.counters["registrations"] == registrations + 1


def test_registration_that_ends_the_session_is_made_at_once_without_a_bundle(board):
    cloud, pair = board
    assert pair.ask("reprovision")["ok"]
    cloud.run_for(10 * pair.one_way_ms)
    assert pair.state == "registering"
    pair.run_until("online", 10_000)


def return_beside_a_silent_dps(cloud, pair):
    """The session ends with a bundle waiting, and is back; the ms between."""
    bring(pair)
    cloud.fronts[DPS].silent = True
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until(lambda: pair.state != "online")
    return pair.run_until("online", 2 * MINUTE)


def test_silent_dps_holds_the_hub_back_for_half_a_minute_with_a_bundle(board):
    cloud, pair = board
    assert return_beside_a_silent_dps(cloud, pair) < 35_000
    assert stage(pair) == "trial"
    assert pair.count(actions.Dial, endpoint="dps", link="next") == 1


def test_dps_that_was_silent_is_heard_when_the_next_session_ends(board):
    cloud, pair = board
    return_beside_a_silent_dps(cloud, pair)
    cloud.fronts[DPS].silent = False
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until(lambda: stage(pair) == "committed", MINUTE)
    pair.run_until("online")


def test_bundle_that_comes_during_a_dial_goes_before_the_next_one(board):
    cloud, pair = board
    cloud.fronts[HUB].silent = True
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until("dialing hub")
    bring(pair)
    cloud.fronts[HUB].silent = False
    assert pair.state == "dialing hub"
    pair.run_until(lambda: stage(pair) == "committed", 5 * MINUTE)
    assert pair.state != "online"
    pair.run_until("online")


def test_bundle_that_nobody_answers_delays_no_dial_twice(board):
    cloud, pair = board
    bring(pair)
    for front in (cloud.fronts[HUB], cloud.fronts[DPS]):
        front.silent = True
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until("dialing hub", 3 * MINUTE)
    probes = pair.count(actions.Dial, link="next")
    for front in (cloud.fronts[HUB], cloud.fronts[DPS]):
        front.silent = False
    pair.run_until("online", 5 * MINUTE)
    assert pair.count(actions.Dial, link="next") - probes <= 4


def test_stranded_board_heals_itself_from_a_mirror(board):
    cloud, pair = board
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    cloud.fronts[HUB].present("new")
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until(lambda: pair.state != "online")
    assert pair.run_until("online", HOUR) < 5 * MINUTE
    assert pair.watch.connection.evidence.anchor == "new"
