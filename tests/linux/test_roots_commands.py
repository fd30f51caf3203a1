"""Commands on trust through main([...]): by the agent, and on the files alone where none runs."""

import errno
import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from anchorwatch.core.events import Asked
from anchorwatch.errors import ConfigError
from anchorwatch.linux import cli, orders
from anchorwatch.linux.folder import Folder, open_folder, open_private
from anchorwatch.linux.requests import TABLE
from anchorwatch.linux.store import Store
from anchorwatch.performers.drop import DropFolder
from tests.core import signed
from tests.core.signed import trust_tree
from tests.linux import authority
from tests.linux.agent_process import AgentProcess, write_config
from tests.linux.mirrors import Server

G2, G3, ECC = (signed.certificate(name)[1]["sha256"] for name in signed.NAMES)
PACKAGED = str(signed.ROOTS)
OTHERS = 65_534


def disk(path):
    """{name: bytes} of every file below a folder, but the socket and the lock."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*"))
            if file.is_file() and file.name != "lock"}


class Device:
    """A state folder without an agent, a vendor, and what people type."""

    def __init__(self, path, capsys):
        self.path, self._capsys = path, capsys
        self.state, self.folder = path / "state", path / "bundle"
        self.maker = signed.Maker()
        self.maker.put_trust(trust_tree(names=signed.NAMES[:2]))
        self.root = path / "vendor.root.json"
        self.root.write_bytes(self.maker.roots[0])
        self.sha256 = signed.digest(self.maker.roots[0])
        self.publish()

    def publish(self):
        """The vendor's newest release in the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        return signed.write(self.folder, self.maker.published())

    def release(self, names, **changed):
        """Another release: version + 1, of everything."""
        maker = self.maker
        for part in (maker.targets, maker.snapshot, maker.timestamp):
            part.version += 1
        tree = dict(trust_tree(maker.targets.version, names), **changed)
        maker.put_trust(tree)
        return self.publish()

    def do(self, *words):
        """(exit code, standard output, standard error)."""
        self._capsys.readouterr()
        try:
            code = cli.main([*words])
        except SystemExit as left:
            code = left.code
        return (code, *self._capsys.readouterr())

    def on_files(self, *words):
        return self.do(*words, "--state", str(self.state))

    def init(self):
        code, out, err = self.on_files(
            "init", "--vendor-root", str(self.root), "--sha256", self.sha256)
        assert (code, err) == (0, "")
        return out

    def take(self, *words):
        return self.on_files("roots", "import", str(self.folder), *words)

    def frame(self):
        """The frame `trust` as it is on the disk."""
        store = Store(open_private(str(self.state)), None, lambda *parts: None)
        return store.read(("trust",)).get("trust", {})

    def record(self, layer="vendor"):
        return self.frame()["bundles"][layer]

    def listed(self):
        return json.loads(self.on_files("roots", "list", "--json")[1])["roots"]


@pytest.fixture
def device(tmp_path, capsys):
    return Device(tmp_path, capsys)


def refused(answer, *words, code=1):
    """It was refused, in one sentence that says this."""
    assert answer[0] == code and answer[1] == "", answer
    for word in words:
        assert word in answer[2], answer
    assert "Traceback" not in answer[2]


# The root of trust.

def test_root_of_trust_is_given_once_with_its_hash_and_the_missing_folder_is_made_private(device):
    assert "takes what root 1 lets sign" in device.init()
    assert oct(device.state.stat().st_mode & 0o777) == "0o700"
    record = device.record()
    assert (record["stage"], record["folder"], record["lineage"]) == ("rooted", 1, [device.sha256])
    assert (device.state / "bundle" / "1" / "root.json").read_bytes() == device.maker.roots[0]
    before = disk(device.state)
    assert "nothing to do" in device.init() and disk(device.state) == before


def test_root_of_trust_without_its_hash_is_wrong_usage(device):
    root = ("init", "--vendor-root", str(device.root))
    assert device.on_files(*root)[0] == 2
    refused(device.on_files(*root, "--sha256", "zz"), "not a SHA-256", code=2)
    assert device.on_files("init", "--sha256", device.sha256)[0] == 2
    assert not device.state.exists()


def test_root_of_trust_with_another_hash_is_refused_and_nothing_written(device):
    refused(device.on_files("init", "--vendor-root", str(device.root), "--sha256", "ab" * 32),
            "not the root of trust that was named", device.sha256)
    assert device.frame() == {} and disk(device.state) == {}


@pytest.mark.parametrize("spoil", ["garbage", "below", "pipe", "folder"])
def test_what_is_no_root_of_trust_is_refused_with_its_hash_given(device, spoil):
    if spoil in ("pipe", "folder"):
        device.root.unlink()
        os.mkdir(device.root) if spoil == "folder" else os.mkfifo(device.root)
        data = b""
    else:
        tree = json.loads(device.maker.roots[0])
        tree["signatures"] = tree["signatures"][:1]
        data = b"[]" if spoil == "garbage" else json.dumps(tree).encode()
        device.root.write_bytes(data)
    answer = device.on_files("init", "--vendor-root", str(device.root),
                             "--sha256", hashlib.sha256(data).hexdigest())
    assert answer[0] in (1, 2) and "Traceback" not in answer[2]
    assert spoil != "below" or "below its threshold" in answer[2]
    assert not device.state.exists() or disk(device.state) == {}


def test_root_of_other_keys_does_not_take_the_place_of_one(device):
    device.init()
    other = signed.Maker()
    for _ in range(2):
        other.next_root()
    before = disk(device.state)
    for data in (other.roots[0], other.roots[-1]):
        device.root.write_bytes(data)
        answer = device.on_files("init", "--vendor-root", str(device.root),
                                 "--sha256", signed.digest(data))
        refused(answer, "another root of trust is there", device.sha256, "factory package")
    assert disk(device.state) == before


def test_newer_root_by_the_same_keys_takes_its_place_and_the_bundle_stays(device):
    device.init()
    assert device.take()[0] == 0
    device.maker.next_root()
    newer = device.maker.roots[-1]
    device.root.write_bytes(newer)
    device.sha256 = signed.digest(newer)
    before = device.record()
    assert "root 2" in device.init()
    record = device.record()
    assert record["lineage"] == [signed.digest(r) for r in device.maker.roots]
    assert {k: record[k] for k in ("stage", "version", "digest")} == {
        k: before[k] for k in ("stage", "version", "digest")}
    kept = device.state / "bundle" / str(record["folder"])
    assert (kept / "root.json").read_bytes() == newer and (kept / "trust.json").exists()
    device.root.write_bytes(device.maker.roots[0])
    device.sha256 = signed.digest(device.maker.roots[0])
    assert "nothing to do" in device.init()


def test_root_of_trust_may_come_with_the_factory_folder(device, tmp_path):
    factory = tmp_path / "factory"
    shutil.copytree(PACKAGED, factory)
    (factory / "vendor.root.json").write_bytes(device.maker.roots[0])
    config = write_config(tmp_path, '[trust]\nfactory_dir = "factory"\n')
    code, out, err = device.do("--config", config, "roots", "import", str(device.folder))
    assert code == 0 and "version 1" in out and "no agent runs" in err
    assert device.record()["lineage"] == [device.sha256]


def test_without_a_root_of_trust_a_bundle_is_refused_and_the_way_named(device):
    refused(device.take(), "no root of trust", "init --vendor-root")
    assert disk(device.state) == {}


def test_damaged_root_of_trust_is_repaired_by_the_one_that_was_taken_and_no_other(device):
    device.init()
    device.take()
    home = device.state / "bundle" / str(device.record()["folder"])
    (home / "root.json").write_bytes(b"{}")
    other = signed.Maker().roots[0]
    device.root.write_bytes(other)
    refused(device.on_files("init", "--vendor-root", str(device.root), "--sha256",
                            signed.digest(other)), "another root of trust", device.sha256)
    device.root.write_bytes(device.maker.roots[0])
    device.on_files("init", "--vendor-root", str(device.root), "--sha256", device.sha256)
    record = device.record()
    assert (record["stage"], record["lineage"]) == ("committed", [device.sha256])
    assert record["in_force"] == record["folder"]
    assert "nothing to do: version 1" in device.take()[1]
    device.release(signed.NAMES)
    assert "version 2 is in force" in device.take()[1]


# Import, dry run, revert, history.

def test_bundle_that_changes_what_is_offered_stays_a_candidate_until_the_agent_starts(device):
    device.init()
    device.release(signed.NAMES, distrust=[])
    offered = [row["sha256"] for row in device.listed() if row["offered"]]
    assert ECC in offered  # in the package too: nothing changes, so nothing is tried
    own = authority.root("Vendor's Own")
    _add_anchor(device, own)
    code, out, err = device.take()
    assert (code, err) == (0, "") and "candidate, tried at the agent's next start" in out
    record = device.record()
    assert (record["stage"], record["boots"], record["in_force"]) == ("candidate", 0, 0)


def _add_anchor(device, root):
    """A release with a root that no other layer has."""
    from anchorwatch.pki.der import anchor_entry

    entry = anchor_entry(root.der)
    anchor = {"sha256": entry["sha256"], "spki_sha256": entry["spki_sha256"], "name": "own",
              "scope": ["hub", "dps"], "clouds": ["global"], "state": "active"}
    maker = device.maker
    for part in (maker.targets, maker.snapshot, maker.timestamp):
        part.version += 1
    tree = trust_tree(maker.targets.version, signed.NAMES[:2])
    for one in tree["anchors"]:
        maker.put(one["sha256"] + ".der", signed.certificate(one["name"])[0])
    maker.put(entry["sha256"] + ".der", root.der)
    maker.put("trust.json", json.dumps(dict(tree, anchors=[*tree["anchors"], anchor])).encode())
    device.publish()
    return entry["sha256"]


def test_bundle_that_changes_nothing_for_an_endpoint_is_in_force_at_once(device):
    device.init()
    code, out, _ = device.take()
    assert code == 0 and "version 1 is in force" in out
    record = device.record()
    assert (record["stage"], record["version"]) == ("committed", 1)
    rows = json.loads(device.on_files("roots", "history", "--json")[1])["history"]
    assert [row["stage"] for row in rows] == ["rooted", "candidate", "committed"]
    assert "root of trust " + device.sha256 in device.on_files("roots", "history")[1]


def test_ten_imports_are_one(device):
    device.init()
    device.take()
    before = disk(device.state)
    for _ in range(9):
        code, out, _ = device.take()
        assert code == 0 and "nothing to do: version 1" in out
    assert disk(device.state) == before


@pytest.mark.parametrize("words", [
    ("roots", "import", "BUNDLE", "--dry-run"), ("roots", "revert", "--dry-run"),
    ("roots", "add", "PEM", "--dry-run"), ("roots", "distrust", G3, "--dry-run"),
    ("roots", "distrust", G3, "--now", "--dry-run"), ("roots", "list"), ("roots", "history"),
    ("roots", "explain", G2), ("clock",)])
def test_dry_run_and_a_look_change_no_byte(device, words, tmp_path):
    device.init()
    device.take()
    own = _add_anchor(device, authority.root("Vendor's Own"))
    (tmp_path / "a.pem").write_bytes(authority.root("Another").pem)
    named = {"BUNDLE": str(device.folder), "PEM": str(tmp_path / "a.pem")}
    before = disk(device.state)
    code, out, err = device.on_files(*[named.get(word, word) for word in words])
    assert (code, err) == (0, "") and out
    assert disk(device.state) == before
    if "BUNDLE" in words:
        assert "version 2 would be taken" in out and own in out


def test_bundle_is_taken_back_and_not_twice(device):
    device.init()
    refused(device.on_files("roots", "revert"), "no bundle to take back")
    device.take()
    code, out, _ = device.on_files("roots", "revert")
    assert (code, out) == (0, "version 1 is taken back\n")
    assert (device.record()["stage"], device.record()["in_force"]) == ("reverted", 0)
    refused(device.on_files("roots", "revert"), "no bundle to take back")


@pytest.mark.parametrize("spoil,said", [
    ("changed", "file is not the one that was signed"), ("older", "went back"),
    ("missing", "file is missing"), ("pipe", "cannot be read"), ("link", "cannot be read")])
def test_bundle_that_is_not_what_the_keys_signed_leaves_the_store_as_it_was(device, spoil, said):
    device.init()
    old = {file.name: file.read_bytes() for file in device.folder.iterdir()}
    device.release(signed.NAMES)
    assert device.take()[0] == 0
    before = disk(device.state)
    device.release(signed.NAMES[:2])
    target = next(f for f in device.folder.iterdir() if f.name.endswith(".trust.json")
                  and f.name not in old and b'"version": 3' in f.read_bytes())
    data = target.read_bytes()
    if spoil == "older":
        signed.write(device.folder, old)
    else:
        target.unlink()
    if spoil == "changed":
        target.write_bytes(data.replace(b"active", b"staged"))
    elif spoil == "pipe":
        os.mkfifo(target)
    elif spoil == "link":
        (device.path / "aside").write_bytes(data)
        target.symlink_to(device.path / "aside")
    refused(device.take(), said)
    assert disk(device.state) == before


def test_bundle_that_would_leave_an_endpoint_without_an_anchor_is_refused_whole(device):
    device.init()
    device.take()
    before = disk(device.state)
    device.release((), distrust=[{"sha256": row["sha256"], "kind": "hard", "reason": "test"}
                                 for row in device.listed()])
    answer = device.take()
    assert answer[0] == 1 and "no trust anchor" in answer[2], answer
    assert disk(device.state) == before


@pytest.mark.parametrize("place,code,said", [
    ("nowhere", 2, "not a folder"), ("vendor.root.json", 2, "not a folder"),
    ("http://", 2, "not the URL of a mirror"), ("empty", 1, "file is missing")])
def test_place_that_holds_no_bundle_is_named(device, place, code, said):
    device.init()
    (device.path / "empty").mkdir()
    where = place if place.startswith("http") else str(device.path / place)
    refused(device.on_files("roots", "import", where), said, code=code)


def test_bundle_comes_from_a_mirror_too_and_its_line_may_be_dead(device):
    def say(asked):
        file = device.folder / asked.name
        asked.answer(200, file.read_bytes()) if file.exists() else asked.answer(404)

    device.init()
    with Server(say) as server:
        url = "http://%s/roots/" % server.place()
        assert "version 1 is in force" in device.on_files("roots", "import", url)[1]
        assert "/roots/timestamp.json" in [asked.path for asked in server.asked]
    before = disk(device.state)
    refused(device.on_files("roots", "import", url), "network", code=3)
    assert disk(device.state) == before


def test_a_command_is_no_boot_of_a_device_on_trial(device):
    device.init()
    _add_anchor(device, authority.root("Vendor's Own"))
    device.take()
    frame = device.frame()
    record = frame["bundles"]["vendor"]
    record.update(stage="trial", seen=["hub"], boots=2)
    store = Store(open_private(str(device.state)), None, None)
    store.read()
    store.save("trust", frame)
    before = disk(device.state)
    assert device.on_files("roots", "list")[0] == 0 and disk(device.state) == before
    device.maker.next_root()
    device.root.write_bytes(device.maker.roots[-1])
    device.sha256 = signed.digest(device.maker.roots[-1])
    device.init()
    assert {name: device.record()[name] for name in ("stage", "seen", "boots")} == {
        "stage": "trial", "seen": ["hub"], "boots": 2}


def test_linked_folder_is_refused(device):
    device.init()
    device.folder.rename(device.path / "aside")
    device.folder.symlink_to(device.path / "aside")
    refused(device.take(), "folder cannot be opened", "symbolic link")


@pytest.mark.parametrize("who", ["linked", "of others", "open"])
def test_bundles_of_others_in_the_state_are_not_believed(device, who):
    device.init()
    device.take()
    home = device.state / "bundle" / str(device.record()["folder"])
    if who == "of others":
        if os.geteuid():
            pytest.skip("needs root: only root gives a folder to another user")
        os.chown(home, OTHERS, OTHERS)
    elif who == "open":
        home.chmod(0o777)
    else:
        home.rename(device.path / "aside")
        home.symlink_to(device.path / "aside")
    answer = device.on_files("roots", "list")
    assert answer[0] == 0 and "bundle on the disk" in answer[2]
    assert {row["layer"] for row in device.listed()} == {"factory"}


CALLS = ("create", "write", "fsync", "rename")
FULL = [(do, call) for do in ("init", "import", "revert", "distrust", "reset") for call in CALLS]


@pytest.mark.parametrize("do,call", [("init", "mkdir"), ("import", "mkdir"), *FULL])
def test_full_disk_leaves_everything_as_it_was_and_says_try_later(device, monkeypatch, do, call):
    words = {"init": ("init", "--vendor-root", str(device.root), "--sha256", device.sha256),
             "import": ("roots", "import", str(device.folder)),
             "revert": ("roots", "revert"), "distrust": ("roots", "distrust", G3),
             "reset": ("clock", "reset")}[do]
    device.on_files("roots", "list")
    if do != "init":
        device.init()
    if do == "revert":
        device.take()
    if do == "reset":
        store = Store(open_private(str(device.state)), None, None)
        store.save("clock", {"floor_utc_s": 1_900_000_000})
    before, real = disk(device.state), getattr(Folder, call)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr(Folder, call, full)
    code, out, err = device.on_files(*words)
    monkeypatch.setattr(Folder, call, real)
    assert code == 3 and out == "" and "full" in err and "Traceback" not in err
    assert disk(device.state) == before
    assert device.on_files(*words)[0] == 0


# The site layer.

def test_root_is_added_and_distrusted_at_once_on_the_files(device, tmp_path):
    root = authority.root("Operator's Root")
    (tmp_path / "root.pem").write_bytes(root.pem)
    add = ("roots", "add", str(tmp_path / "root.pem"))
    assert device.on_files(*add)[:2] == (0, "done\n")
    assert device.on_files(*add)[:2] == (0, "nothing to do: it is so already\n")
    row = next(row for row in device.listed() if row["sha256"] == root.sha256)
    assert (row["layer"], row["offered"]) == ("site", ["dps", "hub"])
    assert device.on_files("roots", "distrust", root.sha256, "--now")[0] == 0
    assert (device.state / "site" / "distrust").read_text() == root.sha256 + " now\n"
    assert device.on_files("roots", "distrust", root.sha256, "--now")[1].startswith("nothing")
    assert "site distrusts it" in device.on_files("roots", "explain", root.sha256)[1]


def test_last_root_is_not_distrusted_on_the_files_either(device):
    roots = [row["sha256"] for row in device.listed()]
    for sha256 in roots[:-1]:
        assert device.on_files("roots", "distrust", sha256)[0] == 0
    before = disk(device.state)
    refused(device.on_files("roots", "distrust", roots[-1]), "leave no trust anchor")
    assert disk(device.state) == before


def test_site_with_its_own_keys_takes_no_more_single_roots(device, tmp_path):
    answer = device.on_files("init", "--site-root", str(device.root), "--sha256", device.sha256)
    assert answer[:2] == (0, "the site layer takes what root 1 lets sign\n")
    (tmp_path / "root.pem").write_bytes(authority.root().pem)
    refused(device.on_files("roots", "add", str(tmp_path / "root.pem")),
            "the site layer is a signed bundle")
    assert device.take("--layer", "site")[0] == 0
    assert device.record("site")["stage"] == "committed"


def test_sites_keys_that_would_end_the_only_root_are_refused(device, tmp_path):
    """Under its own keys the site's folder no longer counts, and here only that folder is left."""
    own = authority.root()
    (tmp_path / "root.pem").write_bytes(own.pem)
    assert device.on_files("roots", "add", str(tmp_path / "root.pem"))[0] == 0
    device.init()
    hard = [{"sha256": row["sha256"], "kind": "hard", "reason": "test"}
            for row in device.listed() if row["layer"] == "factory"]
    device.release((), distrust=hard)
    assert device.take()[0] == 0
    frame = device.frame()
    record = frame["bundles"]["vendor"]
    record.update(stage="committed", in_force=record["folder"])
    store = Store(open_private(str(device.state)), None, None)
    store.read()
    store.save("trust", frame)
    assert [row["sha256"] for row in device.listed() if row["offered"]] == [own.sha256]
    before = disk(device.state)
    refused(device.on_files("init", "--site-root", str(device.root), "--sha256", device.sha256),
            "leave no trust anchor")
    assert disk(device.state) == before


def test_list_shows_state_layer_and_days_past_the_end(device):
    device.init()
    device.take()
    code, out, _ = device.on_files("roots", "list")
    line = next(line for line in out.splitlines() if line.startswith(G2))
    assert code == 0 and " factory " in line and " active " in line and "offered to dps" in line
    assert all("expired_days" in row for row in device.listed())


# The clock.

def test_clock_shows_its_floor_and_reset_lowers_it_to_the_build(device):
    open_private(str(device.state)).shut()
    store = Store(open_private(str(device.state)), None, None)
    store.save("clock", {"floor_utc_s": 2_000_000_000})
    assert "floor     2033-05-18T03:33:20Z" in device.on_files("clock")[1]
    assert json.loads(device.on_files("clock", "--json")[1])["floor_utc_s"] == 2_000_000_000
    code, out, _ = device.on_files("clock", "reset")
    assert code == 0 and "it was 2033-05-18T03:33:20Z" in out
    assert "nothing to do" in device.on_files("clock", "reset")[1]


# With an agent.

@pytest.fixture
def agent(device, tmp_path):
    """An agent on the device's state, with a root of trust and a drop folder."""
    device.init()
    (tmp_path / "drop").mkdir()
    running = AgentProcess(tmp_path, write_config(tmp_path, '[trust]\ndrop_dir = "drop"\n'))
    running.ready()
    yield running
    assert running.end() == 0


def test_files_that_an_agent_holds_are_left_to_it(device, agent):
    for words in (("roots", "list"), ("roots", "import", str(device.folder)),
                  ("clock", "reset"), ("roots", "distrust", G3, "--dry-run"),
                  ("init", "--vendor-root", str(device.root), "--sha256", device.sha256)):
        refused(device.on_files(*words), "holds these files", "ask the daemon", code=3)


def test_agent_takes_a_folder_tells_its_history_and_takes_it_back(device, agent):
    def do(*words):
        return device.do("--config", agent.config, *words)

    code, out, err = do("roots", "import", str(device.folder), "--dry-run")
    assert (code, err) == (0, "") and "version 1 would be taken" in out
    code, out, err = do("roots", "import", str(device.folder))
    assert (code, err) == (0, "") and "version 1" in out
    agent.until(lambda: "committed" in do("roots", "history")[1])
    assert "nothing to do" in do("roots", "import", str(device.folder))[1]
    refused(do("roots", "import", str(device.path / "nowhere")), "not a folder", code=2)
    refused(do("roots", "import", str(device.folder), "--layer", "site"), "init --site-root")
    assert do("roots", "revert", "--dry-run")[1] == "version 1 would be taken back\n"
    assert do("roots", "revert")[1] == "version 1 is taken back\n"
    assert "standing" in do("clock")[1] and "floor" in do("clock", "reset")[1]


def test_after_an_agent_was_killed_its_files_are_free_again(device, tmp_path):
    device.init()
    running = AgentProcess(tmp_path, write_config(tmp_path))
    running.ready()
    running.end(signal.SIGKILL)
    assert os.path.exists(running.socket)
    code, out, err = device.do("--config", running.config, "roots", "import", str(device.folder))
    assert code == 0 and "version 1" in out and "no agent runs" in err


def test_commands_as_programs_end_with_their_exit_codes(device):
    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "anchorwatch.linux.cli", *words, "--state", str(device.state)],
            capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode

    init = ("init", "--vendor-root", str(device.root), "--sha256")
    assert [run(*init, device.sha256), run(*init, "ab" * 32), run(*init, "x")] == [0, 1, 2]
    assert [run("roots", "import", str(device.folder)), run("roots", "revert")] == [0, 0]
    assert [run("roots", "revert"), run("clock", "reset"), run("clock", "set")] == [1, 0, 2]
    held = Store(open_private(str(device.state)), None, None)
    assert held.lock() and run("roots", "list") == 3
    held.unlock()
    assert run("roots", "list") == 0


def test_state_of_another_user_is_left_alone(device):
    if os.geteuid():
        pytest.skip("needs root: only root gives a folder to another user")
    device.init()
    os.chown(device.state, OTHERS, OTHERS)
    before = disk(device.state)
    refused(device.take(), "belongs to another user")
    assert disk(device.state) == before


GIVEN = (None, 1, True, "", [], {}, "x", "/", "/tmp\0", "ab" * 32, "http://h/../x", {"a": 1}, 1.5)


@pytest.mark.parametrize("do", sorted(row[0] for row in TABLE if row[2] == "ask"))
def test_whatever_is_given_is_understood_or_refused_by_its_name(do):
    class Roots:
        def entries(self, data):
            return [{}]

    names = ("sha256", "pem", "dry_run", "now", "url", "path", "files", "layer", "swap", "word")
    told = []
    for name, other in itertools.product(names, names):
        for value, more in itertools.product(GIVEN, GIVEN):
            try:
                made = orders.arguments(do, {name: value, other: more}, Roots())
                assert isinstance(made, dict)
            except ConfigError as error:
                told.append(error.remedy)
    assert all(told)


def test_relative_folder_is_that_of_who_asks(device, agent, monkeypatch):
    monkeypatch.chdir(device.path)
    assert device.do("--config", agent.config, "roots", "import", "bundle")[0] == 0


@pytest.mark.parametrize("given,what", [
    ({}, "not one place"), ({"url": "http://h/", "path": "/tmp"}, "not one place"),
    ({"url": "file:/tmp"}, "not the URL of a mirror"), ({"path": "bundle"}, "not a folder"),
    ({"path": "/tmp", "layer": "factory"}, "no layer of signed"),
    ({"path": "/tmp", "dry_run": 1}, "neither true nor false"),
    ({"files": {"../x": "y"}}, "not a file of a bundle"),
    ({"files": []}, "no table of names")])
def test_bad_import_over_the_socket_is_refused(agent, given, what):
    from anchorwatch.linux.caller import Refusal

    with agent.caller() as caller, pytest.raises(Refusal, match=what):
        caller.ask("roots_import", given)


# The drop folder.

def _drop(device):
    """The device's newest release into the drop folder, as somebody with a stick does it."""
    names = sorted(device.folder.iterdir(), key=lambda file: file.name == "timestamp.json")
    for file in names:
        shutil.copy(file, device.path / "drop")


def _warned(agent):
    with agent.caller() as caller:
        return [row for row in caller.ask("status")["warnings"] if row["class"] == "trust"]


def _stages(agent):
    with agent.caller() as caller:
        return [row["stage"] for row in caller.ask("roots_history")["history"]]


def test_bundle_in_the_drop_folder_is_taken_at_sighup(device, agent):
    _drop(device)
    os.kill(agent.process.pid, signal.SIGHUP)
    agent.until(lambda: "committed" in _stages(agent))
    assert _warned(agent) == []


def test_bundle_in_the_drop_folder_is_taken_at_the_start(device, tmp_path):
    device.init()
    (tmp_path / "drop").mkdir()
    _drop(device)
    running = AgentProcess(tmp_path, write_config(tmp_path, '[trust]\ndrop_dir = "drop"\n'))
    running.ready()
    try:
        running.until(lambda: "committed" in _stages(running))
    finally:
        assert running.end() == 0


def test_bundle_in_the_drop_folder_is_taken_before_a_dial(device, agent):
    _drop(device)
    agent.until(lambda: "committed" in _stages(agent), 60)


def test_what_is_not_taken_from_the_drop_folder_is_a_warning_until_it_is_right(device, agent):
    other = signed.Maker()
    other.put_trust(trust_tree(names=signed.NAMES[:2]))
    signed.write(device.path / "drop", other.published())
    os.kill(agent.process.pid, signal.SIGHUP)
    agent.until(lambda: _warned(agent))
    row = _warned(agent)[0]
    assert row["what"] == "bundle not taken: metadata below its threshold" and row["remedy"]
    for file in (device.path / "drop").iterdir():
        file.unlink()
    _drop(device)
    os.kill(agent.process.pid, signal.SIGHUP)
    agent.until(lambda: "committed" in _stages(agent) and not _warned(agent))


class Dropped:
    """A drop folder, and what it posts and warns of."""

    def __init__(self, path):
        self.path, self.posted, self.warnings = path, [], []
        self.drop = DropFolder(str(path), open_folder, 256, self.posted.append,
                               lambda *parts: self.warnings.append(parts))

    def put(self, name):
        (self.path / name).write_bytes(b"{}")


@pytest.fixture
def dropped(tmp_path):
    (tmp_path / "drop").mkdir(mode=0o755)
    return Dropped(tmp_path / "drop")


def test_drop_folder_is_asked_for_once_a_change_and_only_with_a_timestamp(dropped):
    dropped.put("1.root.json")
    assert dropped.drop.changed()
    dropped.drop.ask()
    assert dropped.posted == [] and not dropped.drop.changed()
    dropped.put("timestamp.json")
    assert dropped.drop.changed()
    dropped.drop.ask()
    url = "file:" + str(dropped.path)
    assert dropped.posted == [
        Asked("roots_import", {"url": url, "layer": "vendor", "by": "drop"}, "")]
    assert not dropped.drop.changed() and dropped.warnings == []


def test_crowded_drop_folder_is_not_read_to_its_end_and_its_timestamp_still_found(dropped):
    for number in range(400):
        dropped.put("%03d" % number)
    dropped.put("timestamp.json")
    dropped.drop.ask()
    assert len(dropped.posted) == 1


@pytest.mark.parametrize("spoil", ["open", "of others", "linked", "missing", "pipe"])
def test_drop_folder_of_others_is_not_looked_into(dropped, spoil):
    dropped.put("timestamp.json")
    if spoil == "open":
        dropped.path.chmod(0o777)
    elif spoil == "of others":
        if os.geteuid():
            pytest.skip("needs root: only root gives a folder to another user")
        os.chown(dropped.path, OTHERS, OTHERS)
    else:
        dropped.path.rename(dropped.path.parent / "aside")
        if spoil == "linked":
            dropped.path.symlink_to(dropped.path.parent / "aside")
        elif spoil == "pipe":
            os.mkfifo(dropped.path)
    dropped.drop.ask()
    assert dropped.posted == [] and len(dropped.warnings) == 1
    assert not dropped.drop.changed()


def test_no_drop_folder_is_no_fault(tmp_path):
    nothing = Dropped(tmp_path)
    nothing.drop = DropFolder("", open_folder, 256, nothing.posted.append, None)
    assert not nothing.drop.changed()
    nothing.drop.ask()
    assert nothing.posted == []
