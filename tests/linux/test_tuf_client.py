"""`anchorwatch-tuf-client` beside a file server: what it asks for, what it writes, what it refuses.

The suite that judges it, tuf-conformance, is somebody else's: the last test runs it where it is
installed.
"""

import datetime
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, MetaFile, Targets

from anchorwatch.linux import tufclient
from tests.core import signed
from tests.core.signed import YEAR, three_roots

ROOT = pathlib.Path(__file__).parents[2]
# Keys that are refused by design: no RSA-PSS and no Ed25519 on a board.
REFUSED_BY_DESIGN = {
    "test_keytype_and_scheme[rsa/rsassa-pss-sha256]",
    "test_keytype_and_scheme[ed25519/ed25519]",
}
SUITE = "ANCHORWATCH_TUF_CONFORMANCE"


class Mirror:
    """A file server on the loopback network; `asked` are the names of the requests."""

    def __init__(self):
        self.files, self.asked = {}, []
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/f/")[2]
                mirror.asked.append(name)
                data = mirror.files.get(name)
                self.send_response(404 if data is None else 200)
                self.end_headers()
                self.wfile.write(data or b"not here")

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/f/" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def mirror():
    running = Mirror()
    yield running
    running.close()


@pytest.fixture
def maker(monkeypatch):
    """Papers that are in date today."""
    today = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    monkeypatch.setattr(signed, "MADE", today)
    return three_roots()


class Device:
    """The client's folders and its commands."""

    def __init__(self, folder, mirror):
        self.metadata, self.targets, self.mirror = folder / "metadata", folder / "targets", mirror
        self.metadata.mkdir()
        self.targets.mkdir()

    def init(self, root):
        file = self.metadata.parent / "first.json"
        file.write_bytes(root)
        return tufclient.main(["--metadata-dir", str(self.metadata), "init", str(file)])

    def run(self, command, *names):
        self.mirror.asked.clear()
        words = ["--metadata-dir", str(self.metadata), "--metadata-url", self.mirror.url,
                 "--target-base-url", self.mirror.url,
                 "--target-dir", str(self.targets)]  # fmt: skip
        for name in names:
            words += ["--target-name", name]
        return tufclient.main([*words, command])

    def files(self, folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def device(tmp_path, mirror):
    return Device(tmp_path, mirror)


def test_init_asks_nobody_and_refresh_keeps_each_file_as_it_came(device, mirror, maker):
    mirror.files = maker.published()
    assert device.init(mirror.files["1.root.json"]) == 0
    assert mirror.asked == []
    assert device.run("refresh") == 0
    assert device.files(device.metadata) == {
        "root.json": mirror.files["3.root.json"],
        "timestamp.json": mirror.files["timestamp.json"],
        "snapshot.json": mirror.files["1.snapshot.json"],
        "targets.json": mirror.files["1.targets.json"],
    }
    assert device.run("refresh") == 0
    assert mirror.asked == ["4.root.json", "timestamp.json"]


def test_target_is_fetched_once(device, mirror, maker):
    mirror.files = maker.published()
    device.init(mirror.files["1.root.json"])
    assert device.run("download", "trust.json") == 0
    assert device.files(device.targets) == {"trust.json": maker.files["trust.json"]}
    assert device.run("download", "trust.json") == 0
    assert not [name for name in mirror.asked if name.endswith("trust.json")]


def test_target_that_is_not_the_signed_one_is_not_written(device, mirror, maker, capsys):
    mirror.files = maker.published()
    device.init(mirror.files["1.root.json"])
    name = next(name for name in mirror.files if name.endswith(".trust.json"))
    mirror.files[name] = mirror.files[name].replace(b"active", b"staged")
    assert device.run("download", "trust.json") == 1
    assert device.files(device.targets) == {}
    assert "file is not the one that was signed" in capsys.readouterr().err


def test_refused_file_leaves_what_was_verified_before_it(device, mirror, maker):
    mirror.files = maker.published()
    device.init(mirror.files["1.root.json"])
    mirror.files["1.snapshot.json"] = b"{}"
    assert device.run("refresh") == 1
    assert sorted(device.files(device.metadata)) == ["root.json", "timestamp.json"]


def test_answer_that_never_ends_is_cut_off(device, mirror, maker, capsys):
    mirror.files = maker.published()
    device.init(mirror.files["1.root.json"])
    mirror.files["timestamp.json"] = b" " * 3_000_000
    assert device.run("refresh") == 1
    assert "HTTP body longer than 16384 bytes" in capsys.readouterr().err


def delegate(maker, role, paths, targets):
    """A role below the targets, signed by a new key."""
    signer = signed.CryptoSigner.generate_ecdsa()
    maker.targets.delegations = maker.targets.delegations or Delegations({}, roles={})
    maker.targets.delegations.roles[role] = DelegatedRole(role, [], 1, False, paths)
    maker.targets.add_key(signer.public_key, role)
    part = Targets(expires=signed.MADE + YEAR)
    for path, data in targets.items():
        part.targets[path] = signed.TargetFile.from_data(path, data, ["sha256", "sha512"])
    maker.snapshot.meta[role + ".json"] = MetaFile(1)
    files = {"%s.%s" % (signed.digest(data), path): data for path, data in targets.items()}
    return dict(files, **{"1.%s.json" % role: signed.signed(part, [signer])})


def test_target_of_a_delegated_role_is_found_and_the_role_kept(device, mirror, maker):
    more = delegate(maker, "site", ["*.txt"], {"a.txt": b"A"})
    mirror.files = dict(maker.published(), **more)
    device.init(mirror.files["1.root.json"])
    assert device.run("download", "a.txt") == 0
    assert device.files(device.targets) == {"a.txt": b"A"}
    assert device.run("download", "a.txt") == 0
    assert mirror.asked == ["4.root.json", "timestamp.json"]
    assert device.run("download", "b.txt") == 1
    assert device.run("download", "a.doc") == 1


def test_name_of_a_role_is_no_way_out_of_the_folder(device, mirror, maker):
    more = delegate(maker, "../evil", ["*"], {"a.txt": b"A"})
    asked = {"1...%2Fevil.json": more.pop("1.../evil.json")}
    mirror.files = dict(maker.published(), **more, **asked)
    device.init(mirror.files["1.root.json"])
    assert device.run("download", "a.txt") == 0
    assert "..%2Fevil.json" in device.files(device.metadata)


def test_name_of_a_target_is_no_way_out_of_the_folder(device, mirror, maker):
    maker.put("../../evil.txt", b"A")
    mirror.files = maker.published()
    mirror.files["%s.evil.txt" % signed.digest(b"A")] = b"A"
    mirror.files["../../%s.evil.txt" % signed.digest(b"A")] = b"A"
    device.init(mirror.files["1.root.json"])
    assert device.run("download", "../../evil.txt") == 0
    assert device.files(device.targets) == {"..%2F..%2Fevil.txt": b"A"}


def test_delegated_role_cannot_take_a_name_from_above(device, mirror, maker, capsys):
    more = delegate(maker, "timestamp", ["*"], {"a.txt": b"A"})
    mirror.files = dict(maker.published(), **more)
    device.init(mirror.files["1.root.json"])
    assert device.run("download", "a.txt") == 1
    assert "wrong or missing 'name': timestamp" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "words"),
    [("https://127.0.0.1/x", "not a plain HTTP address"), ("http://:80/", "not a plain HTTP"),
     ("http://127.0.0.1:x/", "not a plain HTTP address"), ("", "no --metadata-url")],
)  # fmt: skip
def test_address_that_cannot_be_asked_is_refused(device, maker, capsys, url, words):
    device.init(maker.published()["1.root.json"])
    asked = ["--metadata-dir", str(device.metadata), "--metadata-url", url, "refresh"]
    assert tufclient.main(asked) == 1
    assert words in capsys.readouterr().err


def test_without_a_first_root_nothing_is_asked(device, mirror, capsys):
    assert device.run("refresh") == 1
    assert "no trusted root" in capsys.readouterr().err
    assert mirror.asked == []


@pytest.mark.long
@pytest.mark.foreign
def test_foreign_suite_finds_nothing_but_the_keys_we_refuse(tmp_path, capsys):
    """ANCHORWATCH_TUF_CONFORMANCE: the Python of an environment that has tuf_conformance in it."""
    python = os.environ.get(SUITE)
    if not python:
        pytest.skip("no tuf-conformance: it is on no package registry; install it from its"
                    " source into an environment of its own and set %s to its python" % SUITE)
    if shutil.which("faketime") is None:
        pytest.skip("no faketime program: as root, apt-get install faketime")
    client = tmp_path / "client"
    client.write_text("#!/bin/sh\nexec %s -m anchorwatch.linux.tufclient \"$@\"\n" % sys.executable)
    client.chmod(0o755)
    where = "import os, tuf_conformance; print(os.path.dirname(tuf_conformance.__file__))"
    suite = subprocess.check_output([python, "-c", where], text=True).strip()
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite, "--entrypoint", client],
        env=dict(os.environ, PYTHONPATH=str(ROOT / "agent")), cwd=tmp_path, capture_output=True,
        text=True, timeout=1800,
    )  # fmt: skip
    failed = set(re.findall(r"FAILED \S+::(\S+)", done.stdout))
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed and int(passed[1]) > 100, (done.stdout + done.stderr)[-2000:]
    assert failed == REFUSED_BY_DESIGN
    with capsys.disabled():
        print("\n%s: tuf-conformance: %s" % (datetime.date.today(), done.stdout.splitlines()[-1]))
