"""A real agent and the emulated cloud: in websockets, where 8883 is blocked, behind proxies.

Rule: what is asserted is seen in the cloud's journal, at the proxy or in the agent's status.
"""

import pytest

from hil.bench.cloud import Cloud
from hil.bench.waiting import until
from tests.linux import authority, bundle_devices
from tests.linux.proxies import Proxy
from tests.linux.servers import Server
from tests.linux.test_end_to_end import Load, delivered, moved, sent

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
WEBSOCKET = "/$iothub/websocket"
BOTH = ("hub", "dps")
CHAIN = "baltimore-rsa"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    options = ("--chain", CHAIN, "--factory", "baltimore,g2")
    with Cloud(tmp_path_factory.mktemp("cloud"), *options) as running:
        yield running


@pytest.fixture
def device(cloud):
    """device(NAME, with_dps=..., **mqtt): a configured device that is off; ended after."""
    made = []

    def make(name, with_dps=False, **mqtt):
        board = bundle_devices.made(cloud, name, with_dps, {"mqtt": mqtt})
        made.append(board)
        return board

    yield make
    for board in made:
        bundle_devices.ended(board)


@pytest.fixture
def blocked(cloud):
    """blocked(PORT, whether): a firewall before "mqtt" or "https" of hub and DPS; open after."""

    def block(port, whether=True):
        for service in BOTH:
            cloud.post(f"/{service}/listen", {"up": not whether, "only": port})

    yield block
    block("mqtt", False)
    block("https", False)


def ports(cloud, since):
    """{service: the ports that were shaken hands with}."""
    rows = cloud.rows("tls handshake", since)
    return {name: {row["port"] for row in rows if row["service"] == name} for name in BOTH}


def websockets(cloud, since):
    """The services that opened one."""
    rows = cloud.rows("https", since, path=WEBSOCKET, status=101)
    return {row["service"] for row in rows}


def way(board, endpoint="hub"):
    return board.status()["endpoints"][endpoint]["transport"]


def fault_of(board, verdict, within_s=30):
    def sought(status):
        fault = status["fault"]
        return fault if fault and fault["verdict"] == verdict else None

    return board.see("the fault " + verdict, sought, within_s)


def test_a_first_boot_in_websockets_does_all_that_a_device_does(cloud, device):
    board, since = device("ws-boot", with_dps=True, transport="websocket"), cloud.mark()
    board.start()
    board.reach("online")
    assert set(delivered(cloud, board, sent(board, 20, "first")).values()) == {1}
    assert websockets(cloud, since) == {"hub", "dps"} and way(board) == "websocket"
    mqtt_ports = {cloud.ready[service]["port"] for service in BOTH}
    assert not mqtt_ports & set.union(*ports(cloud, since).values())

    call = {"name": "reverify", "payload": {}, "timeout_s": 30}
    assert cloud.post(f"/devices/{board.name}/method", call)["status"] == 200
    desired = {"anchorwatch": {"reverifyIntervalS": 900}}
    cloud.post(f"/devices/{board.name}/twin", {"desired": desired})
    until(
        "the interval is acknowledged",
        lambda: (cloud.reported(board.name)["anchorwatch"].get("reverifyIntervalS"), None), 20,
    )  # fmt: skip


def test_a_certificate_is_shown_in_a_websocket_too(cloud):
    board = bundle_devices.Process(cloud.folder / "x509", cloud.ready["kinds"]["x509"])
    settings = {**bundle_devices.SETTINGS, "mqtt": {"transport": "websocket"}}
    board.configure(settings)
    since = cloud.mark()
    try:
        board.start()
        board.reach("online")
        assert websockets(cloud, since) == {"hub", "dps"}
        assert set(delivered(cloud, board, sent(board, 3, "x")).values()) == {1}
    finally:
        board.cut()


def test_a_migration_under_load_in_websockets_loses_and_doubles_nothing(cloud, device):
    board = device("ws-migrates", transport="websocket")
    board.start()
    board.reach("online")
    with Load(board) as load:
        try:
            for number, chain in enumerate(("g2-rsa", CHAIN)):
                cloud.post("/hub/chain", {"name": chain})
                board.ask("reverify")
                moved(cloud, board, number + 2)
        finally:
            cloud.post("/hub/chain", {"name": CHAIN})
    assert set(delivered(cloud, board, load.mids).values()) == {1} and len(load.mids) > 50


def test_auto_falls_over_keeps_what_worked_and_comes_back(cloud, device, blocked):
    board, since = device("auto-over", with_dps=True, transport="auto"), cloud.mark()
    blocked("mqtt")
    board.start()
    board.reach("online")
    assert websockets(cloud, since) == {"hub", "dps"}
    assert [way(board, endpoint) for endpoint in BOTH] == ["websocket", "websocket"]

    board.cut()
    blocked("mqtt", False)
    since = cloud.mark()
    board.restore()
    board.reach("online")
    assert websockets(cloud, since) == {"hub"}, "what worked was kept over a power cut"

    since = cloud.mark()
    blocked("https")
    board.see("8883 again", lambda s: s["endpoints"]["hub"]["transport"] == "mqtt")
    board.reach("online")
    assert websockets(cloud, since) == set()
    assert delivered(cloud, board, sent(board, 3, "back"))


def test_mqtt_as_configured_never_tries_another_way(cloud, device, blocked):
    board, since = device("mqtt-only", transport="mqtt"), cloud.mark()
    blocked("mqtt")
    board.start()
    board.see("three attempts", lambda s: s["fault"] and s["fault"]["tries"] >= 3)
    assert fault_of(board, "refused") and websockets(cloud, since) == set()


@pytest.mark.parametrize("transport", ["mqtt", "websocket"])
def test_a_first_boot_behind_a_proxy_with_a_password(cloud, device, transport):
    with Proxy({"gateway": "pass:word"}) as proxy:
        board = device("proxy-" + transport, with_dps=True, transport=transport,
                       proxy=proxy.url(), proxy_auth_file="proxy.key")
        board.put("proxy.key", b"gateway:pass:word\n")
        board.start()
        board.reach("online")
        assert set(delivered(cloud, board, sent(board, 20, "p")).values()) == {1}
        board.ask("reverify", "--swap")
        moved(cloud, board, 2)
        board.see("the date", lambda s: s["clock"]["standing"] == "authenticated")
        name = "port" if transport == "mqtt" else "https_port"
        wanted = {"%s:%d" % (cloud.ready[s]["address"], cloud.ready[s][name]) for s in BOTH}
        assert wanted <= set(proxy.targets())
        assert "pass:word" not in (board.folder / "agent.log").read_text()
        board.stop()


def test_a_wrong_password_is_told_and_no_server_is_met_until_it_is_right(cloud, device):
    with Proxy({"gateway": "right"}) as proxy:
        board = device("proxy-wrong", proxy=proxy.url(), proxy_auth_file="proxy.key")
        board.put("proxy.key", b"gateway:wrong\n")
        since = cloud.mark()
        board.start()
        fault = fault_of(board, "proxy-credentials")
        assert fault["class"] == "policy" and "proxy_auth_file" in fault["remedy"]
        assert cloud.rows("tls handshake", since) == [] and board.status()["gap"] == []
        board.put("proxy.key", b"gateway:right\n")
        board.stop()
        board.start()
        board.reach("online")
        text = (board.folder / "agent.log").read_text()
        assert not [word for word in ("gateway:", "wrong", "Basic", "Z2F0ZXdheTp") if word in text]
        board.stop()


def test_auto_gets_through_a_proxy_that_allows_https_alone(cloud, device):
    allowed = {cloud.ready[service]["https_port"] for service in BOTH}
    with Proxy(ports=allowed) as proxy:
        board = device("proxy-443", with_dps=True, transport="auto", proxy=proxy.url())
        since = cloud.mark()
        board.start()
        board.reach("online")
        assert websockets(cloud, since) == {"hub", "dps"}
        board.stop()


def test_a_proxy_that_dies_ends_the_session_and_no_message(cloud, device):
    with Proxy() as proxy:
        board = device("proxy-dies", proxy=proxy.url())
        board.start()
        board.reach("online")
        first = sent(board, 5, "before")
        delivered(cloud, board, first)
        proxy.cut()
        assert fault_of(board, "proxy-unreachable")["class"] == "network"
        later = sent(board, 5, "meanwhile")
        proxy.again()
        board.reach("online", 60)
        assert set(delivered(cloud, board, first + later).values()) == {1}
        board.stop()


class Inspector(Proxy):
    """Every tunnel leads to a box that signs for whoever is asked for."""

    def __init__(self, server):
        self._server = server
        super().__init__()

    def _tunnel(self, sock, place):
        super()._tunnel(sock, self._server.place())


@pytest.mark.parametrize("name, verdict", [
    ("Zscaler Root CA", "intercepted"), ("Head Office Root 7", "unknown-issuer"),
])  # fmt: skip
def test_a_proxy_that_reads_along_gets_a_hello_and_nothing_more(cloud, device, name, verdict):
    host = cloud.ready["hub"]["host"]
    inside = authority.root(name).issue("Inspection CA", ca=True).issue("hub", names=[host])
    with Server(inside.below()) as server, Inspector(server) as proxy:
        board = device("proxy-reads-" + verdict, proxy=proxy.url())
        board.start()
        fault = fault_of(board, verdict)
        assert fault["class"] == "trust" and name in fault["value"]
        assert server.visits and way(board) == "mqtt"
        assert not any(visit.shaken.is_set() for visit in server.visits)
        assert board.status()["agent"]["state"] == "waiting for hub"
        board.cut()
