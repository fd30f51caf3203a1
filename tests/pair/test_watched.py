"""What is looked at beside hub and DPS: a mirror and the EST server are watched, and no session
hangs on them."""

import pytest

from anchorwatch.config import Config
from anchorwatch.core import actions
from anchorwatch.core.endpoints import Endpoints
from tests.pair.bundles import bundle
from tests.pair.cloud import DAY, DPS, HOUR, HUB, MINUTE, SECOND, Front
from tests.pair.test_bundles import dropped, stage
from tests.pair.world import Load, online
from tests.timelines.replay import BASE, entry, merged

MIRROR = "https://mirror.example/vendor"
TRUST = {"trust": {"mirrors": [MIRROR]}}


def watching(root="g2", **more):
    """A device online that has a mirror, whose chain ends in this root."""
    cloud, pair = online(config={**TRUST, **more}, rooted=("vendor",))
    cloud.fronts["mirror.example"] = Front(None)
    cloud.fronts["mirror.example"].present(root)
    return cloud, pair


def probes(pair):
    return pair.count(actions.Dial, endpoint="mirror")


def reported(cloud):
    return cloud.hub.twin("dev-7").reported.properties["anchorwatch"]


def test_mirror_is_probed_once_a_day_with_its_evidence_in_the_status():
    cloud, pair = watching()
    cloud.run_for(7 * DAY)
    assert probes(pair) == 7 and pair.count(actions.Dial, endpoint="mirror", slot=None) == 7
    seen = pair.status()["endpoints"]["mirror"]
    assert (seen["host"], seen["transport"], seen["anchor"]) == ("mirror.example", "https", "g2")
    assert seen["evidence_days"] == 7 and pair.status()["gap"] == []
    assert reported(cloud)["trust"]["mirror"] == {"anchor": "g2", "layer": "factory"}


def test_mirror_that_nobody_knows_is_a_gap_and_neither_a_fault_nor_a_reason_to_fetch():
    cloud, pair = watching("unknown")
    pair.run_until(lambda: pair.tells("gap"), DAY + MINUTE)
    cloud.run_for(14 * DAY)
    assert reported(cloud)["gap"]["mirror"]["presented"] == "CN=unknown"
    assert len(pair.tells("gap")) == 1 and pair.fault is None and pair.state == "online"
    assert probes(pair) <= 14 + 3 and pair.count(actions.Fetch) <= 15 + 1
    assert pair.status()["trust"]["emergency"] == {}


def test_root_that_is_added_closes_the_gap_of_a_mirror_at_once():
    cloud, pair = watching("unknown")
    pair.run_until(lambda: pair.tells("gap"), DAY + MINUTE)
    cloud.run_for(HOUR)
    pair.ask("roots_add", entry=entry("unknown"), pem="PEM")
    pair.run_until(lambda: not pair.tells("gap")[-1]["open"], 2 * MINUTE)
    assert pair.status()["gap"] == []


def test_mirror_that_nobody_knows_still_heals_a_stranded_device_in_a_hurry():
    cloud, pair = watching("unknown")
    cloud.run_for(5 * DAY)
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    cloud.fronts[HUB].present("new")
    dropped(cloud, pair)
    assert pair.run_until("online", 5 * MINUTE) <= 2 * MINUTE


@pytest.mark.parametrize("root", ["g2", "unknown"])
def test_mirror_says_nothing_for_or_against_a_bundle_in_its_trial(root):
    cloud, pair = watching(root, reverify={"interval_s": 600})
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    seen = set()

    def committed():
        seen.update(pair.watch.trust.bundles.get("vendor", {}).get("seen", []))
        return stage(pair) == "committed"

    pair.run_until(committed, 2 * DAY)
    cloud.run_for(MINUTE)
    assert seen <= {"dps", "hub"} and probes(pair) >= 1


def test_silent_mirror_is_left_for_a_day_after_three_tries_and_costs_the_session_nothing():
    cloud, pair = watching()
    cloud.fronts["mirror.example"].up = False
    load = Load(cloud, pair, 2 * DAY, telemetry_ms=HOUR)
    cloud.run_for(7 * DAY)
    assert 7 <= probes(pair) <= 7 + 2 and pair.tells("gap") == [] and pair.fault is None
    assert pair.state == "online" and pair.count(actions.Swap) == 0
    load.check()


def test_mirror_is_never_sought_in_a_websocket():
    cloud, pair = watching(mqtt={"transport": "auto"})
    cloud.fronts["mirror.example"].up = False
    cloud.run_for(3 * DAY)
    assert probes(pair) >= 3 and pair.tells("transport") == []
    assert probes(pair) == pair.count(actions.Dial, endpoint="mirror", transport="https")


@pytest.mark.parametrize("reason, code, named", [
    ("policy", 1, "[tls.mirror]"), ("network", 3, "later"), ("no-root", 1, "signed")])
def test_import_that_a_mirror_does_not_give_says_what_to_do(reason, code, named):
    cloud, pair = watching()
    cloud.mirrors[MIRROR] = reason
    pair.ask("roots_import", url=MIRROR)
    pair.run_until(lambda: pair.tells("answer"), MINUTE)
    answer = pair.tells("answer")[-1]
    assert (answer["ok"], answer["what"], answer["code"]) == (False, reason, code)
    assert named in answer["remedy"]


def test_status_names_the_root_of_dps_that_was_seen_last():
    cloud, pair = watching()
    cloud.fronts[DPS].present("baltimore")
    cloud.run_for(DAY + HOUR)
    assert pair.status()["endpoints"]["dps"]["anchor"] == "baltimore"
    cloud.fronts[DPS].present("g2")
    cloud.dps.enrollments.get("dev-7").hub = SECOND
    pair.ask("reprovision")
    pair.run_until(lambda: cloud.hub2.connected_devices(), 5 * MINUTE)
    assert pair.status()["endpoints"]["dps"]["anchor"] == "g2"
    told = cloud.hub2.twin("dev-7").reported.properties["anchorwatch"]
    assert told["trust"]["dps"]["anchor"] == "g2"


EST = {"identity": {"issuer": "est"}, "est": {"host": "est.example"}}
OWN = {"identity": {"issuer": "est"}, "est": {"host": "est.example", "anchors_file": "/own.pem"}}


def with_est(root, own_roots=None):
    """A device online whose EST server presents this root; own_roots: of est.anchors_file."""
    cloud, pair = online(config=EST if own_roots is None else OWN)
    pair.own_roots = own_roots or []
    cloud.fronts["est.example"] = Front(None)
    cloud.fronts["est.example"].present(root)
    return cloud, pair


def est_probes(pair):
    return pair.count(actions.Dial, endpoint="est", slot=None)


@pytest.mark.parametrize("root, own_roots, layer", [
    ("g2", None, "factory"), ("company", ["company"], "est.anchors_file"),
    ("g2", ["g2"], "est.anchors_file")])
def test_est_server_is_probed_once_a_day_by_the_anchors_of_its_scope_or_of_its_file(
        root, own_roots, layer):
    cloud, pair = with_est(root, own_roots)
    cloud.run_for(7 * DAY)
    assert est_probes(pair) == pair.count(actions.Dial, endpoint="est") == 7
    seen, status = pair.status()["endpoints"]["est"], pair.status()
    assert (seen["anchor"], seen["layer"], seen["evidence_days"]) == (root, layer, 7)
    assert seen["offered"] == ([] if own_roots else ["baltimore", "g2"])
    assert (status["gap"], status["fault"], status["trust"]["emergency"]) == ([], None, {})
    assert reported(cloud)["trust"]["est"] == {"anchor": root, "layer": layer}


@pytest.mark.parametrize("root, own_roots, setting", [
    ("unknown", None, "roots add"), ("unknown", ["company"], "est.anchors_file"),
    ("g2", ["company"], "est.anchors_file")])
def test_est_server_that_its_anchors_do_not_fit_is_a_gap_that_names_what_to_change(
        root, own_roots, setting):
    cloud, pair = with_est(root, own_roots)
    pair.run_until(lambda: pair.tells("gap"), DAY + MINUTE)
    cloud.run_for(DAY)
    (gap,) = pair.status()["gap"]
    assert (gap["endpoint"], gap["presented"]) == ("est", "CN=" + root)
    assert setting in gap["remedy"] and pair.tells("gap")[0]["remedy"] == gap["remedy"]
    assert reported(cloud)["gap"]["est"] == {
        "presented": "CN=" + root, "verdict": "unknown-issuer"}
    assert est_probes(pair) <= 3 + 1 and pair.count(actions.Fetch) == 0
    assert (len(pair.tells("gap")), pair.fault, pair.state) == (1, None, "online")


def test_file_of_roots_that_is_put_right_closes_the_gap_at_the_next_probe():
    cloud, pair = with_est("company", ["former"])
    pair.run_until(lambda: pair.tells("gap"), DAY + MINUTE)
    cloud.run_for(HOUR)
    pair.own_roots = ["company"]
    cloud.run_for(DAY)
    assert pair.status()["gap"] == [] and "est" not in (reported(cloud).get("gap") or {})


def test_reserve_and_distrust_of_the_layers_have_no_say_over_a_file_of_roots():
    cloud, pair = with_est("g2", ["g2"])
    pair.ask("roots_add", entry=entry("company"), pem="PEM")
    cloud.fronts[HUB].present("baltimore")
    cloud.fronts[DPS].present("baltimore")
    cloud.run_for(2 * HOUR)
    pair.ask("roots_distrust", sha256="g2", now=True)
    cloud.run_for(2 * DAY)
    assert [a["ok"] for a in pair.tells("answer")] == [True, True]
    assert pair.watch.trust.distrusted("g2")
    assert pair.status()["trust"]["emergency"] == {} and pair.status()["gap"] == []
    assert est_probes(pair) == pair.count(actions.Dial, endpoint="est", anchors=[], limits={}) >= 3


@pytest.mark.parametrize("config, rooted, others", [
    ({}, ["vendor"], ["dps"]),
    ({"dps": None, "hub": {"host": "hub.hubs.example"}}, ["vendor"], []),
    (TRUST, ["vendor"], ["dps", "mirror"]), (TRUST, ["site"], ["dps"]), (TRUST, [], ["dps"]),
    ({"trust": {"mirrors": ["http://m.example/b"]}}, ["vendor"], ["dps"]),
    ({"trust": {"mirrors": ["https://m.example/b?x", MIRROR]}}, ["vendor"], ["dps", "mirror"]),
    (EST, [], ["dps", "est"]), ({"est": {"host": "est.example"}}, [], ["dps"]),
    (dict(EST, est={"host": "est.example", "anchors_file": "/own.pem"}), [], ["dps", "est"]),
    ({"est": {"host": "est.example", "anchors_file": "/own.pem"}}, [], ["dps"]),
])
def test_what_is_looked_at_is_what_the_configuration_uses(config, rooted, others):
    endpoints = Endpoints(Config(merged(BASE, config)))
    endpoints.start(rooted)
    assert endpoints.others == others


def test_mirror_is_dialled_by_its_own_port_and_the_first_that_is_over_https_counts():
    mirrors = ["http://a.example/b", "https://b.example:8443/b", "https://c.example/b"]
    endpoints = Endpoints(Config(merged(BASE, {"trust": {"mirrors": mirrors}})))
    endpoints.start(["vendor"])
    assert endpoints.where("mirror", None, "https") == ("b.example", 8443)
    assert endpoints.where("hub", "h.example", "websocket") == ("h.example", 443)
    assert endpoints.where("hub", None, "mqtt") == ("", 8883)
