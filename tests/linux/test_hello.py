"""The ClientHello is the test: what each profile says on the wire, on every CPython that is here.

Rule: the bytes are those of the agent's own dial, read off a socket and parsed; the numbers are
written here by hand.
"""

import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from anchorwatch.errors import LinkError
from anchorwatch.linux import curves
from anchorwatch.wire.hello import ClientHello
from anchorwatch.wire.tls12 import CLIENT_HELLO, Handshakes
from hil.cloud.reception import Reception
from tests import house
from tests.linux import authority, hellos
from tests.linux.servers import TIMEOUT_S, Server
from tests.linux.test_tls import HOST, dial, outcome

pytestmark = pytest.mark.tls

WHICH = "import sys; print('%d.%d' % sys.version_info[:2])"
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
RSA = [0xC02F, 0xC030, 0xC027, 0xC028]
ECDSA = [0xC02B, 0xC02C, 0xC023, 0xC024]
SUITES = {"rsa": RSA, "ecdsa": ECDSA,
          "any": [0xC02B, 0xC02C, 0xC02F, 0xC030, 0xC023, 0xC024, 0xC027, 0xC028]}  # fmt: skip
# Both say that renegotiation is the safe one; OpenSSL 3.5 has changed from the one to the other.
SAFE_SUITE, SAFE_EXTENSION = 0x00FF, 0xFF01
# Server name, groups, point formats, signatures, encrypt-then-MAC, extended master secret.
EXTENSIONS = {0, 10, 11, 13, 22, 23}
FRAGMENT, CODES = 1, {512: b"\x01", 1024: b"\x02", 2048: b"\x03", 4096: b"\x04"}
X25519, P256, P384, P521, X448 = 29, 23, 24, 25, 30
GROUPS = [X25519, P256, X448, P521, P384]
# ECDSA, EdDSA, both kinds of RSA-PSS and PKCS#1, over SHA-256 to SHA-512; never SHA-1 or MD5.
STRONG = {0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B,
          0x0401, 0x0501, 0x0601}  # fmt: skip
# Over SHA-224, and DSA, which no suite of ours can use: OpenSSL 3.0 names them, and `ssl` has no
# call to take them away.
NAMED_BY_3_0 = {0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602}


@functools.cache
def interpreter(version):
    """An interpreter of this version that starts, or None."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv")
    found = [str(one) for one in sorted(pyenv.glob("versions/%s.*/bin/python" % version))]
    found += [one for one in (sys.executable, shutil.which("python" + version)) if one]
    for one in found:
        done = subprocess.run([one, "-I", "-c", WHICH], capture_output=True, text=True,
                              timeout=60, check=False)
        if done.stdout.strip() == version:
            return one
    return None


class Ear:
    """Takes connections one after the other, keeps the first record of each, and hangs up."""

    def __init__(self):
        self.heard = []
        self._reception = Reception(self._hear)
        self.port = self._reception.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self._reception.close()

    def _hear(self, sock):
        sock.settimeout(TIMEOUT_S)
        record = b""
        while len(record) < 5 or len(record) < _length(record):
            record += sock.recv(4096) or b"\0" * 99999
        self.heard.append(record)


def _length(record):
    return 5 + int.from_bytes(record[3:5], "big")


def said(python, *files, environment=None):
    """(what hellos.py tells of itself, every hello that it said)."""
    with Ear() as ear:
        command = [python, "-I", hellos.__file__, str(house.ROOT / "agent"), str(ear.port),
                   authority.root().der.hex(), *files]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), list(ear.heard)


def parsed(record):
    """One record with one ClientHello and nothing else."""
    assert record[:3] in (b"\x16\x03\x01", b"\x16\x03\x03") and len(record) == _length(record)
    reader = Handshakes()
    reader.feed(record)
    [(kind, body)] = reader.messages
    assert kind == CLIENT_HELLO
    return ClientHello(body)


def check(hello, profile, openssl):
    """All that a hello says is what its profile allows."""
    assert [one for one in hello.suites if one != SAFE_SUITE] == SUITES[profile["suites"]]
    assert hello.version == 0x0303 and hello.versions == []
    assert hello.server_name == hellos.HOST and hello.compressions == [0]
    assert hello.session_id == b""
    safe = {SAFE_EXTENSION} & set(hello.extensions)
    assert bool(safe) != (SAFE_SUITE in hello.suites)
    size = profile.get("max_fragment_bytes")
    assert set(hello.extensions) == EXTENSIONS | safe | ({FRAGMENT} if size else set())
    assert hello.extensions.get(FRAGMENT) == CODES.get(size)
    assert hello.groups == GROUPS
    algorithms = set(hello.signature_algorithms)
    assert STRONG <= algorithms <= STRONG | NAMED_BY_3_0
    assert openssl[:2] != [3, 0] or algorithms == STRONG | NAMED_BY_3_0


@pytest.mark.once
def test_every_profile_offers_exactly_what_it_says_on_every_python_here(tmp_path, capsys):
    files = []
    for key in ("p256", "p384", "rsa"):
        held = authority.root().issue("dev-7", client=True, key=key)
        files += held.write(tmp_path, key)
    here, missing = [], []
    for version in VERSIONS:
        python = interpreter(version)
        if python is None:
            missing.append(version)
            continue
        told, heard = said(python, *files)
        assert len(heard) == len(told["dials"]) == 54 + 3
        assert {tuple(end) for _, _, end in told["dials"]} == {("network", "cut")}
        for (profile, _, _), record in zip(told["dials"], heard, strict=True):
            check(parsed(record), profile, told["openssl"])
        here.append("%s (%s)" % (told["python"], told["library"]))
    with capsys.disabled():
        print("\n57 hellos each on CPython", ", ".join(here))
        if missing:
            print("!!! NOT TRIED, not installed here: CPython", ", ".join(missing))
    assert "%d.%d" % sys.version_info[:2] not in missing


def test_this_python_offers_exactly_what_every_profile_says():
    told, heard = said(sys.executable)
    for (profile, _, _), record in zip(told["dials"], heard, strict=True):
        check(parsed(record), profile, told["openssl"])


@pytest.mark.parametrize("key", ["p256", "p384", "p521", "rsa"])
def test_certificate_on_a_curve_that_is_offered_is_taken_by_the_server(tmp_path, key):
    root = authority.root()
    held = root.issue("dev-7", client=True, key=key)
    with Server(root.issue("hub", names=[HOST]).below(), client_ca=root) as server:
        event = dial([root], server, credential=held.write(tmp_path), slot="a")
        assert event.anchor == root.sha256
        assert server.visit().certificate == held.der


@pytest.mark.parametrize("key, oid", [
    ("k256", "1.3.132.0.10"), ("brainpool256", "1.3.36.3.3.2.8.1.1.7"),
    ("brainpool384", "1.3.36.3.3.2.8.1.1.11")])
def test_certificate_on_a_curve_that_is_not_offered_goes_nowhere(tmp_path, key, oid):
    root = authority.root()
    files = root.issue("dev-7", client=True, key=key).write(tmp_path)
    with Server(root.issue("hub", names=[HOST]).below()) as server:
        event = dial([root], server, credential=files, slot="a")
        assert server.visits == []
    assert outcome(event) == ("identity", "curve-not-offered")
    with pytest.raises(LinkError) as caught:
        curves.check(files[0], GROUPS)
    assert caught.value.value == "%s, %s" % (oid, files[0]) and "P-256" in caught.value.remedy


def test_curve_that_the_system_s_openssl_cnf_takes_away_is_missed(tmp_path):
    conf = tmp_path / "openssl.cnf"
    conf.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
                    "[c]\nGroups = X25519:P-256\n", encoding="utf-8")
    files = authority.root().issue("dev-7", client=True, key="p384").write(tmp_path)
    environment = {**os.environ, "OPENSSL_CONF": str(conf)}
    told, heard = said(sys.executable, *files, environment=environment)
    assert told["dials"][-1][2] == ["identity", curves.NOT_OFFERED]
    assert [parsed(record).groups for record in heard] == 54 * [[X25519, P256]]
