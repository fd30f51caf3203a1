"""What is published: any file server, any client of the standard, any device, any moment."""

import errno
import json
import os
import pathlib
import shutil

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from anchorwatch.pki import bundle
from anchorwatch.vendor import dates, rehearsal
from tests.vendor.workshop import G2, G2_SHA256, G3, G3_SHA256, HOLDERS, RSA_2017, tree


class Folder(FetcherInterface):
    """A file server without a network."""

    def __init__(self, path):
        self.path = path

    def _fetch(self, url):
        file = self.path / url.partition("//")[2].partition("/")[2]
        if not file.exists():
            raise DownloadHTTPError("no such file", 404)
        yield file.read_bytes()


def _stock_client(shop, folder, root):
    """python-tuf's client, refreshed; what it says of trust.json, downloaded."""
    folder.mkdir(exist_ok=True)
    updater = Updater(str(folder), "file://x/", str(folder), "file://x/",
                      Folder(shop.path / "out"), bootstrap=root)
    updater.refresh()
    info = updater.get_targetinfo("trust.json")
    return json.loads(pathlib.Path(updater.download_target(info)).read_text()), updater


def test_client_nobody_here_wrote_takes_every_release(released, tmp_path):
    root = (released.path / "out" / "1.root.json").read_bytes()
    trust, _ = _stock_client(released, tmp_path / "client", root)
    assert [a["sha256"] for a in trust["anchors"]] == [G2_SHA256]
    released.do("add", G3, "--state", "active")
    released.do("rotate", "root", "--threshold", "1")
    released.release()
    trust, updater = _stock_client(released, tmp_path / "client", root)
    assert [a["sha256"] for a in trust["anchors"]] == [G3_SHA256, G2_SHA256]
    file = updater.download_target(updater.get_targetinfo(G3_SHA256 + ".der"))
    assert rehearsal.bundle.entry(trust["anchors"][0], pathlib.Path(file).read_bytes())


def test_folder_is_laid_out_as_the_design_says(released):
    out = released.path / "out"
    names = {name for name in os.listdir(out) if len(name.partition(".")[0]) < 64}
    assert names == {"1.root.json", "1.snapshot.json", "1.targets.json", "timestamp.json",
                     "trust.json"}
    assert (out / (G2_SHA256 + ".der")).exists()
    assert oct((out / "timestamp.json").stat().st_mode)[-3:] == "644"


def test_every_later_release_is_one_version_on_and_old_documents_stay(released):
    released.do("add", G3)
    released.release()
    released.do("rotate", "root", "--threshold", "3")
    released.release("root-3", *HOLDERS)
    names = os.listdir(released.path / "out")
    assert {"1.root.json", "2.root.json", "1.targets.json", "2.targets.json"} <= set(names)
    assert "3.targets.json" not in names
    trust = json.loads((released.path / "out" / "trust.json").read_text())
    assert trust["version"] == 2 and trust["issued"] == dates.text(released.now_s)


def test_publishing_twice_changes_nothing(released):
    before = tree(released.path)
    assert ": 0 files new or changed" in released.publish()
    assert tree(released.path) == before


def test_lost_folder_is_written_again_from_the_workspace(released):
    before = tree(released.path / "out")
    shutil.rmtree(released.path / "out")
    released.publish()
    assert tree(released.path / "out") == before


def test_older_workspace_or_other_keys_never_go_over_what_is_published(released):
    old = released.path / "old"
    shutil.copytree(released.dir, old)
    released.do("add", G3)
    released.release()
    released.dir = str(old)
    assert "holds a newer bundle" in released.wrong("publish", released.out)
    released.dir = str(released.path / "other")
    released.keys = str(released.path / "others")
    released.init("--threshold", "1", "--targets-threshold", "1")
    released.do("add", G2, "--state", "active")
    for name in HOLDERS:
        released.try_("sign", released.dir, "--key", released.keys + "/" + name + ".pem")
    assert "bundle of other keys" in released.wrong("publish", released.out)


def test_nothing_to_publish_is_said(shop):
    assert "nothing to publish yet" in shop.refused("publish", shop.out)


def test_expired_document_is_not_published(released):
    released.do("add", G3)
    released.sign_all()
    released.now_s += 366 * dates.DAY_S
    said = released.refused("publish", released.out)
    assert "metadata expired: timestamp 2" in said


def test_release_that_no_device_would_read_is_not_even_drafted(released):
    said = released.refused("add", G3, "--dns", "not a name")
    assert "wrong or missing 'dns'" in said


def _cut(mocker, may_rename):
    """From here on the disk is full, unless `may_rename(name)`."""
    real = os.replace

    def replace(old, new):
        if not may_rename(new):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(old, new)

    mocker.patch("os.replace", replace)


def _taken(shop):
    """The version that a device out of its box takes from the folder."""
    read = rehearsal.reader(shop.out)
    return rehearsal.run(rehearsal.fresh(read("1.root.json")), read, shop.now_s).targets[1]


def test_publishing_cut_anywhere_leaves_the_old_release_or_the_new_one(released, mocker):
    released.do("add", G3, "--state", "active")
    released.sign_all()
    shutil.copytree(released.path, released.path / "before")
    seen = []
    while not seen or seen[-1] is not None:
        for name in ("w", "out"):
            shutil.rmtree(released.path / name)
            shutil.copytree(released.path / "before" / name, released.path / name)
        left = iter(range(len(seen)))
        _cut(mocker, lambda name, left=left: next(left, None) is not None)
        code, _, err = released.try_("publish", released.dir, released.out)
        mocker.stopall()
        assert code == 0 or "cannot be written" in err
        seen.append(_taken(released) if code else None)
        released.publish()
        assert _taken(released) == 2
    assert len(seen) == 12 and set(seen[:-1]) == {1}


def test_edit_after_a_release_cut_short_keeps_every_version_apart(released, mocker):
    """The new root lies in the workspace, its timestamp does not: it is a draft still."""
    released.do("rotate", "root", "--threshold", "3")
    for name in ("root-1", "root-2", "root-3", "online-1"):
        released.sign(name)
    _cut(mocker, lambda name: not name.endswith("timestamp.json"))
    assert released.try_("publish", released.dir, released.out)[0] == 1
    mocker.stopall()
    assert (released.path / "w" / "released" / "2.root.json").exists()
    assert "root        2  draft" in released.do("show")
    released.do("rotate", "root", "--threshold", "1")
    released.release()
    assert "root        2  released" in released.do("show")


def test_device_out_of_its_box_takes_the_newest_release(released):
    released.do("add", G3)
    released.release()
    code, out, _ = released.try_("verify", released.out)
    assert code == 0 and "trust.json 0 -> 2: taken" in out and "staged  31ad6648" in out
    code, out, _ = released.try_("verify", released.out, "--root",
                                 str(released.path / "out" / "1.root.json"))
    assert code == 0


def test_verify_says_what_the_device_says_of_each_damage(released, tmp_path):
    out = released.path / "out"
    for name, said in (("timestamp.json", "is missing"), ("1.targets.json", "is missing"),
                       ("1.root.json", "--root FILE")):
        folder = tmp_path / ("without-" + name)
        shutil.copytree(out, folder)
        (folder / name).unlink()
        assert said in released.try_("verify", str(folder))[2]
    for name in os.listdir(out):
        folder = tmp_path / ("changed-" + name)
        shutil.copytree(out, folder)
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)
        is_spare = name in ("trust.json", G2_SHA256 + ".der")  # devices ask for them by their hash
        assert released.try_("verify", str(folder))[0] == (0 if is_spare else 1), name


def _device(shop, name):
    """A device's state folder as it is after taking what is published now."""
    folder = shop.path / name / "bundle" / "7"
    folder.mkdir(parents=True)
    for file in (shop.path / "out").iterdir():
        plain = file.name.partition(".")[2] if file.name[0] == "1" else file.name
        if plain in ("root.json", "timestamp.json", "snapshot.json", "targets.json", "trust.json"):
            (folder / plain).write_bytes(file.read_bytes())
        elif file.name == G2_SHA256 + ".der":
            (folder / file.name).write_bytes(file.read_bytes())
    return str(shop.path / name)


def test_rehearsal_tells_what_a_device_with_a_state_would_do(released):
    device = _device(released, "device")
    assert "trust.json 1: nothing to do" in released.do("rehearse", "--from", device)
    released.do("add", G3, "--state", "active")
    released.do("announce", "--endpoint", "hub", "--root", G3, "--date", "2027-06-01")
    released.do("retire", G2)
    said = released.refused("rehearse", "--from", device)
    assert "metadata below its threshold: timestamp 2, 0 of 1" in said
    released.sign_all()
    said = released.do("rehearse", "--from", device)
    assert "trust.json 1 -> 2: taken" in said
    assert "- active  cb3ccbb7" in said and "+ retired cb3ccbb7" in said
    assert "+ active  31ad6648" in said and "+ announced: hub presents 31ad6648" in said
    released.publish()
    assert released.try_("rehearse", released.out, "--from", device)[0] == 0


def test_rehearsal_walks_every_root_between(released):
    device = _device(released, "device")
    for threshold in ("1", "2", "3"):
        released.do("rotate", "root", "--threshold", threshold)
        released.release("root-3", *HOLDERS)
    assert "root 1 -> 4" in released.do("rehearse", "--from", device)
    assert "root 4" in released.do("rehearse", "--from", released.out)


def test_rehearsal_says_what_a_device_ahead_would_say(released):
    old = released.path / "old-out"
    shutil.copytree(released.out, old)
    released.do("add", G3)
    released.release()
    code, _, err = released.try_("rehearse", str(old), "--from", released.out)
    assert code == 1 and "metadata version went back: timestamp from 2 to 1" in err


def test_rehearsal_without_a_state_says_so(released):
    assert "no root.json" in released.wrong("rehearse", "--from", str(released.path / "keys"))


def test_bundle_of_two_clouds_is_rehearsed_for_both(released):
    released.do("add", RSA_2017, "--cloud", "china", "--cloud", "usgov", "--state", "active")
    released.release()
    for cloud, roots in (("china", 1), ("usgov", 1), ("global", 1)):
        out = released.path / "out" / "trust.json"
        assert len(bundle.Bundle(out.read_bytes()).of_cloud(cloud)) == roots
        assert released.try_("verify", released.out, "--cloud", cloud)[0] == 0


def test_policy_is_within_what_devices_take(released):
    released.do("policy", "evidence_days=14")
    released.do("policy", "unseen_days=60")
    assert released.trust()["policy"] == {"evidence_days": 14, "unseen_days": 60}
    assert "evidence_days" in released.refused("policy", "evidence_days=0")
    assert "not a number of the policy" in released.wrong("policy", "hurry=1")
