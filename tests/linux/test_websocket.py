"""Links in a websocket: the upgrade and its refusals, frames cut anywhere, a line that is full."""

import socket

import pytest

from anchorwatch.core.actions import Connect, Publish
from anchorwatch.core.events import Acked, Disconnected, Failed, Message, Verified
from anchorwatch.linux.framed import Framed
from anchorwatch.linux.tls import WANTS
from anchorwatch.wire.websocket import Websocket
from tests.linux import authority, peer, webbed
from tests.linux.peer import Peer
from tests.linux.servers import TIMEOUT_S, Server
from tests.linux.test_mqtt import HOST, KEEPALIVE_S, Device, Queue

pytestmark = pytest.mark.tls


@pytest.fixture(scope="module")
def root():
    return authority.root()


@pytest.fixture(scope="module")
def chain(root):
    return root.issue("Issuing CA", ca=True).issue("hub", names=[HOST]).below()


@pytest.fixture
def place(root, chain):
    """place(talk) -> a Device whose server does `talk(visit)` behind TLS."""
    opened = []

    def make(talk):
        server = Server(chain, talk).__enter__()
        device = Device([root], {HOST + ":8883": [server.place()]}, Queue(), 20)
        device.way = "websocket"
        device.server = server
        opened.append((device, server))
        return device

    yield make
    for device, server in opened:
        device.close()
        server.__exit__()


def answering(data):
    """A server that answers the request with `data`."""

    def talk(visit):
        visit.read()
        visit.write(data)
        visit.read()

    return talk


def test_the_upgrade_asks_for_the_hubs_websocket_and_says_that_no_certificate_comes(place):
    hub = Peer()
    device = place(lambda visit: hub.talk(webbed.Webbed(visit)))
    device.connected()
    asked = hub.visit.asked
    assert (asked.method, asked.path) == ("GET", "/$iothub/websocket")
    assert asked.query == {"iothub-no-client-cert": "true"}
    assert asked.headers["host"] == HOST
    assert asked.headers["sec-websocket-protocol"] == "mqtt"


def test_keys_of_two_upgrades_differ(place):
    hubs = [Peer(), Peer()]
    waiting = list(hubs)
    device = place(lambda visit: waiting.pop(0).talk(webbed.Webbed(visit)))
    device.verified("live")
    device.verified("next")
    device.until(lambda: all([hub.visit for hub in hubs]))  # each speaks in a thread of its own
    keys = {hub.visit.asked.headers["sec-websocket-key"] for hub in hubs}
    assert len(keys) == 2


def test_a_probe_ends_after_tls_and_asks_for_nothing(place, root):
    device = place(lambda visit: visit.read())
    order = device.order()
    order.slot = None
    device.do(order)
    assert isinstance(device.next(), Verified)
    device.links.stop()
    assert device.server.visit().error is None


@pytest.mark.parametrize("answer, fault, verdict", [
    (b"HTTP/1.1 404 Not Found\r\n\r\n", "service", "upgrade-refused"),
    (b"HTTP/1.1 503 Unavailable\r\nRetry-After: 9\r\n\r\n", "service", "upgrade-refused"),
    (b"HTTP/1.1 200 OK\r\n\r\n", "service", "upgrade-refused"),
    (b"HTTP/1.1 429 Slow\r\n\r\n", "throttled", "upgrade-refused"),
    ((b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     b"Sec-WebSocket-Accept: AAAA\r\n\r\n"), "service", "upgrade-malformed"),
    (b"\x20\x02\x00\x00\r\n\r\n", "service", "upgrade-malformed"),
    (b"HTTP/1.1 101 S\r\n" + b"A: b\r\n" * 4000, "service", "upgrade-malformed"),
])  # fmt: skip
def test_a_server_without_a_websocket_gets_a_word_of_its_own(place, answer, fault, verdict):
    device = place(answering(answer))
    device.do(device.order())
    event = device.next()
    assert isinstance(event, Failed)
    assert (event.fault, event.verdict, event.address) == (fault, verdict, "127.0.0.1")
    assert device.quiet()


def test_a_server_that_hangs_up_over_the_request_cut_the_line(place):
    device = place(lambda visit: visit.read())
    device.do(device.order())
    event = device.next()
    assert (event.fault, event.verdict) == ("network", "cut")


def test_a_websocket_where_each_byte_is_a_frame_is_slow_and_right(place):
    hub = Peer()
    device = place(lambda visit: hub.talk(webbed.Webbed(visit, webbed.LETTERS)))
    device.connected()
    hub.say(peer.publish("c2d", b"hello"))
    assert device.next() == Message("live", "c2d", b"hello")


def test_a_ping_of_the_websocket_is_answered_without_mqtt(place):
    hub = Peer()
    device = place(lambda visit: hub.talk(webbed.Webbed(visit)))
    device.verified()
    device.until(lambda: hub.visit)
    hub.visit.raw_frames(b"\x89\x02hi")
    device.until(lambda: hub.visit.pongs)
    assert hub.visit.pongs == [b"hi"] and hub.got == []
    device.do(Connect("live", "dev-7", "u", None, KEEPALIVE_S, False))
    assert device.next().link == "live"


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("data, reason", [
    (b"\x88\x02\x03\xe9", "closed"), (b"\x88\x00", "closed"), (b"\x81\x01a", "protocol"),
    (b"\xc2\x01a", "protocol"), (b"\x82\x81\x00\x00\x00\x00a", "protocol"),
])  # fmt: skip
def test_a_farewell_and_a_broken_frame_end_the_session(place, connected, data, reason):
    hub = Peer()
    device = place(lambda visit: hub.talk(webbed.Webbed(visit)))
    if connected:
        device.connected()
    else:
        device.verified()
        device.until(lambda: hub.visit)
    hub.visit.raw_frames(data)
    assert device.next() == Disconnected("live", reason)
    assert device.quiet()


def test_leaving_says_farewell_to_mqtt_and_to_the_websocket(place):
    hub = Peer()
    device = place(lambda visit: hub.talk(webbed.Webbed(visit)))
    device.connected()
    device.links.stop()
    assert hub.wait(peer.DISCONNECT) == b""
    device.server.visit()
    assert hub.visit.closed_with == 1000


def test_large_messages_both_ways_at_once_while_the_server_pings(place):
    """Neither a full line nor a half-written frame may mix frames or wait for ever."""
    hub = Peer()
    device = place(lambda visit: hub.talk(webbed.Webbed(visit, webbed.CHATTY)))
    device.connected()
    big = bytes(range(256)) * 1000
    for n in range(6):
        device.do(Publish("live", "up", big, 1, "m%d" % n))
    events = [device.next() for _ in range(6)]
    assert sorted(event.mid for event in events if isinstance(event, Acked)) == [
        "m%d" % n for n in range(6)]  # fmt: skip
    assert [peer.payload_of(hub.wait(peer.PUBLISH, n + 1)) == big for n in range(6)] == [True] * 6
    hub.say(peer.publish("down", big))
    assert device.next() == Message("live", "down", big)


class Narrow:
    """A socket that takes so many bytes a call, and sometimes none; what came is `written`."""

    def __init__(self, takes, gives=b""):
        self._takes, self._gives, self.written = list(takes), gives, b""

    def send(self, data):
        taken = self._takes.pop(0) if self._takes else len(data)
        if not taken:
            raise WANTS[1]()
        self.written += data[:taken]
        return min(taken, len(data))

    def recv(self, size):
        if not self._gives:
            raise WANTS[0]()
        data, self._gives = self._gives[:size], self._gives[size:]
        return data

    def pending(self):
        return len(self._gives)

    def close(self):
        pass


def opened(sock):
    """Framed over a socket, with the upgrade done."""
    held = Websocket(bytes)  # a mask of zeros shows the text
    held.opened = True
    return Framed(sock, held)


def test_a_half_written_frame_is_finished_before_anything_else_and_counted_once():
    sock = Narrow([3, 0, 4, 0], gives=b"\x89\x01?")
    framed = opened(sock)
    with pytest.raises(WANTS[1]):
        framed.send(b"abcdef")
    assert framed.unsent == 9
    with pytest.raises(WANTS[0]):
        framed.recv(1)  # a ping: its answer stands behind the frame
    assert framed.send(b"abcdef") == 6
    assert sock.written == b"\x82\x86\0\0\0\0abcdef" + b"\x8a\x81\0\0\0\0?"
    assert framed.unsent == 0


def test_what_was_read_and_not_taken_is_pending_and_given_before_the_socket_is_asked():
    framed = opened(Narrow([], gives=b"\x82\x03abc\x82\x02de"))
    assert framed.recv(1) == b"a" and framed.pending() == 4
    assert framed.recv(9) == b"bcde" and framed.pending() == 0
    with pytest.raises(WANTS[0]):
        framed.recv(1)


def test_bytes_of_half_a_frame_are_not_pending():
    framed = opened(Narrow([], gives=b"\x82\x7e\x01"))
    with pytest.raises(WANTS[0]):
        framed.recv(1)
    assert framed.pending() == 0


def test_a_framed_socket_is_waited_for_like_any_other():
    here, there = socket.socketpair()
    with there:
        framed = opened(here)
        assert framed.fileno() == here.fileno()
        framed.close()
        assert here.fileno() == -1
        there.settimeout(TIMEOUT_S)
        assert there.recv(100) == b"\x88\x82\0\0\0\0\x03\xe8"
