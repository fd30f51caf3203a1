"""A hub that no longer knows a device it had accepted."""

from tests.pair.cloud import MINUTE
from tests.pair.world import online


def test_hub_that_forgets_a_device_it_had_accepted_is_not_waited_for():
    """Two minutes of patience with a new assignment end when the hub has accepted it."""
    cloud, pair = online(config={"unauthorized": {"patience_s": 3}, "dps": {"spread_s": 0}})
    cloud.hub.delete_device("dev-7", cloud.now_ms)
    took_ms = pair.run_until(lambda: len(cloud.journal.of("register")) == 2, 10 * MINUTE)
    assert took_ms <= MINUTE
    pair.run_until("online", MINUTE)
