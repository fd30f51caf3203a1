"""Ten years of certificates: no day without a session, but where nothing held would be let in."""

import os

import pytest

from tests.pair.ten_years import TenYears

pytestmark = pytest.mark.once
SEEDS = range(1, 13) if os.environ.get("ANCHORWATCH_COUNTS") == "full" else (1,)


@pytest.mark.lane_cpython
@pytest.mark.parametrize("seed", SEEDS)
def test_only_a_ca_that_nobody_registered_keeps_a_device_away_and_the_status_names_it(
        seed, capsys):
    world = TenYears(seed, fallback=False).play()
    with capsys.disabled():
        print("\n".join(["", *world.lines]))
    assert [day for day in world.dark if not day[1].endswith("would serve: []")] == []
    assert [day for day in world.dark if "issuer not yet registered" not in day[1]] == []
    rolled = [line for line in world.lines if "online by slot" in line]
    assert world.registrations.older == []
    assert len(rolled) > 35 and 100 < len(world.dark) < 640


@pytest.mark.parametrize("seed", SEEDS)
def test_device_whose_first_certificate_still_counts_is_away_for_no_day(seed):
    world = TenYears(seed, fallback=True).play()
    assert world.dark == [] == world.registrations.older
    assert len(world.registrations.asked) > 10
    assert [line for line in world.lines if "slot onboarding" in line]
