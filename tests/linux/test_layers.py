"""Trust layers as files: what becomes an entry, what is refused, what is noticed."""

import base64

import pytest

from anchorwatch.config import Config
from anchorwatch.errors import ConfigError
from anchorwatch.linux.folder import open_folder
from anchorwatch.linux.layers import Layers
from tests.linux import authority


class Rig:
    """Layers over a site folder and a factory folder with one root."""

    def __init__(self, path, **trust):
        self.factory, self.site = path / "factory", path / "site"
        for folder in (self.factory, self.site):
            folder.mkdir()
        self.root = authority.root("Factory")
        (self.factory / "root.pem").write_bytes(self.root.pem)
        self.warnings = []
        self.layers = self.made(**trust)

    def made(self, cloud="global", **trust):
        config = Config({
            "device": {"registration_id": "dev-7", "cloud": cloud},
            "credential": {"kind": "symmetric_key", "key_file": "key"},
            "hub": {"host": "hub.example"},
            "trust": dict({"factory_dir": str(self.factory)}, **trust)})
        return Layers(config, open_folder(str(self.site)), lambda *p: self.warnings.append(p))

    def site_now(self):
        return [entry["sha256"] for entry in self.layers.read_site()["anchors"]]


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def test_factory_and_site_become_entries_and_give_their_der(rig):
    site = authority.root("Site")
    (rig.site / "a.pem").write_bytes(site.pem)
    layers = rig.layers.read()
    assert [e["sha256"] for e in layers["factory"]["anchors"]] == [rig.root.sha256]
    assert [e["sha256"] for e in layers["site"]["anchors"]] == [site.sha256]
    assert rig.layers.der_of(site.sha256) == site.der
    assert rig.layers.der_of("00" * 32) is None
    assert "system" not in layers and rig.warnings == []


def test_packaged_roots_are_the_factory_layer_and_sovereign_clouds_have_one_more(rig):
    everywhere = rig.made(factory_dir="").read()["factory"]["anchors"]
    china = rig.made(factory_dir="", cloud="china").read()["factory"]["anchors"]
    assert len(everywhere) == 4 and len(china) == 5


def test_one_file_may_hold_several_roots_and_a_root_in_two_files_counts_once(rig):
    one, two = authority.root("One"), authority.root("Two")
    (rig.site / "a.pem").write_bytes(one.pem + two.pem)
    (rig.site / "b.pem").write_bytes(two.pem)
    assert rig.site_now() == [one.sha256, two.sha256]


BAD = (
    # what is in the site layer's file                            is reported as
    (lambda root: root.issue("x").pem,                            "leaf or intermediate"),
    (lambda root: root.issue("x", ca=True).pem,                   "leaf or intermediate"),
    (lambda root: root.key_pem,                                   "private key"),
    (lambda root: b"",                                            "without a complete certificate"),
    (lambda root: root.pem[:200],                                 "without a complete certificate"),
    (lambda root: root.pem.replace(b"MII", b"!II"),               "not base64"),
)  # fmt: skip


@pytest.mark.parametrize("content,said", BAD, ids=[str(n) for n in range(len(BAD))])
def test_bad_file_in_the_site_layer_is_named_and_the_others_stand(rig, content, said):
    good = authority.root("Good")
    (rig.site / "a.pem").write_bytes(content(rig.root))
    (rig.site / "b.pem").write_bytes(good.pem)
    assert rig.site_now() == [good.sha256]
    assert len(rig.warnings) == 1
    what, value, remedy = rig.warnings[0]
    assert said in what and "a.pem" in value and remedy


@pytest.mark.parametrize("content,said", BAD, ids=[str(n) for n in range(len(BAD))])
def test_bad_file_in_the_factory_layer_is_a_configuration_error_that_names_it(rig, content, said):
    (rig.factory / "bad.pem").write_bytes(content(rig.root))
    with pytest.raises(ConfigError, match=said) as refused:
        rig.layers.read()
    assert "bad.pem" in refused.value.value


def test_factory_folder_that_is_missing_or_empty_is_a_configuration_error(rig):
    with pytest.raises(ConfigError, match="cannot be read"):
        rig.made(factory_dir=str(rig.factory / "none")).read()
    (rig.factory / "root.pem").unlink()
    with pytest.raises(ConfigError, match="holds no .pem file"):
        rig.layers.read()


def test_linked_file_in_the_site_layer_is_left_out_and_reported(rig):
    (rig.site / "a.pem").symlink_to(rig.factory / "root.pem")
    assert rig.site_now() == []
    assert "cannot be read" in rig.warnings[0][0]


def test_distrust_lists_fingerprints_and_reports_the_lines_that_are_none(rig):
    (rig.site / "distrust").write_text("AB" * 32 + "  # stolen\n\n# why\nnonsense\n" + "cd" * 32)
    assert rig.layers.read_site()["distrust"] == ["ab" * 32, "cd" * 32]
    assert rig.warnings == [("not a SHA-256 fingerprint", "distrust, line 4: nonsense",
                             "give 64 hexadecimal digits")]


def test_distrust_with_the_word_now_is_a_row_that_nothing_holds(rig):
    (rig.site / "distrust").write_text(
        "%s now  # stolen\n%s\n%s\n%s NOW\n%s soon\n" % tuple(
            word * 32 for word in ("ab", "cd", "ef", "ef", "12")))
    at_once = [{"hash": word * 32, "of": "", "kind": "hard", "after": None, "hold_s": 0,
                "reason": ""} for word in ("ab", "ef")]
    assert rig.layers.read_site()["distrust"] == [at_once[0], "cd" * 32, at_once[1]]
    assert [value for _, value, *_ in rig.warnings] == ["distrust, line 5: %s soon" % ("12" * 32)]


def test_change_in_the_site_folder_is_noticed_once_it_was_not_our_own(rig):
    rig.layers.read_site()
    assert not rig.layers.site_changed()
    (rig.site / "a.pem").write_bytes(rig.root.pem)
    assert rig.layers.site_changed()
    rig.layers.written()
    assert not rig.layers.site_changed()


def test_root_kept_in_the_state_gives_its_der_without_any_file(rig):
    kept = authority.root("Kept")
    entry = {"sha256": kept.sha256, "der": base64.b64encode(kept.der).decode()}
    rig.layers.learn({"proven": {"hub": kept.sha256}, "kept": [entry]})
    assert rig.layers.der_of(kept.sha256) == kept.der


def test_system_layer_carries_its_limits_and_leaves_out_what_is_no_root(rig, tmp_path, monkeypatch):
    store = tmp_path / "ca.crt"
    store.write_bytes(rig.root.pem + rig.root.issue("x").pem)
    monkeypatch.setattr("anchorwatch.linux.layers._SYSTEM", (str(store),))
    layers = rig.made(system=True, system_scopes=["hub"], system_suffixes=[".example"]).read()
    found = layers["system"]["anchors"]
    assert [(e["sha256"], e["scope"], e["suffixes"]) for e in found] == [
        (rig.root.sha256, ["hub"], [".example"])]
    assert rig.warnings == []
