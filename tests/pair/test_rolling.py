"""A device's own certificate is renewed, proven and let go, with the emulated services.

Rule: each name is a sentence of what a fleet may count on; time is the cloud's.
"""

import pytest

from anchorwatch.core import actions, events
from hil.cloud.enrollment import CA, GROUP, X509, Enrollment
from hil.cloud.registry import Identity
from tests.pair import credentials
from tests.pair.cloud import DAY, HOUR, HUB, MINUTE, Cloud
from tests.pair.pair import Pair
from tests.pair.world import SNTP, Load

pytestmark = pytest.mark.once

DAY_S = 86_400
EST = {"identity": {"issuer": "est", "first": "at_once"}, "est": {"host": "est.example"}}


def rolling(config: dict | None = None, **more: object) -> tuple:
    """A device with a bootstrap certificate of its maker, in a group of the tenant CA as well."""
    cloud = Cloud(1)
    maker = credentials.Issuer("Maker CA", ca=True)
    mine = credentials.Credential([credentials.Issuer("dev-7", maker).der, maker.der])
    cloud.dps.enrollments.put(Enrollment("maker", GROUP, X509, maker.der, hub=HUB, hub_auth=CA))
    register(cloud, "tenant-1")
    cloud.dps.enrollments.put(
        Enrollment("tenant", GROUP, X509, primary_ca="tenant-1", hub=HUB, hub_auth=CA))
    for hub in (cloud.hub, cloud.hub2):
        hub.registry.authorities["maker"] = maker.der
    return cloud, Pair(cloud, mine, {**SNTP, **EST, **(config or {})}, **more)


def register(cloud: Cloud, name: str) -> None:
    """The operator uploads and proves the tenant's newest CA, at the hubs and at DPS."""
    for service in (cloud.hub, cloud.hub2, cloud.dps):
        cloud.issuers.register_tenant(service.certificates, name, cloud.now_ms)


def rolled(pair: Pair) -> Pair:
    """Until the first certificate of the tenant CA serves."""
    pair.run_until(lambda: active(pair) != "onboarding", HOUR)
    pair.run_until("online", HOUR)
    return pair


def active(pair: Pair) -> str:
    return pair.watch.device.slots.kept["active"]



def test_bootstrap_certificate_is_replaced_beside_the_session():
    cloud, pair = rolling()
    pair.run_until("online")
    pair.run_until(lambda: active(pair) == "a", HOUR)
    assert pair.state == "online"
    assert pair.watch.device.counters["sessions"] == 2 and pair.saved["identity"]["active"] == "a"
    assert pair.status()["identity"]["slots"]["a"]["issuer"]["cn"].startswith("Tenant CA")


def issued(cloud: Cloud) -> int:
    """How many certificates the tenant CA gave."""
    return len(cloud.journal.of("issued"))


def refusing(cloud: Cloud, accepted: str) -> None:
    """The hub takes one certificate alone, by its SHA-256."""
    for hub in (cloud.hub, cloud.hub2):
        hub.registry.authorities.clear()
    cloud.hub.put_device(Identity("dev-7", "thumbprint", primary_thumbprint=accepted), cloud.now_ms)


def test_certificate_is_renewed_at_four_fifths_of_its_life_and_the_former_one_wiped_a_day_later():
    cloud, pair = rolling()
    rolled(pair)
    began_ms = cloud.now_ms
    pair.run_until(lambda: active(pair) == "b", 80 * DAY)
    share = (cloud.now_ms - began_ms) / (90 * DAY)
    assert 0.75 <= share <= 0.81
    assert "a" in pair.slots
    cloud.run_for(DAY + HOUR)
    assert "a" not in pair.slots and pair.state == "online"


def test_renewal_loses_nothing_of_the_traffic():
    cloud, pair = rolling()
    rolled(pair)
    assert pair.ask("roll")["code"] == 3  # an issuer was asked a moment ago
    cloud.run_for(HOUR)
    load = Load(cloud, pair, 3 * MINUTE)
    assert pair.ask("roll")["ok"]
    cloud.run_for(4 * MINUTE)
    assert active(pair) == "b"
    load.check()


@pytest.mark.parametrize("way", ["method", "desired"])
def test_cloud_may_ask_for_a_new_certificate(way):
    cloud, pair = rolling({"cloud": {"allow": ["rollCertificate"]}})
    rolled(pair)
    cloud.run_for(2 * HOUR)
    if way == "method":
        done: list = []
        cloud.hub.invoke_method("dev-7", "rollCertificate", b"{}", cloud.now_ms, done=done.append)
        pair.run_until(lambda: done, MINUTE)
        assert done[0]["status"] == 200 and done[0]["payload"]["rolling"]
    else:
        now_s = cloud.utc_s(cloud.now_ms)
        wish = {"anchorwatch": {"roll": {"issued_before": now_s}}}
        cloud.hub.patch_desired("dev-7", wish, cloud.now_ms)
    pair.run_until(lambda: active(pair) == "b", HOUR)
    cloud.run_for(2 * HOUR)
    pair.restart()
    cloud.run_for(2 * HOUR)
    assert issued(cloud) == 2  # the wish is met, however often it is read


def test_issuer_that_is_down_is_asked_again_and_the_session_holds():
    cloud, pair = rolling()
    rolled(pair)
    cloud.issuer_down = lambda slot: events.IssueRefused(
        slot, "network", "refused", "", [], [], 0)  # fmt: skip
    sessions = pair.watch.device.counters["sessions"]
    cloud.run_for(84 * DAY)
    assert active(pair) == "a" and pair.watch.device.counters["sessions"] == sessions
    assert 2 <= pair.count(actions.Enroll) <= 40
    cloud.issuer_down = None
    pair.run_until(lambda: active(pair) == "b", 2 * DAY)


@pytest.mark.parametrize("fault, reason", [
    ("WRONG_CN", "wrong-name"), ("WRONG_KEY", "wrong-key"), ("ISSUE_REFUSED", "FailedToDecodeCsr"),
    ("EXPIRED_CERTIFICATE", "expired"),
])  # fmt: skip
def test_certificate_that_does_not_fit_is_never_used(fault, reason):
    cloud, pair = rolling()
    rolled(pair)
    cloud.run_for(2 * HOUR)
    cloud.faults.add(fault, service="est", device="dev-7", count=1)
    assert pair.ask("roll")["ok"]
    cloud.run_for(HOUR)
    assert active(pair) == "a" and pair.state == "online"
    assert pair.status()["identity"]["why"] == reason
    pair.run_until(lambda: active(pair) == "b", 6 * DAY)


def test_refused_trial_is_registered_at_dps_and_then_accepted():
    cloud, pair = rolling()
    rolled(pair)
    serving = pair.watch.device.credential["sha1"]
    cloud.run_for(2 * HOUR)
    refusing(cloud, serving)
    group = cloud.dps.enrollments.get("tenant")
    group.hub_auth = "thumbprint"
    pair.ask("roll")
    pair.run_until(lambda: active(pair) == "b", HOUR)
    assert pair.state == "online" and pair.watch.device.counters["registrations"] == 2


def test_new_ca_that_nobody_registered_is_named_and_the_device_moves_over_when_it_is():
    cloud, pair = rolling()
    rolled(pair)
    cloud.run_for(2 * HOUR)
    cloud.issuers.tenant.activate(cloud.now_ms)
    new = cloud.issuers.tenant.active(cloud.now_ms).thumbprint.lower()
    pair.ask("roll")
    cloud.run_for(3 * DAY)
    assert active(pair) == "a" and pair.state == "online"
    assert pair.status()["identity"]["why"] == "issuer not yet registered: " + new
    told = cloud.hub.twin("dev-7").reported.properties["anchorwatch"]["identity"]
    assert told["roll"]["why"].endswith(new)
    registrations = pair.watch.device.counters["registrations"]
    assert registrations <= 1 + 4  # at most once a day for the trial
    register(cloud, "tenant-2")
    pair.run_until(lambda: active(pair) == "b", 26 * HOUR)


def test_device_that_was_off_until_its_certificate_had_expired_comes_back_by_the_first_one():
    cloud, pair = rolling()
    rolled(pair)
    cloud.down("hub.hubs.example")
    cloud.down("dps.example")
    cloud.issuer_down = lambda slot: events.IssueRefused(slot, "network", "away", "", [], [], 0)
    cloud.run_for(100 * DAY)  # its life is 90
    assert pair.watch.device.credential["not_after"] < cloud.utc_s(cloud.now_ms)
    cloud.issuer_down = None
    for host in ("hub.hubs.example", "dps.example"):
        cloud.up(host)
    cloud.run_for(2 * DAY)
    assert pair.state == "online" and active(pair) in ("a", "b")
    assert pair.watch.device.credential["not_after"] > cloud.utc_s(cloud.now_ms)


@pytest.mark.parametrize("issuer", ["est", "dps", "hub"])
def test_breached_key_is_wiped_and_never_shown_after_the_commit(issuer):
    cloud, pair = ISSUERS[issuer]()
    rolled(pair)
    cloud.run_for(2 * HOUR)
    old = active(pair)
    assert pair.ask("roll", reason="breach")["ok"]
    pair.run_until(lambda: active(pair) != old, HOUR)
    cloud.run_for(MINUTE)
    assert old not in pair.slots
    committed_ms = cloud.now_ms
    cloud.hub.registry.authorities.clear()  # the new one is refused, too
    cloud.dps.enrollments.get("tenant").enabled = False
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    cloud.run_for(3 * DAY)
    assert pair.count(actions.Dial, committed_ms, slot=old) == 0


def by_dps(**more: object) -> tuple:
    """DPS issues, from the policy of a namespace, to a device with a certificate of its maker."""
    cloud, pair = rolling({"identity": {"issuer": "dps", "first": "at_once"}, "est": {}}, **more)
    group = cloud.dps.enrollments.get("maker")
    group.policy, group.operational = "default", True
    return cloud, pair


def by_hub(**more: object) -> tuple:
    """The hub issues to a device that DPS gave its first certificate... by EST."""
    cloud, pair = rolling({"identity": {"issuer": "hub", "first": "at_once"}, "est": {}}, **more)
    group = cloud.dps.enrollments.get("maker")
    group.policy, group.operational = "default", True
    return cloud, pair


ISSUERS = {"est": rolling, "dps": by_dps, "hub": by_hub}


def test_renewal_by_dps_is_asked_for_with_the_onboarding_certificate():
    cloud, pair = by_dps()
    cloud.dps.enrollments.get("maker").operational = False
    rolled(pair)
    first = active(pair)
    pair.run_until(lambda: active(pair) != first, 80 * DAY)
    assert pair.state == "online" and pair.watch.device.counters["sessions"] == 3


@pytest.mark.parametrize("issuer", ["dps", "hub"])
def test_services_of_the_preview_issue_and_renew(issuer):
    cloud, pair = ISSUERS[issuer]()
    rolled(pair)
    first = active(pair)
    pair.run_until(lambda: active(pair) != first, 100 * DAY)
    assert pair.state == "online"


def hub_rolls(**more: object) -> tuple:
    """On its first certificate of the hub's issuing, two hours later."""
    cloud, pair = rolled_by_hub(**more)
    cloud.run_for(2 * HOUR)
    return cloud, pair


def rolled_by_hub(**more: object) -> tuple:
    cloud, pair = by_hub(**more)
    rolled(pair)
    return cloud, pair


def test_chain_that_comes_after_a_reconnect_is_for_the_same_key():
    cloud, pair = hub_rolls()
    first = active(pair)
    cloud.faults.add("ISSUE_AFTER_RECONNECT", device="dev-7")
    assert pair.ask("roll")["ok"]
    cloud.run_for(MINUTE)
    assert active(pair) == first and pair.status()["machines"]["roll"] == "waiting for the issuer"
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until(lambda: active(pair) != first, HOUR)
    assert pair.count(actions.NewKey) == 2


def test_request_that_the_hub_never_answers_is_replaced_by_the_next():
    cloud, pair = hub_rolls()
    first = active(pair)
    cloud.faults.add("ISSUE_NEVER", device="dev-7")
    assert pair.ask("roll")["ok"]
    cloud.run_for(HOUR)
    assert active(pair) == first and pair.state == "online"
    pair.run_until(lambda: active(pair) != first, 2 * DAY)


def test_throttled_request_waits_as_long_as_it_is_told():
    cloud, pair = hub_rolls()
    first, asked_ms = active(pair), cloud.now_ms
    cloud.faults.add("BUSY", service="hub", device="dev-7", at="credential", retry_after_s=1800)
    assert pair.ask("roll")["ok"]
    pair.run_until(lambda: active(pair) != first, DAY)
    assert cloud.now_ms - asked_ms >= 1_800_000


def test_enrollment_by_thumbprint_never_rolls_by_itself_and_says_why():
    config = {"credential": {"kind": "x509", "enrollment": "thumbprint", "cert_file": "/c",
                             "key_file": "/k"}}  # fmt: skip
    cloud, pair = rolling(config)
    pair.run_until("online")
    cloud.run_for(DAY)
    assert active(pair) == "onboarding" and issued(cloud) == 0
    assert "thumbprint" in pair.status()["identity"]["forbidden"]
    assert not pair.ask("roll")["ok"]


def test_lost_slot_is_said_and_the_device_serves_by_what_it_has():
    cloud, pair = rolling()
    rolled(pair)
    del pair.slots["a"]  # both of its files are damaged
    pair.restart()
    pair.run_until("online", HOUR)
    assert "slot a cannot be read" in [about["what"] for about in pair.tells("warning")]
    pair.run_until(lambda: active(pair) != "onboarding", 2 * HOUR)


def test_request_survives_a_restart_with_its_key():
    cloud, pair = rolling()
    rolled(pair)
    cloud.run_for(2 * HOUR)
    cloud.issuer_down = lambda slot: events.IssueLater(slot, 3600, "approval")
    assert pair.ask("roll")["ok"]
    cloud.run_for(MINUTE)
    request = pair.slots["b"]["csr"]
    pair.restart()
    cloud.issuer_down = None
    pair.run_until(lambda: active(pair) == "b", DAY)
    assert pair.slots["b"]["csr"] == request and pair.count(actions.NewKey) == 2


def test_power_cut_at_every_step_of_a_roll_ends_with_the_new_certificate():
    """The steps are the driver's answers; every write is cut in tests/powercut."""
    for cut in range(14):
        cloud, pair = rolling()
        rolled(pair)
        cloud.run_for(2 * HOUR)
        assert pair.ask("roll")["ok"]
        for _ in range(cut):
            cloud._step(cloud.now_ms + HOUR)
        pair.restart()
        pair.run_until(lambda p=pair: active(p) == "b", 2 * DAY)
        pair.run_until("online", HOUR)


def test_dps_hears_of_the_newest_certificate_first_also_when_the_ladder_asks():
    """Registering an older one would set the hub's thumbprint back."""
    cloud, pair = rolling()
    rolled(pair)
    cloud.run_for(2 * HOUR)
    cloud.issuers.tenant.activate(cloud.now_ms)
    cloud.down("dps.example")
    assert pair.ask("roll")["ok"]
    pair.run_until("holding a refused certificate", HOUR)
    for hub in (cloud.hub, cloud.hub2):
        hub.registry.authorities.clear()
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    since_ms = cloud.now_ms
    cloud.up("dps.example")
    cloud.run_for(3 * DAY)
    asked = [order.slot for t, order in pair.performed
             if t >= since_ms and isinstance(order, actions.Dial) and order.endpoint == "dps"
             and order.slot]  # fmt: skip
    assert asked[0] == "b" and "a" in asked
