"""The n-th call fails while a device rolls: no two slots are broken, and every start succeeds."""

import pytest

from tests.powercut import roll_stories, survey
from tests.powercut.strikes import Strikes
from tests.powercut.test_disk_errors import ALL, STRIKES


@pytest.mark.parametrize("story", roll_stories.STORIES, ids=lambda story: story.name)
def test_disk_that_fails_during_a_roll_costs_no_key_that_serves(story, record_property):
    most = ALL if survey.full() else 1
    counted = Strikes(story, most, survey.SEED).run(STRIKES if survey.full() else STRIKES[1:4:2])
    record_property("disk errors", (story.name, counted.calls, counted.struck, counted.images))
    assert counted.faults == []
    assert counted.struck > 0
