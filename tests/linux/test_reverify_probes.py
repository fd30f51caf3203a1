"""The other endpoint on real sockets: DPS is looked at daily, when trust changes, and in need.

The daily moment is the device's own: these devices are named so that theirs is near.
"""

import time

import pytest

from tests.linux import bundle_devices, looking
from tests.linux.bundle_devices import settled
from tests.linux.looking import closed, gap, gapped, looked, looks, online, undisturbed

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
SELDOM = {"interval_s": looking.SELDOM_S}
running, cloud = looking.running, looking.cloud


def soon(cloud, **settings):
    """A device whose daily moment is near."""
    reverify = {**looking.QUICK, **SELDOM}
    return looking.soon(lambda name: bundle_devices.made(
        cloud, name, True, {"reverify": reverify, **settings}))  # fmt: skip


def probes(cloud, since):
    """DPS was shaken hands with, and nobody connected."""
    assert not cloud.rows("connected", since, service="dps")
    return looks(cloud, since, "dps")


def test_dps_is_probed_once_at_the_devices_own_moment(cloud):
    with soon(cloud) as board:
        since = looking.sessions(cloud, board)[0]["n"]
        found = looked(cloud, since, 1, "dps", 150)
        late_s = (time.time() - looking.moment_s(board.name)) % looking.DAY_S
        assert late_s < 60 and found[0]["client_certificate"] is None
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
    with soon(cloud, unauthorized={"patience_s": 0}) as board:
        since = looking.sessions(cloud, board)[0]["n"]
        cloud.post("/dps/chain", {"name": "unknown-rsa"})
        assert gapped(cloud, board, "dps", 150)["verdict"] == "unknown-issuer"
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
