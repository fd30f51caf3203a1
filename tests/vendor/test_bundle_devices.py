"""What the tool makes, in the hands of the real agent's commands: a device's state folder, the
factory layer, and the ways out of lost root keys.

Rule: the device is a state folder without an agent; the agent's own commands change it.
"""

import hashlib
import json
import os
import shutil
import time

import pytest

from anchorwatch.linux import cli
from tests.linux import authority
from tests.linux.agent_process import write_config
from tests.vendor.workshop import G2, G2_SHA256, G3, G3_SHA256, Workshop, tree


class Device:
    """A device with a factory folder, as `anchorwatch --config` finds it."""

    def __init__(self, path, capsys, factory):
        path.mkdir()
        self.path, self._capsys, self.state = path, capsys, path / "state"
        self.config = write_config(path, '[trust]\nfactory_dir = "factory"\n')
        self.package(factory)

    def package(self, factory):
        """Another package is installed: its factory folder takes the place of the old one."""
        shutil.rmtree(self.path / "factory", ignore_errors=True)
        shutil.copytree(factory, self.path / "factory")

    def try_(self, *words):
        """(exit code, standard output, standard error)."""
        self._capsys.readouterr()
        try:
            code = cli.main(["--config", self.config, *words])
        except SystemExit as left:
            code = left.code
        return (code, *self._capsys.readouterr())

    def do(self, *words):
        code, out, err = self.try_(*words)
        assert code == 0, err
        return out

    def refused(self, *words):
        """Refused, and no byte of the store is another; the sentence."""
        before = self.disk()
        code, _, err = self.try_(*words)
        assert code == 1, err
        assert self.disk() == before
        return err

    def take(self, folder, *words):
        return self.do("roots", "import", str(folder), *words)

    def disk(self):
        return {name: data for name, data in tree(self.state).items() if name != "lock"}

    def offered(self):
        rows = json.loads(self.do("roots", "list", "--json"))["roots"]
        return {row["sha256"] for row in rows if row["offered"]}


def factory_of(shop, name):
    """The factory folder that a workshop makes now."""
    shop.do("factory", str(shop.path / name))
    return shop.path / name


@pytest.fixture
def released_now(empty):
    """A vendor whose first release, with DigiCert G2, was made today as devices see it."""
    empty.now_s = int(time.time())
    empty.init()
    empty.do("add", G2, "--state", "active")
    empty.release()
    return empty


@pytest.fixture
def device(released_now, capsys):
    made = Device(released_now.path / "device", capsys, factory_of(released_now, "factory"))
    assert "version 1 is in force" in made.take(released_now.out)
    return made


@pytest.fixture
def anew(released_now, capsys):
    """The same vendor with new keys and a release that has G3 too."""
    path = released_now.path / "anew"
    path.mkdir()
    shop = Workshop(path, capsys)
    shop.now_s = released_now.now_s
    shop.init()
    shop.do("add", G2, G3, "--state", "active")
    shop.release()
    return shop


def lose_the_root_keys(shop):
    for name in ("root-1", "root-2"):
        os.unlink(shop.key(name))


def test_factory_folder_of_the_tool_is_the_agents_factory_layer_and_root_of_trust(device):
    assert device.offered() == {G2_SHA256}
    record = json.loads(device.do("roots", "history", "--json"))["history"][-1]
    assert (record["stage"], record["version"]) == ("committed", 1)


def test_root_of_the_factory_folder_is_what_init_takes_on_a_device_in_the_field(
        released_now, capsys):
    """The package of this one is older than the vendor's keys."""
    factory = factory_of(released_now, "factory")
    root = factory / "vendor.root.json"
    sha256 = hashlib.sha256(root.read_bytes()).hexdigest()
    old = released_now.path / "old-package"
    shutil.copytree(factory, old)
    (old / "vendor.root.json").unlink()
    field = Device(released_now.path / "field", capsys, old)
    assert "no root of trust" in field.refused("roots", "import", released_now.out)
    field.do("init", "--vendor-root", str(root), "--sha256", sha256)
    assert "version 1 is in force" in field.take(released_now.out)


def test_rehearsal_from_the_state_of_a_real_device_says_what_it_then_does(device, released_now):
    state = str(device.state)
    assert "trust.json 1: nothing to do" in released_now.do("rehearse", "--from", state)
    released_now.do("add", G3, "--state", "active")
    released_now.sign_all()
    before = device.disk()
    assert "trust.json 1 -> 2: taken" in released_now.do("rehearse", "--from", state)
    assert device.disk() == before
    released_now.publish()
    assert "version 2 is a candidate" in device.take(released_now.out)
    assert "trust.json 2: nothing to do" in released_now.do("rehearse", "--from", state)


def test_rehearsal_from_a_device_with_only_a_root_of_trust_is_that_of_its_first_bundle(
        released_now, capsys):
    bare = released_now.path / "bare"
    bare.mkdir()
    root = factory_of(released_now, "factory") / "vendor.root.json"
    assert cli.main(["init", "--state", str(bare), "--vendor-root", str(root), "--sha256",
                     hashlib.sha256(root.read_bytes()).hexdigest()]) == 0
    assert "taken" in released_now.do("rehearse", "--from", str(bare))


def site_shop(released_now, capsys):
    """A site's own keys: one of each, and a release with G3."""
    path = released_now.path / "site"
    path.mkdir()
    site = Workshop(path, capsys)
    site.now_s = released_now.now_s
    site.init("--root-keys", "1", "--threshold", "1", "--targets-keys", "1",
              "--targets-threshold", "1")
    site.do("add", G3, "--state", "active")
    site.release("root-1", "targets-1", "online-1")
    return site


def test_rehearsal_tells_the_vendors_bundle_from_the_sites(device, released_now, capsys):
    site = site_shop(released_now, capsys)
    _trust_the_site(device, site)
    device.take(site.out, "--layer", "site")
    state = str(device.state)
    assert "trust.json 1: nothing to do" in released_now.do("rehearse", "--from", state)
    assert "trust.json 1: nothing to do" in site.do(
        "rehearse", "--from", state, "--layer", "site")
    assert "below its threshold" in site.refused("rehearse", "--from", state)


def _trust_the_site(device, site):
    root = os.path.join(site.out, "1.root.json")
    with open(root, "rb") as file:
        sha256 = hashlib.sha256(file.read()).hexdigest()
    return device.do("init", "--site-root", root, "--sha256", sha256)


# Root keys lost below the threshold.

def test_lost_keys_leave_the_device_as_it_is_and_bundles_come_as_before(device, released_now, anew):
    lose_the_root_keys(released_now)
    assert "below its threshold" in device.refused("roots", "import", anew.out)
    root = factory_of(anew, "factory") / "vendor.root.json"
    sha256 = hashlib.sha256(root.read_bytes()).hexdigest()
    said = device.refused("init", "--vendor-root", str(root), "--sha256", sha256)
    assert "another root of trust is there" in said and "factory package" in said
    released_now.do("add", G3)
    released_now.release("targets-1", "targets-2", "online-1")
    assert "version 2" in device.take(released_now.out)


def test_way_out_of_lost_keys_by_a_new_factory_package(device, released_now, anew):
    """Versions of the old keys were ahead; they count no more."""
    for _ in range(2):
        released_now.do("renew", "targets")
        released_now.release("targets-1", "targets-2", "online-1")
    assert "version 3" in device.take(released_now.out)
    lose_the_root_keys(released_now)
    device.package(factory_of(anew, "factory"))
    assert device.offered() == {G2_SHA256, G3_SHA256}
    assert "version 1 is in force" in device.take(anew.out)
    assert "nothing to do" in device.take(anew.out)
    assert "below its threshold" in device.refused("roots", "import", released_now.out)


def test_way_out_of_lost_keys_by_the_sites_folder(device, released_now):
    lose_the_root_keys(released_now)
    assert G3_SHA256 not in device.offered()
    assert device.do("roots", "add", G3) == "done\n"
    assert device.offered() == {G2_SHA256, G3_SHA256}
    assert os.listdir(device.state / "site") == [G3_SHA256 + ".pem"]


def test_way_out_of_lost_keys_by_the_sites_own_keys(device, released_now, capsys):
    lose_the_root_keys(released_now)
    site = site_shop(released_now, capsys)
    assert "the site layer takes what root 1 lets sign" in _trust_the_site(device, site)
    assert "version 1 is a candidate" in device.take(site.out, "--layer", "site")
    rows = json.loads(device.do("roots", "history", "--json"))["history"]
    assert [(row["layer"], row["stage"]) for row in rows[-2:]] == [
        ("site", "rooted"), ("site", "candidate")]


def test_site_keys_of_somebody_else_are_not_the_sites(device, released_now, anew, capsys):
    _trust_the_site(device, site_shop(released_now, capsys))
    said = device.refused("roots", "import", anew.out, "--layer", "site")
    assert "below its threshold" in said
    own = authority.root("Own")
    (released_now.path / "own.pem").write_bytes(own.pem)
    assert "the site layer is a signed bundle" in device.refused(
        "roots", "add", str(released_now.path / "own.pem"))
