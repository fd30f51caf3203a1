"""Devices whose key is breached, or whose power goes in the middle of a roll; on real sockets, with
every issuer.

Rule: what is asserted is seen in the journal, in the status or on the disk.
"""

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from hil.bench.cloud import Cloud
from tests.linux import rolling_devices
from tests.linux.rolling_devices import GROUPS, MANAGED, WAITS, online, program, rolled

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
LATER = "#!/bin/sh\necho come back >&2; exit 75\n"
TURN = "a whole fleet may be asking"
SLOW = "6 slow cadence"
HEAD, DIGEST = 12, 32  # of a frame


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud"), *rolling_devices.CLOUD) as running:
        running.post("/enrollments/" + GROUPS[MANAGED], {"operational": True})
        yield running


@pytest.fixture(autouse=True)
def nothing_left(cloud):
    yield
    cloud.delete("/faults")


@pytest.fixture(scope="module", autouse=True)
def cut(cloud):
    """({issuer: device}, {issuer: the request that was open}): their power went when their issuers
    had their requests, and is back. First of all, for some have a minute to wait."""
    with online(cloud, "power") as boards:
        cloud.post("/est", {"approval": True, "retry_after_s": 1})
        faulty(cloud, boards["dps"], "BUSY", 1, at="register", retry_after_s=600)
        faulty(cloud, boards["hub"], "NO_REPLY", at="credential")
        program(boards["command"], LATER)
        for board in boards.values():
            board.roll()
        asked = {}
        for one, board in boards.items():
            asked_in_vain(cloud, board)
            asked[one] = board.request()
            board.cut()
        cloud.post("/est", {"approval": False})
        program(boards["command"])
        for board in boards.values():
            board.restore()
        yield boards, asked


def faulty(cloud, board, name, count=1, **parameters):
    cloud.post("/faults", {"name": name, "device": board.name, "count": count, **parameters})


def shown(cloud, since):
    """Every client certificate that hub or DPS saw."""
    rows = cloud.rows("tls handshake", since)
    return {row["client_certificate"] for row in rows if row["service"] in ("hub", "dps")}


def frames(board, slot):
    """What the files of a slot hold, the newest last."""
    files = sorted((board.folder / "state").glob("slot-%s.*" % slot), key=generation)
    return [json.loads(file.read_bytes()[HEAD:-DIGEST]) for file in files]


def generation(file):
    return int.from_bytes(file.read_bytes()[4:8], "big")


def key_bytes(board, slot):
    """The secret of a slot's key, in each form in which a file may have it."""
    text = frames(board, slot)[-1]["key"]
    key = serialization.load_pem_private_key(text.encode(), None)
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    lines = [line.encode() for line in text.splitlines() if "-----" not in line]
    return [secret, secret.hex().encode(), *lines]


def found(parts, board):
    """Those that any file of the device holds, byte for byte."""
    files = [file for file in board.folder.rglob("*") if file.is_file()]
    text = b"".join(file.read_bytes() for file in files)
    return [part for part in parts if part in text]


def test_breached_key_is_gone_from_the_disk_and_never_shown_whatever_refuses_the_new_one(cloud):
    with online(cloud, "breach") as boards:
        old = rolled(boards.values())
        keys = {one: key_bytes(board, "a") for one, board in boards.items()}
        for one, board in boards.items():
            assert found(keys[one], board) == keys[one][2:], one
        new = rolled(boards.values(), "b", "breach")
        for one, board in boards.items():
            assert found(keys[one], board) == [], one
            assert board.identity()["former"] is None
        since = cloud.mark()
        refused_everywhere(cloud, boards)
        for board in boards.values():
            board.cut()
            board.restore()
        for one, board in boards.items():
            board.see(one + " slows down", lambda s: s["machines"]["ladder"] == SLOW, 90)
            assert board.identity()["slots"].keys() == {"b", "onboarding"}
        seen = shown(cloud, since)
        assert {print_["fingerprint"] for print_ in new.values()} <= seen
        assert not {print_["fingerprint"] for print_ in old.values()} & seen


def refused_everywhere(cloud, boards):
    """Hub and DPS take no certificate of these devices any more."""
    for board in boards.values():
        faulty(cloud, board, "CONNACK", None, service="hub", code=5)
        faulty(cloud, board, "REFUSED", None, service="dps", at="register")


def test_roll_goes_on_after_the_power_was_cut_in_the_middle_of_it(cut):
    boards, asked = cut
    for one, board in boards.items():
        board.answered()
        board.serves("a")
        leaf = base64.b64decode(frames(board, "a")[-1]["chain"][0])
        request = x509.load_pem_x509_csr(asked[one].encode())
        made = x509.load_der_x509_certificate(leaf)
        assert made.public_key() == request.public_key(), one


def asked_in_vain(cloud, board):
    """Wait until its issuer has the request, and has not answered it or put it off."""
    if board.issuer == "hub":
        cloud.see("the hub keeps silent", lambda row: (
            row["what"], row["device"]) == ("fault", board.name), board.since)  # fmt: skip
        return
    board.shows("it waits", lambda page: page["roll"] == WAITS and page["why"] not in (None, TURN))
