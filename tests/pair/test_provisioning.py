"""A device and DPS: registration in every kind of credential, and everything that goes wrong."""

import pytest

from tests.pair import credentials
from tests.pair.cloud import HUB
from tests.pair.world import device

KINDS = {
    "an individual certificate": credentials.x509_individual,
    "a certificate of a group": credentials.x509_group,
    "an individual key": credentials.key_individual,
    "a key of a group": credentials.key_group,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_first_boot_through_dps_ends_online(kind):
    cloud, pair = device(kind)
    pair.run_until("online")
    assert [r["status"] for r in cloud.journal.of("register")] == [202]
    assert cloud.hub.connected_devices() == ["dev-7"]
    assert pair.saved["assignment"]["hub"] == HUB
