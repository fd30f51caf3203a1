"""The other endpoint on real sockets: DPS is looked at daily, when trust changes, and in need.

The daily moment is the device's own: these devices are named so that theirs is near.
"""

import hashlib
import itertools
import time

import pytest

from hil.bench.cloud import Cloud
from tests.linux import looking
from tests.linux.bundle_devices import settled
from tests.linux.looking import closed, gap, gapped, looked, looks, online, undisturbed

pytestmark = [pytest.mark.tls, pytest.mark.once]
DAY_S, PHASES = 86_400, 1_000_000
SELDOM = {"interval_s": looking.SELDOM_S}
SOON_S, WINDOW_S = 8, 6


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud"), *looking.CLOUD) as cloud:
        cloud.publish({"baltimore": "active", "g2": "active"})
        yield cloud


@pytest.fixture
def cloud(running):
    yield running
    looking.restored(running)


def moment_s(name):
    """When in the day a device of this name probes DPS."""
    phase = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % PHASES
    return DAY_S * phase / PHASES


def named():
    """A registration id whose moment comes when the device has been online for some seconds."""
    now_s = time.time()
    names = ("probes-%d" % number for number in itertools.count())
    return next(n for n in names if SOON_S < (moment_s(n) - now_s) % DAY_S < SOON_S + WINDOW_S)


def probes(cloud, since):
    """DPS was shaken hands with, and nobody connected."""
    assert not cloud.rows("connected", since, service="dps")
    return looks(cloud, since, "dps")


def test_dps_is_probed_once_at_the_devices_own_moment(cloud):
    name = named()
    with online(cloud, name, with_dps=True, reverify=SELDOM) as board:
        since = cloud.mark()
        found = looked(cloud, since, 1, "dps")
        late_s = (time.time() - moment_s(name)) % DAY_S
        assert late_s < 10 and found[0]["client_certificate"] is None
        assert len(probes(cloud, since)) == 1 and undisturbed(cloud, board, since)
        due_ms = board.status()["deadlines"]["reverify_in_ms"]
        assert due_ms > 1_800_000, "DPS is not due again before the token is"


def test_dps_is_probed_at_once_when_a_root_is_added(cloud):
    with online(cloud, "added", with_dps=True, reverify=SELDOM) as board:
        since = cloud.mark()
        board.put("new.pem", cloud.root("g3"))
        board.ask("roots", "add", str(board.folder / "new.pem"))
        looked(cloud, since, 1, "hub")
        looked(cloud, since, 1, "dps")
        assert probes(cloud, since) and undisturbed(cloud, board, since)


def test_dps_that_moves_to_an_unknown_root_is_told_healed_and_there_when_it_is_needed(cloud):
    unauthorized = {"patience_s": 0}
    with online(
        cloud, named(), with_dps=True, reverify=SELDOM, unauthorized=unauthorized
    ) as board:
        since = cloud.mark()
        cloud.post("/dps/chain", {"name": "unknown-rsa"})
        assert gapped(cloud, board, "dps")["verdict"] == "unknown-issuer"
        assert gap(cloud, board, "hub") is None and undisturbed(cloud, board, since)

        cloud.publish({"baltimore": "active", "g2": "active", "unknown": "active"})
        settled(board, cloud.mirror()["versions"]["targets"], 150)
        closed(cloud, board, "dps")
        assert undisturbed(cloud, board, since)

        since = cloud.mark()
        cloud.post("/faults", {"name": "CONNACK", "code": 5, "service": "hub",
                               "device": board.name, "count": None})  # fmt: skip
        cloud.post(f"/devices/{board.name}/drop", {"reason": "refused from now on"})
        cloud.wait_for("register", 90, since, device=board.name)
        cloud.delete("/faults")
        cloud.wait_for("connected", 150, since, device=board.name, service="hub")
        anchor = board.status()["endpoints"]["dps"]["anchor"]
        assert anchor == cloud.anchor("unknown")
