"""The unauthorized ladder as one table: how a device is known, what happened to it, what follows.

Rows are stories; each is told for an individual enrollment and a group, of a device that its hub
knows by thumbprint and by its CA. After each, no budget is broken and nothing is wiped.
Source: design section 5; the service's guidance on rolling certificates and on reprovisioning.
"""

import pytest

from tests.pair import credentials
from tests.pair.cloud import DAY, DPS, HOUR, MINUTE, SECOND
from tests.pair.ladder import DEVICE, World, within_budget

pytestmark = pytest.mark.once

KNOWN = [(kind, knows) for kind in ("individual", "group") for knows in ("thumbprint", "ca")]
SLOWEST = 6 * HOUR + MINUTE


def rolled_by_overlap(world):
    """Old and new are valid at once; then the old one is taken away."""
    authority = credentials.Issuer("Next CA", ca=True)
    new = world.issue(authority)
    world.at_hubs("Next CA", authority.der)
    world.change(secondary=world.anchor(new))
    world.pair.install(new)
    world.cloud.hub.drop(DEVICE, "upgrade", world.cloud.now_ms)
    world.cloud.run_for(2 * MINUTE)
    assert world.pair.state == "online"
    world.change(primary=b"", secondary=world.anchor(new))
    world.at_hubs("Device CA", None)
    world.pair.restart()


def rolled_without_overlap(world):
    """The enrollment knows the next certificate alone before the device has it; the hub forgets."""
    new = world.issue(credentials.Issuer("Next CA", ca=True))
    world.change(primary=world.anchor(new))
    world.delete_at_hub()
    world.at_hubs("Device CA", None)
    world.cloud.run_for(DAY)
    assert world.pair.watch.states()["ladder"] == "6 slow cadence"
    world.at_hubs("Next CA", new.chain[1])
    world.pair.install(new)


def enrollment_disabled_and_enabled(world):
    world.change(enabled=False)
    world.delete_at_hub()
    world.cloud.run_for(DAY)
    assert world.pair.fault["verdict"] == "dps-disabled"
    world.change(enabled=True)


def deleted_at_the_hub(world):
    world.delete_at_hub()


def deleted_at_hub_and_dps(world):
    world.cloud.dps.enrollments.remove(world.enrolled.enrollment_id)
    world.cloud.dps.assignments.remove(DEVICE)
    world.delete_at_hub()
    world.cloud.run_for(DAY)
    assert world.pair.fault["verdict"] == "dps-401002" and world.pair.fault["remedy"]
    world.enroll(world.enrolled)


def thumbprint_late_by_a_minute(world):
    world.cloud.faults.add("THUMBPRINT_LATE", service="dps", after_s=60)
    world.delete_at_hub()


def thumbprint_late_by_ten_minutes(world):
    world.cloud.faults.add("THUMBPRINT_LATE", service="dps", count=None, after_s=600)
    world.delete_at_hub()


def hub_refuses_for_an_hour(world):
    world.refuse(60)
    world.cloud.run_for(HOUR)


def hub_refuses_for_two_days(world):
    world.refuse()
    world.cloud.run_for(2 * DAY)
    world.relent()


def hub_returns_by_itself(world):
    world.refuse(5)


def hub_moved(world):
    world.change(hub=SECOND)
    world.delete_at_hub()


def hub_moved_and_the_new_one_refuses_at_first(world):
    world.cloud.faults.add("CONNACK", service="hub2", count=3, code=5)
    hub_moved(world)
    world.pair.run_until(lambda: world.pair.saved["assignment"]["hub"] == SECOND, HOUR)
    assert world.pair.saved["assignment"]["previous"] == world.cloud.hub.hosts[0]


def dps_away_meanwhile(world):
    world.delete_at_hub()
    world.cloud.down(DPS)
    world.cloud.run_for(3 * HOUR)
    world.cloud.up(DPS)


def dps_throttles(world):
    world.cloud.faults.add("BUSY", service="dps", at="register", count=None, retry_after_s=120)
    world.delete_at_hub()
    world.cloud.run_for(2 * HOUR)
    world.cloud.faults.clear()


def dps_fails(world):
    world.cloud.faults.add("SERVER_ERROR", service="dps", at="register", count=None, status=503)
    world.delete_at_hub()
    world.cloud.run_for(2 * HOUR)
    world.cloud.faults.clear()


def dps_away_and_the_hub_returns_by_itself(world):
    world.cloud.down(DPS)
    world.refuse()
    world.cloud.run_for(3 * HOUR)
    world.relent()


def another_certificate_is_enrolled_by_mistake(world):
    """401002: not the enrolled certificate, or no CA that the chain reaches."""
    other = world.issue(credentials.Issuer("Other CA", ca=True))
    right = world.enrolled
    world.change(primary=world.anchor(other))
    world.delete_at_hub()
    world.cloud.run_for(DAY)
    assert world.pair.fault["verdict"] == "dps-401002"
    world.enroll(right)


def ca_uploaded_and_not_verified(world):
    """401002, and the service knows that only the proof of possession is missing."""
    world.cloud.dps.certificates.upload("next", world.authority.der)
    world.change(primary=b"", primary_ca="next")
    world.delete_at_hub()
    world.cloud.run_for(DAY)
    assert world.pair.fault["verdict"] == "dps-401002"
    assert "not verified" in world.cloud.journal.of("register")[-1]["reason"]
    world.cloud.dps.certificates.upload("next", world.authority.der, verified=True)


def ca_unknown_to_the_hub_alone(world):
    """DPS assigns whenever it is asked; the hub says 5 until the CA is registered there."""
    world.at_hubs("Device CA", None)
    world.cloud.hub.drop(DEVICE, "upgrade", world.cloud.now_ms)
    world.cloud.run_for(2 * DAY)
    assert world.pair.fault["verdict"] == "not-authorized"
    world.at_hubs("Device CA", world.authority.der)


STORIES = (
    # what happened                              rungs registrations back within
    (rolled_by_overlap,                          "13",   1, MINUTE),
    (rolled_without_overlap,                     "136", 10, MINUTE),
    (enrollment_disabled_and_enabled,            "136", 10, SLOWEST),
    (deleted_at_the_hub,                         "13",   1, 15 * MINUTE),
    (deleted_at_hub_and_dps,                     "136", 10, SLOWEST),
    (thumbprint_late_by_a_minute,                "13",   1, 16 * MINUTE),
    (thumbprint_late_by_ten_minutes,             "136",  3, 40 * MINUTE),
    (hub_refuses_for_an_hour,                    "136",  3, HOUR),
    (hub_refuses_for_two_days,                   "136", 20, SLOWEST),
    (hub_returns_by_itself,                      "1",    0, 10 * MINUTE),
    (hub_moved,                                  "13",   1, 15 * MINUTE),
    (hub_moved_and_the_new_one_refuses_at_first, "13",   1, 5 * MINUTE),
    (dps_away_meanwhile,                         "13",   1, 6 * MINUTE),
    (dps_throttles,                              "13",   1, 65 * MINUTE),
    (dps_fails,                                  "13",   1, 11 * MINUTE),
    (dps_away_and_the_hub_returns_by_itself,     "13",   0, 6 * MINUTE),
    (another_certificate_is_enrolled_by_mistake, "136", 10, SLOWEST),
    (ca_uploaded_and_not_verified,               "136", 10, SLOWEST),
    (ca_unknown_to_the_hub_alone,                "136", 20, SLOWEST),
)  # fmt: skip
TOLD_OF = {  # where a story is that of a group, or of a hub that knows the CA
    ca_uploaded_and_not_verified: [("group", "thumbprint"), ("group", "ca")],
    ca_unknown_to_the_hub_alone: [("individual", "ca"), ("group", "ca")],
}
BY_CA = {rolled_by_overlap: ("", 0)}  # the hub accepts the new one at once
ROWS = [(kind, knows, *row) for row in STORIES for kind, knows in TOLD_OF.get(row[0], KNOWN)]


@pytest.mark.parametrize("kind, knows, story, rungs, registrations, back_ms", ROWS,
                         ids=["-".join([row[2].__name__, *row[:2]]) for row in ROWS])  # fmt: skip
def test_device_is_back_by_these_rungs(kind, knows, story, rungs, registrations, back_ms):
    world = World(kind, knows)
    story(world)
    world.back_within(back_ms)
    if knows == "ca":
        rungs, registrations = BY_CA.get(story, (rungs, registrations))
    assert "".join(world.rungs()) == rungs
    assert len(world.registered()) <= registrations
    world.kept()
    assert world.pair.watch.states()["ladder"] == "clear" and world.pair.fault is None
    assert world.pair.saved["assignment"]["previous"] == ""


def refused_by_both(world):
    world.change(enabled=False)
    world.delete_at_hub()


def refused_by_the_hub_alone(world):
    world.refuse()


@pytest.mark.parametrize("story", [refused_by_both, refused_by_the_hub_alone])
@pytest.mark.parametrize("kind, knows", KNOWN, ids=["-".join(k) for k in KNOWN])
def test_budget_holds_for_three_days_with_a_power_cut_every_twenty_minutes(kind, knows, story):
    world = World(kind, knows)
    story(world)
    world.booting(3 * DAY)
    assert 20 <= len(world.registered()) <= 30
    world.kept()
    assert world.pair.saved["assignment"]["hub"] == world.cloud.hub.hosts[0]
    world.change(enabled=True)
    world.relent()
    world.back_within(SLOWEST)


@pytest.mark.parametrize("kind, knows", KNOWN, ids=["-".join(k) for k in KNOWN])
def test_hub_that_moved_and_refuses_for_ever_leaves_the_former_one_in_the_state(kind, knows):
    """Over power cuts too; and it is let go once the new one accepts."""
    world = World(kind, knows)
    world.cloud.faults.add("CONNACK", service="hub2", count=None, code=5)
    hub_moved(world)
    world.booting(DAY)
    kept = world.pair.saved["assignment"]
    assert (kept["hub"], kept["previous"]) == (SECOND, world.cloud.hub.hosts[0])
    world.relent()
    world.back_within(SLOWEST)
    assert world.pair.saved["assignment"]["previous"] == ""
    world.kept()


@pytest.mark.parametrize("boots", [False, True], ids=["on for days", "a power cut every 20 min"])
@pytest.mark.parametrize("kind, knows", KNOWN, ids=["-".join(k) for k in KNOWN])
def test_device_that_was_never_assigned_asks_within_the_budget(kind, knows, boots):
    world = World(kind, knows)
    world.change(enabled=False)
    world.pair.saved.clear()
    world.pair.by_hand = False
    world.pair.restart()
    world.pass_time(2 * DAY, boots)
    asked = world.registered()
    within_budget(asked)
    assert len(asked) >= 10
    world.change(enabled=True)
    world.pass_time(DAY // 4, boots)
    world.back_within(DAY)


@pytest.mark.parametrize("kind, knows", KNOWN, ids=["-".join(k) for k in KNOWN])
@pytest.mark.parametrize("config", [{"unauthorized": {"action": "retry_hub"}}],
                         ids=["retry_hub"])  # fmt: skip
def test_device_that_may_only_retry_its_hub_never_asks_dps_again(kind, knows, config):
    world = World(kind, knows, config)
    world.refuse()
    world.cloud.run_for(2 * DAY)
    assert world.registered() == [] and "".join(world.rungs()) == "16"
    assert world.pair.watch.states()["ladder"] == "6 slow cadence"
    assert 8 <= world.connects() <= 40
    world.relent()
    world.back_within(SLOWEST)
    world.kept()


def test_newest_certificate_is_registered_and_the_former_never():
    """The files on the device go back and forth; DPS hears of what lies there now."""
    world = World("individual", "thumbprint")
    new = world.issue(world.authority)
    world.change(secondary=new.chain[0])
    world.pair.install(new)
    world.cloud.hub.drop(DEVICE, "upgrade", world.cloud.now_ms)
    world.back_within(2 * MINUTE)
    new_sha256 = new.told()["fingerprint"].upper()
    assert world.cloud.hub.registry.get(DEVICE).primary_thumbprint == new_sha256
    world.refuse(90)
    world.booting(DAY)
    assert world.cloud.hub.registry.get(DEVICE).primary_thumbprint == new_sha256
