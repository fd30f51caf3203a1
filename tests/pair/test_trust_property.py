"""R1 to R10 hold after every step of devices to which everything happens by chance.

Rule: a seed that fails is shortened and told with the words that play it again; what the seeds have
seen is counted, so that a world in which nothing happens cannot pass.
"""

import os
from collections import Counter

import pytest

from tests.pair import trust_property
from tests.pair.cloud import MINUTE
from tests.pair.trust_rules import Broken, Rules

pytestmark = pytest.mark.once

FULL = os.environ.get("ANCHORWATCH_COUNTS") == "full"
PARTS = 2
STEPS = (1_000_000 if FULL else 100_000) // PARTS
SEEN = ("committed", "trial", "reverted", "hold", "emergency_anchor", "captured", "refused")


def seen(world: object) -> Counter:
    """What came to pass in a world."""
    found: Counter = Counter()
    for _, name, about in world.pair.told:
        found[about.get("stage", "") if name == "bundle" else name] += 1
        found["refused"] += name == "answer" and not about["ok"]
    found["captured"] = len(world.cloud.captured)
    found["deeds"] = len(world.log)
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_rules_hold_after_every_step_and_the_device_always_comes_back(part, capsys):
    steps, seed, worst_ms = 0, part, 0
    found: Counter = Counter()
    while steps < STEPS:
        world = trust_property.check(seed)
        worst_ms = max(worst_ms, world.came_back_ms)
        steps, seed = steps + world.pair.steps, seed + PARTS
        found += seen(world)
    told = {name: found[name] for name in ("deeds", *SEEN)}
    with capsys.disabled():
        print("\nseeds %d, %d.. %d: %d steps, back within %d min, %s" % (
            part, part + PARTS, seed - PARTS, steps, worst_ms // MINUTE, told))  # fmt: skip
    assert [name for name in SEEN if not found[name]] == []


def test_seed_that_fails_says_how_to_play_it_again(monkeypatch):
    """The rules do judge: one that is made too strict is broken, by the fewest deeds."""

    def never(self: Rules, record: dict) -> None:
        raise Broken("R4: rolled back")

    monkeypatch.setattr(Rules, "_reverted", never)
    failing = next(s for s in range(200) if fails(s))
    with pytest.raises(trust_property.Failure) as told:
        trust_property.check(failing)
    again = str(told.value).rpartition("trust_property ")[2].split()
    assert int(again[0]) == failing and "R4" in str(told.value)
    with pytest.raises(Broken):
        trust_property.play(failing, int(again[1]))
    trust_property.play(failing, int(again[1]) - 1)


def fails(seed: int) -> bool:
    """Whether this seed breaks something."""
    try:
        trust_property.play(seed)
    except Broken:
        return True
    return False
