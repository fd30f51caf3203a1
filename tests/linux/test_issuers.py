"""Issuers command and files: a program, and a folder that others put certificates into."""

import ast
import base64
import os
import stat

import pytest
from cryptography import x509

from anchorwatch.core import actions
from anchorwatch.core.events import Installed, Issued, IssueLater, KeyMade
from anchorwatch.linux import verdicts
from anchorwatch.linux.clock import now_ms
from anchorwatch.linux.issuerwords import WORDS
from anchorwatch.linux.slots import pem_of
from tests import house
from tests.linux import authority
from tests.linux.authority import NOW_S
from tests.linux.identities import CN, Device
from tests.linux.issuing import Ca

CA = Ca()
LINUX = house.ROOT / "agent" / "anchorwatch" / "linux"


def order(issuer, csr, **changes):
    fields = {"issuer": issuer, "slot": "a", "cn": CN, "csr": csr, "renew": False,
              "with_slot": None, "host": "", "port": 443, "anchors": [], "limits": {},
              "profile": {}, "judge_utc_s": NOW_S, "proxy": "", "until_ms": now_ms() + 60_000}
    return actions.Enroll(**{**fields, **changes})


def ready(folder, **settings):
    """(a device with a request in slot a, that request)."""
    device = Device(folder, **settings)
    assert device.key() == KeyMade("a")
    return device, device.csr().csr


def words_of(file):
    """What a file refuses an enrollment with."""
    found = set()
    for node in ast.walk(house.tree_of(file)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("refused", "LinkError"):
            found |= {part.value for part in node.args[1:3] if isinstance(part, ast.Constant)}
    return found


@pytest.mark.parametrize("name", ["est", "issuecommand", "issuefiles"])
def test_every_word_of_an_issuer_is_on_the_closed_list(name):
    faults = {"network", "trust", "policy", "clock", "identity", "service", "throttled"}
    assert words_of(LINUX / (name + ".py")) - faults - set(WORDS) == set()
    assert set(WORDS) & set(verdicts.WORDS) == set()


def test_page_tells_every_word_as_the_list_does():
    text = (house.ROOT / "agent" / "README.md").read_text(encoding="utf-8")
    told = text.partition("<!-- issuers -->\n")[2].partition("<!-- /issuers -->")[0]
    assert told.strip().splitlines()[2:] == [
        "| `%s` | %s |" % (word, WORDS[word]) for word in sorted(WORDS)]


# A program.


@pytest.fixture
def program(tmp_path):
    """program(shell text) -> the words of a command."""

    def make(text):
        file = tmp_path / "issue"
        file.write_text("#!/bin/sh\n" + text)
        file.chmod(0o755)
        return (str(file), "first word")

    return make


def test_command_gets_the_request_and_two_words_of_environment(tmp_path, program):
    chain = tmp_path / "chain.pem"
    device, csr = ready(tmp_path, command=program(
        '/usr/bin/env > "%s/env"; echo "$1" > "%s/word"; /bin/cat > "%s/csr"; /bin/cat "%s"' % (
            (tmp_path,) * 3 + (chain,))))
    chain.write_bytes(pem_of(CA.chain(csr)))
    event = device.one(order("command", csr, renew=True))
    assert isinstance(event, Issued) and event.chain[1] == CA.ca.der
    given = x509.load_pem_x509_csr((tmp_path / "csr").read_bytes())
    assert given.is_signature_valid and (tmp_path / "word").read_text() == "first word\n"
    seen = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert {name: seen[name] for name in seen if name not in ("PWD", "SHLVL", "_")} == {
        "AW_CN": CN, "AW_RENEW": "1"}


@pytest.mark.parametrize("text, event", [
    ("echo try at noon >&2; exit 75", IssueLater("a", 0, "try at noon")),
    ("exit 75", IssueLater("a", 0, "the command asks to come later"))])
def test_command_that_says_later_is_asked_later(tmp_path, program, text, event):
    device, csr = ready(tmp_path, command=program(text))
    assert device.one(order("command", csr)) == event


@pytest.mark.parametrize("text, fault, verdict, value", [
    ("printf 'one\\nno such\\033 device\\n\\n' >&2; exit 4", "policy", "issuer-refused",
     "no such\\ufffd device"),
    ("exit 4", "policy", "issuer-refused", "ended with 4"),
    ("kill -9 $$", "policy", "issuer-refused", "ended with -9"),
    ("echo hello", "policy", "issuer-malformed", "PEM file without a complete certificate"),
    ("exit 0", "policy", "issuer-malformed", "PEM file without a complete certificate"),
    ("/bin/cat /dev/zero", "policy", "command-failed", "long: "),
    ("exec /bin/sleep 60", "service", "command-failed", "slow: ")])
def test_command_that_gives_no_chain_is_told_with_its_last_line(
        tmp_path, program, text, fault, verdict, value):
    device, csr = ready(tmp_path, command=program(text))
    until_ms = now_ms() + (500 if "sleep" in text else 60_000)
    event = device.one(order("command", csr, until_ms=until_ms))
    assert (event.fault, event.verdict) == (fault, verdict)
    assert event.value.replace("\\x1b", "\\ufffd").startswith(value)


def test_command_that_is_not_there_is_told(tmp_path):
    device, csr = ready(tmp_path, command=("/nowhere/issue",))
    event = device.one(order("command", csr))
    assert (event.verdict, "/nowhere/issue" in event.value) == ("command-failed", True)


def test_what_a_command_leaves_behind_ends_with_it(tmp_path, program):
    device, csr = ready(tmp_path, command=program(
        '/bin/sleep 600 & echo $! > "%s/pid"; exec >&- 2>&-; wait' % tmp_path))
    device.one(order("command", csr, until_ms=now_ms() + 700))
    number = (tmp_path / "pid").read_text().strip()
    until_ms = now_ms() + 10_000  # a signal is delivered when its process has the processor next
    while state_of(number) not in ("gone", "Z", "X"):
        assert now_ms() < until_ms, state_of(number)


def state_of(number: str) -> str:
    """The letter of a process in /proc."""
    try:
        return open("/proc/%s/stat" % number).read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


# A folder.


@pytest.fixture
def waiting(tmp_path):
    """(a device whose request lies in the folder, that request)."""
    (tmp_path / "drop").mkdir()
    device, csr = ready(tmp_path)
    event = device.one(order("files", csr))
    assert isinstance(event, IssueLater) and event.retry_after_s == 0
    return device, csr


def looked(device):
    """What a look at the folder comes to."""
    del device.events[:]
    device.rolls.look()
    return list(device.events)


def test_request_lies_in_the_folder_for_everybody_to_read(waiting):
    device, csr = waiting
    file = device.dropped / (CN + ".csr")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert x509.load_pem_x509_csr(file.read_bytes()).is_signature_valid
    assert os.listdir(device.dropped) == [file.name]
    before = file.stat().st_ino
    device.one(order("files", csr))
    assert file.stat().st_ino == before


@pytest.mark.parametrize("end", [".crt", ".pem"])
def test_certificate_that_is_put_there_comes_by_itself_and_is_put_away(waiting, end):
    device, csr = waiting
    assert looked(device) == []
    (device.dropped / (CN + end)).write_bytes(pem_of(CA.chain(csr)))
    (event,) = looked(device)
    assert isinstance(event, Issued) and event.slot == "a" and looked(device) == []
    assert isinstance(device.install(event.chain, issuer="files"), Installed)
    assert os.listdir(device.dropped) == [CN + end + ".done"]
    assert looked(device) == [] and not device.warned


def test_certificate_that_is_there_already_is_taken_at_once(waiting):
    device, csr = waiting
    (device.dropped / (CN + ".crt")).write_bytes(pem_of(CA.chain(csr)))
    assert isinstance(device.one(order("files", csr)), Issued)


def test_certificate_for_another_key_is_told_once_and_left_alone(waiting):
    device, csr = waiting
    other = authority.root().issue(CN, client=True)
    file = device.dropped / (CN + ".crt")
    file.write_bytes(other.pem)
    assert looked(device) == [IssueLater("a", 0, "wrong-key")]
    for _ in range(3):
        assert looked(device) == []
        assert device.one(order("files", csr)) == IssueLater("a", 0, "wrong-key")
    assert [told[:2] for told in device.warned] == [("certificate for another key", str(file))]
    assert file.read_bytes() == other.pem
    file.write_bytes(pem_of(CA.chain(csr)) + b"\n")
    assert len(looked(device)) == 1


@pytest.mark.parametrize("data", [
    b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    b"x" * 300_000])
def test_file_of_something_else_is_told_once(waiting, data):
    device, csr = waiting
    (device.dropped / (CN + ".pem")).write_bytes(data)
    (event,) = looked(device)
    assert looked(device) == [] and "no certificate" in event.why
    assert device.one(order("files", csr)) == event and len(device.warned) == 1


@pytest.mark.parametrize("made", [os.mkdir, os.mkfifo])
def test_folder_or_pipe_in_place_of_a_certificate_is_told_without_waiting(waiting, made):
    device, csr = waiting
    made(device.dropped / (CN + ".crt"))
    (event,) = looked(device)
    assert "no certificate" in event.why and len(device.warned) == 1


def test_link_in_place_of_the_request_is_not_followed(tmp_path):
    (tmp_path / "drop").mkdir()
    device, csr = ready(tmp_path)
    target = tmp_path / "precious"
    target.write_text("precious")
    for end in (".csr", ".csr.tmp"):
        (device.dropped / (CN + end)).symlink_to(target)
    device.one(order("files", csr))
    assert target.read_text() == "precious"


def test_folder_that_is_not_there_is_told(tmp_path):
    device, csr = ready(tmp_path)
    event = device.one(order("files", csr))
    assert (event.fault, event.verdict) == ("policy", "drop-folder")
    assert str(device.dropped) in event.value


def test_name_that_no_file_can_have_is_refused(tmp_path):
    (tmp_path / "drop").mkdir()
    device, _ = ready(tmp_path)
    csr = device.csr(cn="../x").csr
    event = device.one(order("files", csr, cn="../x"))
    assert event.verdict == "drop-folder" and os.listdir(device.dropped) == []


def test_after_a_restart_the_same_request_waits_for_the_same_certificate(waiting):
    device, csr = waiting
    (device.dropped / (CN + ".crt")).write_bytes(pem_of(CA.chain(csr)))
    again = Device(device.folder)
    assert again.csr().csr == csr
    event = again.one(order("files", csr))
    assert isinstance(again.install(event.chain), Installed)
    assert base64.b64decode(again.slots.held("a")["chain"][0]) == event.chain[0]
