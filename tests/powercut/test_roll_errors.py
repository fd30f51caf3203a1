"""The n-th call fails while a device rolls: no two slots are broken, and every start succeeds."""

import errno

import pytest

from anchorwatch.errors import AgentError, reason_of
from anchorwatch.linux import credential
from tests.powercut import roll_cloud, roll_stories, survey
from tests.powercut.calls import Calls, on, refusal
from tests.powercut.disk import FILE, Disk, disk_of
from tests.powercut.errors import Injector
from tests.powercut.ledger import Ledger
from tests.powercut.roll_checks import named
from tests.powercut.roll_slots import KEY_FILE, text_in
from tests.powercut.stories import opened
from tests.powercut.strikes import Strikes
from tests.powercut.test_disk_errors import ALL, STRIKES


@pytest.mark.parametrize("story", roll_stories.STORIES, ids=lambda story: story.name)
def test_disk_that_fails_during_a_roll_costs_no_key_that_serves(story, record_property):
    most = ALL if survey.full() else 1
    counted = Strikes(story, most, survey.SEED).run(STRIKES if survey.full() else STRIKES[1:4:2])
    record_property("disk errors", (story.name, counted.calls, counted.struck, counted.images))
    assert counted.faults == []
    assert counted.struck > 0


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_device_on_a_disk_that_takes_nothing_is_served_by_its_slot_and_says_why(number):
    story = next(one for one in roll_stories.STORIES if one.name.startswith("expiry roll"))
    struck = Strikes(story, 1, survey.SEED)
    disk, ledger = disk_of(struck.image), struck.ledger.copy()
    calls = Calls(disk, Injector(1, number, lasting=True))
    with roll_stories.device_on(calls, ledger, roll_stories.OLD_SLOT) as device:
        device.run(lambda device: False, 3 * roll_stories.DAY_MS)
        assert device.watch.connection.state == "online" and device.shown_number() == 1
        told = [tell.about for tell in device.told if tell.name == "warning"]
    assert "no new certificate: %s" % reason_of(refusal(number)) in {one["what"] for one in told}
    assert disk.image() == struck.image


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_save_that_fails_leaves_no_byte_of_a_key_under_no_name(done):
    """Whichever call fails once; a file that the disk would not sync is lost to us anyhow."""
    struck = 0
    for at in range(1, 100):
        disk = disk_of(_two_generations())
        injector = Injector(at, errno.EIO, done=done)
        injector.calls = calls = Calls(disk, injector)
        with on(calls):
            _saved(calls, 3)
        struck += bool(injector.struck)
        left = [number for number, inode in disk.inodes.items()
                if number not in named(disk) and inode.kind == FILE and not inode.failed
                and roll_cloud.numbers_in(disk.seen(number))]
        assert left == [], (at, injector.struck)
    assert struck > 20


def _two_generations():
    disk = Disk()
    calls = Calls(disk)
    with on(calls):
        _saved(calls, 1)
        _saved(calls, 2)
    return disk.image()


def _saved(calls, number):
    try:
        store, _ = opened(calls)
        store.read()
        store.save("slot-a", {"key": roll_cloud.pem(number)})
    except (OSError, AgentError):
        return


@pytest.mark.parametrize("renewed", [False, True], ids=["the same", "the operator's new one"])
def test_key_file_that_could_not_be_wiped_goes_a_day_later_unless_it_is_another(
        renewed, monkeypatch):
    story = next(one for one in roll_stories.STORIES if one.name == "breach roll, from files")
    calls, ledger = Calls(Disk()), Ledger()
    story.prepare(calls, ledger)
    with roll_stories.device_on(calls, ledger, roll_stories.KIND) as device:
        roll_stories.tells_of_a_breach(device)
        with monkeypatch.context() as patch:
            patch.setattr(credential, "_wiped", lambda path: ("io", "repair the disk"))
            roll_stories.until(device, roll_stories.rolled(roll_stories.PLAYED))
        assert roll_cloud.number_of(text_in(calls, KEY_FILE)) == 0
        slots = device.watch.identity.slots
        if renewed:
            slots.read(dict(slots.held["onboarding"], fingerprint="another"))
        device.run(lambda device: False, 2 * roll_stories.DAY_MS)
        assert bool(text_in(calls, KEY_FILE)) == renewed and slots.kept["former"] == ""
