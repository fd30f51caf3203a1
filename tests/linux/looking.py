"""One emulated cloud and devices that look often, for the end-to-end tests of reverify.

Rule: what is asserted is seen in the cloud's journal, in the twin or in the agent's status; nothing
waits for a length of time.
"""

import contextlib
import threading

from hil.bench.control import Line
from hil.bench.waiting import until
from tests.linux import bundle_devices

CHAIN = "baltimore-rsa"
CLOUD = ("--chain", CHAIN, "--factory", "baltimore,g2,g3")
INTERVAL_S, CONFIRM_S = 5, 2
SELDOM_S = 86_400  # for a device that looks when it is told to
QUICK = {"interval_s": INTERVAL_S, "confirm_s": CONFIRM_S, "swap_every_s": 0, "address_gone_s": 4}
SERVICES = ("hub", "dps")


@contextlib.contextmanager
def online(cloud, name, with_dps=False, before=None, **settings):
    """A device with a session, ended after; before(board) is done while it is still off."""
    reverify = {**QUICK, **settings.pop("reverify", {})}
    board = bundle_devices.made(cloud, name, with_dps, {"reverify": reverify, **settings})
    try:
        if before:
            before(board)
        board.start()
        board.reach("online")
        yield board
    finally:
        bundle_devices.ended(board)


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


def looks(cloud, since, service="hub", **fields):
    """Handshakes at the port of MQTT, sessions and looks alike."""
    port = cloud.ready[service]["port"]
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
