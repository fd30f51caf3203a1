"""`anchorwatch check --host ...`: any server is judged, without an agent or a configuration."""

import contextlib
import json
import shutil
import socket
import subprocess
import time

import pytest

from anchorwatch.linux import cli
from anchorwatch.linux.steps import STEPS
from tests.linux import authority
from tests.linux.agent_process import free_port
from tests.linux.servers import Server

pytestmark = pytest.mark.tls

HOST = "srv.example"


@pytest.fixture(scope="module")
def root():
    return authority.root("Good Root")


@pytest.fixture(scope="module")
def issuing(root):
    return root.issue("Issuing CA", ca=True)


@pytest.fixture
def roots(tmp_path, root):
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / "root.pem").write_bytes(root.pem)
    return str(folder)


def check(capsys, *words):
    """(exit code, {check: row})"""
    code = cli.main(["check", "--json", *words])
    return code, {row["check"]: row for row in json.loads(capsys.readouterr().out)}


def steps(rows, endpoint="hub"):
    return [rows["%s %s" % (endpoint, step)]["ok"] for step in STEPS]


def wrong(rows):
    return {name: rows[name]["verdict"] for name in rows if rows[name]["ok"] is False}


def test_server_is_judged_by_its_name_its_place_and_our_roots(capsys, issuing, root, roots):
    with Server(issuing.issue("srv", names=[HOST]).below()) as server:
        code, rows = check(capsys, "--endpoint", "hub", "--host", HOST, "--address", server.place(),
                           "--roots", roots, "--suites", "ecdsa", "--max-fragment", "512:require")
        visits = [server.visit(number) for number in range(2)]
    assert code == 0 and steps(rows) == [True] * 7
    assert set(rows) == {"trust"} | {"hub " + step for step in STEPS}
    assert rows["hub tls"]["fragment"] == {"asked": 512, "negotiated": 512, "reason": ""}
    assert rows["hub anchor"]["root"] == root.sha256
    assert [visit.certificate for visit in visits] == [None, None]
    assert visits[1].server_name == HOST


WRONG = (
    # the server                   its leaf                                  words     what is wrong
    ("under another name", {"names": ["other.example"]}, (), {"hub name": "name-mismatch"}),
    ("past its end", {"names": [HOST], "ends": -60}, (), {"hub dates": "expired"}),
    ("for clients", {"names": [HOST], "client": True}, (), {"hub chain": "wrong-key-use"}),
    ("of RSA where ECDSA is asked for", {"names": [HOST], "key": "rsa"}, ("--suites", "ecdsa"),
     {"hub tls": "no-common-suite"}),
    ("of ECDSA where RSA is asked for", {"names": [HOST]}, ("--suites", "rsa"),
     {"hub tls": "no-common-suite"}),
)  # fmt: skip


@pytest.mark.parametrize("leaf, words, expected", [row[1:] for row in WRONG],
                         ids=[row[0] for row in WRONG])
def test_wrong_server_is_told_by_its_step_and_word(capsys, issuing, roots, leaf, words, expected):
    with Server(issuing.issue("srv", **leaf).below()) as server:
        code, rows = check(capsys, "--host", HOST, "--address", server.place(), "--roots", roots,
                           *words)
    assert code == 1 and wrong(rows) == expected
    assert all(row["remedy"] for row in rows.values() if row["ok"] is False)


def test_without_roots_the_packages_own_count(capsys, issuing):
    with Server(issuing.issue("srv", names=[HOST]).below()) as server:
        code, rows = check(capsys, "--host", HOST, "--address", server.place())
    assert code == 1 and wrong(rows) == {"hub anchor": "unknown-issuer"}
    assert "CN=Good Root" in rows["hub anchor"]["value"]
    assert rows["trust"]["value"].startswith("factory 4")


def test_place_alone_is_judged_as_an_address(capsys, issuing, roots):
    with Server(issuing.issue("srv", names=["127.0.0.1"]).below()) as server:
        code, rows = check(capsys, "--address", server.place(), "--roots", roots)
    assert code == 0 and steps(rows) == [True] * 7
    with Server(issuing.issue("srv", names=["127.0.0.9"]).below()) as server:
        code, rows = check(capsys, "--address", server.place(), "--roots", roots)
    assert code == 1 and wrong(rows) == {"hub name": "name-mismatch"}


def test_each_endpoint_has_its_own_strictness_and_its_own_rows(capsys, issuing, roots):
    with Server(issuing.issue("srv", names=[HOST]).below()) as server:
        for endpoint in ("hub", "dps", "est", "mirror"):
            code, rows = check(capsys, "--endpoint", endpoint, "--host", HOST, "--roots", roots,
                               "--address", server.place())
            assert code == 0 and steps(rows, endpoint) == [True] * 7


def test_server_that_hangs_up_is_to_be_tried_later(capsys, issuing, roots):
    leaf = issuing.issue("srv", names=[HOST])
    with Server(leaf.below(), instead=lambda visit: visit.more()) as server:
        code, rows = check(capsys, "--host", HOST, "--address", server.place(), "--roots", roots,
                           "--max-fragment", "1024")
    assert code == 3 and wrong(rows) == {"hub tls": "cut"}


def test_closed_port_is_to_be_tried_later(capsys, roots):
    place = "127.0.0.1:%d" % free_port()
    code, rows = check(capsys, "--host", HOST, "--address", place, "--roots", roots)
    assert code == 3 and wrong(rows) == {"hub tcp": "refused"}


def test_options_are_laid_over_a_configuration_that_is_named(capsys, tmp_path, issuing, roots):
    file = tmp_path / "anchorwatch.toml"
    with Server(issuing.issue("srv", names=[HOST]).below()) as server:
        file.write_text(
            '[device]\ndevice_id = "d"\n[mqtt]\nmode = "watch"\n[hub]\nhost = "%s"\n'
            '[trust]\nfactory_dir = "roots"\n[state]\ndir = "state"\n'
            '[tls.hub]\nsuites = "rsa"\n[resolve]\n"%s:8883" = ["%s"]\n' % (
                HOST, HOST, server.place()))
        words = ("--config", str(file), "check", "--json")
        assert cli.main([*words, "--endpoint", "hub"]) == 1
        assert '"no-common-suite"' in capsys.readouterr().out
        assert cli.main([*words, "--suites", "any"]) == 0
        rows = json.loads(capsys.readouterr().out)
    assert [row["check"] for row in rows][:2] == ["state", "trust"]
    assert not (tmp_path / "state").exists()


MISTAKES = (
    # words                                                      what is said
    (("--suites", "rsa"), "no server is named"),
    (("--host", "a b"), "--host cannot be this"),
    (("--host", HOST + ":8883"), "--host cannot be this"),
    (("--address", "127.0.0.1"), "--address cannot be this"),
    (("--host", HOST, "--max-fragment", "77"), "max_fragment_bytes cannot be this"),
    (("--host", HOST, "--max-fragment", "512:must"), "max_fragment cannot be this"),
    (("--host", HOST, "--max-fragment", "require"), "--max-fragment cannot be this"),
    (("--host", HOST, "--rehearse", "g2-rsa"), "--rehearse asks no server"),
)  # fmt: skip


@pytest.mark.parametrize("words, said", MISTAKES)
def test_mistake_in_the_options_is_wrong_usage(capsys, words, said):
    assert cli.main(["check", *words]) == 2
    assert said in capsys.readouterr().err


def test_roots_that_cannot_be_read_are_told_and_trust_nobody(capsys, issuing, tmp_path):
    with Server(issuing.issue("srv", names=[HOST]).below()) as server:
        code, rows = check(capsys, "--host", HOST, "--address", server.place(), "--roots",
                           str(tmp_path / "none"))
    assert code == 1 and rows["trust"]["ok"] is False and rows["hub anchor"]["ok"] is False


@contextlib.contextmanager
def s_server(folder, chain, *words):
    """OpenSSL's own server at a free port."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl program here")
    certificate_file, key_file = chain[0].write(folder, "server", chain)
    place = "127.0.0.1:%d" % free_port()
    process = subprocess.Popen(
        [program, "s_server", "-accept", place, "-cert", certificate_file, "-cert_chain",
         certificate_file, "-key", key_file, "-quiet", *words],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _listens(place)
        yield place
    finally:
        process.kill()
        process.wait(10)


def _listens(place):
    address, _, port = place.partition(":")
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection((address, int(port)), 1).close()
        except OSError:
            assert time.monotonic() < until, "s_server does not start"


@pytest.mark.parametrize("words, expected", [
    (("-tls1_2",), {}),
    (("-tls1_3",), {"hub tls": "protocol-version"}),
    (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), {"hub tls": "no-common-suite"}),
])
def test_server_that_nobody_here_wrote_is_judged_from_a_script(
        capsys, tmp_path, issuing, roots, words, expected):
    with s_server(tmp_path, issuing.issue("srv", names=[HOST]).below(), *words) as place:
        code, rows = check(capsys, "--host", HOST, "--address", place, "--roots", roots,
                           "--max-fragment", "1024:require")
    assert wrong(rows) == expected and code == (1 if expected else 0)
    if not expected:
        assert rows["hub tls"]["fragment"]["negotiated"] == 1024
