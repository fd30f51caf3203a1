"""How the mirror takes its time, and what a release says; in memory, with a clock that is told."""

import datetime
import json

import pytest

from hil.cloud.attacks import PIECE, Attack
from hil.cloud.bundles import Vendor
from hil.cloud.certificates import Authority
from hil.cloud.clock import Clock
from hil.cloud.connection import Peer
from hil.cloud.journal import Journal
from hil.cloud.mirror import WAITING_AT_MOST, Mirror
from hil.cloud.trustjson import sha256_of, spki_sha256_of

NOW_S = 1_795_000_000
AUTHORITY = Authority()


class Stage:
    """A mirror with one release and one client; `waiting` are bytes that it has not read."""

    def __init__(self):
        self.vendor = Vendor(AUTHORITY.certificate, lambda: NOW_S)
        self.vendor.release({"roots": {"g3": "active"}})
        self.journal = Journal()
        self.mirror = Mirror(self.vendor, self.journal, Clock(), lambda: "127.1.1.6:80")
        self.said, self.closed, self.reads = b"", False, True
        self.client = self.mirror.accept(self.write, self.close, Peer(address="127.0.0.1:9"), 0)

    def write(self, data):
        self.said += data
        return 0 if self.reads else len(self.said)

    def close(self):
        self.closed = True

    def ask(self, name="timestamp.json", now_ms=0, more=""):
        self.client.receive(f"GET /bundle/{name} HTTP/1.1\r\n{more}\r\n".encode(), now_ms)

    def body(self):
        return self.said.partition(b"\r\n\r\n")[2]


@pytest.fixture
def stage():
    return Stage()


def test_a_slow_mirror_says_one_byte_at_its_time(stage):
    whole = stage.vendor.files()["timestamp.json"]
    stage.mirror.assault(Attack("slow", every_ms=1000))
    stage.ask()
    seen = []
    for now_ms in range(0, 5001, 100):
        stage.mirror.turn(now_ms)
        seen.append(len(stage.body()))
    assert seen[::10] == [0, 1, 2, 3, 4, 5] and seen[9] == 0
    assert whole.startswith(stage.body()) and f"Content-Length: {len(whole)}".encode() in stage.said
    for now_ms in range(6000, 1000 * len(whole) + 1000, 1000):
        stage.mirror.turn(now_ms)
    assert stage.body() == whole
    row = stage.journal.since()[-1]
    assert (row["bytes"], row["whole"], row["took_ms"]) == (len(whole), True, 1000 * len(whole))


def test_an_endless_mirror_waits_for_a_client_that_does_not_read(stage):
    stage.mirror.assault(Attack("endless"))
    stage.reads = False
    stage.ask()
    for now_ms in range(0, 1000, 100):
        stage.mirror.turn(now_ms)
    held = len(stage.said)
    assert WAITING_AT_MOST < held < WAITING_AT_MOST + 2 * PIECE
    stage.reads = True
    stage.mirror.turn(1000)
    assert len(stage.said) > 2 * held
    assert b"Content-Length" not in stage.said and stage.journal.since() == []
    stage.client.lost(10_000)
    row = stage.journal.since()[-1]
    assert (row["bytes"], row["whole"], row["attack"]) == (len(stage.body()), False, "endless")


def test_a_silent_mirror_says_nothing_and_takes_the_next_request_once_it_is_honest(stage):
    stage.mirror.assault(Attack("silent"))
    stage.ask()
    stage.mirror.turn(3_000_000)
    assert stage.said == b"" and not stage.closed
    stage.client.lost(3_000_001)
    stage.mirror.turn(9_000_000)
    assert stage.said == b"" and len(stage.journal.since()) == 1


def test_requests_are_answered_in_order_and_the_last_closes(stage):
    stage.ask("1.root.json")
    stage.ask("trust.json", more="Connection: close\r\n")
    rows = stage.journal.since()
    assert [row["file"] for row in rows] == ["1.root.json", "trust.json"] and stage.closed
    assert stage.said.endswith(stage.vendor.files()["trust.json"])


def test_what_is_no_request_is_told_so_and_closed(stage):
    stage.client.receive(b"GET nonsense\r\n\r\n", 0)
    assert stage.said.startswith(b"HTTP/1.1 400 ") and stage.closed
    stage.ask()
    assert stage.said.count(b"HTTP/1.1") == 1


def said(**more):
    """The trust.json of a release."""
    vendor = Vendor(AUTHORITY.certificate, lambda: NOW_S)
    files = vendor.release({"roots": {"g3": "active", "msecc2017": "staged"}, **more})
    return json.loads(files["trust.json"])


def test_a_release_says_who_when_and_which_roots():
    tree, root = said(), AUTHORITY.certificate("g3")
    issued = datetime.datetime.fromtimestamp(NOW_S, datetime.timezone.utc)
    assert (tree["version"], tree["issued"]) == (1, issued.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert tree["anchors"][0] == {
        "sha256": sha256_of(root), "spki_sha256": spki_sha256_of(root), "name": "g3",
        "scope": ["hub", "dps"], "clouds": ["global"], "state": "active",
    }  # fmt: skip
    assert tree["anchors"][1]["state"] == "staged"
    assert (tree["distrust"], tree["announcements"]) == ([], [])


G3 = AUTHORITY.certificate("g3")
ROWS = {
    # sentence                         said of distrust, hold_s     the row
    "hard, by the key": ("g3", None, {"kind": "hard", "spki_sha256": spki_sha256_of(G3)}),
    "with a hold for all": (
        "g3", 60, {"kind": "hard", "spki_sha256": spki_sha256_of(G3), "hold_s": 60},
    ),
    "with its own hold": (
        {"root": "g3", "hold_s": 0}, 60,
        {"kind": "hard", "spki_sha256": spki_sha256_of(G3), "hold_s": 0},
    ),
    "by the certificate": (
        {"root": "g3", "of": "certificate", "reason": "r"}, None,
        {"kind": "hard", "sha256": sha256_of(G3), "reason": "r"},
    ),
    "sunset": (
        {"root": "g3", "kind": "sunset", "after": "2030-01-01T00:00:00Z"}, 60,
        {"kind": "sunset", "spki_sha256": spki_sha256_of(G3), "after": "2030-01-01T00:00:00Z"},
    ),
    "a hash of one's own": ({"sha256": "ab" * 32}, None, {"kind": "hard", "sha256": "ab" * 32}),
}  # fmt: skip


@pytest.mark.parametrize("sentence", ROWS)
def test_distrust_is_written(sentence):
    row, hold_s, wanted = ROWS[sentence]
    more = {} if hold_s is None else {"hold_s": hold_s}
    assert said(distrust=[row], **more)["distrust"] == [wanted]


def test_announcements_name_the_hash_and_the_rest_is_as_told():
    date = "2035-02-15T00:00:00Z"
    more = {"policy": {"evidence_days": 1}, "floor_reset": date, "min_agent": "9.0", "issued": date}
    tree = said(announcements=[{"endpoint": "hub", "root": "g3", "date": date}],
                also={"version": 7}, **more)  # fmt: skip
    assert tree["announcements"] == [{"endpoint": "hub", "root": sha256_of(G3), "date": date}]
    assert {name: tree[name] for name in more} == more and tree["version"] == 7


def test_an_intermediate_can_be_offered_as_a_root_does():
    vendor = Vendor(AUTHORITY.certificate, lambda: NOW_S)
    files = vendor.release({"roots": {"azure-ecc-03": "active"}})
    issuing = AUTHORITY.certificate("azure-ecc-03")
    assert issuing.subject != issuing.issuer and f"{sha256_of(issuing)}.der" in files


def test_a_folder_keeps_what_was_published_and_documents_end_when_told():
    vendor = Vendor(AUTHORITY.certificate, lambda: NOW_S)
    first = vendor.release({"roots": {"g3": "active"}})
    second = vendor.release({"roots": {"g3": "sunset"}, "days": 1})
    changed = {name for name in first if second[name] != first[name]}
    assert changed == {"timestamp.json", "trust.json"}
    ends = {name: json.loads(second[name])["signed"]["expires"] for name in second
            if name.startswith(("2.", "timestamp"))}  # fmt: skip
    day = datetime.datetime.fromtimestamp(NOW_S + 86_400, datetime.timezone.utc)
    assert set(ends) == {"2.targets.json", "2.snapshot.json", "timestamp.json"}
    assert set(ends.values()) == {day.strftime("%Y-%m-%dT%H:%M:%SZ")}
