"""The ladder of a device that has a hub and nothing else: no [dps], or a connection string.

Rule: as in test_ladder_table.py; nothing but the hub can let such a device in again.
"""

import pytest

from anchorwatch.core import actions
from hil.cloud.registry import Identity
from tests.pair import credentials
from tests.pair.cloud import DAY, HOUR, HUB, MINUTE, Cloud
from tests.pair.ladder import DEVICE
from tests.pair.pair import Pair
from tests.pair.world import SNTP

pytestmark = pytest.mark.once

ALONE = {**SNTP, "dps": None, "hub": {"host": HUB}}
SLOWEST = 6 * HOUR + MINUTE


def by_thumbprint() -> tuple:
    mine = credentials.certificate()
    thumbprint = mine.told()["fingerprint"].upper()
    return mine, Identity(DEVICE, "thumbprint", primary_thumbprint=thumbprint)


def by_ca() -> tuple:
    return credentials.x509_group()[0], Identity(DEVICE, "ca")


def by_key() -> tuple:
    """What a connection string says: host, device, key."""
    key = credentials.OWN_KEY
    return credentials.Credential(key=key), Identity(DEVICE, "sas", primary_key=key)


KINDS = {"thumbprint": by_thumbprint, "ca": by_ca, "connection string": by_key}


def alone(kind, known: bool = True) -> tuple:
    """A device that its hub knows, or does not know yet."""
    cloud = Cloud(1)
    mine, identity = kind()
    if mine.chain:
        cloud.hub.registry.authorities["Device CA"] = mine.chain[-1]
    if known:
        cloud.hub.put_device(identity, 0)
    return cloud, Pair(cloud, mine, ALONE), identity


def connects(cloud, since_ms: int) -> int:
    rows = cloud.journal.of("connect refused") + cloud.journal.of("connected")
    return len([r for r in rows if r["t_ms"] > since_ms])


def rungs(pair) -> str:
    told = [about["machines"]["ladder"][:1] for about in pair.tells("state")]
    return "".join(dict.fromkeys(rung for rung in told if rung.isdigit()))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_device_that_its_hub_does_not_know_yet_is_online_once_it_does(kind):
    cloud, pair, identity = alone(kind, known=False)
    cloud.run_for(2 * DAY)
    assert rungs(pair) == "16" and pair.fault["remedy"]
    assert 8 <= connects(cloud, 0) <= 40
    cloud.hub.put_device(identity, cloud.now_ms)
    pair.run_until("online", SLOWEST)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_device_that_was_deleted_and_made_again_is_back_in_the_slow_cadence(kind):
    cloud, pair, identity = alone(kind)
    pair.run_until("online")
    cloud.run_for(1_000)
    cloud.hub.delete_device(DEVICE, cloud.now_ms)
    began_ms = cloud.now_ms
    cloud.run_for(3 * DAY)
    assert rungs(pair) == "16" and connects(cloud, began_ms + DAY) <= 2 * 5
    cloud.hub.put_device(identity, cloud.now_ms)
    pair.run_until("online", SLOWEST)
    assert pair.watch.states()["ladder"] == "clear" and pair.fault is None
    assert pair.count(actions.WipeKey) == pair.count(actions.Wipe) == 0


@pytest.mark.parametrize("kind", [by_thumbprint, by_key], ids=["thumbprint", "connection string"])
def test_hub_with_both_entries_lets_the_device_change_its_credential(kind):
    """Primary and secondary overlap: the spare one is filled first, the old one emptied last."""
    cloud, pair, identity = alone(kind)
    pair.run_until("online")
    new = credentials.certificate() if kind is by_thumbprint else credentials.Credential(
        key=credentials.GROUP_KEY)  # fmt: skip
    if new.key:
        identity.secondary_key = new.key
    else:
        identity.secondary_thumbprint = new.told()["fingerprint"].upper()
    cloud.hub.put_device(identity, cloud.now_ms)
    pair.install(new)
    cloud.hub.drop(DEVICE, "upgrade", cloud.now_ms)
    cloud.run_for(1_000)
    pair.run_until("online", MINUTE)
    identity.primary_key = identity.primary_thumbprint = ""
    cloud.hub.put_device(identity, cloud.now_ms)
    pair.restart()
    pair.run_until("online", MINUTE)
    assert rungs(pair) == "" and cloud.journal.of("connect refused") == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_operator_who_asks_for_dps_is_told_that_there_is_none(kind):
    cloud, pair, _ = alone(kind)
    pair.run_until("online")
    answer = pair.ask("reprovision")
    assert not answer["ok"] and "[dps]" in answer["value"] and answer["remedy"]
