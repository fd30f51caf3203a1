"""Whom DPS is shown while a certificate is held that the hub refused and DPS has not heard of.

Rule: as in test_ladder_slots.py, but slot b is on trial and a serves; registrations.py is the law.
"""

import pytest

from tests.pair.cloud import DPS, HOUR, HUB, MINUTE
from tests.pair.ladder import DEVICE
from tests.pair.registrations import Registrations
from tests.pair.test_ladder_slots import TwoSlots

pytestmark = pytest.mark.once
HELD = "holding a refused certificate"


class Held(TwoSlots):
    """The next certificate is of a CA that the hub does not know; DPS was away when it was tried.

    known: the groups that DPS takes when it is back
    """

    def __init__(self, *known: str, knows: str = "thumbprint") -> None:
        super().__init__()
        self.registrations = Registrations(self.pair)
        self.cloud.issuer_down = None
        self.cloud.run_for(2 * HOUR)
        self.cloud.issuers.tenant.activate(self.cloud.now_ms)
        for name in ("maker", "tenant-1", "tenant-2"):
            self.allow(name, name in known, knows)
        if "tenant-3" in known:
            self.cloud.issuers.register_tenant(
                self.cloud.dps.certificates, "tenant-3", self.cloud.now_ms, "active")  # fmt: skip
            self.allow("tenant-3", True, knows)
        self.cloud.down(DPS)
        assert self.pair.ask("roll")["ok"]
        self.pair.run_until(HELD, HOUR)
        self.trial = self.pair.watch.device.slots.kept["trial"]
        assert self.active != self.trial and self.registrations.asked == []
        self.pair.watch.identity.wake_at = None  # what follows is not the trial's own doing
        self.cloud.up(DPS)

    def shown(self) -> list[str]:
        """The slots that DPS was asked with, in their order."""
        held = self.pair.watch.device.slots.held
        names = {held[name]["fingerprint"]: name for name in held}
        assert self.registrations.older == []
        return [names[fingerprint] for _, fingerprint in self.registrations.asked]


def test_command_registers_the_held_certificate_and_the_session_moves_to_it():
    world = Held("tenant-2", "tenant-3")
    assert world.pair.ask("reprovision")["ok"]
    world.pair.run_until(lambda: world.active == world.trial, 5 * MINUTE)
    assert world.shown() == [world.trial]
    hub = world.cloud.hub.registry.get(DEVICE)
    assert hub.primary_thumbprint == world.thumbprint(world.trial)


def test_command_registers_the_old_certificate_where_dps_refuses_the_held_one():
    world = Held("tenant-2", knows="ca")
    old = world.active
    assert world.pair.ask("reprovision")["ok"]
    world.pair.run_until(lambda: len(world.registrations.asked) == 2, 5 * MINUTE)
    world.cloud.run_for(MINUTE)
    assert world.shown() == [world.trial, old] and world.pair.state == "online"
    assert world.pair.ask("reprovision")["ok"]  # and then it has been heard of
    world.cloud.run_for(MINUTE)
    assert world.shown() == [world.trial, old, old] and world.active == old


@pytest.mark.parametrize("known", [("tenant-2", "tenant-3"), ("tenant-2",)],
                         ids=["taken", "refused"])  # fmt: skip
def test_look_up_that_finds_no_registration_has_the_held_certificate_registered_first(known):
    world = Held(*known)
    old = world.active
    world.cloud.dps.assignments.remove(DEVICE)
    world.cloud.down(HUB)
    world.cloud.run_for(HOUR)
    world.cloud.up(HUB)
    world.pair.run_until("online", HOUR)
    first = [world.trial] + ([] if "tenant-3" in known else [old])
    assert world.shown()[: len(first)] == first
    assert world.active == (world.trial if "tenant-3" in known else old)


def test_device_whose_trial_was_registered_by_a_command_and_lost_its_session_shows_it_to_the_hub():
    world = Held("tenant-2", "tenant-3")
    world.pair.ask("reprovision")
    world.cloud.run_for(100)
    world.cloud.hub.drop(DEVICE, "upgrade", world.cloud.now_ms)
    world.pair.run_until(lambda: world.active == world.trial, 5 * MINUTE)
    assert world.shown() == [world.trial]
