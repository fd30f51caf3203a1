"""Power cuts of a device that rolls its certificate: no key is lost, none comes back, none stays.

Every start is the daemon's own on what the cut has left: what was told as saved is there, the slot
that serves is whole, what was told as wiped is in no byte of the disk, under a name or not. Where a
start finds what none has found before it, the device lives on: it comes online, the roll ends, a
breached key is shown to nobody and goes.
"""

import pytest

from anchorwatch.core.actions import WipeKey
from anchorwatch.core.identity import Identity
from anchorwatch.core.rolls import HOLDING
from anchorwatch.core.slots import Slots
from anchorwatch.linux import store, storefiles
from anchorwatch.linux.folder import Folder
from tests.powercut import roll_stories, survey, table
from tests.powercut.calls import Calls
from tests.powercut.disk import Disk
from tests.powercut.ledger import Ledger
from tests.powercut.roll_checks import ROLL, ROLL_FULL, RollSurvey

EFFORT = ROLL_FULL if survey.full() else ROLL


@pytest.mark.parametrize("story", roll_stories.STORIES, ids=lambda story: story.name)
def test_power_cut_of_a_roll_leaves_a_key_that_serves_and_none_that_was_wiped(
        story, record_property):
    counted = RollSurvey(story, EFFORT).run()
    record_property("power cut", table.row(counted))
    assert counted.faults == []
    assert not survey.full() or (counted.drawn, counted.second_drawn) == (0, 0)
    assert counted.cuts >= 100 and counted.boots > 100


def convicted(name, word):
    """Whether a story shows a fault with this word."""
    story = next(one for one in roll_stories.STORIES if one.name == name)
    roll_stories.forget()
    try:
        return survey.convicted(story, ROLL, word, RollSurvey)
    finally:
        roll_stories.forget()


def test_driver_that_forgets_to_sync_a_slot_is_convicted(monkeypatch):
    write_new = storefiles._write_new

    def unsynced(folder, name, data, named):
        with monkeypatch.context() as patch:
            if name.startswith("slot-"):
                patch.setattr(Folder, "fsync", lambda self, descriptor: None)
            write_new(folder, name, data, named)

    monkeypatch.setattr(storefiles, "_write_new", unsynced)
    assert convicted("breach roll", "slot-b is")


def test_device_that_wipes_the_old_key_before_the_commit_is_saved_is_convicted(monkeypatch):
    commit = Identity._commit

    def hasty(self, event, now):
        old = self.slots.kept["active"]
        return [WipeKey(old), *commit(self, event, now)]

    monkeypatch.setattr(Identity, "_commit", hasty)
    assert convicted("breach roll", "slot that serves is lost")


def test_key_that_is_only_removed_and_not_overwritten_is_convicted(monkeypatch):
    monkeypatch.setattr(storefiles, "_blank", lambda folder, descriptor, size: None)
    assert convicted("breach roll", "told as wiped")


def test_device_whose_second_look_shows_a_breached_key_is_convicted(monkeypatch):
    monkeypatch.setattr(Slots, "withheld", lambda self, link: False)
    with pytest.raises(AssertionError, match="the breached key 1 was shown"):
        convicted("breach roll", "")


@pytest.mark.parametrize("command", ["reprovision", "reverify"])
def test_operator_cannot_have_a_breached_key_shown(command):
    story = next(one for one in roll_stories.STORIES if one.name == "refused breach roll is held")
    calls, ledger = Calls(Disk()), Ledger()
    story.prepare(calls, ledger)
    with roll_stories.device_on(calls, ledger, roll_stories.STRICT) as device:
        roll_stories.tells_of_a_breach(device)
        answers = [device.ask(command)]
        roll_stories.until(device, lambda device: device.watch.identity.state == HOLDING)
        answers.append(device.ask(command))
        device.run(lambda device: False, roll_stories.DAY_MS)
        assert device.wrong == []
        assert [answer["ok"] for answer in answers] == [command == "reverify"] * 2


def test_slot_that_is_written_as_any_other_file_leaves_bytes_of_its_key_behind(monkeypatch):
    monkeypatch.setattr(store, "replace_secret", store.replace)
    assert convicted("breach roll", "under no name")
