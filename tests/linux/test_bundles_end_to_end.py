"""Signed bundles from a real mirror to a real agent: attacks, channels, commits, power cuts.

Rule: a device that had a session before has one after, whatever the mirror, a portal or the power
has done; what was refused has left no byte on its disk.
"""

import base64
import itertools
import json
import os
import random
import statistics
import time

import pytest

from hil.bench.cloud import Cloud
from hil.bench.control import Line
from hil.bench.waiting import until
from tests.linux import bundle_devices as devices
from tests.linux.bundle_devices import Memory, acknowledged, bundle, called, disk, settled, wished

pytestmark = [pytest.mark.tls, pytest.mark.once]
FULL = os.environ.get("ANCHORWATCH_COUNTS") == "full"
KILLS = 200 if FULL else 20
KILL_WITHIN_S = 0.3
FOLDERS_AT_MOST = 4  # newest, in force, the one before; and of the frame's older slot
STRANDED = 12 if FULL else 2
MOST_KIB = 1024
ROOTS = {"g3": "active", "baltimore": "active"}
OTHER = {"g3": "active", "baltimore": "sunset", "unknown2": "active"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud"), *devices.CLOUD) as cloud:
        cloud.publish(ROOTS)
        yield cloud


@pytest.fixture
def cloud(running):
    """An honest one again afterwards."""
    yield running
    running.attack()
    for service in ("hub", "dps"):
        running.post(f"/{service}/chain", {"name": "g3-ecc"})


NUMBERS = itertools.count(1)


def online(cloud, **how):
    board = devices.made(cloud, "bundle-%d" % next(NUMBERS), **how)
    board.start()
    try:
        board.reach("online")
        yield board
    finally:
        devices.ended(board)


@pytest.fixture
def device(cloud):
    """One that is online, without a bundle yet; it knows its hub and no DPS."""
    yield from online(cloud)


@pytest.fixture
def enrolled(cloud):
    """The same, assigned by DPS: two endpoints in use."""
    yield from online(cloud, with_dps=True)


@pytest.fixture
def forbidding(cloud):
    """One whose owner lets the cloud import nothing."""
    yield from online(cloud, settings={"cloud": {"allow": ["reverify"]}})


def url_of(cloud):
    return cloud.mirror()["url"]


def taken(cloud, board):
    """The newest release is committed; its version."""
    version = cloud.mirror()["versions"]["targets"]
    assert called(cloud, board, url=url_of(cloud))[0] == 200
    settled(board, version)
    return version


def refused(cloud, board):
    """What the device says of the mirror: (reason, value, seconds)."""
    began = time.monotonic()
    status, said = called(cloud, board, url=url_of(cloud))
    assert status in (409, 429) and said["remedy"], (status, said)
    return said["what"], said["value"], time.monotonic() - began


def told(board):
    """The reasons of refused bundles in the device's log."""
    with Line(board.socket) as line:
        lines = line.ask("logs", most=500)["lines"]
    return [row["line"] for row in lines if "reason=" in row["line"]]


def inline(cloud):
    """The newest release as a small bundle: {name: text, certificates in base64}."""
    shown = cloud.mirror()
    versions, digest = shown["versions"], shown["trust_sha256"]
    wanted = ["timestamp.json", digest + ".trust.json"]
    wanted += ["%d.%s.json" % (versions[role], role) for role in ("snapshot", "targets")]
    found = {}
    for name, data in cloud.bundle().items():
        if name.endswith(".der") and name.count(".") == 2:
            found[name] = base64.b64encode(data).decode()
        elif name in wanted or name.endswith(".root.json"):
            found[name] = data.decode()
    return found


FAST = (
    "garbage", "truncated", "wrong-length", "endless", "redirect", "older", "equal",
    "equal-targets", "below-threshold", "below-threshold-root", "other-vendor", "expired",
)  # fmt: skip


def test_attack_leaves_the_disk_as_it_was_and_has_a_reason_of_its_own(cloud, device):
    cloud.publish(OTHER)
    cloud.publish(ROOTS)
    taken(cloud, device)
    reasons = {}
    before, memory = disk(device), Memory(device)
    for attack in FAST:
        cloud.attack(attack)
        what, value, took_s = refused(cloud, device)
        reasons[attack] = "%s (%s)" % (what, value)
        assert took_s < 5, attack
        assert disk(device) == before, attack
    assert len(set(reasons.values())) == len(FAST), reasons
    assert len(told(device)) == len(FAST)
    peak_kib, own_kib = memory.more_kib()
    print("12 attacks: peak +%d KiB, own +%d KiB" % (peak_kib, own_kib))
    assert peak_kib < MOST_KIB and own_kib < MOST_KIB, (peak_kib, own_kib)
    assert device.state() == "online"
    cloud.attack()
    cloud.publish(OTHER)
    taken(cloud, device)


# A mirror that says nothing more is left after the ten seconds of linux/mirror.py; one that goes on
# slowly, when the caller's time is over.
@pytest.mark.parametrize("attack, every_ms, least_s, most_s", [
    ("silent", 60_000, 8, 14),
    pytest.param("slow", 60_000, 8, 14, marks=pytest.mark.long),
    pytest.param("slow", 500, 20, 28, marks=pytest.mark.long),
])  # fmt: skip
def test_mirror_without_an_end_is_left_after_a_bounded_time(
    cloud, device, attack, every_ms, least_s, most_s
):
    taken(cloud, device)
    cloud.attack(attack, every_ms=every_ms)
    before, memory = disk(device), Memory(device)
    reason, _, took_s = refused(cloud, device)
    assert (reason, disk(device)) == (attack, before)
    peak_kib, own_kib = memory.more_kib()
    print("%s: %.1f s, peak +%d KiB, own +%d KiB" % (attack, took_s, peak_kib, own_kib))
    assert least_s < took_s < most_s and peak_kib < MOST_KIB and own_kib < MOST_KIB
    assert device.state() == "online"


def test_published_bundle_is_committed_and_shown_wherever_one_looks(cloud, enrolled):
    cloud.publish(OTHER)
    version, anchor = taken(cloud, enrolled), cloud.anchor("unknown2")
    status = json.loads(enrolled.ask("status", "--json"))
    found = bundle(status)
    assert (found["stage"], found["version"], found["stale"]) == ("committed", version, False)
    assert anchor in status["endpoints"]["hub"]["offered"]
    rows = [row for row in enrolled.ask("roots", "list").splitlines() if anchor in row]
    assert len(rows) == 1 and "vendor" in rows[0], rows
    assert "vendor" in enrolled.ask("roots", "explain", anchor)
    with Line(enrolled.socket) as line:
        told_of = [(row["stage"], row["version"]) for row in line.ask("roots_history")["history"]]
    assert told_of == [(stage, version) for stage in ("candidate", "trial", "committed")]
    said = devices.reported(cloud, enrolled)["bundle"]["vendor"]
    assert (said["stage"], said["version"]) == ("committed", version)


def test_import_by_direct_method_keeps_to_the_listed_mirrors(cloud, device):
    status, said = called(cloud, device, url="http://mirror.elsewhere.example/bundle/")
    assert (status, said["what"]) == (409, "not a place for bundles")
    assert called(cloud, device, url="file:" + str(cloud.folder))[0] == 409
    asked = cloud.mark()
    version = taken(cloud, device)
    before = disk(device)
    for _ in range(10):
        assert called(cloud, device, url=url_of(cloud))[1]["changed"] is False
    assert disk(device) == before and bundle(device.status())["version"] == version
    got = [row["file"] for row in cloud.rows("get", asked) if row["status"] == 200]
    assert got[-10:] == ["timestamp.json"] * 10, "no more than that is asked for"


def test_import_that_cloud_allow_does_not_name_is_refused(cloud, forbidding):
    assert called(cloud, forbidding, url=url_of(cloud))[0] == 403
    assert bundle(forbidding.status())["stage"] == "none"
    assert not (forbidding.folder / "state" / "bundle").exists()


def test_desired_bundle_comes_from_a_listed_mirror_or_inline(cloud, device):
    version = cloud.mirror()["versions"]["targets"]
    wished(cloud, device, version=1, url="http://mirror.elsewhere.example/bundle/")
    assert "not a place for bundles" in acknowledged(cloud, device, 409)["ad"]
    wished(cloud, device, version=version, url=url_of(cloud))
    acknowledged(cloud, device, 200)
    settled(device, version)
    cloud.publish(OTHER)
    asked = cloud.mark()
    cloud.attack("silent")  # nobody is asked for files that came with the message
    files = [{"name": name, "text": text} for name, text in inline(cloud).items()]
    wished(cloud, device, version=version + 1, url=None, files=files)
    settled(device, cloud.mirror()["versions"]["targets"])
    assert acknowledged(cloud, device, 200)["value"] == str(version + 1)
    assert not cloud.rows("get", asked)


def test_small_bundle_in_a_direct_method_is_taken(cloud, device):
    assert called(cloud, device, files=inline(cloud))[0] == 200
    settled(device, cloud.mirror()["versions"]["targets"])


@pytest.mark.parametrize("who", ["root", "targets", "online"])
def test_keys_that_were_handed_over_are_followed(cloud, device, who):
    taken(cloud, device)
    for _ in range(2):
        cloud.rotate(who)
    cloud.publish(OTHER)
    taken(cloud, device)


def test_portal_at_the_probe_neither_vetoes_nor_commits(cloud, device):
    before = taken(cloud, device)
    probed(cloud, device)
    assert bundle(device.status())["stage"] == "candidate"
    assert device.state() == "online"
    assert "rolled back" not in device.status()["machines"]["trust"]
    assert bundle(device.status())["version"] > before


@pytest.mark.long
def test_bundle_is_committed_once_the_portal_has_gone(cloud, enrolled):
    taken(cloud, enrolled)
    version = probed(cloud, enrolled)
    for service in ("hub", "dps"):
        cloud.post(f"/{service}/chain", {"name": "g3-ecc"})
    settled(enrolled, version, 180)


def probed(cloud, device):
    """A new bundle is tried while hub and DPS present what nobody trusts; its version."""
    for service in ("hub", "dps"):
        cloud.post(f"/{service}/chain", {"name": "unknown-rsa"})
    cloud.publish(OTHER if cloud.mirror()["said"]["roots"] == ROOTS else ROOTS)
    since = cloud.mark()
    assert called(cloud, device, url=url_of(cloud))[0] == 200
    for service in device.status()["endpoints"]:
        cloud.wait_for("tls failed", since=since, service=service)
    device.see("all were heard", lambda status: status["machines"]["trust"] == "waiting")
    return cloud.mirror()["versions"]["targets"]


def test_bundle_that_leaves_no_root_is_refused_whole(cloud, enrolled):
    taken(cloud, enrolled)
    before = disk(enrolled)
    cloud.publish({"g2": "staged"}, distrust=["g3", "baltimore"])
    what, value, _ = refused(cloud, enrolled)
    assert (what, value) == ("this would leave no trust anchor for", "dps, hub")
    folders = {name: data for name, data in disk(enrolled).items() if name in before}
    assert folders == before, "nothing of what was there has changed"
    assert enrolled.state() == "online"


def test_bundle_that_drops_the_root_in_use_is_rolled_back(cloud, device):
    cloud.publish(OTHER)
    taken(cloud, device)
    anchor = cloud.anchor("unknown2")
    cloud.post("/hub/chain", {"name": "unknown2-rsa"})
    device.ask("reverify", "--swap")
    device.see("a session under it", lambda s: s["endpoints"]["hub"].get("anchor") == anchor)
    cloud.publish(ROOTS)
    dropped, since = cloud.mirror()["versions"]["targets"], cloud.mark()
    assert called(cloud, device, url=url_of(cloud))[0] == 200
    device.see("it is rolled back", lambda s: s["machines"]["trust"] == "rolled back")
    found = bundle(device.status())
    assert (found["stage"], found["version"]) == ("reverted", dropped) and found["why"], found
    assert anchor in device.status()["endpoints"]["hub"]["offered"]
    assert device.state() == "online" and not cloud.rows("disconnected", since, device=device.name)


@pytest.mark.lane_cpython
def test_stranded_devices_heal_themselves_and_send_what_waited_once(cloud):
    fleet = [online(cloud) for _ in range(STRANDED)]
    try:
        healed(cloud, [next(one) for one in fleet])
    finally:
        for one in fleet:
            one.close()


def healed(cloud, boards):
    """The hub moves to a root they lack and cuts them; a bundle is published, and that is all."""
    since = cloud.mark()
    cloud.post("/hub/chain", {"name": "unknown2-rsa"})
    for board in boards:
        cloud.post(f"/devices/{board.name}/drop", {"reason": "the session ends"})
        board.see("its session is lost", lambda status: status["agent"]["state"] != "online")
    cloud.publish(OTHER)
    mids = [waiting(board) for board in boards]
    took_s = []
    for board, sent in zip(boards, mids, strict=True):
        settled(board, cloud.mirror()["versions"]["targets"], 120)
        lost = cloud.wait_for("disconnected", since=since, device=board.name)
        back = cloud.wait_for("connected", since=since, device=board.name)
        took_s.append((back["t_ms"] - lost["t_ms"]) / 1000)
        until("what waited has arrived", lambda: arrived(cloud, sent, since), 20)  # noqa: B023
    print("%d stranded devices: median %.1f s, worst %.1f s" % (
        len(boards), statistics.median(took_s), max(took_s)))  # fmt: skip


def waiting(board):
    """Messages that the device takes while it has no session; their ids."""
    mids = ["%s-%d" % (board.name, number) for number in range(20)]
    with Line(board.socket) as line:
        for mid in mids:
            line.ask("send", mid=mid, payload="e30=")
    return mids


def arrived(cloud, mids, since):
    """(each of them once, how many)."""
    found = [row["mid"] for row in cloud.rows("telemetry", since) if row["mid"] in mids]
    return sorted(found) == sorted(mids), len(found)


def test_power_cut_while_a_bundle_is_applied_leaves_something_to_connect_with(cloud, device):
    seed = random.randrange(2**32)
    print("seed %d, %d kills" % (seed, KILLS))
    chance, stages = random.Random(seed), {}
    for _ in range(KILLS):
        cloud.publish(OTHER if cloud.mirror()["said"]["roots"] == ROOTS else ROOTS)
        with Line(device.socket) as line:
            line.say("roots_import", url=url_of(cloud))
            time.sleep(chance.random() ** 2 * KILL_WITHIN_S)  # soon rather than late
            device.cut()
        device.restore()
        device.reach("online", 30)
        stage = bundle(device.status())["stage"]
        stages[stage] = stages.get(stage, 0) + 1
    print("after a start: %s" % stages)
    taken(cloud, device)
    assert len(list((device.folder / "state" / "bundle").iterdir())) <= FOLDERS_AT_MOST
