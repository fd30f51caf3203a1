"""The system layer with real stores of different years: what an OS drops while it is in use.

Rule: real certificates, real dates; the history is that of Baltimore CyberTrust Root, which the
service left for DigiCert Global Root G2 and which ended on 2025-05-12.
"""

import pytest

from anchorwatch.config import Config
from anchorwatch.core import explain
from anchorwatch.core.trust import Trust
from anchorwatch.linux.layers import Layers
from tests.linux import stores
from tests.timelines import replay

pytestmark = pytest.mark.once

DAY_S = 86_400
IN_2023, IN_2025, IN_2026 = 1_686_000_000, 1_743_500_000, 1_795_000_000
BALTIMORE = "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb"
G2 = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"
SYSTEM = {"system": True, "system_scopes": ["hub", "dps"], "system_suffixes": [".hubs.example"]}


def layers(store, monkeypatch, **over):
    """What the driver reads where this file is the OS store."""
    monkeypatch.setattr("anchorwatch.linux.layers._SYSTEM", (str(store),))
    tree = replay.merged(replay.BASE, {"trust": dict(SYSTEM, **over)})
    return Layers(Config(tree), None, lambda *_: None).read()


def device(read, utc_s, body=None, authenticated=True):
    """A root store as the agent starts with it."""
    trust = Trust(Config(replay.BASE))
    trust.start(read, body or {})
    trust.judge_at(utc_s, utc_s if authenticated else 0)
    return trust


def session(trust, anchor, utc_s):
    """One accepted session a day; the state as it was saved."""
    trust.judge_at(utc_s, utc_s)
    seen = replay.verified("next", anchor="g2")
    seen.anchor, seen.issuer_spki = anchor, "ca"
    trust.record("hub", seen, utc_s)
    trust.accepted("hub", seen, utc_s)
    return trust.body()


@pytest.fixture(scope="module", params=sorted(stores.CERTIFI))
def any_year(request):
    return stores.certifi(request.param)


def test_every_root_of_certifi_is_taken_or_left_out_with_no_fault(any_year, monkeypatch):
    anchors = layers(any_year, monkeypatch)["system"]["anchors"]
    told = any_year.read_bytes().count(b"-----BEGIN CERTIFICATE-----")
    assert told > 100 and len(anchors) > 0.95 * told


def test_every_root_of_debian_is_taken_or_left_out_with_no_fault(monkeypatch):
    for store in stores.debian():
        anchors = layers(store, monkeypatch)["system"]["anchors"]
        told = store.read_bytes().count(b"-----BEGIN CERTIFICATE-----")
        assert told > 100 and len(anchors) > 0.95 * told, store.name


def test_system_roots_are_good_for_the_configured_names_only(monkeypatch):
    trust = device(layers(stores.certifi("2024.8.30"), monkeypatch), IN_2023)
    assert len(trust.offered("hub", "a.hubs.example")) > 100
    elsewhere = trust.offered("hub", "hub.elsewhere.example")
    assert {trust.layer_of(one) for one in elsewhere} == {"factory"}


def test_a_root_that_the_os_drops_while_it_carries_the_session_stays_until_its_heir_is_proven(
    monkeypatch,
):
    old, new = stores.certifi("2022.12.7"), stores.certifi("2026.10.18")
    trust = device(layers(old, monkeypatch), IN_2023)
    assert BALTIMORE in trust.offered("hub", "a.hubs.example")
    body = session(trust, BALTIMORE, IN_2023)
    after = device(layers(new, monkeypatch), IN_2023, body)
    assert after.layer_of(BALTIMORE) == "kept"
    assert BALTIMORE in after.offered("hub", "a.hubs.example")
    assert BALTIMORE not in after.offered("dps", "a.hubs.example")
    offered = []
    for day in range(1, 41):
        session(after, G2, IN_2023 + day * DAY_S)
        offered.append(BALTIMORE in after.offered("hub", "a.hubs.example"))
    assert offered.index(False) == 29, "gone 30 days after it was last presented"
    assert after.evidence.proven["hub"] == G2


def test_with_an_authenticated_clock_an_expired_root_is_offered_only_where_it_is_proven(
    monkeypatch,
):
    store = stores.certifi("2022.12.7")
    body = session(device(layers(store, monkeypatch), IN_2025), BALTIMORE, IN_2025)
    today = device(layers(store, monkeypatch), IN_2026, body)
    assert BALTIMORE in today.offered("hub", "a.hubs.example")
    assert BALTIMORE not in today.offered("dps", "a.hubs.example")
    row = [row for row in explain.listing(today) if row["sha256"] == BALTIMORE][0]
    assert row["expired_days"] == (IN_2026 - row["not_after"]) // DAY_S > 500
    assert row["offered"] == ["hub"]


def test_without_an_authenticated_clock_the_same_root_is_judged_at_the_floor(monkeypatch):
    today = device(layers(stores.certifi("2022.12.7"), monkeypatch), IN_2026, authenticated=False)
    assert BALTIMORE in today.offered("dps", "a.hubs.example")


def test_a_machine_that_never_upgrades_its_store_offers_no_expired_root_to_a_new_device(
    monkeypatch,
):
    today = device(layers(stores.certifi("2022.12.7"), monkeypatch), IN_2026)
    ends = [today.entry(one)["not_after"] for one in today.offered("hub", "a.hubs.example")]
    assert min(ends) >= IN_2026
