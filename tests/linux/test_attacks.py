"""The emulated mirror and each of its attacks, against the agent's own fetching.

Rule: an attack ends with the same bytes on the disk and a reason of its own, for little memory and
in bounded time; when it is over, the newest release is taken.
"""

import time
import tracemalloc

import pytest

from anchorwatch.core.events import Fetched, FetchFailed
from anchorwatch.linux.clock import now_ms
from tests.cloud import mirrored
from tests.linux.fetching import Rig

pytestmark = [pytest.mark.tls, pytest.mark.once]
MEGABYTE = 1_048_576
# Who waits to the end is left then; the others are judged, however busy the machine is.
TIME_S = {"silent": 2, "slow": 4, "endless": 4}
BUSY = 5  # times as long on a machine that has others to serve; without a bound, for ever


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    yield from mirrored.started(tmp_path_factory.mktemp("cloud"))


@pytest.fixture
def cloud(running):
    yield from mirrored.at_peace(running)


def url_of(cloud, port="port", scheme="http"):
    at = cloud.ready["mirror"]
    return "%s://%s:%d/bundle/" % (scheme, at["address"], at[port])


@pytest.fixture
def device(cloud, tmp_path):
    """One that has the newest release."""
    rig = Rig(tmp_path, (cloud.folder / "vendor.root.json").read_bytes(), int(time.time()))
    rig.save(rig.fetch(url_of(cloud)).bundle)
    yield rig
    rig.errands.close()


def test_device_gets_what_was_published_and_follows(cloud, device):
    version = cloud.publish({"g3": "active", "baltimore": "sunset"})["versions"]["targets"]
    event = device.fetch(url_of(cloud))
    assert isinstance(event, Fetched) and event.bundle["version"] == version, event
    states = {a["sha256"]: a["state"] for a in event.bundle["anchors"]}
    assert sorted(states.values()) == ["active", "sunset"]


def test_device_gets_it_over_https_from_a_mirror_whose_root_it_does_not_know(cloud, device):
    cloud.publish({"g3": "active"})
    event = device.fetch(url_of(cloud, "https_port", "https"))
    assert isinstance(event, Fetched) and event.bundle["folder"], event


@pytest.mark.parametrize("who", ["root", "targets", "online"])
def test_device_follows_keys_that_were_handed_over(cloud, device, who):
    for _ in range(2):
        cloud.rotate(who)
    event = device.fetch(url_of(cloud))
    assert event.bundle["version"] == cloud.mirror()["versions"]["targets"]


ATTACKS = {
    # attack                how                      the reason begins with, and the value
    "garbage":              ({}, "", ""),
    "truncated":            ({}, "", ""),
    "wrong-length":         ({}, "cut", "http://"),
    "cut":                  ({"after": 100}, "cut", "http://"),
    "endless":              ({}, "too-long", ""),
    "slow":                 ({"every_ms": 60_000}, "slow", "http://"),
    "silent":               ({}, "silent", "http://"),
    "redirect":             ({"to": "http://127.0.0.9:1/"}, "redirected", "http://"),
    "older":                ({}, "metadata version went back", "timestamp"),
    "equal":                ({}, "metadata changed under the same version", "snapshot"),
    "equal-targets":        ({}, "metadata changed under the same version", "targets"),
    "below-threshold":      ({}, "metadata below its threshold", "targets"),
    "below-threshold-root": ({}, "metadata below its threshold", "root"),
    "other-vendor":         ({}, "metadata below its threshold", ""),
    "expired":              ({}, "metadata expired", ""),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_changes_nothing_costs_little_and_is_named(cloud, device, attack):
    how, reason, value = ATTACKS[attack]
    before = device.disk()
    assert cloud.attack(attack, **how)["attack"] == attack
    tracemalloc.start()
    began_ms, began_s = now_ms(), time.process_time()
    event = device.fetch(url_of(cloud), TIME_S.get(attack, 20))
    took_ms, peak = now_ms() - began_ms, tracemalloc.get_traced_memory()[1]
    worked_s = time.process_time() - began_s
    tracemalloc.stop()
    assert isinstance(event, FetchFailed), event
    assert event.reason.startswith(reason) and event.value.startswith(value), event
    assert device.disk() == before
    assert peak < MEGABYTE and worked_s < 4, (peak, worked_s)
    assert took_ms < 4_000 * BUSY, took_ms
    cloud.attack()
    cloud.publish({"g3": "active"})
    event = device.fetch(url_of(cloud))
    assert isinstance(event, Fetched) and event.bundle["folder"], event


@pytest.mark.parametrize("attack", ["garbage", "truncated", "endless", "slow", "wrong-length"])
@pytest.mark.parametrize("file", ["timestamp.json", "targets.json", "trust.json", "der"])
def test_attack_on_one_file_changes_nothing_either(cloud, device, attack, file):
    before = device.disk()
    cloud.publish({"g2": "active", "g3": "active"})
    cloud.publish({"g3": "staged", "baltimore": "active"})
    cloud.attack(attack, file=file, every_ms=60_000)
    event = device.fetch(url_of(cloud), TIME_S.get(attack, 20))
    if file == "der" and isinstance(event, Fetched):
        return  # it has these certificates already
    assert isinstance(event, FetchFailed), event
    assert device.disk() == before


def test_fast_forward_by_the_online_key_takes_no_root_away_and_is_healed_by_another_key(
        cloud, device):
    cloud.attack("fast-forward", version=2**31 - 1)
    forward = device.fetch(url_of(cloud))
    assert isinstance(forward, Fetched), forward
    device.save(forward.bundle)
    cloud.attack()
    cloud.publish({"g3": "active"})
    stuck = device.fetch(url_of(cloud))
    assert (stuck.reason, stuck.layer) == ("metadata version went back", "vendor")
    cloud.rotate("online")
    assert isinstance(device.fetch(url_of(cloud)), Fetched)


def test_number_beyond_all_numbers_is_refused(cloud, device):
    before = device.disk()
    cloud.attack("fast-forward", version=2**31)
    event = device.fetch(url_of(cloud))
    assert isinstance(event, FetchFailed) and "'version'" in event.reason
    assert device.disk() == before
