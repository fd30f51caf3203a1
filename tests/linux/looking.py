"""One emulated cloud and devices that look often, for the end-to-end tests of reverify.

Rule: what is asserted is seen in the cloud's journal, in the twin or in the agent's status; nothing
waits for a length of time.
A module has the cloud by `running, cloud = looking.running, looking.cloud`.
"""

import contextlib
import hashlib
import itertools
import threading
import time

import pytest

from hil.bench.cloud import Cloud
from hil.bench.control import Line
from hil.bench.waiting import until
from tests.linux import bundle_devices

CHAIN = "baltimore-rsa"
CLOUD = ("--chain", CHAIN, "--factory", "baltimore,g2,g3")
INTERVAL_S, CONFIRM_S = 5, 2
SELDOM_S = 86_400  # for a device that looks when it is told to
QUICK = {"interval_s": INTERVAL_S, "confirm_s": CONFIRM_S, "swap_every_s": 0, "address_gone_s": 4}
SERVICES = ("hub", "dps")
EST_CHAIN = "est-rsa"
DAY_S, PHASES = 86_400, 1_000_000
AHEAD_S, WINDOW_S, SOON_MS = (8, 30, 90), 6, 120_000


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud"), *CLOUD) as cloud:
        cloud.publish({"baltimore": "active", "g2": "active"})
        yield cloud


@pytest.fixture
def cloud(running):
    yield running
    restored(running)


@contextlib.contextmanager
def online(cloud, name, with_dps=False, before=None, **settings):
    """A device with a session, ended after; before(board) is done while it is still off."""
    reverify = {**QUICK, **settings.pop("reverify", {})}
    board = bundle_devices.made(cloud, name, with_dps, {"reverify": reverify, **settings})
    with on(board, before):
        yield board


@contextlib.contextmanager
def on(board, before=None):
    """The same of a device that is made."""
    try:
        if before:
            before(board)
        board.start()
        board.reach("online")
        yield board
    finally:
        bundle_devices.ended(board)


@contextlib.contextmanager
def soon(make):
    """A device online by make(name), named so that its daily moment is near; on a busy machine
    that may have passed before it was online, so the next one has more time."""
    for ahead_s in AHEAD_S:
        with on(make(named(ahead_s))) as board:
            if board.status()["deadlines"]["reverify_in_ms"] < SOON_MS:
                yield board
                return
    raise AssertionError("no device was online within %d s" % AHEAD_S[-1])


def moment_s(name):
    """When in the day a device of this name probes what it does not hang on."""
    phase = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % PHASES
    return DAY_S * phase / PHASES


def named(ahead_s):
    """A registration id whose moment comes in so many seconds, or a little later."""
    now_s = time.time()
    names = ("probes-%d-%d" % (now_s, number) for number in itertools.count())
    return next(n for n in names if ahead_s < (moment_s(n) - now_s) % DAY_S < ahead_s + WINDOW_S)


def restored(cloud):
    """As it was at the start, whatever a test has done to it."""
    cloud.attack()
    cloud.delete("/faults")
    lines = {}
    for service in SERVICES:
        at = cloud.ready[service]
        cloud.post(f"/{service}/chain", {"name": CHAIN})
        cloud.post(f"/{service}/listen", {"up": True, "address": at["address"]})
        for known, port in ((8883, "port"), (443, "https_port")):
            lines[f"{at['host']}:{known}"] = [f"{at['address']}:{at[port]}"]
    cloud.post("/resolve", lines)
    cloud.post("/est/chain", {"name": EST_CHAIN})


def looks(cloud, since, service="hub", **fields):
    """Handshakes at the port that is looked at, sessions and looks alike."""
    port = cloud.ready[service]["https_port" if service == "est" else "port"]
    return cloud.rows("tls handshake", since, service=service, port=port, **fields)


def looked(cloud, since, count, service="hub", within_s=40, **fields):
    """Wait for so many of them."""

    def look():
        found = looks(cloud, since, service, **fields)
        return len(found) >= count and found, len(found)

    return until("%d handshakes at %s" % (count, service), look, within_s)


def sessions(cloud, board, since=0):
    """Accepted CONNECTs at the hub."""
    return cloud.rows("connected", since, device=board.name, service="hub")


def moved(cloud, board, count, within_s=60):
    """Wait for session number `count`, and until the device rests; the row."""

    def look():
        found, machines = sessions(cloud, board), board.status()["machines"]
        return len(found) >= count and machines["reverify"] == "resting" and found[count - 1], (
            len(found), machines)  # fmt: skip

    return until("session number %d" % count, look, within_s)


def undisturbed(cloud, board, since):
    """The session that there was is the one that there is: none began, none ended."""
    ended = cloud.rows("disconnected", since, device=board.name)
    return not sessions(cloud, board, since) and not ended and board.state() == "online"


def gap(cloud, board, endpoint):
    """What the twin says of an endpoint's next handshake; None when all is well."""
    return (cloud.reported(board.name).get("anchorwatch", {}).get("gap") or {}).get(endpoint)


def gapped(cloud, board, endpoint, within_s=40):
    """Wait until the twin tells a gap; it."""

    def look():
        found = gap(cloud, board, endpoint)
        return found, found

    return until("the twin tells of a gap at " + endpoint, look, within_s)


def closed(cloud, board, endpoint, within_s=40):
    """Wait until the twin tells none any more."""

    def look():
        found = gap(cloud, board, endpoint)
        return found is None, found

    until("the twin tells of no gap at " + endpoint, look, within_s)


def counted(board, name="looks"):
    """A counter of the device."""
    return board.status()["counters"].get(name, 0)


def first_told(board, event, act, within_s=60):
    """The first such event of the device after act(), and the status just after it."""
    with Line(board.socket) as line:
        line.ask("watch")
        act()
        limit = threading.Timer(within_s, line.close)
        limit.start()
        try:
            found = next((row for row in line.events() if row["event"] == event), None)
        finally:
            limit.cancel()
    assert found, "no event %r within %d s" % (event, within_s)
    return found, board.status()
