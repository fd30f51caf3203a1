"""Design section 6, row by row, on real sockets: what a second handshake leads to, and what not.

row of the table            story                        pair test (tests/pair)                end to end
same anchor, new leaf       same_anchor, new_leaf        migration: four front ends            1
(a) the anchor changed      anchor_changed,              looks: a minute apart,                 2
                            swap_rate_limit              once in half an hour
(b) the address is gone     address_gone, address_back   migration: left the name              3
(c) the token is due        token_due                    clock_and_tokens: in every phase      test_end_to_end: short tokens
(d) commanded               reverify_commanded,          twin_and_commands: from the cloud     4
                            swap_commanded
trust failure               trust_gap                    looks: a bundle is fetched            5
policy failure              policy_gap                   looks: no common suite                6
network failure             look_fails_for_the_network   looks: no alarm before the third      7
date failure, no sure clock look_fails_for_the_clock     looks: without a sure clock           8
CONNECT refused             swap_refused                 migration: refused, unanswered        test_end_to_end: refused
CONNECT unanswered          swap_unanswered              migration: refused, unanswered        9
the live one is dead        swap_refused_ping_dead       looks: a dead first link              10
daily probe, gap, bundle,   dps_probe                    looks: an unknown root                probes: all of it
unauthorized
the same of the EST server  est_probe, est_own_roots     watched: by scope, by its own file    est: daily, gap, healed
at once when trust changes  roots_added_are_tried        looks: daily and at once              probes: a root is added
messages flow meanwhile     lost_while_looking           transports: costs the session nothing flow

The numbers are the tests below, in order; probes, est and flow are the files beside.
"""  # noqa: E501

import pytest

from hil.bench.waiting import until
from tests.linux import authority, looking
from tests.linux.looking import counted, first_told, looked, looks, moved, online, undisturbed
from tests.linux.servers import Server
from tests.linux.test_end_to_end import Load, delivered

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
SLACK_MS = 200  # the cloud's clock sees a handshake's end, the device's its own
SWAP_EVERY_S = 15
SELDOM = {"interval_s": looking.SELDOM_S}


running, cloud = looking.running, looking.cloud


def apart_ms(rows):
    return [b["t_ms"] - a["t_ms"] for a, b in zip(rows, rows[1:])]


def test_a_new_leaf_under_the_same_anchor_leaves_the_session_untouched(cloud):
    with online(cloud, "new-leaf") as board:
        since = cloud.mark()
        leaf = cloud.post("/hub/chain", {"name": looking.CHAIN, "new_leaf": True})["leaf"]
        found = looked(cloud, since, 3, leaf=leaf)
        status = board.status()
        assert undisturbed(cloud, board, since) and "swaps" not in status["counters"]
        assert (status["gap"], status["fault"]) == ([], None)
    least_ms = 800 * looking.INTERVAL_S - SLACK_MS
    assert all(ms >= least_ms for ms in apart_ms(found)), apart_ms(found)


def test_a_changed_anchor_moves_the_session_once_two_handshakes_agree_and_not_again_soon(cloud):
    with online(cloud, "anchor", reverify={"swap_every_s": SWAP_EVERY_S}) as board:
        since = cloud.mark()
        cloud.post("/hub/chain", {"name": "g2-rsa"})
        first = moved(cloud, board, 2)
        seen = [row for row in looks(cloud, since, chain="g2-rsa") if row["n"] < first["n"]]
        assert len(seen) == 2 and apart_ms(seen)[0] >= 1000 * looking.CONFIRM_S - SLACK_MS
        cloud.post("/hub/chain", {"name": looking.CHAIN})
        second = moved(cloud, board, 3)
        assert second["t_ms"] - first["t_ms"] >= 1000 * SWAP_EVERY_S - SLACK_MS
        ends = cloud.rows("disconnected", since, device=board.name)
        assert [row["reason"][:10] for row in ends] == ["taken over"] * 2
        assert board.status()["endpoints"]["hub"]["anchor"] == cloud.anchor("baltimore")


def test_an_address_that_three_looks_no_longer_find_is_left(cloud):
    with online(cloud, "address") as board:
        hub, address = cloud.ready["hub"], cloud.ready["net"] + ".12"
        cloud.post("/hub/listen", {"up": True, "address": address, "cut": False})
        lines = {f"{hub['host']}:8883": [f"{address}:{hub['port']}"]}
        since = cloud.mark()
        cloud.post("/resolve", lines)
        session = moved(cloud, board, 2)
        found = [row for row in looks(cloud, since) if row["n"] < session["n"]]
        assert len(found) >= 3 and found[-1]["t_ms"] - found[0]["t_ms"] >= 4000 - SLACK_MS
        assert board.status()["endpoints"]["hub"]["address"] == address


def test_a_command_looks_at_once_and_moves_only_when_told_to(cloud):
    with online(cloud, "asked", reverify=SELDOM) as board:
        since = cloud.mark()
        board.ask("reverify")
        looked(cloud, since, 1)
        call = {"name": "reverify", "payload": {}, "timeout_s": 30}
        assert cloud.post(f"/devices/{board.name}/method", call)["status"] == 200
        looked(cloud, since, 2)
        assert undisturbed(cloud, board, since)
        board.ask("reverify", "--swap")
        moved(cloud, board, 2)
        assert len(looks(cloud, since)) == 3


def test_an_unknown_root_is_told_over_the_session_that_lives_and_a_bundle_moves_it(cloud):
    with online(cloud, "trust", reverify={"interval_s": 900}) as board:
        board.ask("reverify")
        cloud.post("/hub/chain", {"name": "unknown-rsa"})
        since = cloud.mark()
        board.ask("reverify")
        told = looking.gapped(cloud, board, "hub")
        assert told["verdict"] == "unknown-issuer" and told["presented"]
        assert undisturbed(cloud, board, since)
        cloud.publish({"baltimore": "active", "g2": "active", "unknown": "active"})
        session = moved(cloud, board, 2, within_s=150)
        fetched = [row["n"] for row in cloud.rows("get", since) if row["status"] == 200]
        assert fetched and fetched[0] < session["n"], "the bundle came over its own channel"
        looking.closed(cloud, board, "hub")
        ends = cloud.rows("disconnected", since, device=board.name)
        assert [row["reason"][:10] for row in ends] == ["taken over"]
        assert board.status()["endpoints"]["hub"]["anchor"] == cloud.anchor("unknown")


def test_a_server_without_a_suite_for_us_is_a_gap_and_no_reason_to_go(cloud):
    with online(cloud, "policy", reverify=SELDOM, **{"tls.hub": {"suites": "rsa"}}) as board:
        since = cloud.mark()
        cloud.post("/hub/chain", {"name": "g3-ecc"})
        fault, status = first_told(board, "fault", lambda: board.ask("reverify"))
        assert (fault["class"], fault["verdict"]) == ("policy", "no-common-suite")
        assert looking.gapped(cloud, board, "hub")["verdict"] == "no-common-suite"
        assert undisturbed(cloud, board, since)
        assert cloud.rows("get", since) == [], "no bundle cures it"
        cloud.post("/hub/chain", {"name": looking.CHAIN})
        board.ask("reverify")
        looking.closed(cloud, board, "hub")
        assert undisturbed(cloud, board, since) and board.status()["fault"] is None


def test_a_network_failure_of_the_look_is_no_alarm_before_the_third(cloud):
    with online(cloud, "network", reverify=SELDOM) as board:
        since, before = cloud.mark(), counted(board)

        def fail():
            cloud.post("/hub/listen", {"up": False, "cut": False})
            board.ask("reverify")

        fault, status = first_told(board, "fault", fail)
        assert fault["class"] == "network" and fault["tries"] == 3
        assert status["counters"]["looks"] - before >= 3 and status["gap"] == []
        cloud.post("/hub/listen", {"up": True, "cut": False})
        board.see("the fault is over", lambda s: s["fault"] is None)
        assert undisturbed(cloud, board, since)


def unsure(cloud):
    """The time comes from SNTP alone."""
    for service in ("hub", "dps"):
        cloud.post(f"/{service}/listen", {"up": False, "only": "https"})


def test_a_date_failure_without_a_sure_clock_asks_for_the_time_and_for_no_bundle(cloud):
    unsure(cloud)
    own = authority.root("Test Root of Dates")
    host = cloud.ready["hub"]["host"]
    ended = own.issue("hub", names=[host], begins=-20 * authority.DAY_S, ends=-authority.DAY_S)

    def trust(board):
        board.put("site/own.pem", own.pem)

    with online(cloud, "dates", before=trust, reverify=SELDOM) as board:
        board.see("a plausible time", lambda s: s["clock"]["standing"] == "plausible")
        since = cloud.mark()
        place = "%(address)s:%(port)d" % cloud.ready["hub"]
        with Server(ended.below()) as server:
            cloud.post("/resolve", {host + ":8883": [server.place()]})
            fault, status = first_told(board, "fault", lambda: board.ask("reverify"))
            assert (fault["class"], fault["verdict"]) == ("clock", "expired")
            cloud.wait_for("sntp", since=since)
            assert status["gap"] == [] and cloud.rows("get", since) == []
            cloud.post("/resolve", {host + ":8883": [place]})
        looked(cloud, since, 1)
        board.see("it is repeated, and good", lambda s: s["fault"] is None)
        assert undisturbed(cloud, board, since)


def test_a_connect_that_nobody_answers_leaves_the_session_after_a_minute(cloud):
    with online(cloud, "unanswered", reverify=SELDOM) as board:
        since = cloud.mark()
        cloud.post("/faults", {"name": "SILENT_CONNECT", "device": board.name, "count": 1})
        with Load(board) as load:
            board.ask("reverify", "--swap")
            board.see("a refused move", lambda s: s["counters"].get("swap_refused"), 90)
        assert set(delivered(cloud, board, load.mids).values()) == {1}
        assert undisturbed(cloud, board, since)
        status = board.status()
        assert status["counters"]["swap_refused"] == 1 and status["machines"]["ladder"] == "clear"


def test_a_refusal_while_the_live_session_is_dead_climbs_the_ladder(cloud):
    with online(cloud, "dead", reverify=SELDOM) as board:
        refusal = {"name": "CONNACK", "code": 5, "device": board.name, "count": 1}
        cloud.post("/faults", refusal)
        cloud.post("/hub/listen", {"up": True, "freeze": True})
        board.ask("reverify", "--swap")
        board.see("the first rung", lambda s: s["machines"]["ladder"] == "1 patience")
        status = board.status()
        assert status["fault"]["class"] == "identity" and "swap_refused" not in status["counters"]
        before = len(looking.sessions(cloud, board))
        until("it is back", lambda: (len(looking.sessions(cloud, board)) > before, before), 60)
        board.reach("online")
