"""A town whose power returns: hundreds of devices start in the same second. Do they look together?

Rule: each device stands alone with a cloud of its own, all clouds count from the same moment; what
is counted is the sum of their dials. Source: design section 6, "by device phase".
"""

import hashlib

import pytest

from anchorwatch.core import actions
from anchorwatch.core.backoff import PHASES
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE
from tests.pair.world import device
from tests.timelines.replay import entry

pytestmark = pytest.mark.once
DEVICES = 500
FROM, UNTIL = 2 * MINUTE, 4 * HOUR
PEAK = 3  # times the mean: 12 looks a minute come by chance to 25 now and then
TOWN = {"fleet": {"devices": 1000, "connects_per_s": 100}}


def phase_of(number):
    """Spread as by a device id, and the same in each run."""
    digest = hashlib.sha256(b"town-%d" % number).digest()
    return int.from_bytes(digest[:4], "big") % PHASES


def power_returns(pair):
    pair.restart()


def hub_returns(pair):
    cloud = pair.cloud
    cloud.down(HUB)
    cloud.run_for(10 * MINUTE)
    cloud.up(HUB)


def interval_is_set(pair):
    """By a desired property of the whole fleet, to what it was."""
    desired = {"anchorwatch": {"reverifyIntervalS": 2700}}
    pair.cloud.hub.patch_desired("dev-7", desired, pair.cloud.now_ms)


def trust_changes(pair):
    """Everywhere at once: a bundle by a desired property, a root by a job."""
    pair.ask("roots_add", entry=entry("unknown"), pem="PEM")


def dials_after(deed, span_ms, host, config=TOWN):
    """When the town's second links dialled this host, in ms after the deed."""
    found = []
    for number in range(DEVICES):
        cloud, pair = device(
            config=config, by_hand=False, cloud_seed=number, phase=phase_of(number)
        )  # fmt: skip
        cloud.run_for(HOUR)
        deed(pair)
        began_ms = cloud.now_ms
        cloud.run_for(span_ms)
        assert pair.state == "online"
        made = [(t, a) for t, a in pair.performed if isinstance(a, actions.Dial)]
        found += [t - began_ms for t, a in made if a.link == "next" and a.host == host]
    return [t for t in found if t >= 0]


def peak(found, each_ms, from_ms, until_ms):
    """(the most in one window of each_ms, how many times the mean that is)."""
    counts = [0] * (until_ms // each_ms)
    for t in found:
        if from_ms <= t < until_ms:
            counts[t // each_ms] += 1
    mean = sum(counts) * each_ms / (until_ms - from_ms)
    return max(counts), max(counts) / mean


@pytest.mark.parametrize("deed", [power_returns, hub_returns, interval_is_set, trust_changes])
def test_devices_that_came_back_together_do_not_look_together(deed, capsys):
    found = dials_after(deed, UNTIL, HUB)
    most, times = peak(found, MINUTE, FROM, UNTIL)
    with capsys.disabled():
        print("\n%s: %d looks, at most %d a minute, %.1f times the mean"
              % (deed.__name__, len(found), most, times))  # fmt: skip
    assert len(found) >= DEVICES * 5 and times <= PEAK


@pytest.mark.parametrize("deed", [power_returns, trust_changes])
def test_their_probes_of_dps_are_spread_over_the_day(deed):
    found = dials_after(deed, DAY, DPS, {**TOWN, "reverify": {"interval_s": 43_200}})
    later = [t for t in found if t >= MINUTE]
    most, times = peak(later, HOUR, 0, DAY)
    assert DEVICES * 0.99 <= len(later) <= DEVICES * 1.01 and times <= 2, (len(later), most, times)
