"""A whole fleet is told to roll at once: DPS hears of it below its documented limit.

Rule: the devices are whole agents; the limit is the service's, 1 000 registrations a minute.
Source: "Azure IoT Hub DPS limits".
"""

from collections import Counter

import pytest

from hil.cloud.enrollment import CA, GROUP, X509, Enrollment
from hil.cloud.registry import Identity
from tests.pair import credentials
from tests.pair.cloud import HUB, MINUTE, Cloud
from tests.pair.pair import Pair
from tests.pair.world import SNTP

pytestmark = [pytest.mark.once, pytest.mark.lane_cpython]
DEVICES, LIMIT = 2_000, 1_000


def fleet() -> tuple[Cloud, list[Pair]]:
    """All are known to the hub, with certificates of their maker; DPS issues the next ones."""
    cloud = Cloud(1)
    maker = credentials.Issuer("Maker CA", ca=True)
    cloud.dps.enrollments.put(
        Enrollment("maker", GROUP, X509, maker.der, hub=HUB, hub_auth=CA, policy="default",
                   operational=True))  # fmt: skip
    cloud.hub.registry.authorities["maker"] = maker.der
    return cloud, [device(cloud, maker, "dev-%04d" % n) for n in range(DEVICES)]


def device(cloud: Cloud, maker: credentials.Issuer, name: str) -> Pair:
    cloud.hub.put_device(Identity(name, "ca", policy="default"), cloud.now_ms)
    mine = credentials.Credential([credentials.Issuer(name, maker).der, maker.der], cn=name)
    config = {
        **SNTP, "device": {"id_scope": "0ne00000001", "registration_id": name},
        "identity": {"issuer": "dps"}, "fleet": {"devices": DEVICES, "connects_per_s": 100},
    }  # fmt: skip
    assigned = {"hub": HUB, "device_id": name, "accepted": "", "previous": ""}
    return Pair(cloud, mine, config, saved={"assignment": assigned}, by_hand=False)


def test_fleet_that_rolls_on_one_word_stays_below_what_dps_takes_in_a_minute(capsys):
    cloud, pairs = fleet()
    cloud.run_for(5 * MINUTE)
    assert all(pair.state == "online" for pair in pairs)
    began_ms, cloud.dps.quota.a_minute = cloud.now_ms, LIMIT
    for pair in pairs:
        assert pair.ask("roll")["ok"]
    cloud.run_for(20 * MINUTE)
    asked = [row["t_ms"] - began_ms for row in cloud.journal.of("assigned")]
    throttled = [row for row in cloud.journal.since() if row.get("reason") == "quota"]
    minutes = Counter(at_ms // MINUTE for at_ms in asked)
    peak = max(sum(1 for at in asked if start <= at < start + MINUTE) for start in
               range(0, 20 * MINUTE, 5_000))  # fmt: skip
    with capsys.disabled():
        print("\n%d devices, %d registrations in %d min, peak %d a minute, mean %d" % (
            DEVICES, len(asked), len(minutes), peak, len(asked) // len(minutes)))  # fmt: skip
    assert {pair.watch.device.slots.kept["active"] for pair in pairs} == {"a"}
    assert throttled == [] and peak < LIMIT and DEVICES <= len(asked) <= DEVICES * 21 // 20
    assert all(pair.state == "online" for pair in pairs)
