"""The n-th call fails, for every n: nothing acknowledged is lost, and a retry succeeds."""

import errno

import pytest

from tests.powercut import agent_stories, stories, survey
from tests.powercut.calls import Calls, on
from tests.powercut.disk import CHUNK, disk_of
from tests.powercut.errors import Injector
from tests.powercut.ledger import Ledger
from tests.powercut.strikes import Strike, Strikes

STRIKES = (
    Strike(errno.ENOSPC, False, False), Strike(errno.ENOSPC, True, False),
    Strike(errno.EROFS, True, False), Strike(errno.EIO, False, False),
    Strike(errno.EIO, False, True), Strike(errno.EINTR, False, False),
)  # fmt: skip
ALL = 1_000_000


@pytest.mark.parametrize("story", stories.STORIES, ids=lambda story: story.name)
def test_call_of_the_store_that_fails_costs_nothing_that_was_acknowledged(story, record_property):
    counted = Strikes(story, ALL, survey.SEED).run(STRIKES)
    record_property("disk errors", (story.name, counted.calls, counted.struck, counted.images))
    assert counted.faults == []
    assert counted.struck > 0.8 * counted.calls


@pytest.mark.parametrize("story", agent_stories.FOR_ERRORS, ids=lambda story: story.name)
def test_agent_answers_a_disk_that_fails_and_goes_on(story, record_property):
    most = ALL if survey.full() else 2
    counted = Strikes(story, most, survey.SEED).run(STRIKES)
    record_property("disk errors", (story.name, counted.calls, counted.struck, counted.images))
    assert counted.faults == []
    assert counted.struck > 0


def test_device_on_a_disk_that_turned_read_only_starts_and_is_offered_its_roots():
    story = agent_stories.STORIES[0]
    struck = Strikes(story, 1, survey.SEED)
    disk, ledger = disk_of(struck.image), struck.ledger.copy()
    calls = Calls(disk, Injector(1, errno.EROFS, lasting=True))
    with agent_stories.agent(calls, ledger, agent_stories.world().factory,
                             agent_stories.BOTH_G2) as device:
        device.run(lambda device: device.watch.connection.state == "online")
        assert device.watch.connection.state == "online"
        assert device.bare() == []
    assert [what for what, *_ in device.warnings] == ["state cannot be locked"]
    assert disk.image() == struck.image


def test_short_writes_are_carried_on():
    story = stories.STORIES[1]
    prepared = Strikes(story, 1, survey.SEED)
    disk, ledger = disk_of(prepared.image), Ledger()
    story.play(Calls(disk, piece=7), ledger)
    found = story.boot(Calls(disk, piece=CHUNK), Ledger())
    assert ledger.broken(found.texts) == [] and ledger.begun == {}


def test_state_that_could_not_be_read_at_one_start_does_not_win_at_the_next():
    disk = disk_of(Strikes(stories.STORIES[1], 1, survey.SEED).image)
    with on(Calls(disk)):
        store, _ = stories.opened(None)
        for number in range(2, 7):
            store.save("trust", {"n": number})
    calls = Calls(disk, Unreadable())
    with on(calls):
        store, _ = stories.opened(calls)
        assert "trust" not in store.read()
        calls.meddler.over = True
        store.save("trust", {"n": "new"})
    with on(Calls(disk)):
        assert stories.opened(None)[0].read()["trust"] == {"n": "new"}


class Unreadable:
    """Every read fails until it is over."""

    over = False

    def before(self, name, arguments):
        if name == "read" and not self.over:
            raise OSError(errno.EIO, "injected")

    def after(self, name):
        pass
