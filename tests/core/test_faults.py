"""How long each class waits: floor, jitter, ceiling, phase, and what the service asked for."""

import random

import pytest

from anchorwatch.config import Config
from anchorwatch.core import events, faults
from anchorwatch.core.backoff import PHASES, at_ceiling, delay_ms, phase_wait_ms
from anchorwatch.core.watch import Watch
from tests.timelines import replay

RAND = random.Random(7)


def of_hub(over=None, rand=RAND.randrange):
    watch = Watch(Config(replay.merged(replay.BASE, over or {})), rand)
    return watch.hub_faults


@pytest.mark.parametrize("name", sorted(faults.SCHEDULES))
def test_each_class_keeps_its_floor_doubles_its_reach_and_has_a_ceiling(name):
    floor, first, ceiling = faults.SCHEDULES[name]
    for _ in range(30):
        schedule = of_hub()
        for tries in range(16):
            wait_ms = schedule.wait_ms(name, 1_000_000)
            assert floor <= wait_ms <= floor + min(ceiling, first << tries)


@pytest.mark.parametrize("name", sorted(faults.SCHEDULES))
def test_at_the_ceiling_there_is_one_attempt_in_a_window_at_the_devices_own_moment(name):
    floor, first, ceiling = faults.SCHEDULES[name]
    schedule = of_hub()
    now, tries = 12_345, 0
    while not at_ceiling(first, ceiling, tries):
        now += schedule.wait_ms(name, now)
        tries += 1
    moments = set()
    for _ in range(5):
        now += schedule.wait_ms(name, now)
        moments.add(now % ceiling)
    assert len(moments) == 1


@pytest.mark.parametrize("asked_s", [1, 30, 7_200])
def test_what_the_service_asked_for_is_never_shortened(asked_s):
    schedule = of_hub(rand=replay.RANDS["least"])
    assert schedule.wait_ms("throttled", 0, asked_s) >= 1000 * asked_s
    assert schedule.held_ms(0) == 1000 * asked_s
    assert schedule.held_ms(1000 * asked_s) == 0


def test_the_window_of_a_large_fleet_is_the_ceiling():
    schedule = of_hub({"fleet": {"devices": 1_000_000, "connects_per_s": 100}})
    waits = [schedule.wait_ms("network", 0) for _ in range(40)]
    assert max(waits) > faults.SCHEDULES["network"][2]
    assert max(waits) <= 10_000_000


def test_ten_failed_attempts_lead_to_one_look_up_and_an_outage_to_no_second():
    schedule = of_hub()
    due = [schedule.look_up_due("network", 1000 * n) for n in range(30)]
    assert due.index(True) == 9
    assert due.count(True) == 1
    schedule.online(40_000)
    assert [schedule.look_up_due("service", 50_000 + n) for n in range(10)][-1]


def test_a_class_other_than_network_and_service_never_looks_up():
    schedule = of_hub()
    assert not [n for n in range(50) if schedule.look_up_due("contended", 100_000 * n)]


def test_a_session_of_a_minute_resets_and_a_shorter_one_does_not():
    for lasted_ms, tries in ((59_999, 3), (60_000, 0)):
        schedule = of_hub()
        for _ in range(3):
            schedule.wait_ms("network", 0)
        schedule.online(1000)
        schedule.classify(events.Disconnected("live", "network"), 1000 + lasted_ms)
        assert schedule.tries("network") == tries


def test_a_fault_that_no_table_knows_is_network():
    schedule = of_hub()
    event = replay.failed("live", "gremlins", "bitten")
    assert schedule.classify(event, 0) == ("network", "bitten")


def test_exponents_survive_a_restart_and_hold_up_the_first_dial():
    first = Watch(Config(replay.BASE), RAND.randrange)
    first.device.start(replay.start(replay.kept()))
    for _ in range(9):
        first.hub_faults.wait_ms("network", 0)
    assert first.hub_faults.keep()
    assert not first.hub_faults.keep()
    again = Watch(Config(replay.BASE), replay.RANDS["most"])
    state = dict(replay.kept(), budgets=first.device.budgets)
    again.handle(replay.start(state, by_hand=False), 0)
    assert again.wake_at >= faults.SCHEDULES["network"][2]


def test_the_jitter_is_spread_over_its_whole_reach():
    waits = [delay_ms(RAND.randrange, 0, 1000, 300_000, 3) for _ in range(2000)]
    assert min(waits) < 400 and max(waits) > 7600
    assert 3600 < sum(waits) // 2000 < 4400


@pytest.mark.parametrize("phase", [0, 1, PHASES // 2, PHASES - 1])
@pytest.mark.parametrize("t_ms", [0, 1, 9_999, 10_000, 1_800_000_000_123])
def test_the_own_moment_is_in_the_future_and_within_one_window(phase, t_ms):
    wait_ms = phase_wait_ms(t_ms, 10_000, phase)
    assert 1 <= wait_ms <= 10_000
    assert (t_ms + wait_ms) % 10_000 == 10_000 * phase // PHASES % 10_000
