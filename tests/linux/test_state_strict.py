"""The state's files when they are not what the agent wrote: owners, modes, links, pipes, devices.

Whatever stands in place of the newest slot, the other one is used and the damage is told; a link is
refused by name. The next save puts a file of the agent's own there.
"""

import os
import stat
import subprocess
import sys

import pytest

from anchorwatch.errors import StateError
from anchorwatch.linux.folder import open_folder, open_private
from anchorwatch.linux.store import FRAMES, Store
from tests.powercut.calls import Calls, on
from tests.powercut.disk import FOLDER, Disk
from tests.powercut.stories import opened

OTHERS = 65_534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="hardware: only root gives files away")
SECRET = "THE DEVICE'S OWN KEY " * 40


class Rig:
    """Two generations of every frame on a real folder."""

    def __init__(self, path):
        self.path = path / "state"
        (path / "site").mkdir()
        self.site = path / "site"
        store = self.again()
        for name in FRAMES:
            for number in (1, 2):
                store.save(name, {"n": number})

    def again(self):
        """A new start."""
        self.warnings = []
        return Store(open_private(str(self.path)), open_folder(str(self.site)),
                     lambda *parts: self.warnings.append(parts))


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def foreign(path):
    os.chown(path, OTHERS, OTHERS)


def group_writable(path):
    path.chmod(0o620)


def writable_by_all(path):
    path.chmod(0o602)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def folder(path):
    path.unlink()
    path.mkdir()


def device(path):
    path.unlink()
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))      # /dev/zero


def second_name_of_another_file(path):
    other = path.with_name("other")
    other.write_text("what somebody else keeps here")
    path.unlink()
    os.link(other, path)


IN_PLACE = [group_writable, writable_by_all, pipe, second_name_of_another_file,
            pytest.param(foreign, marks=AS_ROOT), pytest.param(device, marks=AS_ROOT)]


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("put", IN_PLACE)
def test_what_stands_in_place_of_a_slot_is_told_and_the_other_slot_used(rig, name, put):
    put(rig.path / (name + ".0"))
    store = rig.again()
    assert store.read()[name] == {"n": 1}
    assert [(what, remedy) for what, _, remedy in rig.warnings] == [
        ("state file is damaged", "the other slot is used")]
    assert name + ".0" in rig.warnings[0][1]
    store.save(name, {"n": 3})
    found = (rig.path / (name + ".0")).stat()
    assert stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600
    assert (found.st_uid, found.st_nlink) == (os.geteuid(), 1)
    assert rig.again().read()[name] == {"n": 3} and rig.warnings == []


def test_folder_in_place_of_a_slot_is_told_and_the_other_slot_used(rig):
    folder(rig.path / "trust.0")
    assert rig.again().read()["trust"] == {"n": 1} and len(rig.warnings) == 1


@pytest.mark.parametrize("name", FRAMES)
def test_link_in_place_of_a_slot_is_refused_by_name_even_if_it_leads_to_a_whole_frame(rig, name):
    (rig.path / (name + ".0")).rename(rig.path / "aside")
    (rig.path / (name + ".0")).symlink_to("aside")
    with pytest.raises(StateError, match="symbolic link.*%s.0" % name):
        rig.again().read()


def test_save_writes_through_no_second_name(rig):
    second_name_of_another_file(rig.path / "trust.0")
    store = rig.again()
    store.read()
    store.save("trust", {"n": 3})
    assert (rig.path / "other").read_text() == "what somebody else keeps here"


def test_slots_that_nobody_may_trust_do_not_come_back_when_their_mode_does(rig):
    for slot in ("trust.0", "trust.1"):
        (rig.path / slot).chmod(0o666)
    store = rig.again()
    assert "trust" not in store.read()
    store.save("trust", {"n": "new"})
    for slot in rig.path.glob("trust.*"):
        slot.chmod(0o600)
    assert rig.again().read()["trust"] == {"n": "new"}


def test_lock_file_that_is_a_link_is_refused_by_name(rig):
    (rig.path / "lock").symlink_to("elsewhere")
    with pytest.raises(StateError, match="symbolic link.*lock"):
        rig.again().lock()
    assert not (rig.path / "elsewhere").exists()


@AS_ROOT
def test_state_folder_of_another_user_is_refused_also_to_root(rig):
    os.chown(rig.path, OTHERS, OTHERS)
    with pytest.raises(StateError, match="another user"):
        rig.again()


def test_second_agent_gets_no_lock_until_the_first_is_gone(rig):
    code = ("import sys; from anchorwatch.linux.folder import open_private;"
            "from anchorwatch.linux.store import Store;"
            "store = Store(open_private(sys.argv[1]), None, None);"
            "print(store.lock(), flush=True); sys.stdin.read()")
    with subprocess.Popen([sys.executable, "-c", code, str(rig.path)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "True\n"
        assert not rig.again().lock()
        first.stdin.close()
        first.wait(10)
    assert rig.again().lock()


def _keeps(disk):
    """Inodes, of whatever name or none, on which the secret may still be found."""
    marked = SECRET[:20].encode()
    return [number for number, inode in disk.inodes.items() if inode.kind != FOLDER
            and (marked in inode.synced or any(marked in data for _, data in inode.since if data))]


def test_wiped_key_is_in_no_block_that_ever_held_it():
    disk = Disk()
    with on(Calls(disk)):
        store, _ = opened(None)
        for number in range(5):
            store.save("slot-a", {"key": SECRET, "n": number})
        assert len(_keeps(disk)) == 2           # the two slots: what they replaced is blank
        store.wipe("slot-a")
    assert _keeps(disk) == []


def test_key_that_a_cut_left_beside_its_slot_is_wiped_with_it(rig):
    for slot in ("slot-a.0.tmp", "slot-a.1.tmp"):
        (rig.path / slot).write_text(SECRET)
    store = rig.again()
    store.read()
    store.wipe("slot-a")
    assert [path.name for path in rig.path.glob("slot-a*")] == []


def test_wipe_removes_a_link_or_a_pipe_and_leaves_what_it_leads_to(rig):
    (rig.path.parent / "theirs").write_text("untouched")
    store = rig.again()
    store.read()
    (rig.path / "slot-b.0").unlink()
    (rig.path / "slot-b.0").symlink_to(rig.path.parent / "theirs")
    pipe(rig.path / "slot-b.1")
    store.wipe("slot-b")
    assert [path.name for path in rig.path.glob("slot-b*")] == []
    assert (rig.path.parent / "theirs").read_text() == "untouched"
