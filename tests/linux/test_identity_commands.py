"""`anchorwatch identity ...` with the emulated cloud, an EST server, a program and a folder.

Rule: what is asserted is seen in the hub's journal, in the status or in what the commands print.
"""

import datetime
import json
import os
import shutil
import signal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from anchorwatch.linux import identitypage
from hil.bench.board import BoardError, Process
from hil.bench.cloud import Cloud
from tests.linux.authority import NOW_S

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
EST, GROUP = "x509-est", "x509-group"
SETTINGS = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "reverify": {"confirm_s": 1, "swap_every_s": 0},
    "dps": {"spread_s": 0},
    "identity": {"issue_every_s": 0},
}
DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    options = ("--chain", "baltimore-rsa", "--factory", "baltimore,g2")
    with Cloud(tmp_path_factory.mktemp("cloud"), *options) as running:
        yield running


@pytest.fixture
def device(cloud, request):
    """device(KIND, **settings of [identity]): online; ended after the test."""
    made = []

    def make(kind, **identity):
        folder = cloud.folder / ("%s-%d" % (kind, len(list(cloud.folder.iterdir()))))
        shutil.copytree(cloud.folder / kind, folder)
        made.append(Process(folder, cloud.ready["kinds"][kind]))
        merged = {**SETTINGS["identity"], **identity}
        made[-1].configure({**SETTINGS, "identity": merged})
        made[-1].start()
        made[-1].reach("online")
        return made[-1]

    yield make
    for one in made:
        if one.pid is not None:
            one.cut()


def rolled(board, slot="a"):
    """Wait until a slot serves and nothing is under way; the status."""
    return board.see("slot %s serves" % slot, lambda status: status if (
        status["identity"]["active"], status["identity"]["roll"]) == (slot, "resting") else None)


def session(cloud, since, board, thumbprint):
    """Wait for a session under a certificate."""
    return cloud.see("a session with %s" % thumbprint[:8], lambda row: (
        row["what"] == "connected" and row["device"] == board.name
        and row["thumbprint"] == thumbprint.upper()), since)


def page(board, *words):
    return json.loads(board.ask("identity", "show", "--json", *words))


def signed(board, text):
    """The PEM of a certificate and its CA for a request, by the CA that the group knows."""
    request = x509.load_pem_x509_csr(text)
    key = serialization.load_pem_private_key((board.folder / "ca.key").read_bytes(), None)
    ca = x509.load_pem_x509_certificate((board.folder / "ca.pem").read_bytes())
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(request.subject).issuer_name(ca.subject)
            .public_key(request.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY).not_valid_after(now + 20 * DAY)
            .sign(key, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM) + (board.folder / "ca.pem").read_bytes()


def test_roll_by_est_moves_the_session_and_both_certificates_are_shown(cloud, device):
    board, since = device(EST), cloud.mark()
    first = page(board)["slots"]["onboarding"]["fingerprint"]
    assert "active" in board.ask("identity", "show")
    assert board.ask("identity", "roll").startswith("rolling")
    held = rolled(board)["identity"]["slots"]["a"]
    assert session(cloud, since, board, held["fingerprint"])["session"]
    text = board.ask("identity", "show")
    for shown in (first, held["fingerprint"], held["sha1"], held["issuer"]["sha1"],
                  held["issuer"]["sha256"], "days left", "by est", "accepted by hub since 20"):
        assert shown in text
    key = (board.folder / "device.key").read_bytes()
    assert key.startswith(b"-----BEGIN") and "PRIVATE" not in (
        board.folder / "agent.log").read_text()


def test_next_roll_renews_with_the_slot_that_serves_and_a_new_key(cloud, device):
    board = device(EST)
    board.ask("identity", "roll")
    first = rolled(board)["identity"]["slots"]["a"]["fingerprint"]
    since = cloud.mark()
    board.ask("identity", "roll")
    second = rolled(board, "b")["identity"]["slots"]["b"]["fingerprint"]
    assert second != first
    renewed = cloud.rows("reenroll", since)
    assert [row["status"] for row in renewed] == [200] and renewed[0]["by"][0] == "certificate"
    shaken = cloud.rows("tls handshake", since, service="est")
    assert {row["client_certificate"] for row in shaken} == {first}


def test_breach_roll_wipes_the_configured_key_and_the_next_start_goes_on_without(cloud, device):
    board = device(EST)
    board.ask("identity", "roll", "--breach")
    fingerprint = rolled(board)["identity"]["slots"]["a"]["fingerprint"]
    assert not (board.folder / "device.key").exists()
    since = cloud.mark()
    board.cut()
    board.restore()
    session(cloud, since, board, fingerprint)
    assert "not there any more" in board.ask("identity", "show")
    done = board._command("check", "--json")
    assert done.returncode == 0, done.stdout
    told = [row["what"] for row in json.loads(done.stdout) if row["check"] == "credential"]
    assert told == ["not tried: key file cannot be read; the device has one of its own",
                    "certificate of %s in slot a" % board.name]


@pytest.fixture
def waiting(device, tmp_path):
    """A device of issuer files whose request is open, and the folder."""
    board = device(GROUP, issuer="files", drop_dir=str(tmp_path))
    board.ask("identity", "roll")
    request = tmp_path / (board.name + ".csr")
    board.see("the request waits", lambda status: request.exists() or None)
    return board, request


def test_dropped_certificate_serves_and_is_put_away(cloud, waiting):
    board, request = waiting
    text = request.read_bytes()
    assert board.ask("identity", "csr").strip() == text.decode().strip()
    (request.with_suffix(".crt")).write_bytes(signed(board, text))
    os.kill(board.pid, signal.SIGHUP)
    held = rolled(board)["identity"]["slots"]["a"]
    assert held["by"] == "files"
    board.see("the folder is tidy", lambda status: os.listdir(request.parent) == [
        board.name + ".crt.done"] or None)


def test_certificate_given_by_hand_serves(waiting, tmp_path):
    board, _ = waiting
    file = board.folder / "chain.pem"
    file.write_bytes(signed(board, board.ask("identity", "csr").encode()))
    assert board.ask("identity", "install", str(file)).startswith("taken")
    assert rolled(board)["identity"]["slots"]["a"]["cn"] == board.name


def test_command_issues(device, tmp_path):
    board = device(GROUP)
    board.cut()
    program = tmp_path / "issue"
    ca = board.folder / "ca"
    program.write_text(
        f"#!/bin/sh\nset -e\n/usr/bin/openssl x509 -req -CA {ca}.pem -CAkey {ca}.key -days 20 "
        f"-set_serial 77\n/bin/cat {ca}.pem\n")
    program.chmod(0o755)
    board.configure({"identity": {**SETTINGS["identity"], "issuer": "command",
                                  "command": [str(program)]}})
    board.restore()
    board.reach("online")
    board.ask("identity", "roll")
    assert rolled(board)["identity"]["slots"]["a"]["by"] == "command"


def test_files_alone_tell_what_the_agent_told(device):
    board = device(EST)
    board.ask("identity", "roll")
    before = rolled(board)["identity"]
    told = page(board)
    board.stop()
    alone = page(board, "--state", str(board.folder / "state"))
    assert alone["slots"]["a"] == before["slots"]["a"] == told["slots"]["a"]
    assert (alone["active"], alone["former"]) == (told["active"], told["former"])
    done = board._command("identity", "show")
    assert done.returncode == 0 and "no agent runs" in done.stderr
    assert told["slots"]["onboarding"]["fingerprint"] in done.stdout


def test_device_that_does_not_roll_says_why_and_its_files_are_its_agents(device):
    board = device(GROUP)
    said = {"roll": "does not roll", "csr": "no request is open", "install": "no request is open"}
    for word, text in said.items():
        more = [str(board.folder / "ca.pem")] if word == "install" else []
        with pytest.raises(BoardError, match=text):
            board.ask("identity", word, *more)
    with pytest.raises(BoardError, match="nowhere.pem"):
        board.ask("identity", "install", "/nowhere.pem")
    done = board._command("identity", "show", "--state", str(board.folder / "state"))
    assert done.returncode == 3 and "an agent" in done.stderr


def test_page_of_a_roll_under_way_names_every_part():
    held = {"kind": "x509", "cn": "dev-7", "key": "ec-p256", "not_before": NOW_S - 86_400,
            "not_after": NOW_S - 1, "fingerprint": "ab" * 32, "sha1": "cd" * 20, "by": "est",
            "issuer": {"cn": "CA", "sha1": "", "sha256": ""},
            "assignment": {"hub": "hub.example", "device_id": "dev-8"},
            "evidence": {"accepted": {"hub": 0, "dps": 1_800_000_000}, "refused_by_dps": True}}
    lines = identitypage.lines({
        "active": "b", "trial": None, "former": None, "pending": "a", "roll": "awaiting",
        "reason": "expiry", "why": "issuer-busy", "issuer": "est", "forbidden": None,
        "due_utc_s": NOW_S - 5, "former_until_utc_s": None,
        "slots": {"b": held, "onboarding": {"kind": "symmetric_key", "cn": None}}}, NOW_S)
    text = "\n".join(lines)
    for part in ("slot a      key only, waits for its certificate", "slot b      CN=dev-7",
                 "expired 0 days ago", "its certificate is not in the chain",
                 "device  dev-8 at hub.example", "refused by dps when it heard of it last",
                 "accepted by dps since 2027-01-15", "by hub since a time not known",
                 "configured  symmetric key, not in use", "by est: awaiting, expiry", ", now",
                 "issuer-busy"):
        assert part in text
