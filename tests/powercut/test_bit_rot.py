"""Every byte that the agent keeps may rot: it starts, says so, and has a root to dial with."""

import random

import pytest

from tests.powercut import agent_stories, survey
from tests.powercut.calls import Calls
from tests.powercut.disk import FILE, Disk, disk_of
from tests.powercut.ledger import Ledger
from tests.powercut.stories import STATE

AT_ONCE = 24


def _kept():
    """The image of a device with two bundles behind it."""
    disk = Disk()
    agent_stories.STORIES[-3].prepare(Calls(disk), Ledger())
    return disk.image()


@pytest.fixture(scope="module")
def image():
    return _kept()


def _spoiled(image, path, at):
    kind, mode, owner, data = image[path]
    data = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]
    return dict(image, **{path: (kind, mode, owner, data)})


def _start(image):
    with agent_stories.agent(Calls(disk_of(image)), Ledger(), agent_stories.world().factory,
                             agent_stories.BOTH_G2) as device:
        device.settle()
        return device.bare(), device.warnings, device.texts


def test_spoiled_byte_anywhere_in_the_state_never_stops_the_agent(image):
    chance = random.Random(survey.SEED)
    paths = [path for path in image if path.startswith(STATE) and image[path][0] == FILE
             and image[path][3]]
    slots = [path for path in paths if path[-2:] in (".0", ".1")]
    assert len(slots) >= 4 and len(paths) > len(slots) + 10
    for path in paths:
        places = range(len(image[path][3]))
        if not survey.full() and len(places) > AT_ONCE:
            places = sorted(chance.sample(places, AT_ONCE))
        for at in places:
            bare, warnings, _ = _start(_spoiled(image, path, at))
            assert bare == [], (path, at)
            assert warnings or path not in slots, (path, at)


def test_device_whose_every_slot_has_rotted_begins_anew_with_its_factory_roots(image):
    for path in [path for path in image if path[-2:] in (".0", ".1")]:
        image = _spoiled(image, path, len(image[path][3]) - 1)
    bare, warnings, texts = _start(image)
    assert (bare, texts) == ([], {})
    assert {remedy for _, _, remedy, *_ in warnings} == {"the agent begins anew without it"}
