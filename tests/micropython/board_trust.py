"""The trust layers and the signed bundles of a board."""

from anchorwatch_board.folder import Folder, fill, make
from anchorwatch_board.layers import Layers
from board_store import Rig, raises

from anchorwatch.errors import ConfigError
from anchorwatch.performers.bundles import Bundles


class Config:
    """As much of a configuration as layers ask for."""

    def __init__(self, factory_dir="", cloud="global"):
        self.trust = self.device = self
        self.factory_dir, self.cloud = factory_dir, cloud


class Factory:
    """A frozen module."""

    def __init__(self, everywhere, sovereign):
        self.ANCHORS, self.SOVEREIGN, self.VENDOR_ROOT = everywhere, sovereign, b"{}"


def roots():
    """Two DERs of the package."""
    from anchorwatch_board.keyfiles import certificates

    home = __import__("anchorwatch").__file__.rpartition("/")[0] + "/data/roots"
    names = [name for name in Folder(home).names() if name.endswith(".pem")][:2]
    return home, [certificates(Folder(home).read(name, 10_000))[0] for name in names]


def test_frozen_factory_layer_gives_entries_and_their_der(path):
    _, (one, two) = roots()
    for cloud, count in (("global", 1), ("usgov", 2)):
        layers = Layers(Config(cloud=cloud), None, print, Factory((one,), (two,)))
        anchors = layers.read()["factory"]["anchors"]
        assert len(anchors) == count
        assert one in [layers.der_of(entry["sha256"]) for entry in anchors]
    assert layers.root_of_trust("vendor") == b"{}" and layers.root_of_trust("site") is None
    assert layers.der_of("ab" * 32) is None


def test_device_without_roots_says_what_to_freeze(path):
    error = raises(ConfigError, Layers(Config(), None, print).read)
    assert "anchorwatch-bundle factory" in str(error)


def test_folder_of_roots_is_a_factory_layer_too(path):
    home, _ = roots()
    layers = Layers(Config(home), None, print)
    assert len(layers.read()["factory"]["anchors"]) == 4
    assert len(Layers(Config(home, "china"), None, print).read()["factory"]["anchors"]) == 5
    empty = make(path + "/empty").path
    assert "holds no" in str(raises(ConfigError, Layers(Config(empty), None, print).read))


def test_bad_file_in_the_site_layer_is_named_and_the_others_stand(path):
    rig, told = Rig(path), []
    _, (one, two) = roots()
    rig.site.write("one.der", one)
    rig.site.write("bad.pem", b"no certificate")
    rig.site.write("distrust", b"# a comment\n" + b"AB" * 32 + b"\n" + b"cd" * 32 + b" now\nxy\n")
    layers = Layers(Config(), rig.site, lambda *words: told.append(words), Factory((two,), ()))
    site = layers.read()["site"]
    assert [layers.der_of(entry["sha256"]) for entry in site["anchors"]] == [one]
    assert site["distrust"][0] == "ab" * 32 and site["distrust"][1]["hold_s"] == 0
    assert [words[0] for words in told] == ["certificate is malformed", "not a SHA-256 fingerprint"]
    assert not layers.site_changed()
    rig.site.write("two.der", two)
    assert layers.site_changed()


def test_comment_in_another_coding_costs_no_line_of_the_distrust_list(path):
    rig, told = Rig(path), []
    rig.site.write("distrust", b"AB" * 32 + b" # caf\xe9\r\n" + b"cd" * 32 + b"\n\xe9\n")
    layers = Layers(Config(), rig.site, lambda *words: told.append(words), Factory((), ()))
    assert layers.read()["site"]["distrust"] == ["ab" * 32, "cd" * 32]
    assert [words[1] for words in told] == ["distrust, line 3: ?"]


def test_bundle_is_written_into_a_folder_of_its_own_and_swept_when_no_frame_names_it(path):
    rig, told = Rig(path), []
    bundles = Bundles(rig.folder, fill, lambda layer: None, "global",
                      lambda *words: told.append(words))
    assert bundles.start(None) == {}
    numbers = [bundles.write("vendor", {"a.json": b"%d" % n, "b.der": b"x"}) for n in range(3)]
    assert numbers == [1, 2, 3]
    record = {"folder": 3, "in_force": 2, "previous": 0, "spare": 0, "stage": "rooted"}
    bundles.saved({"bundles": {"vendor": record}})
    assert Folder(rig.folder.path + "/bundle").names() == ["2", "3"]
    assert bundles.stored("vendor") == {"a.json": b"2", "b.der": b"x"}
    bundles.saved({"bundles": {"vendor": dict(record, in_force=3)}})
    bundles.saved({"bundles": {"vendor": dict(record, in_force=3)}})
    assert Folder(rig.folder.path + "/bundle").names() == ["3"]
    assert bundles.write("vendor", {}) == 4
    bundles.forget("vendor")
    assert Folder(rig.folder.path + "/bundle").names() == ["3"] and told == []


def test_folder_that_no_frame_names_goes_at_the_next_start(path):
    rig = Rig(path)
    for _ in range(2):
        Bundles(rig.folder, fill, lambda layer: None, "global", print).write("vendor", {"a": b"1"})
    record = {"folder": 1, "in_force": 0, "previous": 0, "spare": 0, "stage": "rooted"}
    trust = {"bundles": {"vendor": record}}
    Bundles(rig.folder, fill, lambda layer: None, "global", print).start(trust, whole=False)
    assert Folder(rig.folder.path + "/bundle").names() == ["1", "2"]
    Bundles(rig.folder, fill, lambda layer: None, "global", print).start(trust)
    assert Folder(rig.folder.path + "/bundle").names() == ["1"]


def test_damaged_bundle_is_left_out_with_a_warning(path):
    rig, told = Rig(path), []
    bundles = Bundles(rig.folder, fill, lambda layer: None, "global",
                      lambda *words: told.append(words))
    number = bundles.write("vendor", {"trust.json": b"{}"})
    record = {"folder": number, "in_force": 0, "previous": 0, "spare": 0, "stage": "committed"}
    assert bundles.start({"bundles": {"vendor": record}}) == {}
    assert [words[0] for words in told] == ["bundle on the disk is damaged"]
    assert bundles.signs("vendor") and not bundles.signs("site")
