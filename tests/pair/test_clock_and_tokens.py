"""SAS tokens and the clock they need: renewed in time, unknown at boot, wrong."""

import pytest

from anchorwatch.core import actions
from tests.pair import credentials
from tests.pair.cloud import DAY, EPOCH_UTC_S, HOUR, HUB, MINUTE, End
from tests.pair.world import device, online

KEY = credentials.key_group
YEARS_S = 10 * 365 * 86_400


def disconnects(cloud):
    """Sessions at the hub that ended, but not by the device or by its own move."""
    rows = [r for r in cloud.journal.of("disconnected") if r["service"] == "hub"]
    return [r["reason"] for r in rows if r["reason"] != "asked" and "taken over" not in r["reason"]]


@pytest.mark.once
def test_tokens_are_renewed_before_they_expire_in_every_phase(capsys):
    swaps = []
    for phase in range(0, 1_000_000, 20_000):
        cloud, pair = online(KEY, phase=phase)
        cloud.run_for(DAY)
        assert pair.state == "online" and disconnects(cloud) == [], phase
        assert cloud.journal.of("connect refused") == []
        swaps.append(pair.count(actions.Swap))
    with capsys.disabled():
        print("\nswaps a day for hourly tokens, 50 phases: %d to %d" % (min(swaps), max(swaps)))
    assert 30 <= min(swaps) <= max(swaps) <= 35


@pytest.mark.once
@pytest.mark.parametrize("interval_s", [600, 2_500, 2_700, 2_750, 86_400])
@pytest.mark.parametrize("lifetime_s", [600, 3_600, 7_200])
def test_no_pair_of_interval_and_life_lets_a_token_expire(interval_s, lifetime_s):
    config = {"reverify": {"interval_s": interval_s}, "sas": {"lifetime_s": lifetime_s}}
    for phase in (0, 333_333, 999_999):
        cloud, pair = online(KEY, config, phase=phase)
        cloud.run_for(6 * HOUR)
        assert disconnects(cloud) == [] and pair.state == "online"
        pair.send()
        cloud.run_for(1_000)
        assert not pair.feeder.waiting


def test_hub_that_refuses_the_renewal_for_a_while_costs_no_session():
    cloud, pair = online(KEY)
    cloud.faults.add("CONNACK", service="hub", count=2, code=5)
    cloud.run_for(3 * HOUR)
    assert disconnects(cloud) == [] and cloud.faults.waiting() == []
    assert len(cloud.journal.of("register")) == 1


def test_key_needs_the_time_before_it_can_register_and_waits_for_it():
    cloud, pair = device(KEY)
    cloud.sntp_offset_s, cloud.https = None, False
    pair.restart()
    cloud.run_for(10 * MINUTE)
    assert pair.fault["class"] == "clock" and pair.fault["remedy"]
    assert cloud.journal.of("register") == []
    cloud.sntp_offset_s = 0
    pair.run_until("online", 11 * MINUTE)
    assert cloud.journal.of("connect refused") == []


def test_certificate_needs_no_time_to_connect():
    cloud, pair = device()
    cloud.sntp_offset_s = None
    pair.restart()
    pair.run_until("online")
    cloud.run_for(1_000)
    assert pair.watch.states()["clock"] == "authenticated"  # by the Date of the hub


@pytest.mark.parametrize("kind", [credentials.x509_individual, KEY])
def test_time_server_ahead_by_years_strands_no_device(kind):
    """Chains look expired at that time; the floor is the judge once patience is over."""
    cloud, pair = device(kind)
    ends = cloud.utc_s(0) + 100 * 86_400
    for front in cloud.fronts.values():
        front.ends = [End(not_after=ends)]
    cloud.sntp_offset_s = YEARS_S
    pair.restart()
    pair.run_until(lambda: pair.fault and pair.fault["class"] == "clock")
    pair.run_until("online", 3 * HOUR)
    cloud.run_for(2_000)
    assert pair.watch.states()["clock"] == "authenticated"


@pytest.mark.parametrize("offset_s", [-20 * 86_400, 20 * 86_400], ids=["behind", "ahead"])
def test_time_server_off_by_weeks_is_put_right_by_the_hub(offset_s):
    """Ahead, a token still opens the session; behind, it has expired before it is used."""
    cloud, pair = device(KEY)
    cloud.sntp_offset_s = offset_s
    pair.restart()
    pair.run_until("online", 2 * HOUR)
    cloud.run_for(3 * HOUR)
    assert pair.watch.states()["clock"] == "authenticated"
    assert pair.state == "online"
    assert len(cloud.journal.of("register")) <= 5


def test_token_signed_with_a_wrong_time_is_replaced_soon_after_the_time_is_known():
    cloud, pair = device(KEY)
    cloud.sntp_offset_s = 86_400
    pair.restart()
    pair.run_until("online")
    assert pair.run_until(lambda: pair.count(actions.Swap), 3 * MINUTE) <= 3 * MINUTE
    expires = cloud.hub._devices["dev-7"].expires_utc_s
    assert expires <= cloud.utc_s(cloud.now_ms) + 3_600


def test_floor_survives_a_restart_without_any_time():
    cloud, pair = online()
    cloud.run_for(3 * DAY)
    cloud.sntp_offset_s = None
    pair.restart()
    floor_utc_s = pair.status()["clock"]["floor_utc_s"]
    assert floor_utc_s >= cloud.utc_s(cloud.now_ms) - 3 * 86_400
    dialled = [a for _, a in pair.performed if isinstance(a, actions.Dial) and a.host == HUB]
    pair.run_until("online")
    assert dialled[-1].judge_utc_s >= floor_utc_s - 86_400


def test_a_floor_ahead_of_the_true_time_costs_no_device_with_a_symmetric_key():
    ahead_s = EPOCH_UTC_S + 200 * 86_400  # by a bundle that was dated wrongly
    cloud, pair = device(KEY, saved={"clock": {"floor_utc_s": ahead_s}})
    pair.run_until("online", 30 * MINUTE)
    cloud.run_for(3 * HOUR)
    assert pair.state == "online" and pair.watch.clock.floor_utc_s == ahead_s
    assert disconnects(cloud) == []


def test_time_server_that_is_put_right_after_patience_is_over_strands_no_device():
    """The leaf began after the floor, so the floor alone would refuse it for ever."""
    cloud, pair = online()
    cloud.run_for(30 * DAY)
    cloud.https, cloud.sntp_offset_s = False, -20 * 86_400
    pair.saved["clock"] = {"floor_utc_s": cloud.utc_s(0)}
    began_s = cloud.utc_s(cloud.now_ms) - 86_400
    for front in cloud.fronts.values():
        front.ends = [End(not_before=began_s, not_after=began_s + 90 * 86_400)]
    pair.restart()
    cloud.run_for(3 * HOUR)
    assert pair.fault["class"] == "clock"
    cloud.sntp_offset_s = 0
    pair.run_until("online", 3 * HOUR)
