"""Signed bundles on a device and in its cloud: tried, taken, rolled back, and never a way to lose
the device.

Rule: each name is a sentence of what a fleet may count on; time is the cloud's.
"""

import pytest

from anchorwatch.core import actions, events
from tests.pair.bundles import FOLDER, HOLD_S, MIRROR, TRUST, anchor, bundle, hard, sunset
from tests.pair.cloud import DAY, DPS, EPOCH_UTC_S, HOUR, HUB, MINUTE, End
from tests.pair.world import device, online
from tests.timelines.replay import entry

pytestmark = pytest.mark.once

DAY_S = 86_400
YEAR_S = 365 * DAY_S


def signed(config: dict | None = None, **more: object) -> tuple:
    """A device online at roots of its factory layer, with a mirror that has nothing yet."""
    return online(config={**TRUST, **(config or {})}, rooted=("vendor",), **more)


def stage(pair: object, layer: str = "vendor") -> str:
    """How far the layer's bundle has come."""
    return pair.watch.trust.bundles.get(layer, {}).get("stage", "none")


def bring(pair: object, tree: dict) -> dict:
    """An operator brings a bundle in a folder; the answer."""
    pair.cloud.mirrors[FOLDER] = tree
    before = len(pair.tells("answer"))
    pair.ask("roots_import", url=FOLDER)
    pair.run_until(lambda: len(pair.tells("answer")) > before, MINUTE)
    return pair.tells("answer")[before]


def committed(pair: object, tree: dict) -> None:
    """The same, until it is in force."""
    assert bring(pair, tree)["ok"]
    pair.run_until(lambda: stage(pair) == "committed", HOUR)


def dropped(cloud: object, pair: object) -> None:
    """The hub ends the session, so that the next handshake is due."""
    cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
    pair.run_until(lambda: pair.state != "online", MINUTE)


def staged(pair: object) -> list[tuple[str, int]]:
    """The stages that were told, with their times."""
    return [(about["stage"], t) for t, told, about in pair.told if told == "bundle" and
            "stage" in about]  # fmt: skip


def test_stranded_device_heals_itself_from_a_mirror():
    cloud, pair = signed()
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    cloud.fronts[HUB].present("new")
    dropped(cloud, pair)
    assert pair.run_until("online", 5 * MINUTE) <= 5 * MINUTE
    pair.run_until(lambda: stage(pair) == "committed", 2 * HOUR)
    assert pair.watch.connection.evidence.anchor == "new" and pair.status()["gap"] == []


def test_device_that_never_had_a_session_heals_itself_from_a_mirror():
    cloud, pair = device(config=TRUST, rooted=("vendor",))
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    for front in cloud.fronts.values():
        front.present("new")
    pair.run_until("online", 10 * MINUTE)


def test_dead_and_lying_mirrors_are_passed_over_for_one_that_has_the_bundle():
    mirrors = [MIRROR, "http://second.example/v", "https://third.example/v"]
    cloud, pair = signed({"trust": {"mirrors": mirrors}})
    cloud.mirrors = {MIRROR: "silent", mirrors[1]: "below threshold",
                     mirrors[2]: bundle(1, ["g2", "new"])}  # fmt: skip
    cloud.fronts[HUB].present("new")
    dropped(cloud, pair)
    pair.run_until("online", HOUR)
    reasons = {about["reason"] for about in pair.tells("bundle") if "reason" in about}
    assert reasons == {"silent", "below threshold"}


def test_mirror_is_asked_a_few_times_soon_and_then_seldom():
    cloud, pair = signed()
    cloud.fronts[HUB].present("new")
    dropped(cloud, pair)
    pair.run_until(lambda: pair.count(actions.Fetch), 5 * MINUTE)
    began_ms = cloud.now_ms
    cloud.run_for(DAY)
    asked = [t for t, a in pair.performed if isinstance(a, actions.Fetch) and t >= began_ms]
    assert 12 <= len(asked) <= 96
    assert all(b - a >= 15 * MINUTE for a, b in zip(asked[3:], asked[4:]))


def migrated(days: int) -> tuple:
    """A fleet's migration as it should be: `old` came with a bundle, the next adds `new`, the hub
    moves, the third retires `old`; so many days later."""
    cloud, pair = signed(roots=("g2",))
    committed(pair, bundle(1, ["old"]))
    cloud.fronts[HUB].present("old")
    pair.saved["trust"]["proven"], pair.saved["trust"]["seen"] = {}, {}
    pair.restart()
    cloud.run_for(2 * DAY)
    committed(pair, bundle(2, ["new", "old"]))
    cloud.fronts[HUB].present("new")
    cloud.run_for(HOUR)
    committed(pair, bundle(3, ["new", anchor("old", "retired")]))
    cloud.run_for(days * DAY)
    assert pair.watch.connection.evidence.anchor == "new"
    return cloud, pair


def test_hub_that_reverts_to_a_retired_root_is_reached_by_the_reserve_alone():
    cloud, pair = migrated(40)
    assert pair.watch.trust.evidence.proven["hub"] == "new"
    assert "old" not in pair.watch.trust.offered("hub")
    assert "old" in pair.watch.trust.reserve("hub")
    cloud.fronts[HUB].present("old")
    dropped(cloud, pair)
    pair.run_until("online", 5 * MINUTE)
    assert pair.tells("emergency_anchor") == [{"endpoint": "hub", "anchor": "old"}]
    assert "old" in pair.watch.trust.offered("hub")
    pair.restart()
    pair.run_until("online", 5 * MINUTE)
    assert len(pair.tells("emergency_anchor")) == 1


def test_hub_that_reverts_within_a_month_is_reached_at_once():
    cloud, pair = migrated(5)
    cloud.fronts[HUB].present("old")
    dropped(cloud, pair)
    assert pair.run_until("online", 5 * MINUTE) <= MINUTE
    assert pair.tells("emergency_anchor") == []


def test_migration_back_and_forth_is_followed_each_time():
    cloud, pair = migrated(40)
    for root in ("old", "new", "old", "new"):
        cloud.fronts[HUB].present(root)
        dropped(cloud, pair)
        pair.run_until("online", 5 * MINUTE)
        cloud.run_for(3 * HOUR)
        assert pair.watch.connection.evidence.anchor == root


def test_early_switch_to_a_staged_root_is_reached_by_the_reserve_alone():
    cloud, pair = signed()
    committed(pair, bundle(1, ["g2", anchor("next", "staged")]))
    assert "next" not in pair.watch.trust.offered("hub")
    cloud.fronts[HUB].present("next")
    dropped(cloud, pair)
    pair.run_until("online", 5 * MINUTE)
    assert pair.tells("emergency_anchor") == [{"endpoint": "hub", "anchor": "next"}]


@pytest.mark.parametrize("state", ["staged", "retired", "active"])
def test_hard_distrusted_root_is_neither_offered_nor_in_reserve(state):
    cloud, pair = signed()
    committed(pair, bundle(1, ["g2", anchor("bad", state)], [hard("bad")]))
    cloud.fronts[HUB].present("bad")
    dropped(cloud, pair)
    cloud.run_for(2 * DAY)
    assert pair.state != "online"
    dialled = [a.anchors for _, a in pair.performed if isinstance(a, actions.Dial)]
    assert all("bad" not in anchors for anchors in dialled)
    assert "bad" not in pair.watch.trust.reserve("hub")


def attacked(cloud: object) -> None:
    """An attacker with the key of g2 answers every second dial to hub and DPS."""
    for front in (cloud.fronts[HUB], cloud.fronts[DPS]):
        genuine = front.ends[0]
        front.ends = [genuine, End("127.0.0.66", "g2", "forged", ca="evil", forged=True)]
        front.choose = lambda number, chance=cloud.random: chance.randrange(2)


def test_holder_of_a_distrusted_root_gains_nothing_in_probe_trial_and_hold(capsys):
    stages = set()
    for seed in range(12):
        cloud, pair = signed(cloud_seed=seed)
        cloud.run_for(2 * HOUR)
        bring(pair, bundle(1, ["new"], [hard("g2")], issued_s=cloud.utc_s(cloud.now_ms)))
        attacked(cloud)
        cloud.every(10 * MINUTE, cloud.now_ms + DAY, lambda p=pair: stages.add(stage(p)))
        cloud.every(HOUR, cloud.now_ms + DAY, lambda c=cloud: c.hub.drop("dev-7", "", c.now_ms))
        cloud.run_for(DAY)
        since_ms = next((t for word, t in staged(pair) if word == "trial"), cloud.now_ms)
        assert [(t, e) for t, e in cloud.captured if t > since_ms] == [], seed
        pair.run_until("online", HOUR)
    assert "committed" in stages


def test_hold_keeps_the_known_issuers_for_its_time_and_no_longer():
    cloud, pair = signed(roots=("g2", "baltimore"))
    cloud.run_for(2 * HOUR)
    committed(pair, bundle(1, ["new"], [hard("g2", 3 * DAY_S)],
                           issued_s=cloud.utc_s(cloud.now_ms)))  # fmt: skip
    held = pair.status()["trust"]["holds"]
    assert held == {"hub": ["g2"], "dps": ["g2"]}
    for _ in range(2):
        cloud.run_for(DAY)
        dropped(cloud, pair)
        pair.run_until("online", 5 * MINUTE)
    cloud.fronts[HUB].ends[0].ca = "ca-2"  # another issuer below the same root: not on hold
    dropped(cloud, pair)
    cloud.run_for(6 * HOUR)
    assert pair.state != "online" and pair.fault["verdict"] == "on-hold"
    cloud.fronts[HUB].ends[0].ca = "ca-1"
    pair.run_until("online", 2 * HOUR)
    cloud.run_for(2 * DAY)
    assert "g2" not in pair.watch.trust.offered("hub") and pair.status()["trust"]["holds"] == {}
    cloud.fronts[HUB].present("new")
    pair.run_until(lambda: pair.watch.connection.evidence.anchor == "new", 3 * HOUR)


def test_hold_ends_when_another_root_works():
    cloud, pair = signed()
    cloud.run_for(2 * HOUR)
    committed(pair, bundle(1, ["new"], [hard("g2")], issued_s=cloud.utc_s(cloud.now_ms)))
    cloud.fronts[HUB].present("new")
    pair.run_until(lambda: "hub" not in pair.status()["trust"]["holds"], 2 * HOUR)
    cloud.run_for(HOUR)
    assert "g2" not in pair.watch.trust.offered("hub")
    assert pair.watch.trust.evidence.proven["hub"] == "new"


@pytest.mark.parametrize("at", [HUB, DPS])
def test_captive_portal_at_the_probe_neither_vetoes_nor_reverts(at):
    cloud, pair = signed()
    front, genuine = cloud.fronts[at], cloud.fronts[at].ends
    front.ends = [End("127.0.0.80", "portal", "portal-leaf", ca="portal")]
    bring(pair, bundle(1, ["g2", "new"], [hard("baltimore")]))
    cloud.run_for(6 * HOUR)
    assert "reverted" not in {word for word, _ in staged(pair)}
    front.ends = genuine
    pair.run_until(lambda: stage(pair) == "committed", 4 * HOUR)
    assert "reverted" not in {word for word, _ in staged(pair)}


def test_portal_before_every_endpoint_leaves_the_candidate_waiting():
    cloud, pair = signed()
    genuine = {host: cloud.fronts[host].ends for host in cloud.fronts}
    for front in cloud.fronts.values():
        front.ends = [End("127.0.0.80", "portal", "portal-leaf", ca="portal")]
    bring(pair, bundle(1, ["g2", "new"], [hard("baltimore")]))
    cloud.run_for(2 * DAY)
    assert stage(pair) == "candidate"
    for host, front in cloud.fronts.items():
        front.ends = genuine[host]
    pair.run_until(lambda: stage(pair) == "committed", 4 * HOUR)


@pytest.mark.parametrize("boots_a_day", [1, 6])
def test_month_of_power_cycles_without_a_network_keeps_the_candidate(boots_a_day):
    cloud, pair = signed()
    for host in cloud.fronts:
        cloud.down(host)
    bring(pair, bundle(1, ["g2", "new"], [hard("baltimore")]))
    for _ in range(30 * boots_a_day):
        cloud.run_for(DAY // boots_a_day)
        pair.restart()
        assert stage(pair) == "candidate"
    for host in cloud.fronts:
        cloud.up(host)
    pair.run_until(lambda: stage(pair) == "committed", 6 * HOUR)
    assert pair.watch.trust.bundles["vendor"]["version"] == 1


def test_trial_that_is_cut_off_from_the_network_for_a_month_is_not_rolled_back():
    cloud, pair = signed()
    bring(pair, bundle(1, ["g2", "new"], [hard("baltimore")]))
    pair.run_until(lambda: stage(pair) == "trial", HOUR)
    for host in cloud.fronts:
        cloud.down(host)
    for _ in range(60):
        cloud.run_for(DAY // 2)
        pair.restart()
    assert "reverted" not in {word for word, _ in staged(pair)}
    for host in cloud.fronts:
        cloud.up(host)
    pair.run_until("online", 6 * HOUR)
    pair.run_until(lambda: stage(pair) == "committed", 6 * HOUR)


def harmful(cloud: object, pair: object) -> dict:
    """A bundle whose limit the server's present leaf breaks."""
    now_s = cloud.utc_s(cloud.now_ms)
    cloud.fronts[HUB].ends[0].not_before = now_s - 10 * DAY_S
    return bundle(1, ["new"], [sunset("g2", now_s - 100 * DAY_S)], issued_s=now_s)


@pytest.mark.parametrize("restarts", [False, True])
def test_reverted_version_comes_again_at_most_daily(restarts):
    cloud, pair = signed()
    cloud.mirrors[MIRROR] = harmful(cloud, pair)
    assert bring(pair, cloud.mirrors[MIRROR])["ok"]
    pair.run_until(lambda: stage(pair) == "reverted", HOUR)
    for _ in range(40):
        cloud.run_for(6 * HOUR)
        if restarts:
            pair.restart()
        pair.ask("roots_import", url=FOLDER)
    tried = [t for word, t in staged(pair) if word == "reverted"]
    assert 5 <= len(tried) <= 11
    assert all(b - a >= DAY - MINUTE for a, b in zip(tried, tried[1:]))
    pair.run_until("online")
    assert pair.watch.connection.evidence.anchor == "g2"


def test_reverted_version_is_tried_at_once_when_another_chain_is_presented():
    cloud, pair = signed()
    bring(pair, harmful(cloud, pair))
    pair.run_until(lambda: stage(pair) == "reverted", HOUR)
    cloud.run_for(HOUR)
    cloud.fronts[HUB].ends[0].not_before = 0
    cloud.fronts[HUB].ends[0].leaf = "leaf-2"
    pair.run_until(lambda: stage(pair) == "committed", 2 * HOUR)


@pytest.mark.parametrize("ends", [2, 4])
def test_bundle_that_refuses_every_front_end_is_rolled_back_although_they_take_turns(ends):
    cloud, pair = signed()
    tree = harmful(cloud, pair)
    front = cloud.fronts[HUB]
    first = front.ends[0]
    front.ends = [End("127.0.0.%d" % (2 + n), first.root, "leaf-%d" % n, first.not_before,
                      first.not_after) for n in range(ends)]  # fmt: skip
    bring(pair, tree)
    pair.run_until(lambda: stage(pair) == "reverted", HOUR)


def test_front_ends_with_two_chains_bring_a_reverted_version_again_once_for_each():
    """Else it would come with every turn of theirs."""
    cloud, pair = signed()
    bring(pair, harmful(cloud, pair))
    pair.run_until(lambda: stage(pair) == "reverted", HOUR)
    front = cloud.fronts[HUB]
    valid = (front.ends[0].not_before, front.ends[0].not_after)
    front.ends.append(End("127.0.0.3", front.ends[0].root, "leaf-2", *valid))
    front.choose = lambda number: number % 2
    for _ in range(120):
        cloud.hub.drop("dev-7", "upgrade", cloud.now_ms)
        cloud.run_for(10 * MINUTE)
    assert len([word for word, _ in staged(pair) if word == "reverted"]) == 2


@pytest.mark.parametrize("poison", ["bundle", "date", "sntp ahead", "sntp behind", "all"])
def test_poisoned_clock_costs_no_device(poison):
    cloud, pair = signed()
    now_s = cloud.utc_s(cloud.now_ms)
    for front in cloud.fronts.values():
        front.ends = [End(not_before=now_s - 30 * DAY_S, not_after=now_s + 60 * DAY_S)]
    if poison in ("date", "all"):
        cloud.date_offset_s = 13 * YEAR_S
    if poison in ("sntp ahead", "all"):
        cloud.sntp_offset_s = 30 * YEAR_S
    if poison == "sntp behind":
        cloud.sntp_offset_s = -30 * YEAR_S
    if poison in ("bundle", "all"):
        bring(pair, bundle(1, ["g2", "new"], issued_s=now_s + 9 * YEAR_S,
                           expires_s=now_s + 40 * YEAR_S))  # fmt: skip
    for _ in range(6):
        cloud.run_for(4 * HOUR)
        pair.restart()
        pair.run_until("online", 4 * HOUR)
    assert pair.status()["clock"]["floor_utc_s"] <= now_s + 2 * DAY_S
    cloud.date_offset_s = cloud.sntp_offset_s = 0
    pair.restart()
    pair.run_until("online", HOUR)
    assert pair.run_until(lambda: pair.watch.states()["clock"] == "authenticated", HOUR) <= HOUR


def test_bundle_signed_in_2036_is_survived_beside_a_time_server_that_says_2057():
    """Two clocks wrong at once: neither is the floor for ever."""
    cloud, pair = signed({"clock": {"sntp": "time.example:123", "patience_s": 60}})
    now_s = cloud.utc_s(cloud.now_ms)
    cloud.sntp_offset_s, cloud.https = 30 * YEAR_S, False
    for front in cloud.fronts.values():
        front.ends = [End(not_before=now_s - 30 * DAY_S, not_after=now_s + 60 * DAY_S)]
    pair.restart()
    late = {"issued_s": now_s + 9 * YEAR_S, "expires_s": now_s + 40 * YEAR_S}
    bring(pair, bundle(1, ["g2", "new"], **late))
    cloud.run_for(DAY)
    assert stage(pair) == "committed"
    assert pair.status()["clock"]["floor_utc_s"] <= now_s + 2 * DAY_S
    cloud.sntp_offset_s = 0
    pair.restart()
    pair.run_until("online", HOUR)


def test_bundle_signed_in_2036_is_survived_without_any_clock():
    cloud, pair = signed()
    cloud.sntp_offset_s, cloud.https = None, False
    now_s = cloud.utc_s(cloud.now_ms)
    for front in cloud.fronts.values():
        front.ends = [End(not_before=now_s - 30 * DAY_S, not_after=now_s + 60 * DAY_S)]
    pair.restart()
    late = {"issued_s": now_s + 9 * YEAR_S, "expires_s": now_s + 40 * YEAR_S}
    bring(pair, bundle(1, ["g2", "new"], **late))
    cloud.run_for(2 * HOUR)
    pair.restart()
    pair.run_until("online", 2 * HOUR)
    assert pair.status()["clock"]["floor_utc_s"] <= now_s


@pytest.mark.parametrize("root", ["new", "g2"])
def test_three_years_in_a_warehouse_with_the_clock_at_1970(root):
    """The bundle's own date is the only one there is; the server's leaf began after the build."""
    cloud, pair = device(config={**TRUST, "clock": {"sntp": ""}}, rooted=("vendor",))
    cloud.run_for(1)
    pair.hear(events.Stop())
    cloud.pairs.clear()
    cloud.run_for(3 * YEAR_S * 1000)
    now_s = cloud.utc_s(cloud.now_ms)
    for front in cloud.fronts.values():
        front.ends = [End(root=root, not_before=now_s - 20 * DAY_S, not_after=now_s + 70 * DAY_S)]
    cloud.mirrors[MIRROR] = bundle(4, ["g2", "new"], issued_s=now_s - 2 * DAY_S,
                                   expires_s=now_s + YEAR_S)  # fmt: skip
    _, late = device(config={**TRUST, "clock": {"sntp": ""}}, rooted=("vendor",), cloud=cloud)
    took_ms = late.run_until("online", 26 * HOUR)
    assert took_ms <= (10 * MINUTE if root == "new" else 26 * HOUR)
    late.run_until(lambda: late.watch.states()["clock"] == "authenticated", HOUR)


def test_dps_that_moves_to_an_unknown_root_is_followed_while_the_hub_stays():
    cloud, pair = signed()
    cloud.fronts[DPS].present("new")
    cloud.mirrors[MIRROR] = bundle(1, ["g2", "new"])
    assert pair.ask("reprovision")["ok"]
    pair.run_until(lambda: pair.status()["gap"], MINUTE)
    pair.run_until(lambda: stage(pair) == "committed", 2 * DAY)
    assert pair.status()["gap"] == []
    cloud.run_for(MINUTE)
    assert len([r for r in cloud.journal.of("connected") if r["service"] == "hub"]) == 1
    assert pair.ask("reprovision")["ok"]
    pair.run_until(lambda: len(cloud.journal.of("register")) == 2, HOUR)
    pair.run_until("online")


def test_root_that_the_system_drops_while_it_carries_the_session_stays_until_its_successor():
    cloud, pair = device(roots=("baltimore",))
    pair.layers["system"] = {"anchors": [entry("g2")], "distrust": []}
    pair.restart()
    pair.run_until("online")
    pair.layers["system"] = {"anchors": [entry("new")], "distrust": []}
    pair.hear(events.LayerRead("system", [entry("new")], []))
    assert pair.watch.trust.offered("hub") == ["baltimore", "g2", "new"]
    for _ in range(3):
        cloud.run_for(DAY)
        pair.restart()
        pair.run_until("online", HOUR)
    cloud.fronts[HUB].present("new")
    cloud.run_for(29 * DAY)
    assert "g2" in pair.watch.trust.offered("hub")
    cloud.run_for(3 * DAY)
    assert pair.watch.trust.offered("hub") == ["baltimore", "new"]
    assert pair.watch.trust.evidence.proven["hub"] == "new"
    assert "g2" in pair.watch.trust.offered("dps")


def test_expired_root_is_offered_only_where_it_is_the_proven_one():
    ends_s = EPOCH_UTC_S + 10 * DAY_S
    cloud, pair = online()
    pair.layers["factory"]["anchors"] = [dict(entry("g2"), not_after=ends_s), entry("baltimore")]
    cloud.fronts[DPS].present("baltimore")
    pair.saved.clear()
    pair.restart()
    pair.run_until("online", HOUR)
    cloud.roots_end["g2"] = ends_s
    cloud.run_for(15 * DAY)
    dropped(cloud, pair)
    pair.run_until("online", 5 * MINUTE)
    assert pair.watch.trust.offered("hub") == ["baltimore", "g2"]
    assert pair.watch.trust.offered("dps") == ["baltimore"]
    expired = pair.status()["trust"]["expired"]
    assert [(row["sha256"], row["expired_days"]) for row in expired] == [("g2", 5)]


def test_same_bundle_ten_times_is_written_once():
    cloud, pair = signed()
    committed(pair, bundle(1, ["g2", "new"]))
    frames, folders = len(pair.saves), pair.folders.writes
    for _ in range(10):
        assert bring(pair, bundle(1, ["g2", "new"]))["is"]["changed"] is False
    assert (len(pair.saves), pair.folders.writes) == (frames, folders)


def test_operator_takes_a_bundle_back_and_it_stays_back():
    cloud, pair = signed()
    committed(pair, bundle(1, ["old"]))
    committed(pair, bundle(2, ["new"], [hard("old")]))
    assert pair.ask("roots_revert")["ok"]
    cloud.run_for(3 * DAY)
    assert stage(pair) == "reverted"
    assert "old" not in pair.watch.trust.offered("hub"), "hard distrust outlives a roll-back"
    committed(pair, bundle(3, ["newer"]))


def test_bundle_that_would_leave_nothing_is_refused_whole():
    cloud, pair = signed(roots=("g2",))
    before = dict(pair.saved)
    answer = bring(pair, bundle(1, [anchor("new", scope=["mirror"])], [hard("g2")]))
    assert answer["ok"] is False and "no trust anchor" in answer["what"]
    assert pair.saved == before and stage(pair) == "none"
    assert HOLD_S == 14 * DAY_S


def test_holder_of_a_trusted_root_would_be_seen_by_these_tests():
    """Without distrust the same attacker does get sessions: the tests above can fail."""
    cloud, pair = signed()
    attacked(cloud)
    cloud.every(HOUR, cloud.now_ms + DAY, lambda: cloud.hub.drop("dev-7", "", cloud.now_ms))
    cloud.run_for(DAY)
    assert cloud.captured


def test_newer_bundle_during_a_trial_leaves_no_endpoint_without_an_anchor():
    """The trial's distrust stays, so its anchors must, where there are no others."""
    cloud, pair = signed(roots=("g2",))
    for host in cloud.fronts:
        cloud.fronts[host].present("new")
    assert bring(pair, bundle(1, ["new"], [hard("g2", 0)]))["ok"]
    pair.run_until(lambda: stage(pair) == "trial", HOUR)
    for host in cloud.fronts:
        cloud.down(host)
    cloud.run_for(5 * MINUTE)
    assert bring(pair, bundle(2, ["newer"]))["ok"]
    assert stage(pair) == "candidate" and pair.watch.trust.offered("hub") == ["new"]
    pair.restart()
    assert pair.watch.trust.offered("hub") == ["new"]


def test_bundle_that_cannot_be_put_on_trial_is_not_probed_without_pause():
    """A full disk must not cost a handshake with every endpoint each half minute."""
    cloud, pair = signed()
    assert bring(pair, bundle(1, ["g2", "new"]))["ok"]
    pair.disk = lambda name: "full"
    cloud.run_for(DAY)
    probes = [a for _, a in pair.performed if isinstance(a, actions.Dial) and a.slot is None]
    assert stage(pair) == "candidate" and len(probes) <= 240
    pair.disk = lambda name: None
    pair.run_until(lambda: stage(pair) == "committed", 3 * HOUR)


def test_bundle_that_distrusts_a_key_and_no_longer_lists_its_root_is_not_vetoed_by_its_holder():
    """Who holds that key answers the probes: that the previous set takes him is no evidence."""
    cloud, pair = signed(roots=("g2",))
    committed(pair, bundle(1, ["g2", "stolen"]))
    for front in (cloud.fronts[HUB], cloud.fronts[DPS]):
        front.ends = [End("127.0.0.66", "stolen", "forged", ca="evil", forged=True)]
    assert bring(pair, bundle(2, ["g2"], [dict(hard("key-stolen", 0), of="key")]))["ok"]
    pair.run_until(lambda: stage(pair) in ("trial", "reverted"), HOUR)
    assert stage(pair) == "trial" and pair.watch.trust.offered("hub") == ["g2"]
    for front in (cloud.fronts[HUB], cloud.fronts[DPS]):
        front.ends = [End()]
    pair.run_until(lambda: stage(pair) == "committed", 2 * HOUR)


def test_reduced_watch_keeps_a_candidate_and_sleeps():
    cloud, pair = signed()
    pair.saved["crash"] = {"recent": 3}
    pair.restart()
    pair.run_until("online", HOUR)
    assert bring(pair, bundle(1, ["g2", "new"]))["ok"]
    woken, hear = [], pair.hear
    pair.hear = lambda event: (woken.append(type(event)), hear(event))
    cloud.run_for(DAY)
    assert stage(pair) == "candidate" and woken.count(events.Woke) <= 200
