"""When an address counts as moved: a steady name soon, a name that rotates late."""

import random

from anchorwatch.config import Config
from anchorwatch.core.comparison import Comparison
from tests.timelines import replay

LOOK_MS = 2_400_000
LIVE = replay.verified("live", address="127.0.0.2")


def reasons(name_gives, looks):
    comparison = Comparison(Config(replay.BASE))
    seen = []
    for number in range(looks):
        addresses = name_gives()
        event = replay.verified("next", address=addresses[0], addresses=addresses)
        seen.append(comparison.reason(LIVE, event, number * LOOK_MS))
    return seen


def test_steady_name_without_the_live_address_is_believed_at_the_third_look():
    assert reasons(lambda: ["127.0.0.9"], 4) == ["", "", "address", "address"]


def test_name_that_gives_one_of_four_addresses_moves_nothing_for_a_day():
    chance = random.Random(7)
    found = reasons(lambda: ["127.0.0.%d" % (2 + chance.randrange(4))], 36)
    assert set(found) == {""}


def test_rotating_name_that_never_gives_the_live_address_is_believed_in_the_end():
    chance = random.Random(7)
    found = reasons(lambda: ["127.0.0.%d" % (5 + chance.randrange(4))], 30)
    assert found[:2] == ["", ""] and found[23] == "address"
