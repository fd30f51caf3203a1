"""What a slot's frame says of its certificate: who accepted it when, and whether DPS refused it.

Rule: as in test_ladder_slots.py; what was written is what the driver was asked to write.
"""

import pytest

from anchorwatch.core import actions
from hil.cloud.enrollment import CA, GROUP, X509, Enrollment
from tests.pair.cloud import DAY, HOUR, MINUTE, SECOND
from tests.pair.ladder import DEVICE
from tests.pair.test_ladder_newest import Held
from tests.pair.test_ladder_slots import TwoSlots

pytestmark = pytest.mark.once


def proofs(world, slot, since_ms=0):
    """Every Prove of a slot that was performed."""
    found = [(at_ms, action) for at_ms, action in world.pair.performed
             if isinstance(action, actions.Prove) and action.slot == slot]  # fmt: skip
    return [(at_ms, action) for at_ms, action in found if at_ms >= since_ms]


def accepted(world, slot):
    return world.pair.slots[slot]["proof"]["evidence"]["accepted"]


def test_each_committed_certificate_is_proven_once_and_sessions_and_starts_write_nothing_more():
    world = TwoSlots()
    assert [len(proofs(world, slot)) for slot in "ab"] == [1, 1]
    since_s, now_s = accepted(world, "b")["hub"], world.cloud.utc_s(world.cloud.now_ms)
    assert now_s - 2 * 60 <= since_s <= now_s
    for _ in range(10):
        world.cloud.run_for(DAY)
        world.cloud.hub.drop(DEVICE, "upgrade", world.cloud.now_ms)
        world.cloud.run_for(HOUR)
        world.pair.restart()
        world.pair.run_until("online", HOUR)
    assert [len(proofs(world, slot)) for slot in "ab"] == [1, 1]
    held = world.pair.status()["identity"]["slots"]["b"]
    assert held["assignment"] == {"hub": world.pair.watch.device.hub, "device_id": DEVICE}
    assert held["evidence"] == {"accepted": {"hub": since_s}, "refused_by_dps": False}


def test_word_of_dps_on_the_held_certificate_and_on_the_one_that_serves_is_written():
    world = Held("tenant-2", knows="ca")
    old, trial = world.active, world.trial
    assert world.pair.ask("reprovision")["ok"]
    world.cloud.run_for(5 * MINUTE)
    refused = [action.evidence for _, action in proofs(world, trial)]
    assert refused[-1:] == [{"accepted": {}, "refused_by_dps": True}]
    assert sorted(accepted(world, old)) == ["dps", "hub"]
    written = [len(proofs(world, slot)) for slot in "ab"]
    for _ in range(3):
        assert world.pair.ask("reprovision")["ok"]
        world.cloud.run_for(HOUR)
    assert [len(proofs(world, slot)) for slot in "ab"] == written


def test_refusal_by_dps_outlives_the_frame_that_named_the_trial():
    world = Held("tenant-2", knows="ca")
    old, trial = world.active, world.trial
    world.pair.ask("reprovision")
    world.cloud.run_for(5 * MINUTE)
    world.pair.saved["identity"].update({"trial": "", "trial_refused": False, "reason": ""})
    world.pair.restart()
    world.pair.run_until("online", HOUR)
    asked = len(world.shown())
    assert world.pair.ask("reprovision")["ok"]
    world.cloud.run_for(5 * MINUTE)
    assert world.active == old and trial not in world.shown()[asked:]
    assert world.shown()[asked:] == [old]


def test_certificate_that_is_assigned_to_another_hub_is_proven_anew_there():
    world = TwoSlots()
    before = proofs(world, "b")[-1][1]
    moved = Enrollment("tenant-2", GROUP, X509, hub=SECOND, hub_auth=CA, primary_ca="tenant-2")
    world.cloud.dps.enrollments.put(moved)
    assert world.pair.ask("reprovision")["ok"]
    world.cloud.run_for(5 * MINUTE)
    assert world.pair.watch.device.hub == SECOND and world.pair.state == "online"
    news = [action for _, action in proofs(world, "b")][1:]
    assert [action.assignment["hub"] for action in news] == [SECOND] * len(news)
    assert [sorted(action.evidence["accepted"]) for action in news] == [["dps"], ["dps", "hub"]]
    assert before.assignment["hub"] != SECOND


def test_full_disk_costs_a_warning_and_the_proof_comes_with_the_next_session():
    world = TwoSlots()
    world.pair.slots["b"]["proof"] = {}
    world.pair.disk = lambda name: "full" if name == "slot-b" else None
    world.pair.restart()
    began_ms = world.cloud.now_ms
    world.pair.run_until("online", HOUR)
    world.cloud.run_for(HOUR)
    told = [row for row in world.pair.status()["warnings"] if row["value"] == "slot-b"]
    assert [row["what"] for row in told] == ["state not written: full"]
    assert len(proofs(world, "b", began_ms)) == 1 and world.pair.state == "online"
    world.pair.disk = lambda name: None
    world.cloud.hub.drop(DEVICE, "upgrade", world.cloud.now_ms)
    world.cloud.run_for(HOUR)
    assert len(proofs(world, "b", began_ms)) == 2 and accepted(world, "b")["hub"]
    assert [row for row in world.pair.status()["warnings"] if row["value"] == "slot-b"] == []
