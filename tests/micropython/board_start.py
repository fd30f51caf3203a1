"""What a board starts with: its configuration, an empty outbox, and what it knows of crashes."""

import json

from anchorwatch_board import config, crash
from anchorwatch_board.folder import Folder, make
from board_store import Rig, raises

from anchorwatch.errors import ConfigError
from anchorwatch.performers.outbox import Outbox


def test_outbox_keeps_order_and_drops_the_oldest(path):
    outbox = Outbox(lambda record: "t/" + record["mid"], 2)
    for mid in ("b", "a", "a", "c"):
        outbox.put({"mid": mid, "properties": {}, "payload": b"", "qos": 1})
    assert [record["mid"] for record in outbox.peek(9)] == ["a", "c"]
    assert outbox.peek(1)[0]["topic"] == "t/a" and (outbox.waiting, outbox.dropped) == (2, 1)
    outbox.ack("a")
    outbox.ack("nobody's")
    outbox.readdress()
    assert (outbox.waiting, outbox.acknowledged) == (1, 1) and outbox.peek(1)[0]["mid"] == "c"


TREE = {
    "device": {"id_scope": "0ne1", "registration_id": "dev-7"},
    "dps": {},
    "credential": {"kind": "symmetric_key", "key_file": "key.txt"},
}


def configured(path, tree):
    """The path of a file with this configuration."""
    make(path)
    data = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    Folder(path).write("config.json", data)
    return path + "/config.json"


def test_configuration_is_read_with_paths_beside_it(path):
    made = config.load(configured(path, TREE))
    assert made.credential.key_file == path + "/key.txt"
    assert made.state.dir == path + "/state"
    own = dict(TREE, state={"dir": "/flash/aw"})
    assert config.load(configured(path, own)).state.dir == "/flash/aw"


def test_configuration_that_is_wrong_names_what_and_where(path):
    cases = (
        (b'{\n "device": {},\n}', "line 3"),
        (b"", "line 1"),
        (b" " * 20_000, "longer than"),
        (dict(TREE, devise={}), "[device]|unknown section"),
        (dict(TREE, dps={"spread": 1}), "spread_s"),
        (dict(TREE, identity={"issuer": "est"}, est={"host": "e.example"}), "none, dps, hub"),
        (dict(TREE, identity={"issuer": "dps", "key": "rsa2048"}), "give p256"),
        (dict(TREE, trust={"system": True}), "[trust] system is not for boards"),
        (dict(TREE, identity={"key_command": ["/bin/x"]}), "runs no programs"),
        (dict(TREE, identity={"wipe_command": ["/bin/x"]}), "wipe_command is not for boards"),
        (dict(TREE, state=3), "not a section"),
    )
    for tree, said in cases:
        error = str(raises(ConfigError, config.load, configured(path, tree)))
        assert [word for word in said.split("|") if word in error], error
    assert "cannot be read" in str(raises(ConfigError, config.load, path + "/none.json"))


def fall(depth):
    if depth:
        fall(depth - 1)
    raise ValueError("caf\u00e9\n")


def test_crash_is_kept_with_its_places_and_counted(path):
    error = raises(ValueError, fall, 20)
    body = crash.account(error, 1000, None)
    assert body["what"] == "ValueError: caf\\xe9\\x0a" and body["count"] == 1
    assert len(body["where"]) == 8 and body["where"][-1].startswith("board_start.py:")
    assert body["where"][-1].endswith(" fall")
    again = crash.account(error, 1100, body)
    assert again["count"] == 2 and crash.within_the_hour(again, 1200) == [1000, 1100]
    assert crash.within_the_hour(again, 1100 + 3600) == []
    assert crash.within_the_hour(None, 0) == []


def test_crashes_of_a_clock_that_begins_anew_count_until_the_agent_ran_for_an_hour(path):
    body = None
    for _ in range(3):
        body = crash.reset(5, crash.account(raises(ValueError, fall, 0), 50, body))
    assert len(crash.within_the_hour(body, 2)) == 6
    for _ in range(9):
        body = crash.reset(5, body)
    assert len(body["recent"]) == 8 and body["count"] == 15
    store = Rig(path).store
    assert crash.settle(store, body, 3_599_999) is body and store.newest("crash") is None
    calm = crash.settle(store, body, 3_600_000)
    assert crash.within_the_hour(calm, 2) == [] and calm["count"] == 15
    assert store.newest("crash") == calm and store.save("crash", calm) == 2
    assert crash.settle(store, calm, 9_999_999) is calm and store.newest("crash") == calm
    assert store.save("crash", calm) == 3 and crash.settle(store, None, 9_999_999) is None
