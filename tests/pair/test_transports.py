"""A device whose networks block now one port, now the other, with `mqtt.transport = auto`."""

from anchorwatch.core import actions
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE
from tests.pair.world import Load, device, online

AUTO = {"mqtt": {"transport": "auto"}}


def ports(pair, endpoint="hub", since_ms=0):
    """The ports of an endpoint's dials from then on."""
    kept = [a for t, a in pair.performed if t >= since_ms and isinstance(a, actions.Dial)]
    return [a.port for a in kept if a.endpoint == endpoint]


def block(cloud, *blocked):
    for host in (HUB, DPS):
        cloud.fronts[host].blocked = set(blocked)


def test_first_boot_where_8883_is_blocked_takes_one_refusal_an_endpoint():
    cloud, pair = device(config=AUTO)
    block(cloud, 8883)
    pair.run_until("online", MINUTE)
    assert ports(pair, "dps") == [8883, 443] and ports(pair)[:2] == [8883, 443]
    since_ms = cloud.now_ms
    cloud.run_for(DAY)
    assert set(ports(pair, "hub", since_ms)) == {443} == set(ports(pair, "dps", since_ms))


def test_a_device_that_moves_between_networks_finds_its_way_each_time():
    cloud, pair = online(config=AUTO)
    for blocked in (8883, 443) * 3:
        since_ms = cloud.now_ms
        block(cloud, blocked)
        pair.links["live"].broken("network")
        cloud.run_for(10 * MINUTE)
        assert pair.state == "online"
        assert ports(pair, "hub", since_ms)[-1] == ({8883, 443} - {blocked}).pop()


def test_what_worked_is_dialled_first_after_a_restart():
    cloud, pair = device(config=AUTO)
    block(cloud, 8883)
    pair.run_until("online", MINUTE)
    pair.restart()
    since_ms = cloud.now_ms
    pair.run_until("online", 2 * MINUTE)
    assert ports(pair, "hub", since_ms) == [443]


def test_a_second_look_that_finds_its_port_blocked_costs_the_session_nothing():
    cloud, pair = online(config=AUTO)
    load = Load(cloud, pair, 2 * HOUR, telemetry_ms=MINUTE)
    block(cloud, 8883)
    cloud.run_for(2 * HOUR + MINUTE)
    load.check()
    assert len([r for r in cloud.journal.of("connected") if r["service"] == "hub"]) == 1
    assert ports(pair)[-1] == 443


def test_without_auto_a_blocked_port_is_all_there_is():
    cloud, pair = device()
    block(cloud, 8883)
    cloud.run_for(HOUR)
    assert set(ports(pair, "dps")) == {8883} and pair.watch.connection.state != "online"


def test_both_ways_blocked_are_dialled_no_oftener_than_one():
    counts = []
    for config in ({}, AUTO):
        cloud, pair = online(config=config)
        began_ms = cloud.now_ms
        block(cloud, 8883, 443)
        pair.links["live"].broken("network")
        cloud.run_for(HOUR)
        counts.append(len(ports(pair, "hub", began_ms)))
    assert abs(counts[0] - counts[1]) <= 2, counts
