"""The agent and the emulated cloud as real processes on real sockets.

Rule: what is asserted is seen in the hub's journal or in the agent's status, never inside either.
"""

import base64
import json
import secrets
import shutil
import threading

import pytest

from hil.bench.board import Process
from hil.bench.cloud import Cloud
from hil.bench.control import Line
from hil.bench.waiting import until

pytestmark = pytest.mark.tls
SETTINGS = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "reverify": {"confirm_s": 1, "swap_every_s": 0},
    "dps": {"spread_s": 0},
}
KIND = "symmetric-key"
LOAD_EVERY_S = 0.01


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    options = ("--chain", "baltimore-rsa", "--factory", "baltimore,g2")
    with Cloud(tmp_path_factory.mktemp("cloud"), *options) as running:
        yield running


@pytest.fixture
def device(cloud):
    """device(NAME, with_dps=..., **settings): a configured device that is off; ended after."""
    made = []

    def make(name, with_dps=False, **settings):
        made.append(Process(_folder(cloud, name, with_dps), name))
        made[-1].configure({**SETTINGS, **settings})
        if not with_dps:
            made[-1].configure({"hub": {"host": cloud.ready["hub"]["host"]}})
            _forget_dps(made[-1])
        return made[-1]

    yield make
    for one in made:
        if one.pid is not None:
            one.cut()


def _folder(cloud, name, with_dps):
    """A folder like the cloud's own, for another device; its key is known where it must be."""
    folder = cloud.folder / name
    (folder / "site").mkdir(parents=True)
    text = (cloud.folder / KIND / "anchorwatch.toml").read_text()
    (folder / "anchorwatch.toml").write_text(text.replace(cloud.ready["kinds"][KIND], name))
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    (folder / "device.key").write_text(key)
    (folder / "device.key").chmod(0o600)
    if with_dps:
        made = {"enrollment_id": name, "primary": key, "hub": "hub"}
        cloud.post("/enrollments", made)
    else:
        cloud.post("/devices", {"device_id": name, "auth": "sas", "primary_key": key})
    return folder


def _forget_dps(board):
    lines = board.config.read_text().splitlines()
    start = lines.index("[dps]")
    end = next(n for n in range(start + 1, len(lines)) if lines[n].startswith("["))
    board.put(board.config.name, "\n".join(lines[:start] + lines[end:]).encode())


def sent(board, count, prefix):
    """The ids of so many messages, taken by the agent."""
    mids = ["%s-%d" % (prefix, n) for n in range(count)]
    with Line(board.socket) as line:
        for mid in mids:
            line.ask("send", mid=mid, payload="e30=")
    return mids


def delivered(cloud, board, mids, within_s=20):
    """Wait until all of them are at the hub; {message id: how often}."""

    def look():
        times = dict.fromkeys(mids, 0)
        for row in cloud.rows("telemetry", device=board.name):
            if row["mid"] in times:
                times[row["mid"]] += 1
        return all(times.values()) and times, [mid for mid in mids if not times[mid]][:5]

    return until("every message is at the hub", look, within_s)


def sessions(cloud, board, since=0):
    return [r for r in cloud.rows("connected", since, device=board.name) if r["service"] == "hub"]


def moved(cloud, board, count):
    """Wait until the device has had so many sessions and rests again."""

    def look():
        machines = board.status()["machines"]
        now = len(sessions(cloud, board))
        rests = machines["connection"] == "online" and machines["reverify"] == "resting"
        return now >= count and rests, (now, machines)

    until("session number %d" % count, look, 50)


class Load:
    """Messages, all the time, from a thread of its own."""

    def __init__(self, board):
        self._board, self._over, self.mids = board, threading.Event(), []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        with Line(self._board.socket) as line:
            while not self._over.wait(LOAD_EVERY_S):
                mid = "load-%d" % len(self.mids)
                line.ask("send", mid=mid, payload="e30=")
                self.mids.append(mid)


def dps_rows(cloud, board, since):
    return [r for r in cloud.rows(since=since) if r["service"] == "dps"
            and r["device"] == board.name]  # fmt: skip


def contended(status):
    """The fault, if it is of this class."""
    fault = status["fault"]
    return fault if fault and fault["class"] == "contended" else None


def both_said(said, *boards):
    """Keep in `said` who has called it contended; true when all have. The first waits 30 to 90 s
    before its return tells the other."""
    for number, board in enumerate(boards):
        fault = contended(board.status())
        if fault:
            said[number] = fault
    return len(said) == len(boards)


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def test_first_boot_delivers_once_and_power_cuts_and_damage_cost_no_message(cloud, device):
    board = device("e2e-boot", with_dps=True)
    board.start()
    board.reach("online")
    assert set(delivered(cloud, board, sent(board, 20, "first")).values()) == {1}

    board.cut()
    before = cloud.mark()
    board.restore()
    board.reach("online")
    assert set(delivered(cloud, board, sent(board, 5, "second")).values()) == {1}
    assert dps_rows(cloud, board, before) == []

    board.cut()
    for file in (board.folder / "state").glob("assignment.*"):
        flip(file)
    board.restore()
    board.reach("online")
    assert delivered(cloud, board, sent(board, 5, "third"))


@pytest.mark.once
@pytest.mark.lane_cpython
def test_two_agents_on_one_id_both_say_so_and_never_ask_dps(cloud, device):
    board = device("e2e-twice", with_dps=True)
    board.start()
    board.reach("online")
    board.stop()
    clone = board.folder.with_name("e2e-clone")
    shutil.copytree(board.folder, clone)
    other = Process(clone, board.name)
    before = cloud.mark()
    try:
        board.start()
        other.start()
        said = {}
        until("both have said contended", lambda: (both_said(said, board, other), said), 200)
        for fault in said.values():
            assert "another client uses this device id" in fault["remedy"]
    finally:
        if other.pid is not None:
            other.cut()
    assert dps_rows(cloud, board, before) == []


def test_hub_that_closes_right_after_connack_is_called_contended(cloud, device):
    board = device("e2e-closed")
    cloud.post("/faults", {"name": "CLOSE_AFTER_CONNACK", "device": board.name, "count": None})
    try:
        board.start()
        fault = board.see("contended", contended, 60)
    finally:
        cloud.delete("/faults?name=CLOSE_AFTER_CONNACK")
    assert fault["next_in_ms"] > 20_000 and fault["remedy"]


def test_a_migration_and_back_under_load_loses_and_doubles_nothing(cloud, device):
    board = device("e2e-migrates")
    board.start()
    board.reach("online")
    with Load(board) as load:
        try:
            for number, chain in enumerate(("g2-rsa", "baltimore-rsa")):
                cloud.post("/hub/chain", {"name": chain})
                board.ask("reverify")
                moved(cloud, board, number + 2)
        finally:
            cloud.post("/hub/chain", {"name": "baltimore-rsa"})
    assert set(delivered(cloud, board, load.mids).values()) == {1} and len(load.mids) > 50
    ends = cloud.rows("disconnected", device=board.name)
    assert [row["reason"][:10] for row in ends] == ["taken over"] * 2


def test_refused_connect_on_the_new_link_leaves_the_session_publishing(cloud, device):
    board = device("e2e-refused")
    board.start()
    board.reach("online")
    refusal = {"name": "CONNACK", "code": 5, "service": "hub", "device": board.name, "count": 1}
    cloud.post("/faults", refusal)
    with Load(board) as load:
        board.ask("reverify", "--swap")
        board.see("a refused move", lambda s: s["counters"].get("swap_refused"))
    assert set(delivered(cloud, board, load.mids).values()) == {1}
    assert len(sessions(cloud, board)) == 1
    assert not cloud.rows("disconnected", device=board.name)


def test_sigterm_sends_what_is_queued_first(cloud, device):
    board = device("e2e-drains")
    board.start()
    board.reach("online")
    mids = sent(board, 200, "last")
    assert board.stop() == 0
    assert set(delivered(cloud, board, mids, 2).values()) == {1}


@pytest.mark.once
@pytest.mark.lane_cpython
def test_short_tokens_are_renewed_before_a_session_is_dropped(cloud, device):
    board = device("e2e-token", sas={"lifetime_s": 20})
    board.start()
    board.reach("online")
    with Load(board) as load:
        moved(cloud, board, 3)
    assert set(delivered(cloud, board, load.mids).values()) == {1}
    reasons = [row["reason"] for row in cloud.rows("disconnected", device=board.name)]
    assert len(reasons) == 2 and all(r.startswith("taken over") for r in reasons)


def test_malformed_replies_of_dps_and_twin_lose_nothing(cloud, device):
    board = device("e2e-malformed", with_dps=True)
    broken = {"status": 200, "body": "<html>", "device": board.name, "count": 1}
    cloud.post("/faults", {"name": "MALFORMED_DPS_REPLY", "at": "register", **broken})
    cloud.post("/faults", {"name": "MALFORMED_TWIN_REPLY", **broken})
    board.start()
    # A key waits for the time first, which is a fault of its own for a moment.
    board.see(
        "the fault of the malformed reply",
        lambda s: (s["fault"] or {}).get("verdict") == "malformed-reply" and s["fault"]["remedy"],
    )
    board.reach("online", 60)
    assert set(delivered(cloud, board, sent(board, 5, "any")).values()) == {1}
    status = board.status()
    assert status["counters"]["malformed"] >= 1
    told = [row for row in status["warnings"] if row["class"] == "message"]
    assert told[0]["what"].startswith("message of the hub: JSON") and told[0]["value"]
    assert "tell who runs the hub" in told[0]["remedy"]
    with Line(board.socket) as line:
        shown = json.dumps(line.ask("logs"))
    key = (cloud.folder / board.name / "device.key").read_text()
    assert "malformed" in shown
    assert [secret for secret in (key, "sig=", "SharedAccess") if secret in shown] == []
