"""Slots, requests and certificates on a board, judged by a library that nobody here wrote."""

import base64
import json
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from anchorwatch.pki import issued
from anchorwatch.wire import frame
from tests.linux.authority import DAY_S, NOW_S
from tests.linux.issuing import Ca
from tests.linux.programs import need
from tests.micropython.boards import played

CN = "dev-7"
CA = Ca()

pytestmark = pytest.mark.micropython


def install(chain, cn=CN, at_s=NOW_S):
    return ["Install", "a", [text(der) for der in chain], cn, "dps", at_s]


def text(der):
    return base64.b64encode(der).decode()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(a folder, what came of the first orders in it): slot a has a key and a request."""
    folder = tmp_path_factory.mktemp("roll")
    return folder, played(folder, ["NewKey", "a", "p256"], ["MakeCsr", "a", CN])


@pytest.fixture
def asked(made, tmp_path):
    """(a copy of that folder, the request)."""
    folder, found = made
    for file in (folder / "state").iterdir():
        if file.is_file():
            (tmp_path / "state").mkdir(exist_ok=True)
            (tmp_path / "state" / file.name).write_bytes(file.read_bytes())
    return tmp_path, found["answers"][1][0][2]


def test_key_and_request_are_made_and_the_request_is_for_the_name_alone(made):
    (key, csr), warned = made[1]["answers"], made[1]["warned"]
    assert key == [["KeyMade", "a"]] and warned == []
    request = x509.load_der_x509_csr(base64.b64decode(csr[0][2]))
    assert request.is_signature_valid and request.public_key().key_size == 256
    (name,) = request.subject
    assert name.value == CN and not list(request.extensions)


def test_openssl_itself_takes_the_request(asked):
    words = ["req", "-inform", "DER", "-verify", "-noout", "-subject"]
    done = subprocess.run([need("openssl", "openssl"), *words], input=base64.b64decode(asked[1]),
                          capture_output=True, timeout=60)  # fmt: skip
    assert done.returncode == 0 and CN.encode() in done.stdout, done.stderr


def test_each_key_is_a_new_one_and_nothing_of_the_former_is_left(asked):
    folder, csr = asked
    state = folder / "state"
    former = json.loads(body_of(state / "slot-a.0"))["key"].encode()
    found = played(folder, ["NewKey", "a", "p256"], ["MakeCsr", "a", CN])
    assert found["answers"][1][0][2] != csr
    assert not [file for file in state.iterdir() if file.is_file() and former[60:120]
                in file.read_bytes()]  # fmt: skip


def body_of(file):
    return frame.decode(file.read_bytes())[1]


def test_pending_key_survives_a_restart_with_its_request(asked):
    folder, csr = asked
    found = played(folder, ["MakeCsr", "a", CN], ["MakeCsr", "a", "another"])
    assert found["found"] == {"a": {"pending": True}}
    assert found["answers"][0] == [["CsrMade", "a", csr]]
    (other,) = x509.load_der_x509_csr(base64.b64decode(found["answers"][1][0][2])).subject
    assert other.value == "another"


def test_no_request_and_no_certificate_without_a_key(tmp_path):
    found = played(tmp_path, ["MakeCsr", "a", CN], install([CA.ca.der]))
    assert found["answers"] == [
        [["KeyFailed", "a", "no-key", "the slot has no key"]],
        [["InstallRefused", "a", "wrong-key", "the slot has no key"]],
    ]


@pytest.mark.parametrize("kind", ["p384", "rsa2048"])
def test_key_of_a_kind_that_no_board_makes_is_told(tmp_path, kind):
    found = played(tmp_path, ["NewKey", "a", kind])
    assert found["answers"] == [[["KeyFailed", "a", "no-key", "no board makes such a key"]]]
    assert found["warned"][0][1:] == [kind, 'write [identity] key = "p256"']


def test_installed_certificate_is_described_as_on_linux_and_given_to_tls(asked):
    folder, csr = asked
    chain = CA.chain(csr)
    found = played(folder, install([chain[1], chain[0], CA.root.der]), ["files", "a", "", ""])
    path = issued.ordered([*chain, CA.root.der], b"")
    assert found["answers"][0] == [["Installed", "a", issued.described("a", path, "dps")]]
    given, key = found["answers"][1]
    assert [base64.b64decode(one) for one in given] == [one.der for one in path]
    held = serialization.load_der_private_key(base64.b64decode(key), None)
    assert held.public_key() == x509.load_der_x509_certificate(chain[0]).public_key()
    assert played(folder)["found"] == {"a": issued.described("a", path, "dps")}


REFUSED = {
    "wrong-key": lambda csr: CA.chain(csr, key=ec.generate_private_key(ec.SECP256R1())),
    "wrong-name": lambda csr: CA.chain(csr, "dev-8"),
    "not-a-leaf": lambda csr: CA.chain(csr, ca=True),
    "expired": lambda csr: CA.chain(csr, begins=-9 * DAY_S, ends=-DAY_S),
    "not-yet-valid": lambda csr: CA.chain(csr, begins=DAY_S),
    "malformed": lambda csr: [b"no certificate"],
}


def test_certificate_that_is_not_the_one_asked_for_is_refused_and_changes_nothing(asked):
    folder, csr = asked
    orders = [install(make(csr)) for make in REFUSED.values()]
    found = played(folder, *orders, install([]), ["MakeCsr", "a", CN])
    reasons = [answer[0][:3] for answer in found["answers"][:-1]]
    assert reasons == [["InstallRefused", "a", word] for word in [*REFUSED, "malformed"]]
    assert found["answers"][-1] == [["CsrMade", "a", csr]]
    assert played(folder)["found"] == {"a": {"pending": True}}


def test_wiped_slot_leaves_no_byte_of_its_key(asked):
    folder, csr = asked
    found = played(folder, install(CA.chain(csr)), ["WipeKey", "a"], ["files", "a", "", ""])
    assert found["answers"][1] == [["KeyWiped", "a", ""]]
    assert found["answers"][2][0] == "error"
    assert not (folder / "state" / "slot-a.0").read_bytes().strip(b"\0")
    assert not (folder / "state" / "slot-a.1").read_bytes().strip(b"\0")


PROVE = ["Prove", "a", {"hub": "h.example", "device_id": CN},
         {"accepted": {"hub": 7, "dps": 0}, "refused_by_dps": True}]  # fmt: skip


def test_proof_lies_beside_the_certificate_and_the_next_start_finds_it(asked):
    folder, csr = asked
    found = played(folder, PROVE, install(CA.chain(csr)), PROVE, ["Prove", "b", {}, {}])
    assert found["answers"][0] == [["SaveFailed", "slot-a", "io"]]
    told = found["answers"][1][0][2]
    assert found["answers"][2:] == [[["Saved", "slot-a", 4]], [["SaveFailed", "slot-b", "io"]]]
    after = played(folder, ["files", "a", "", ""], install(CA.chain(csr)))
    assert after["found"] == {"a": {**told, "assignment": PROVE[2], "evidence": PROVE[3]}}
    assert len(after["answers"][0][0]) == 2 and "evidence" not in after["answers"][1][0][2]
    assert played(folder)["found"]["a"].get("evidence") is None


def test_proven_slot_that_is_wiped_leaves_no_byte_in_either_generation(asked):
    folder, csr = asked
    played(folder, install(CA.chain(csr)), PROVE)
    files = [folder / "state" / ("slot-a.%d" % number) for number in (0, 1)]
    keys = [json.loads(body_of(file))["key"] for file in files]
    assert keys[0] == keys[1]
    assert played(folder, ["WipeKey", "a"])["answers"] == [[["KeyWiped", "a", ""]]]
    assert [file.read_bytes().strip(b"\0") for file in files] == [b"", b""]


def test_slot_of_a_wrong_shape_is_warned_of_and_left_out(asked):
    folder, _ = asked
    spoiled = frame.encode(9, frame.dump({"key": "k", "csr": "", "chain": [3], "issuer": ""}))
    (folder / "state" / "slot-a.1").write_bytes(spoiled)
    found = played(folder, ["MakeCsr", "a", CN])
    assert found["found"] == {} and found["warned"][0][1] == "slot-a"


def test_request_lies_in_the_drop_folder_and_its_certificate_is_taken_from_there(asked):
    folder, csr = asked
    enroll = ["Enroll", "files", "a", CN, csr, False, None, "", 0, [], {}, {}, 0, "", 0]
    found = played(folder, enroll)
    assert found["answers"][0][0][:3] == ["IssueLater", "a", 0]
    request = x509.load_pem_x509_csr((folder / "drop" / (CN + ".csr")).read_bytes())
    assert request.is_signature_valid
    other = played(folder / "other", ["NewKey", "a", "p256"], ["MakeCsr", "a", CN])
    (folder / "drop" / (CN + ".crt")).write_bytes(CA.issue(other["answers"][1][0][2]))
    found = played(folder, enroll, ["look"])
    assert found["answers"][0][0][0] == "IssueLater" and found["answers"][1] == []
    assert [row[0] for row in found["warned"]] == ["certificate for another key"]
    chain = CA.chain(csr)
    (folder / "drop" / (CN + ".crt")).write_bytes(b"".join(chain))
    found = played(folder, enroll, install(chain))
    assert found["answers"][0] == [["Issued", "a", [text(der) for der in chain]]]
    assert found["answers"][1][0][0] == "Installed" and found["warned"] == []
    assert sorted(os.listdir(folder / "drop")) == [CN + ".crt.done"]
