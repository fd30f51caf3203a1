"""The EST server on real sockets: looked at daily, by the roots of est.anchors_file alone.

A probe is a handshake that says nothing: no certificate of ours, no request.
"""

import os
import signal

import pytest

from tests.linux import looking, rolling_devices
from tests.linux.looking import closed, gap, gapped, looked, looks, undisturbed

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
running, cloud = looking.running, looking.cloud
WITHIN_S = 150
FILE = "est-roots.pem"
SETTINGS = {"reverify": {**looking.QUICK, "interval_s": looking.SELDOM_S},
            "est": {"anchors_file": FILE}}  # fmt: skip


@pytest.fixture
def board(cloud):
    """Online, with EST's root in a file of its own, and looking there soon."""

    def made(name):
        found = rolling_devices.made(cloud, name, "est", **SETTINGS)
        found.put(FILE, cloud.root("est"))
        return found

    with looking.soon(made) as found:
        yield found


def asked(cloud, since):
    """What was asked of the EST server."""
    return [row for row in cloud.rows(since=since, service="est") if row["what"][:3] != "tls"]


def changed(board, *roots):
    """The operator writes the file, and tells the agent to read its files again."""
    board.put(FILE, b"".join(board.cloud.root(name) for name in roots))
    os.kill(board.pid, signal.SIGHUP)


def test_est_server_is_probed_once_a_day_without_a_certificate_and_without_a_request(cloud, board):
    since = looking.sessions(cloud, board)[0]["n"]
    (found,) = looked(cloud, since, 1, "est", WITHIN_S)
    assert (found["client_certificate"], asked(cloud, since)) == (None, [])
    told = board.see("the evidence", lambda s: s["endpoints"]["est"].get("anchor") and s)
    seen = told["endpoints"]["est"]
    assert (seen["anchor"], seen["layer"]) == (cloud.anchor("est"), "est.anchors_file")
    assert told["gap"] == [] and gap(cloud, board, "est") is None
    board.see("the next is not near", lambda s: s["deadlines"]["reverify_in_ms"] > 600_000)
    assert len(looks(cloud, since, "est")) == 1 and undisturbed(cloud, board, since)


def test_est_server_under_an_unknown_root_is_a_gap_until_the_file_or_the_chain_is_right(
        cloud, board):  # fmt: skip
    since = looking.sessions(cloud, board)[0]["n"]
    cloud.post("/est/chain", {"name": "unknown-rsa"})
    assert gapped(cloud, board, "est", WITHIN_S)["verdict"] == "unknown-issuer"
    (row,) = board.status()["gap"]
    assert row["endpoint"] == "est" and "Unknown" in row["presented"]
    assert "est.anchors_file" in row["remedy"] and looks(cloud, since, "est") == []

    changed(board, "est", "unknown")
    closed(cloud, board, "est")
    assert board.status()["endpoints"]["est"]["anchor"] == cloud.anchor("unknown")

    changed(board, "est")
    assert gapped(cloud, board, "est")["presented"] == row["presented"]
    cloud.post("/est/chain", {"name": looking.EST_CHAIN})
    os.kill(board.pid, signal.SIGHUP)
    closed(cloud, board, "est")
    assert board.status()["gap"] == [] and asked(cloud, since) == []
    assert undisturbed(cloud, board, since)
