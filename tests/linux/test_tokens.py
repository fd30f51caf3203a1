"""Keys in tokens: PKCS#11 by SoftHSM and TPM 2.0 by swtpm where OpenSSL can; elsewhere the hint.

Rule: the system that can is a Debian 13 in build/, made once by mmdebstrap as root; a machine that
cannot make it says why.
"""


import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import pytest

from anchorwatch.core import actions
from anchorwatch.core.events import KeyMade, KeyWiped
from anchorwatch.linux.keyblocks import TOKEN_HINT
from hil.bench.waiting import until
from tests import house
from tests.linux.identities import CN, Device
from tests.linux.issuing import Ca
from tests.linux.programs import need

HERE = pathlib.Path(__file__).parent / "tokens"
SYSTEM = house.ROOT / "build" / "debian-13"
PACKAGES = ("python3", "openssl", "pkcs11-provider", "softhsm2", "opensc", "tpm2-openssl", "swtpm",
            "libtss2-tcti-swtpm0t64")  # fmt: skip
INSIDE = ('mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && '
          'mount --bind "$2" "$1/opt/agent" && mount --bind "$3" "$1/mnt" && root="$1" && '
          'shift 3 && exec chroot "$root" "$@"')
MAKE_S, RUN_S = 600, 60
CONFIG = """\
openssl_conf = init
[init]
providers = providers
[providers]
default = default_provider
%s = token
[default_provider]
activate = 1
[token]
activate = 1
%s"""
PKCS11 = """\
pkcs11-module-path = /usr/lib/softhsm/libsofthsm2.so
pkcs11-module-token-pin = file:/mnt/pin
pkcs11-module-quirks = no-deinit
"""


@pytest.fixture(scope="module")
def system():
    """A Debian 13, or a skip with the reason."""
    if os.geteuid() != 0:
        pytest.skip("keys in tokens are not tried: a Debian 13 is made and entered by root alone")
    program = need("mmdebstrap", "mmdebstrap")
    if not (SYSTEM / "usr/lib/softhsm").exists():
        shutil.rmtree(SYSTEM, ignore_errors=True)
        SYSTEM.parent.mkdir(exist_ok=True)
        made = subprocess.run(
            [program, "--quiet", "--variant=apt", "--include=" + ",".join(PACKAGES), "trixie",
             str(SYSTEM)], capture_output=True, text=True, timeout=MAKE_S, check=False)
        if made.returncode:
            shutil.rmtree(SYSTEM, ignore_errors=True)
            pytest.skip("keys in tokens are not tried: mmdebstrap: " + made.stderr[-200:].strip())
    (SYSTEM / "opt/agent").mkdir(exist_ok=True)
    return SYSTEM


@pytest.fixture
def inside(system, tmp_path):
    """inside(words, environment) -> the words as a process in that system; /mnt is tmp_path."""
    for file in HERE.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    places = [str(place) for place in (system, house.ROOT / "agent", tmp_path)]

    def run(*words, **environment):
        return subprocess.Popen(
            ["unshare", "-m", "sh", "-c", INSIDE, "sh", *places, *words], text=True,
            env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    return run


def said(process):
    """What a process wrote, once it has ended well."""
    out, error = process.communicate(timeout=RUN_S)
    assert process.returncode == 0, error[-2000:]
    return out


def rolled(inside, command, **environment):
    """The result of inside.py."""
    words = ("python3", "/mnt/inside.py", "/opt/agent", "/mnt", *command)
    return json.loads(said(inside(*words, OPENSSL_CONF="/mnt/openssl.cnf", **environment)))


def whole(found, label):
    """A key, its request, its certificate, a handshake with it; and nobody else's certificate."""
    assert found["label"] == "-----BEGIN %s-----" % label, found
    assert found["installed"] == "Installed " and found["warned"] == [], found
    assert (found["shaken"], found["other"]) == ([CN, "TLSv1.2"], "wrong-key")


@pytest.mark.long
@pytest.mark.once
def test_key_of_a_pkcs11_token_signs_its_request_and_the_handshake(inside, tmp_path):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "pin").write_text("1234")
    (tmp_path / "softhsm2.conf").write_text("directories.tokendir = /mnt/tokens\n")
    (tmp_path / "openssl.cnf").write_text(CONFIG % ("pkcs11", PKCS11))
    where = {"SOFTHSM2_CONF": "/mnt/softhsm2.conf"}
    said(inside("softhsm2-util", "--init-token", "--free", "--label", "anchorwatch", "--so-pin",
                "1234", "--pin", "1234", **where))
    whole(rolled(inside, ["/mnt/make-pkcs11-key", "/mnt"], **where), "PKCS#11 PROVIDER URI")


def two_ports():
    """The first of two free ports in a row: the second is for control."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as one:
            port = one.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
                return port
            except OSError:
                continue


def reached(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.long
@pytest.mark.once
def test_key_of_a_tpm_signs_its_request_and_the_handshake(inside, tmp_path):
    (tmp_path / "tpm").mkdir()
    (tmp_path / "openssl.cnf").write_text(CONFIG % ("tpm2", ""))
    port = two_ports()
    tpm = inside("swtpm", "socket", "--tpm2", "--tpmstate", "dir=/mnt/tpm", "--server",
                 "type=tcp,port=%d" % port, "--ctrl", "type=tcp,port=%d" % (port + 1),
                 "--flags", "not-need-init,startup-clear")
    try:
        where = "swtpm:host=127.0.0.1,port=%d" % port
        until("the TPM listens", lambda: (reached(port + 1), ""), RUN_S)
        whole(rolled(inside, ["/mnt/make-tpm-key"], TPM2OPENSSL_TCTI=where), "TSS2 PRIVATE KEY")
    finally:
        tpm.kill()
        tpm.communicate(timeout=RUN_S)


# A system that cannot, which this one is for a token that nobody has.


@pytest.fixture(params=["TSS2 PRIVATE KEY", "PKCS#11 PROVIDER URI"])
def device(request, tmp_path):
    """A device whose key command gives a reference that leads nowhere."""
    program = tmp_path / "make-key"
    program.write_text("#!%s\nprint('-----BEGIN %s-----\\nMAA=\\n-----END %s-----')\n" % (
        sys.executable, request.param, request.param))
    program.chmod(0o755)
    return Device(tmp_path, key_command=(str(program),))


def test_token_that_openssl_cannot_use_is_kept_and_the_hint_is_told(device):
    assert device.key() == KeyMade("a")
    event = device.csr()
    assert (event.reason, event.value[:12]) == ("command", "openssl req:")
    assert device.warned[-1][2] == TOKEN_HINT and "OPENSSL_CONF" in TOKEN_HINT
    assert device.open() == {"a": {"pending": True}}


def test_wiped_reference_says_that_the_key_is_still_in_its_token(device):
    device.key()
    assert device.one(actions.WipeKey("a")) == KeyWiped("a", "")
    assert device.open() == {} and "still in its token" in device.warned[-1][0]


def test_certificate_for_a_token_that_openssl_cannot_use_is_refused_with_the_hint(device):
    other = Device(device.folder / "other")
    other.key()
    csr = other.csr().csr
    device.key()
    device.slots.write("a", dict(device.slots.held("a"), csr=csr))
    event = device.install([*Ca().chain(csr)])
    assert event.reason == "wrong-key" and TOKEN_HINT in event.value
    assert device.open() == {"a": {"pending": True}}
