"""The state store on a real folder: slots, damage, errors, owners and links."""

import errno
import hashlib
import os
import stat

import pytest

from anchorwatch.errors import StateError, reason_of
from anchorwatch.linux.folder import Folder, open_folder, open_private
from anchorwatch.linux.store import Store
from anchorwatch.wire import frame

SHA = "ab" * 32


class Rig:
    """A store on a folder of its own, and what it warned of."""

    def __init__(self, path):
        self.path = path
        self.site = path / "site"
        self.site.mkdir(exist_ok=True)
        self.again()

    def again(self):
        """A new start on the same folders."""
        self.warnings = []
        self.store = Store(open_private(str(self.path / "state")), open_folder(str(self.site)),
                           lambda *parts: self.warnings.append(parts))
        return self

    def slot(self, name):
        return self.path / "state" / name


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def test_a_saved_tree_is_read_at_the_next_start(rig):
    assert rig.store.save("assignment", {"hub": "hub.example"}) == 1
    assert rig.again().store.read() == {"assignment": {"hub": "hub.example"}}
    assert rig.warnings == []


def test_two_saves_lie_in_two_slots_and_the_newer_wins(rig):
    for number in range(1, 6):
        assert rig.store.save("clock", {"floor_utc_s": number}) == number
        assert rig.slot("clock.%d" % (number & 1)).exists()
    assert rig.again().store.read()["clock"] == {"floor_utc_s": 5}
    assert rig.store.save("clock", {"floor_utc_s": 6}) == 6


def test_every_flipped_byte_of_the_newest_slot_leads_to_the_other_slot_and_a_warning(rig):
    rig.store.save("trust", {"n": 1})
    rig.store.save("trust", {"n": 2})
    whole = rig.slot("trust.0").read_bytes()
    for at in range(len(whole)):
        rig.slot("trust.0").write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1:])
        assert rig.again().store.read() == {"trust": {"n": 1}}, at
        assert [(what, remedy) for what, _, remedy in rig.warnings] == [
            ("state file is damaged", "the other slot is used")]


def test_damaged_newest_slot_is_the_one_written_next(rig):
    rig.store.save("trust", {"n": 1})
    rig.store.save("trust", {"n": 2})
    rig.slot("trust.0").write_bytes(b"rot")
    rig.again().store.read()
    assert rig.store.save("trust", {"n": 3}) == 2
    assert rig.again().store.read() == {"trust": {"n": 3}} and rig.warnings == []


def test_both_slots_damaged_begins_anew_and_says_so(rig):
    rig.store.save("budgets", {"n": 1})
    rig.slot("budgets.1").write_bytes(b"")
    assert rig.again().store.read() == {}
    assert rig.warnings[0][2] == "the agent begins anew without it"


def test_state_of_a_newer_anchorwatch_is_refused_even_if_an_older_slot_is_whole(rig):
    rig.store.save("trust", {"n": 1})
    data = bytearray(frame.encode(2, b"{}"))
    data[3] = frame.FORMAT + 1
    head = bytes(data[:-32])
    rig.slot("trust.0").write_bytes(head + hashlib.sha256(head).digest())
    with pytest.raises(StateError) as refused:
        rig.again().store.read()
    assert refused.value.verdict == "newer" and "newer anchorwatch" in str(refused.value)


def test_wiped_state_is_gone_from_both_slots(rig):
    rig.store.save("identity", {"n": 1})
    rig.store.save("identity", {"n": 2})
    rig.store.wipe("identity")
    assert rig.again().store.read() == {}
    assert not rig.slot("identity.0").exists() and not rig.slot("identity.1").exists()
    assert rig.store.save("identity", {"n": 3}) == 1


def test_site_files_are_plain_text_in_the_site_folder(rig):
    rig.store.save("site/%s.pem" % SHA, "PEM\n")
    rig.store.save("site/distrust", SHA + "\n")
    assert (rig.site / (SHA + ".pem")).read_text() == "PEM\n"
    assert (rig.site / "distrust").read_text() == SHA + "\n"
    rig.store.wipe("site/%s.pem" % SHA)
    assert not (rig.site / (SHA + ".pem")).exists()


@pytest.mark.parametrize("name", ["site/../../etc/passwd", "site/a.pem", "../trust", "other",
                                  "site/%s.pem.tmp" % SHA, "site/", "site/%s" % SHA])
def test_names_outside_the_contract_are_never_written(rig, name):
    before = sorted(os.walk(rig.path))
    with pytest.raises(ValueError):
        rig.store.save(name, "x")
    with pytest.raises(ValueError):
        rig.store.wipe(name)
    assert sorted(os.walk(rig.path)) == before


def test_site_file_without_a_site_folder_is_a_failed_save(rig):
    store = Store(open_private(str(rig.path / "state")), None, None)
    with pytest.raises(OSError) as failed:
        store.save("site/distrust", "")
    assert reason_of(failed.value) == "read-only"


def test_state_folder_is_made_for_the_owner_alone(tmp_path):
    open_private(str(tmp_path / "a" / "state"))
    assert stat.S_IMODE((tmp_path / "a" / "state").stat().st_mode) == 0o700


def test_state_folder_open_to_others_is_closed_to_them(tmp_path):
    (tmp_path / "state").mkdir(mode=0o755)
    open_private(str(tmp_path / "state"))
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_state_files_are_for_the_owner_alone(rig):
    rig.store.save("trust", {})
    assert stat.S_IMODE(rig.slot("trust.1").stat().st_mode) == 0o600


def test_linked_state_folder_is_refused_by_name(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "real")
    with pytest.raises(StateError, match="symbolic link"):
        open_private(str(tmp_path / "state"))


def test_linked_state_file_is_refused_by_name(rig):
    rig.store.save("trust", {})
    rig.slot("trust.0").symlink_to("/etc/passwd")
    with pytest.raises(StateError, match="symbolic link.*trust.0"):
        rig.again().store.read()


def test_state_folder_of_another_user_is_refused(rig, mocker):
    mocker.patch("os.geteuid", return_value=os.geteuid() + 1)
    with pytest.raises(StateError, match="belongs to another user"):
        open_private(str(rig.path / "state"))


def test_site_folder_that_others_may_write_is_refused(rig):
    rig.site.chmod(0o777)
    with pytest.raises(StateError, match="written by others"):
        open_folder(str(rig.site))


def test_second_agent_on_the_same_folder_gets_no_lock(rig):
    assert rig.store.lock()
    other = Store(open_private(str(rig.path / "state")), None, None)
    assert not other.lock()


OPERATIONS = ("create", "write", "fsync", "close", "rename", "syncdir", "unlink")
ERRORS = ((errno.ENOSPC, "full"), (errno.EDQUOT, "full"), (errno.EROFS, "read-only"),
          (errno.EIO, "io"))


class Failing(Folder):
    """The n-th counted operation fails; every operation after it too, when `lasting`."""

    def __init__(self, path, number, fail_at, lasting):
        super().__init__(os.open(path, os.O_RDONLY | os.O_DIRECTORY), str(path))
        self.left, self.number, self.lasting = fail_at, number, lasting

    def strike(self):
        self.left -= 1
        if self.left == 0 or self.left < 0 and self.lasting:
            raise OSError(self.number, "injected")


def _struck(operation):
    def perform(self, *arguments):
        if operation == "close":
            getattr(Folder, operation)(self, *arguments)
        self.strike()
        if operation != "close":
            return getattr(Folder, operation)(self, *arguments)
    return perform


for _name in OPERATIONS:
    setattr(Failing, _name, _struck(_name))


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("number,reason", ERRORS)
def test_failing_operation_leaves_the_old_state_until_a_save_succeeds(
        tmp_path, number, reason, lasting):
    failures = 0
    for fail_at in range(1, 30):
        rig = _rig(tmp_path, fail_at)
        rig.store.save("trust", {"n": 1})
        rig.store.save("trust", {"n": 2})
        disk = Failing(rig.path / "state", number, fail_at, lasting)
        store = Store(disk, None, None)
        assert store.read(("trust",)) == {"trust": {"n": 2}}
        try:
            store.save("trust", {"n": 3})
        except OSError as error:
            failures += 1
            assert reason_of(error) == reason
            _old_state_and_next_save(rig, lasting)
        else:
            assert rig.again().store.read() == {"trust": {"n": 3}}
            break
    assert failures >= 6                    # every operation of a save has failed once
    assert [n for n in os.listdir(rig.path / "state") if n.endswith(".tmp")] == []


def _rig(tmp_path, number):
    path = tmp_path / str(number)
    path.mkdir()
    return Rig(path)


def _old_state_and_next_save(rig, lasting):
    found = rig.again().store.read()["trust"]["n"]
    assert found == 2 or lasting and found == 3     # a dead disk cannot be asked to take it back
    rig.store.save("trust", {"n": 4})
    assert rig.again().store.read() == {"trust": {"n": 4}}
    assert rig.warnings == []


def test_folder_nobody_knows_is_closed_and_one_shut_twice_closes_nothing_else(rig):
    before = os.listdir("/proc/self/fd")
    folder = open_private(str(rig.path / "state"))
    folder.shut()
    other = open_private(str(rig.path / "state"))  # under the number that was the first one's
    folder.shut()
    assert other.names() == []
    with pytest.raises(OSError, match="descriptor"):
        folder.names()
    del folder, other
    assert os.listdir("/proc/self/fd") == before


def test_short_writes_are_carried_on(rig):
    class Slow(Folder):
        def write(self, descriptor, data):
            return super().write(descriptor, data[:7])

    folder = Slow(os.open(rig.path / "state", os.O_RDONLY), str(rig.path / "state"))
    Store(folder, None, None).save("trust", {"text": "x" * 100})
    assert rig.again().store.read() == {"trust": {"text": "x" * 100}}
