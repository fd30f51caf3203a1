"""The direct method `reprovision`: the cloud has its answer before the device leaves.

Rule: order is that of the hub's journal and of what the operator was told. Source: design 12.
"""

import pytest

from anchorwatch.core import actions
from tests.pair import credentials
from tests.pair.cloud import DPS, HOUR, MINUTE, SECOND
from tests.pair.world import Load, online

pytestmark = pytest.mark.once

KINDS = {
    "an individual certificate": credentials.x509_individual,
    "a certificate of a group": credentials.x509_group,
    "an individual key": credentials.key_individual,
    "a key of a group": credentials.key_group,
}


class Call:
    """One call; `left_ms` is when the device's session at its first hub ended."""

    def __init__(self, cloud: object) -> None:
        self.cloud, self.answers, self.began_ms = cloud, [], cloud.now_ms
        cloud.hub.invoke_method("dev-7", "reprovision", b"{}", cloud.now_ms, done=self._answered)

    def _answered(self, answer: dict) -> None:
        self.answers.append((self.cloud.now_ms, answer))

    @property
    def left_ms(self) -> int | None:
        rows = self.cloud.journal.of("disconnected", "dev-7")
        ends = [r["t_ms"] for r in rows if r["service"] == "hub" and r["t_ms"] > self.began_ms]
        return ends[0] if ends else None

    def answer(self) -> dict:
        """What the operator was told, once, while the device was still there."""
        assert len(self.answers) == 1
        at_ms, answer = self.answers[0]
        assert self.left_ms is None or at_ms < self.left_ms
        return answer


@pytest.mark.parametrize("one_way_ms", [10, 900])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_method_is_answered_before_the_device_moves_to_another_hub(kind, one_way_ms):
    """Also over a slow line, and where the former hub drops it as soon as DPS has assigned it."""
    cloud, pair = online(kind, one_way_ms=one_way_ms)
    cloud.run_for(MINUTE)
    cloud.dps.polls = 1
    enrolled = cloud.dps.enrollments.all()[0]
    enrolled.hub = SECOND
    call = Call(cloud)
    pair.run_until(lambda: cloud.hub2.connected_devices(), 2 * MINUTE)
    assert call.answer()["status"] == 200
    assert call.answer()["payload"] == {"registering": "beside the session"}
    assert call.left_ms is not None and pair.saved["assignment"]["hub"] == SECOND


def test_method_that_leads_to_the_same_hub_costs_no_message():
    cloud, pair = online()
    load = Load(cloud, pair, MINUTE)
    call = Call(cloud)
    cloud.run_for(2 * MINUTE)
    assert call.answer()["status"] == 200
    load.check()


def test_method_is_answered_also_where_dps_is_away_and_the_session_goes_on():
    cloud, pair = online()
    cloud.down(DPS)
    call = Call(cloud)
    cloud.run_for(HOUR)
    assert call.answer()["status"] == 200 and pair.state == "online" and call.left_ms is None
    assert pair.count(actions.Dial, call.began_ms, endpoint="dps", slot="onboarding") == 1


def test_method_is_answered_with_429_while_dps_asked_to_wait():
    cloud, pair = online()
    cloud.faults.add("BUSY", service="dps", at="register", retry_after_s=600)
    assert Call(cloud).answers == []
    cloud.run_for(MINUTE)
    again = Call(cloud)
    cloud.run_for(MINUTE)
    assert again.answer()["status"] == 429 and again.answer()["payload"]["remedy"]
    assert len(cloud.journal.of("register")) == 2 and pair.state == "online"


def test_method_called_twice_at_once_registers_once_and_both_are_answered():
    cloud, pair = online()
    calls = [Call(cloud), Call(cloud)]
    cloud.run_for(MINUTE)
    assert sorted(c.answer()["status"] for c in calls) == [200, 429]
    assert len(cloud.journal.of("register")) == 2 and pair.state == "online"
