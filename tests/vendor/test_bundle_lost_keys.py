"""Root keys lost below the threshold: what still works, and the two ways out."""

import pytest

from anchorwatch.config import Config
from anchorwatch.core.trust import Trust
from anchorwatch.errors import TrustError
from anchorwatch.linux.folder import open_folder
from anchorwatch.linux.layers import Layers
from anchorwatch.vendor import rehearsal
from tests.linux import authority
from tests.vendor.workshop import G2, G2_SHA256, G3, Workshop


@pytest.fixture
def lost(released):
    """Two of three root keys are gone; a device has release 1."""
    for name in ("root-1", "root-2"):
        (released.path / "keys" / (name + ".pem")).unlink()
    return released


@pytest.fixture
def anew(tmp_path, capsys):
    """The same vendor with new keys, a release and a factory folder."""
    path = tmp_path / "anew"
    path.mkdir()
    shop = Workshop(path, capsys)
    shop.init()
    shop.do("add", G2, G3, "--state", "active")
    shop.sign_all()
    shop.publish()
    shop.do("factory", str(path / "factory"))
    return shop


def test_rest_of_the_root_keys_cannot_make_a_new_root(lost):
    lost.do("rotate", "root", "--make", "3", "--keys", lost.keys)
    lost.sign_all("root-3", "root-4", "root-5", "root-6", "online-1")
    said = lost.refused("publish", lost.out)
    assert "root, 1 of 2 signatures of the old keys" in said


def test_targets_are_published_until_the_root_expires(lost):
    lost.do("add", G3, "--state", "active")
    lost.sign_all("targets-1", "targets-2", "online-1")
    lost.publish()
    lost.now_s += 731 * 86_400
    lost.do("renew", "targets")
    lost.sign_all("targets-1", "targets-2", "online-1")
    assert "metadata expired: root 1" in lost.refused("publish", lost.out)


def test_device_with_the_old_root_refuses_the_new_keys(lost, anew):
    device, read = rehearsal.stored(lost.out), rehearsal.reader(anew.out)
    with pytest.raises(TrustError, match="metadata below its threshold: timestamp 1, 0 of 1"):
        rehearsal.run(device, read, lost.now_s)
    anew.do("rotate", "root", "--threshold", "1")
    anew.release()
    with pytest.raises(TrustError, match="metadata below its threshold: root 2, 0 of 2"):
        rehearsal.run(device, read, lost.now_s)


def test_new_factory_package_is_a_way_out(lost, anew):
    """Its vendor.root.json replaces the old one; what the old keys signed counts no more, so the
    versions begin anew.
    """
    for _ in range(2):
        lost.do("renew", "targets")
        lost.sign_all("targets-1", "targets-2", "online-1")
        lost.publish()
    before = rehearsal.stored(lost.out)
    new_root = (anew.path / "factory" / "vendor.root.json").read_bytes()
    device = rehearsal.Device(new_root, before.kept, before.files)
    verdict = rehearsal.run(device, rehearsal.reader(anew.out), anew.now_s)
    assert verdict.targets == (3, 1)
    assert G2_SHA256.encode() in verdict.trust


def test_site_layer_is_a_way_out(tmp_path):
    """The device knows the old root only; the operator's file alone makes the new one offered."""
    factory, site = tmp_path / "factory", tmp_path / "site"
    for folder in (factory, site):
        folder.mkdir()
    (factory / "old.pem").write_bytes(authority.root("Old Root").pem)
    config = Config({
        "device": {"registration_id": "dev-7"},
        "credential": {"kind": "symmetric_key", "key_file": "key"},
        "hub": {"host": "hub.example"},
        "trust": {"factory_dir": str(factory)}})
    layers = Layers(config, open_folder(str(site)), None)
    device = Trust(config)
    device.start(layers.read(), {})
    assert G2_SHA256 not in device.offered("hub")
    with open(G2, "rb") as file:
        (site / "g2.pem").write_bytes(file.read())
    added = layers.read_site()
    device.load("site", added["anchors"], added["distrust"])
    assert G2_SHA256 in device.offered("hub")


def test_site_with_its_own_keys_is_a_way_out(lost, tmp_path, capsys):
    path = tmp_path / "site-bundle"
    path.mkdir()
    site = Workshop(path, capsys)
    site.init("--root-keys", "1", "--threshold", "1", "--targets-keys", "1",
              "--targets-threshold", "1")
    site.do("add", G2, "--state", "active")
    site.sign("root-1", "targets-1", "online-1")
    site.publish()
    assert site.try_("verify", site.out)[0] == 0
