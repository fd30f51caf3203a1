"""Bundles on a real folder: written whole, read with suspicion, swept late, roots of trust."""

import errno
import json
import os

import pytest

from anchorwatch.config import Config
from anchorwatch.core import records
from anchorwatch.linux import fetch, mirror
from anchorwatch.linux.folder import Folder, open_folder, open_private
from anchorwatch.linux.layers import Layers
from anchorwatch.linux.store import Store
from anchorwatch.linux.storefiles import fill
from anchorwatch.performers import bundles, layers
from anchorwatch.performers.bundles import Bundles
from anchorwatch.pki import metadata
from anchorwatch.pki.delivery import Delivery
from anchorwatch.pki.tuf import TrustedSet
from tests.core import signed
from tests.core.signed import NOW_S, trust_tree
from tests.linux import agent_process, authority

OTHERS = 65_534


def kept(files):
    """(content, {name: bytes}) of a published bundle, as a device keeps it."""
    store = {"root.json": files["1.root.json"]}
    delivery = Delivery(TrustedSet(files["1.root.json"], {}, NOW_S), {}, "global", "0.1.0")
    wanted = delivery.wanted()
    while wanted is not None:
        data = files.get(wanted.name)
        name = delivery.take(data)
        if name:
            store[name] = data
        wanted = delivery.wanted()
    return delivery.content(), store


@pytest.fixture(scope="module")
def maker():
    made = signed.Maker()
    made.put_trust(trust_tree(names=signed.NAMES[:2]))
    return made


@pytest.fixture(scope="module")
def bundle(maker):
    return kept(maker.published())


class Rig:
    """Bundles on a state folder; `given` are the roots of trust that came with layers."""

    def __init__(self, path):
        self.path, self.given, self.warnings = path, {}, []
        self.again()

    def again(self, trust=None):
        """A new start with this frame; what the driver gives to the core."""
        self.bundles = Bundles(open_private(str(self.path)), fill, self.given.get, "global",
                               lambda *parts: self.warnings.append(parts))
        return self.bundles.start(trust)

    def home(self):
        return self.path / "bundle"

    def folders(self):
        return sorted(os.listdir(self.home())) if self.home().exists() else []


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path / "state")


def frame(folder, in_force=None, layer="vendor", **record):
    """A frame `trust` that names one layer's folders."""
    found = dict(folder=folder, in_force=folder if in_force is None else in_force,
                 stage="committed", **record)
    return {"bundles": {layer: found}}


def test_a_bundle_is_written_into_a_folder_of_its_own_and_read_again(rig, bundle):
    content, files = bundle
    assert rig.bundles.write("vendor", files) == 1
    assert {p.name: p.read_bytes() for p in (rig.home() / "1").iterdir()} == files
    assert [oct(p.stat().st_mode & 0o777) for p in (rig.home(), rig.home() / "1")] == ["0o700"] * 2
    assert (rig.home() / "1" / "trust.json").stat().st_mode & 0o777 == 0o600
    assert rig.bundles.read(1, content["digest"]) == dict(content, folder=1)
    assert rig.bundles.read(1) == dict(content, folder=1) and rig.warnings == []


def test_a_start_gives_the_core_every_folder_that_the_frame_names(rig, bundle):
    content, files = bundle
    for _ in range(3):
        rig.bundles.write("vendor", files)
    contents = rig.again(frame(3, 1, digest=content["digest"]))
    assert sorted(contents) == ["1", "3"] and contents["3"]["folder"] == 3
    assert json.loads(json.dumps(contents)) == contents and rig.warnings == []


def test_every_folder_that_a_record_of_the_core_has_a_place_for_is_kept_and_given(rig, bundle):
    record = dict(records.none(), stage="reverted", digest=bundle[0]["digest"])
    for name in records.FOLDERS:
        record[name] = rig.bundles.write("vendor", bundle[1])
    for _ in range(2):
        rig.bundles.saved({"bundles": {"vendor": record}})
    assert rig.folders() == ["1", "2", "3", "4"]
    assert sorted(rig.again({"bundles": {"vendor": record}})) == rig.folders()
    assert rig.folders() == ["1", "2", "3", "4"] and rig.warnings == []


def test_a_folder_with_only_a_root_of_trust_is_no_bundle_and_no_damage(rig, bundle):
    rig.bundles.write("vendor", {"root.json": bundle[1]["root.json"]})
    trust = {"bundles": {"vendor": {"folder": 1, "in_force": 0, "stage": "rooted"}}}
    assert rig.again(trust) == {} and rig.warnings == []
    assert rig.bundles.held("vendor").root == bundle[1]["root.json"]


def test_damaged_or_missing_folder_is_left_out_with_a_warning(rig, bundle):
    content, files = bundle
    certificate = next(name for name in files if name.endswith(".der"))
    rig.bundles.write("vendor", files)
    for name in ("trust.json", certificate):
        data = files[name]
        (rig.home() / "1" / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert rig.again(frame(1, digest=content["digest"])) == {}
        (rig.home() / "1" / name).unlink()
        assert rig.again(frame(1, digest=content["digest"])) == {}
        (rig.home() / "1" / name).write_bytes(data)
    assert rig.again(frame(7, digest=content["digest"])) == {}
    assert [what for what, _, _ in rig.warnings] == ["bundle on the disk is damaged"] * 5


def link_the_file(folder, home):
    (folder / "trust.json").rename(home / "aside")
    (folder / "trust.json").symlink_to(home / "aside")


def pipe_for_the_file(folder, home):
    (folder / "trust.json").unlink()
    os.mkfifo(folder / "trust.json")


def folder_for_the_file(folder, home):
    (folder / "trust.json").unlink()
    (folder / "trust.json").mkdir()


def longer_file(folder, home):
    with open(folder / "trust.json", "ab") as file:
        file.truncate(1 << 30)


def link_the_folder(folder, home):
    folder.rename(home / "aside")
    folder.symlink_to(home / "aside")


def link_the_home(folder, home):
    home.rename(home.parent / "aside")
    home.symlink_to(home.parent / "aside")


def open_the_folder(folder, home):
    folder.chmod(0o777)


def give_the_folder_away(folder, home):
    if os.geteuid():
        pytest.skip("needs root: only root gives a folder to another user")
    os.chown(folder, OTHERS, OTHERS)


@pytest.mark.parametrize("spoil", [
    link_the_file, pipe_for_the_file, folder_for_the_file, longer_file, link_the_folder,
    link_the_home, open_the_folder, give_the_folder_away])
def test_what_others_put_in_the_way_is_not_followed(rig, bundle, spoil):
    rig.bundles.write("vendor", bundle[1])
    spoil(rig.home() / "1", rig.home())
    assert rig.again(frame(1, digest=bundle[0]["digest"])) == {}
    assert rig.warnings


def test_a_home_that_is_a_link_is_not_written_into(rig, bundle, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    rig.home().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        rig.bundles.write("vendor", bundle[1])
    assert os.listdir(tmp_path / "elsewhere") == []


def test_folders_go_when_neither_the_new_frame_nor_the_one_before_names_them(rig, bundle):
    for number in (1, 2, 3, 4):
        assert rig.bundles.write("vendor", bundle[1]) == number
        rig.bundles.saved(frame(number))
        assert rig.folders() == [str(n) for n in (number - 1, number) if n]
    rig.bundles.saved(frame(4))
    assert rig.folders() == ["4"]


def test_a_folder_that_awaits_its_frame_is_not_swept_by_another_save(rig, bundle):
    rig.bundles.write("vendor", bundle[1])
    rig.bundles.saved({"seen": {}})
    rig.bundles.saved({"seen": {}})
    assert rig.folders() == ["1"]


def test_what_a_cut_left_unfinished_or_unnamed_goes_at_the_next_start(rig, bundle):
    for _ in range(3):
        rig.bundles.write("vendor", bundle[1])
    (rig.home() / "new").mkdir()
    (rig.home() / "new" / "trust.json").write_bytes(b"half")
    rig.again(frame(2, digest=bundle[0]["digest"]))
    assert rig.folders() == ["1", "2"]


def test_without_a_frame_nothing_that_is_whole_is_removed(rig, bundle):
    rig.bundles.write("vendor", bundle[1])
    (rig.home() / "new").mkdir()
    assert rig.again(None) == {}
    assert rig.folders() == ["1"]


def test_what_is_no_folder_of_a_bundle_is_left_alone(rig, bundle):
    rig.bundles.write("vendor", bundle[1])
    for name in ("notes", "\u00b2", "\u0663"):
        (rig.home() / name).mkdir()
    for _ in range(2):
        rig.bundles.saved(frame(1))
    assert rig.bundles.write("vendor", bundle[1]) == 2
    assert rig.folders() == ["1", "2", "notes", "\u00b2", "\u0663"]


def test_numbers_are_not_used_again(rig, bundle):
    for _ in range(2):
        rig.bundles.write("vendor", bundle[1])
    rig.bundles.saved(frame(1))
    rig.bundles.saved(frame(1))
    assert rig.bundles.write("vendor", bundle[1]) == 3


CALLS = ("mkdir", "create", "write", "fsync", "syncdir", "rename")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_leaves_the_folders_as_they_were(rig, bundle, call, code, monkeypatch):
    rig.bundles.write("vendor", bundle[1])
    before, real = rig.folders(), getattr(Folder, call)

    def refuse(*arguments):
        raise OSError(code, "no")

    monkeypatch.setattr(Folder, call, refuse)
    with pytest.raises(OSError):
        rig.bundles.write("vendor", bundle[1])
    monkeypatch.setattr(Folder, call, real)
    assert rig.folders() == before
    rig.bundles.write("vendor", bundle[1])
    assert len(rig.folders()) == 2


def test_held_is_the_root_the_metadata_and_the_files_of_the_newest_folder(rig, bundle):
    rig.bundles.write("vendor", bundle[1])
    rig.bundles.saved(frame(1, lineage=["ab"]))
    held = rig.bundles.held("vendor")
    assert held.root == bundle[1]["root.json"] and held.lineage == ["ab"]
    assert sorted(held.kept) == ["snapshot", "targets", "timestamp"]
    assert sorted([*held.files, *("%s.json" % r for r in held.kept), "root.json"]) == sorted(
        bundle[1])


def test_without_a_root_of_trust_a_layer_is_off(rig, bundle):
    assert rig.bundles.held("vendor") is None and rig.bundles.held("site") is None
    assert not rig.bundles.signs("site")


def test_first_root_comes_with_the_factory_layer_and_is_named_in_the_lineage(rig, bundle):
    rig.given["vendor"] = bundle[1]["root.json"]
    held = rig.bundles.held("vendor")
    assert (held.root, held.kept) == (bundle[1]["root.json"], {})
    assert held.lineage == [signed.digest(bundle[1]["root.json"])]
    assert rig.bundles.signs("vendor") and not rig.bundles.signs("site")


def test_a_factory_root_never_taken_before_goes_first_and_metadata_stays(rig, bundle):
    new = signed.Maker().roots[0]
    rig.bundles.write("vendor", bundle[1])
    rig.bundles.saved(frame(1, lineage=["ab"]))
    rig.given["vendor"] = new
    held = rig.bundles.held("vendor")
    assert held.root == new and held.lineage == ["ab", signed.digest(new)]
    assert held.kept["timestamp"] == bundle[1]["timestamp.json"]
    rig.bundles.saved(frame(1, lineage=held.lineage))
    assert rig.bundles.held("vendor").root == bundle[1]["root.json"]


def test_a_damaged_root_gives_way_to_the_one_in_force_and_then_to_the_factorys(rig, bundle):
    root = bundle[1]["root.json"]
    rig.given["vendor"] = root
    lineage = [signed.digest(root)]
    rig.bundles.write("vendor", bundle[1])
    rig.bundles.write("vendor", dict(bundle[1], **{"root.json": b"{}"}))
    rig.bundles.saved(frame(2, 1, lineage=lineage))
    assert rig.bundles.held("vendor").root == root
    (rig.home() / "1" / "root.json").unlink()
    assert rig.bundles.held("vendor").root == root
    rig.given.clear()
    assert rig.bundles.held("vendor") is None
    assert ("root of trust is damaged", "install vendor.root.json again") in [
        (what, remedy) for what, _, remedy in rig.warnings]


def test_a_spoiled_factory_root_does_not_take_the_place_of_a_good_one(rig, bundle):
    rig.bundles.write("vendor", bundle[1])
    rig.bundles.saved(frame(1, lineage=["ab"]))
    rig.given["vendor"] = b"rot"
    held = rig.bundles.held("vendor")
    assert held.root == bundle[1]["root.json"] and held.lineage == ["ab"]


class Places:
    """Layers over a factory folder and a site folder."""

    def __init__(self, path):
        self.factory, self.site, self.warnings = path / "factory", path / "site", []
        for folder in (self.factory, self.site):
            folder.mkdir()
            (folder / "root.pem").write_bytes(authority.root(folder.name).pem)
        config = Config({
            "device": {"registration_id": "dev-7"},
            "credential": {"kind": "symmetric_key", "key_file": "key"},
            "hub": {"host": "hub.example"}, "trust": {"factory_dir": str(self.factory)}})
        self.layers = Layers(config, open_folder(str(self.site)),
                             lambda *parts: self.warnings.append(parts))


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path)


def test_roots_of_trust_come_with_the_factory_layer_and_with_the_sites_folder(places):
    assert [places.layers.root_of_trust(layer) for layer in ("vendor", "site")] == [None, None]
    (places.factory / "vendor.root.json").write_bytes(b"v")
    (places.site / "site.root.json").write_bytes(b"s")
    (places.site / "vendor.root.json").write_bytes(b"no")
    assert [places.layers.root_of_trust(layer) for layer in ("vendor", "site")] == [b"v", b"s"]


def test_site_with_keys_of_its_own_is_its_bundle_and_the_folders_roots_are_not_read(places):
    assert len(places.layers.read_site()["anchors"]) == 1
    (places.site / "site.root.json").write_bytes(b"s")
    assert places.layers.site_changed()
    assert places.layers.read_site() == {"anchors": [], "distrust": []}
    (places.site / "site.root.json").unlink()
    places.layers.site_signed = True
    assert places.layers.read_site() == {"anchors": [], "distrust": []}


def test_root_of_trust_that_is_a_link_in_the_sites_folder_is_not_followed(places, tmp_path):
    (tmp_path / "aside").write_bytes(b"s")
    (places.site / "site.root.json").symlink_to(tmp_path / "aside")
    assert places.layers.root_of_trust("site") is None
    assert [what for what, _, _ in places.warnings] == ["root of trust cannot be read"]


def test_layer_with_a_folder_in_the_frame_is_signed(rig, bundle):
    rig.bundles.write("site", bundle[1])
    rig.bundles.saved(frame(1, layer="site"))
    assert rig.bundles.signs("site") and not rig.bundles.signs("vendor")


def test_file_of_a_bundle_that_others_may_write_is_not_read(rig, bundle):
    rig.bundles.write("vendor", bundle[1])
    (rig.home() / "1" / "trust.json").chmod(0o666)
    assert rig.again(frame(1, digest=bundle[0]["digest"])) == {} and rig.warnings


def test_agent_starts_with_the_bundle_that_its_state_names(bundle, tmp_path):
    path = tmp_path / "device"
    config = agent_process.write_config(path)
    rig = Rig(path / "state")
    rig.bundles.write("vendor", bundle[1])
    record = dict(records.none(), folder=1, in_force=1, stage="committed", version=1,
                  digest=bundle[0]["digest"])
    Store(open_private(str(rig.path)), None, None).save("trust", {"bundles": {"vendor": record}})
    agent = agent_process.AgentProcess(path, config)
    try:
        status = agent.ready()
        assert status["trust"]["bundles"]["vendor"]["issued_utc_s"] == bundle[0]["issued_s"]
        with agent.caller() as caller:
            roots = caller.ask("roots_list")["roots"]
    finally:
        agent.end()
    assert {e["sha256"] for e in bundle[0]["anchors"]} <= {root["sha256"] for root in roots}
    assert "damaged" not in agent.text()


def test_what_a_start_reads_without_the_verifier_is_bounded_as_the_verifier_bounds_it():
    assert bundles._FILE_AT_MOST == metadata.TARGETS_AT_MOST
    assert layers._ROOT_AT_MOST == metadata.ROOT_AT_MOST
    assert fetch._CONNECT_S == mirror.CONNECT_S
