"""Power cuts of a whole agent: after each there is a state to start from, and a root to dial with.

Every start is the daemon's own, on what the cut has left: what was told as saved is there, every
endpoint in use is offered a root whose certificate is at hand (R1), and no folder that the frame
names is half there.
"""

import pytest

from anchorwatch.linux.folder import Folder
from tests.powercut import agent_stories, survey, table

EFFORT = survey.AGENT_FULL if survey.full() else survey.AGENT


@pytest.mark.parametrize("story", agent_stories.STORIES, ids=lambda story: story.name)
def test_power_cut_leaves_a_device_that_knows_what_was_saved_and_can_connect(
        story, record_property):
    counted = survey.Survey(story, EFFORT).run()
    record_property("power cut", table.row(counted))
    assert counted.faults == []
    assert not survey.full() or (counted.drawn, counted.second_drawn) == (0, 0)
    assert counted.cuts >= 10 and counted.boots > counted.cuts


@pytest.mark.parametrize("forgotten", ["fsync", "syncdir"])
def test_agent_that_forgets_a_sync_is_convicted(forgotten, monkeypatch):
    """The enumeration of whole agents can fail, too."""
    monkeypatch.setattr(Folder, forgotten, lambda self, *arguments: None)
    story = next(story for story in agent_stories.STORIES if story.name == "next bundle")
    assert survey.convicted(story, survey.Effort(8, 1, 1, 1, 1, survey.SEED))
