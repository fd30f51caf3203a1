"""Power cuts of the store, enumerated: every cut, every image, and cuts while it recovers."""

import os

import pytest

from tests.powercut import recipes, stories, survey, table
from tests.powercut.images import images

NAIVE = survey.STORE_FULL if survey.full() else survey.STORE


@pytest.mark.parametrize("story", stories.STORIES, ids=lambda story: story.name)
def test_power_cut_leaves_the_state_before_or_after_and_after_once_it_was_said(
        story, record_property):
    counted = survey.Survey(story, survey.STORE_FULL).run()
    record_property("power cut", table.row(counted))
    assert counted.faults == []
    assert (counted.unreadable, counted.lost, counted.wrong) == (0, 0, 0)
    assert counted.cuts >= 10 and counted.ordered >= 2 * counted.cuts
    assert (counted.drawn, counted.second_drawn, counted.later_drawn) == (0, 0, 0)
    assert counted.later_images > counted.subsets


@pytest.mark.parametrize("story", recipes.GOOD, ids=lambda story: story.name)
def test_good_recipe_loses_nothing(story, record_property):
    counted = survey.Survey(story, survey.STORE_FULL).run()
    record_property("power cut", table.row(counted))
    assert counted.faults == []


@pytest.mark.parametrize("story,crime", recipes.NAIVE, ids=lambda naive: getattr(naive, "name", ""))
def test_naive_recipe_is_convicted(story, crime, record_property):
    counted = survey.Survey(story, NAIVE).run()
    record_property("power cut, naive", table.row(counted))
    assert getattr(counted, crime) > 0
    assert counted.faults


def test_start_that_repairs_in_place_is_convicted_by_the_second_cut_alone():
    once = survey.Survey(recipes.REPAIRS, NAIVE._replace(repairs=0, again=0)).run()
    assert once.faults == [] and once.repairs > 0
    twice = survey.Survey(recipes.REPAIRS, NAIVE).run()
    assert twice.faults and all(", then before " in fault for fault in twice.faults)


def test_start_that_reads_what_was_never_whole_is_tried_with_all_that_a_cut_may_leave_of_it():
    """Others are tried once for each length: what they do cannot differ."""
    story = recipes.GOOD[0]

    def curious(calls, ledger):
        for name in [name for name in calls.listdir("/") if name in recipes.BESIDE]:
            descriptor = calls.open("/" + name, os.O_RDONLY)
            calls.read(descriptor, 1)
            calls.close(descriptor)
        return story.boot(calls, ledger)

    left = {(frozenset(image.items()), cut.ledger.key())
            for cut in survey.recorded(story) for subsets in (False, True)
            for image in images(cut.inodes, survey.ALL, 0, subsets)}
    counted = survey.Survey(story._replace(boot=curious), survey.STORE_FULL).run()
    assert counted.boots == len(left) and counted.faults == []
    assert survey.Survey(story, survey.STORE_FULL).run().boots < len(left) / 2
