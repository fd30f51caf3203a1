"""Everything at once, by chance: whatever the cloud did, the device comes back and nothing is lost.

The seed is in the test's name; a failure is played again by it.
"""

import pytest

from hil.cloud import faults
from tests.pair import credentials
from tests.pair.cloud import DPS, HOUR, HUB, MINUTE, SECOND
from tests.pair.world import online

pytestmark = pytest.mark.once

KINDS = {"certificate": credentials.x509_individual, "key": credentials.key_group}
CONFIG = {
    "reverify": {"interval_s": 300, "confirm_s": 5, "swap_every_s": 60},
    "sas": {"lifetime_s": 900},
}
# A cloud that loses what it acknowledged, or assigns to a hub of somebody else, is not a fault
# that a device can make good.
EXCEPT = ("ASSIGNED_ELSEWHERE", "METHOD_LOST")
SPAN_MS = 12 * HOUR


def mischief(cloud, pair):
    """One thing that goes wrong outside the services, and its end."""
    deeds = (
        lambda: cloud.fronts[HUB].present(cloud.random.choice(["baltimore", "g2", "unknown"])),
        lambda: cloud.hub.drop("dev-7", "upgrade", cloud.now_ms) if known(cloud) else None,
        lambda: outage(cloud, HUB),
        lambda: outage(cloud, DPS),
        lambda: move(cloud),
        pair.restart,
        lambda: pair.ask("reverify", swap=True),
        lambda: pair.ask("reprovision"),
        lambda: setattr(pair, "close_lag_ms", cloud.random.choice([0, 1, 300])),
        lambda: setattr(pair, "disk", cloud.random.choice([lambda n: None, lambda n: "full"])),
        lambda: silence(pair),
        lambda: roll(cloud, pair),
    )
    cloud.random.choice(deeds)()


def known(cloud):
    return cloud.hub.registry.get("dev-7")


def outage(cloud, host):
    cloud.down(host)
    cloud.at(cloud.now_ms + cloud.random.randrange(20 * MINUTE), lambda: cloud.up(host))


def move(cloud):
    for enrolled in cloud.dps.enrollments.all():
        enrolled.hub = cloud.random.choice([HUB, SECOND])


def silence(pair):
    """The line of the live link swallows everything, until the keepalive notices."""
    link = pair.links.get("live")
    if link:
        link.mute = True
        after_ms = 360_000
        pair.cloud.at(pair.cloud.now_ms + after_ms, lambda: link.unheard())


def roll(cloud, pair):
    if pair.credential.chain:
        pair.install(credentials.certificate())
        cloud.dps.enrollments.get("dev-7").primary = pair.credential.chain[0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_whatever_happened_the_device_comes_back_and_nothing_is_lost(kind, seed):
    cloud, pair = online(kind, CONFIG, cloud_seed=seed, one_way_ms=20)
    names = [n for n in faults.KINDS if n not in EXCEPT]
    cloud.faults.soak(cloud.random.randrange, 60, names)
    cloud.every(30_000, cloud.now_ms + SPAN_MS, pair.send)
    cloud.every(7 * MINUTE, cloud.now_ms + SPAN_MS, lambda: mischief(cloud, pair))
    cloud.run_for(SPAN_MS)
    cloud.faults.clear()
    pair.disk = lambda name: None
    cloud.fronts[HUB].present("g2")
    cloud.run_until(lambda: pair.state == "online" and not pair.feeder.waiting, 30 * HOUR)
    arrived = {r["mid"] for r in cloud.journal.of("telemetry")}
    assert len(arrived) == pair.feeder.sent
    cloud.run_for(3 * HOUR)
    assert pair.watch.states()["twin"] == "ready" and pair.fault is None
    assert pair.watch.states()["ladder"] == "clear"
