"""Links against MQTT servers over real TLS: sessions, swap, telemetry, keepalive, bad packets."""

import inspect
import selectors
import subprocess
import sys

import pytest

from anchorwatch.core.actions import (
    Close,
    Connect,
    Dial,
    Feed,
    Hold,
    Ping,
    Publish,
    Subscribe,
    Swap,
)
from anchorwatch.core.events import (
    Acked,
    Connected,
    Disconnected,
    Failed,
    Held,
    Message,
    Ponged,
    Refused,
    Subscribed,
    Verified,
)
from anchorwatch.linux import keepalive, mqtt
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.errands import Errands
from anchorwatch.linux.links import Links
from anchorwatch.linux.resolve import Resolver
from anchorwatch.performers.links import LEAVING_MS
from tests.linux import authority, peer, webbed
from tests.linux.authority import NOW_S
from tests.linux.peer import Peer
from tests.linux.servers import TIMEOUT_S, Server

pytestmark = pytest.mark.tls

HOST = "hub.example.net"
KEEPALIVE_S = 240
MQTT = "mqtt"
PROFILE = {"suites": "any", "max_fragment": "off", "strict": True, "all_ecc": False,
           "check_time": False}


class Queue:
    """The telemetry queue as links.py knows it."""

    def __init__(self, count=0, qos=1):
        self.records = [{"mid": "m%d" % n, "topic": "telemetry", "payload": b"%d" % n, "qos": qos}
                        for n in range(count)]

    def peek(self, n):
        return self.records[:n]

    def ack(self, mid):
        self.records = [record for record in self.records if record["mid"] != mid]


class Device:
    """Links with a loop that a test turns by hand, on a clock that only the test moves."""

    def __init__(self, anchors, table, queue, in_flight):
        self.now_ms, self.anchors, self.warnings, self.way = 1_000, anchors, [], MQTT
        self.proxy = ""
        self.selector = selectors.DefaultSelector()
        self.errands = Errands(self.selector)
        ders = {one.sha256: one.der for one in anchors}
        dialer = Dialer(Resolver(table, None), ders.__getitem__, lambda slot: None,
                        lambda: NOW_S, TIMEOUT_S, TIMEOUT_S)
        self.links = Links(self.selector, self.errands, dialer, queue, in_flight,
                           lambda: self.now_ms, lambda *what: self.warnings.append(what))

    def do(self, *orders):
        for order in orders:
            self.links.perform[type(order)](order)

    def pump(self, wait_s=0.0):
        """One turn of the loop; the number of ready descriptors."""
        ready = self.selector.select(wait_s)
        for key, mask in ready:
            key.data(mask)
        self.links.turn(self.now_ms)
        return len(ready)

    def next(self):
        """The next event; fails when none comes."""
        for _ in range(1000):
            event = self.links.take()
            if event is not None:
                return event
            due = self.links.next_timeout_ms(self.now_ms) == 0
            assert self.pump(0 if due else TIMEOUT_S) or due, "silence"
        raise AssertionError("a thousand turns and no event")

    def until(self, condition):
        """Turn until a condition of the outside holds."""
        for _ in range(10_000):
            if condition():
                return
            self.pump(0.01)
        raise AssertionError("it never came")

    def quiet(self):
        """Nothing is ready and nothing to tell."""
        while self.pump(0.02):
            pass
        return self.links.take() is None

    def order(self, link="live"):
        anchors = sorted(one.sha256 for one in self.anchors)
        return Dial(link, "hub", HOST, 8883, self.way, anchors, {}, PROFILE, "a", NOW_S, self.proxy,
                    "own")

    def verified(self, link="live"):
        self.do(self.order(link))
        event = self.next()
        assert isinstance(event, Verified) and event.link == link, event
        return event

    def connected(self, link="live", keepalive_s=KEEPALIVE_S):
        self.verified(link)
        self.do(Connect(link, "dev-7", "hub/dev-7", "secret", keepalive_s, False))
        assert self.next() == Connected(link, False)

    def close(self):
        self.links.stop()
        self.errands.close()
        self.selector.close()


@pytest.fixture(scope="module")
def root():
    return authority.root()


@pytest.fixture(scope="module")
def chain(root):
    return root.issue("Issuing CA", ca=True).issue("hub", names=[HOST]).below()


@pytest.fixture(params=[MQTT, webbed.WHOLE, webbed.CHATTY])
def place(root, chain, request):
    """place(peers, queue, in_flight) -> a Device, whose n-th connection meets the n-th peer: in TLS
    alone, in a websocket, and in one whose server cuts its messages and pings in between."""
    opened = []

    def make(*peers, queue=None, in_flight=20):
        waiting = list(peers)

        def talk(visit):
            mine = waiting.pop(0)
            mine.talk(visit if request.param == MQTT else webbed.Webbed(visit, request.param))

        server = Server(chain, talk).__enter__()
        device = Device([root], {HOST + ":8883": [server.place()]}, queue or Queue(), in_flight)
        device.way = MQTT if request.param == MQTT else "websocket"
        opened.append((device, server))
        return device

    yield make
    for device, server in opened:
        device.close()
        server.__exit__()


def test_session_connects_subscribes_publishes_and_receives(place):
    hub = Peer()
    device = place(hub)
    device.connected()
    connect = hub.wait(peer.CONNECT)
    assert connect[:10] == b"\x00\x04MQTT\x04\xc0\x00\xf0"
    assert b"dev-7" in connect and b"hub/dev-7" in connect and connect.endswith(b"secret")
    device.do(Subscribe("live", ["a/#", "b"]))
    assert device.next() == Subscribed("live", [1, 1])
    device.do(Publish("live", "t/1", b"hello", 1, "own-1"))
    assert device.next() == Acked("live", "own-1")
    assert peer.topic_of(hub.wait(peer.PUBLISH)) == "t/1"
    hub.say(peer.publish("c2d", b"\x00\xff", 7))
    assert device.next() == Message("live", "c2d", b"\x00\xff")
    assert hub.wait(peer.PUBACK) == b"\x00\x07"


def test_nothing_of_mqtt_is_sent_before_the_core_says_so(place):
    hub = Peer()
    device = place(hub)
    device.verified()
    assert device.quiet() and hub.got == []


@pytest.mark.parametrize("code", [2, 3, 4, 5, 77])
def test_refused_connect_gives_its_code_once_and_nothing_after(place, code):
    device = place(Peer(code))
    device.verified()
    device.do(Connect("live", "dev-7", "u", None, KEEPALIVE_S, False))
    event = device.next()
    assert isinstance(event, Refused) and (event.code == code or code == 77)
    assert device.quiet()


def test_server_that_closes_before_connack_is_a_disconnect(place):
    hub = Peer(None)
    device = place(hub)
    device.verified()
    device.do(Connect("live", "dev-7", "u", None, KEEPALIVE_S, False))
    device.until(lambda: hub.got)
    hub.visit.close()
    assert device.next() == Disconnected("live", "closed")
    assert device.quiet()


@pytest.mark.parametrize("reset", [False, True])
def test_takeover_and_reset_are_both_the_peers_doing(place, reset):
    hub = Peer()
    device = place(hub)
    device.connected()
    hub.visit.reset() if reset else hub.visit.close()
    assert device.next() == Disconnected("live", "closed")
    assert device.quiet()


def test_server_that_closes_between_handshake_and_connect_is_noticed(place):
    hub = Peer()
    device = place(hub)
    device.verified()
    device.until(lambda: hub.visit is not None)
    hub.visit.close()
    assert device.next() == Disconnected("live", "closed")


def test_server_that_speaks_before_connect_is_no_mqtt_server(place):
    hub = Peer()
    device = place(hub)
    device.verified()
    device.until(lambda: hub.visit is not None)
    hub.say(b"220 mail.example\r\n")
    assert device.next() == Disconnected("live", "protocol")


@pytest.mark.parametrize("bad", [
    b"\x00\x00", b"\x30\xff\xff\xff\xff\x01", b"\x30\x02\x00\x05", b"\x20\x01\x00", b"\x40\x00",
    b"\x90\x00", b"\x36\x05\x00\x01t\x00\x01", b"\xf0\x00", b"\x10\x00"])
def test_malformed_packet_ends_the_session_and_not_the_agent(place, bad):
    hub = Peer()
    device = place(hub)
    device.connected()
    hub.say(bad)
    event = device.next()
    assert isinstance(event, Disconnected) and event.reason in ("protocol", "closed")
    assert device.quiet()


def test_topic_that_is_not_text_is_left_out_and_the_session_goes_on(place):
    hub = Peer()
    device = place(hub)
    device.connected()
    hub.say(peer.packet(peer.PUBLISH, b"\x00\x02\xff\xfe" + b"x"))
    hub.say(peer.publish("good", b"y"))
    assert device.next() == Message("live", "good", b"y")


def test_many_small_messages_in_one_record_are_all_read(place):
    """The selector says nothing of what TLS has already taken from the socket."""
    hub = Peer()
    device = place(hub)
    device.connected()
    hub.say(b"".join(peer.publish("c2d", b"%d" % n) for n in range(900)))
    got = [device.next().payload for _ in range(900)]
    assert got == [b"%d" % n for n in range(900)]
    assert device.links.next_timeout_ms(device.now_ms) > 0


def test_message_larger_than_any_buffer_goes_both_ways(place):
    hub = Peer()
    device = place(hub)
    device.connected()
    big = bytes(range(256)) * 2_000
    device.do(Publish("live", "big", big, 1, "b"))
    assert device.next() == Acked("live", "b")
    assert peer.payload_of(hub.wait(peer.PUBLISH)) == big
    hub.say(peer.publish("big", big))
    assert device.next() == Message("live", "big", big)


def test_password_is_in_no_text_of_the_session(place):
    device = place(Peer())
    device.connected()
    session = device.links._sessions["live"]
    assert "secret" not in repr(session) + repr(vars(session)) + str(session._client)


def test_close_says_disconnect_and_nothing_answers(place):
    hub = Peer()
    device = place(hub)
    device.connected()
    device.do(Close("live", "asked"))
    assert hub.wait(peer.DISCONNECT) == b""
    assert device.quiet()
    device.do(Close("live", "again"), Close("next", "never open"))
    device.do(Ping("live"), Publish("live", "t", b"", 1, "x"), Feed("live"))
    device.do(Subscribe("live", ["t"]))
    assert device.quiet()


def test_close_takes_back_what_was_not_yet_taken_but_keeps_messages(place):
    """The message was acknowledged to the hub: only here can it still be lost."""
    hub = Peer()
    device = place(hub)
    device.connected()
    device.do(Ping("live"))
    hub.say(peer.publish("c2d", b"kept", 1))
    device.until(lambda: len(device.links._events) == 2)
    device.do(Close("live", "asked"))
    assert device.next() == Message("live", "c2d", b"kept")
    assert device.quiet()


def test_second_dial_cancels_the_first_and_its_late_result_is_dropped(place):
    slow, quick = Peer(), Peer()
    device = place(slow, quick)
    device.do(device.order(), device.order())
    assert isinstance(device.next(), Verified)
    assert device.quiet()
    device.do(Connect("live", "dev-7", "u", None, KEEPALIVE_S, False))
    assert device.next() == Connected("live", False)


def test_close_during_a_dial_leaves_no_event_and_no_socket(place, root):
    hub = Peer()
    device = place(hub)
    device.do(Dial("next", "hub", HOST, 8883, "mqtt", [root.sha256], {}, PROFILE, None, NOW_S, "",
                   "own"), Close("next", "asked"))
    device.pump(TIMEOUT_S)
    assert device.quiet()
    assert [key for key in device.selector.get_map().values()
            if key.fileobj is not device.errands._here] == []


def test_failed_dial_is_told(place, root):
    device = place()
    device.do(Dial("next", "hub", "x" * 64, 8883, "mqtt", [root.sha256], {}, PROFILE, None, NOW_S,
                   "", "own"))
    assert device.next() == Failed("next", "network", "name-unknown", [], [], None)


def test_ping_of_the_core_is_answered_once_and_an_unasked_pong_is_not_told(place):
    hub = Peer()
    device = place(hub)
    device.connected()
    device.do(Ping("live"))
    assert device.next() == Ponged("live")
    hub.say(peer.packet(peer.PINGRESP))
    assert device.quiet()


def test_idle_session_wakes_once_per_keepalive_interval_and_pings(place):
    hub = Peer()
    device = place(hub)
    device.connected()
    assert device.quiet()
    wait_ms = device.links.next_timeout_ms(device.now_ms)
    assert wait_ms == 1000 * KEEPALIVE_S
    device.now_ms += wait_ms - 1
    device.pump()
    assert hub.bodies(peer.PINGREQ) == []
    device.now_ms += 1
    device.pump()
    hub.wait(peer.PINGREQ)
    device.until(lambda: device.links.next_timeout_ms(device.now_ms) == 1000 * KEEPALIVE_S)
    assert device.links.take() is None


def test_unanswered_ping_ends_the_session_as_silent(place):
    hub = Peer(pongs=False)
    device = place(hub)
    device.connected()
    device.now_ms += 1000 * KEEPALIVE_S
    device.pump()
    hub.wait(peer.PINGREQ)
    device.now_ms += keepalive.PONG_MS
    device.pump()
    assert device.next() == Disconnected("live", "silent")
    assert device.quiet()


def test_sending_alone_does_not_pass_for_life_of_the_peer(place):
    """QoS 0 into a dead line would keep the session for ever."""
    hub = Peer(pongs=False)
    device = place(hub)
    device.connected()
    for _ in range(3):
        device.now_ms += 1000 * KEEPALIVE_S // 2
        device.do(Publish("live", "t", b"", 0, "x"))
        device.pump()
    hub.wait(peer.PINGREQ)
    device.now_ms += keepalive.PONG_MS
    device.pump()
    assert device.next() == Disconnected("live", "silent")


def test_telemetry_flows_in_a_window_and_leaves_the_queue_by_its_acknowledgement(place):
    hub = Peer(acks=False)
    queue = Queue(5)
    device = place(hub, queue=queue, in_flight=2)
    device.connected()
    device.do(Feed("live"))
    hub.wait(peer.PUBLISH, 2)
    assert device.quiet() and len(hub.bodies(peer.PUBLISH)) == 2
    assert device.links.in_flight == 2 and len(queue.records) == 5
    hub.ack(1)
    device.until(lambda: len(hub.bodies(peer.PUBLISH)) == 3)
    assert [record["mid"] for record in queue.records] == ["m1", "m2", "m3", "m4"]
    for number in (2, 3, 4, 5):
        device.until(lambda n=number: len(hub.bodies(peer.PUBLISH)) >= n)
        hub.ack(number)
    device.until(lambda: not queue.records)
    assert [peer.payload_of(b) for b in hub.bodies(peer.PUBLISH)] == [b"%d" % n for n in range(5)]


def test_telemetry_of_qos_0_leaves_the_queue_when_it_is_sent(place):
    queue = Queue(3, qos=0)
    device = place(Peer(), queue=queue, in_flight=1)
    device.connected()
    device.do(Feed("live"))
    device.until(lambda: not queue.records)


def test_record_that_mqtt_cannot_carry_is_dropped_with_a_warning_and_the_rest_goes(place):
    hub = Peer()
    queue = Queue(2)
    queue.records[0]["topic"] = "wild/#"
    device = place(hub, queue=queue)
    device.connected()
    device.do(Feed("live"))
    device.until(lambda: not queue.records)
    assert peer.payload_of(hub.wait(peer.PUBLISH)) == b"1"
    assert [warning[1] for warning in device.warnings] == ["m0"]


def test_window_holds_although_a_full_queue_dropped_what_is_in_flight(place):
    hub = Peer(acks=False)
    queue = Queue(6)
    device = place(hub, queue=queue, in_flight=2)
    device.connected()
    device.do(Feed("live"))
    hub.wait(peer.PUBLISH, 2)
    del queue.records[:2]
    assert device.quiet() and len(hub.bodies(peer.PUBLISH)) == 2
    hub.ack(1)
    device.until(lambda: len(hub.bodies(peer.PUBLISH)) == 3)
    assert device.links.in_flight == 2


def test_hold_is_over_when_everything_is_acknowledged(place):
    hub = Peer(acks=False)
    queue = Queue(3)
    device = place(hub, queue=queue, in_flight=2)
    device.connected()
    device.do(Feed("live"))
    hub.wait(peer.PUBLISH, 2)
    device.do(Hold(device.now_ms + 2_000))
    assert device.links.next_timeout_ms(device.now_ms) == 2_000
    hub.ack(1)
    hub.ack(2)
    assert device.next() == Held(0)
    assert device.quiet() and len(hub.bodies(peer.PUBLISH)) == 2
    device.do(Feed("live"))
    hub.wait(peer.PUBLISH, 3)


def test_hold_is_over_at_its_deadline_with_what_is_left(place):
    hub = Peer(acks=False)
    device = place(hub, queue=Queue(3), in_flight=2)
    device.connected()
    device.do(Feed("live"), Hold(device.now_ms + 2_000))
    device.pump()
    assert device.links.take() is None
    device.now_ms += 2_000
    device.pump()
    assert device.next() == Held(2)


def test_hold_without_a_session_is_over_at_once(place):
    device = place(Peer())
    device.do(Hold(device.now_ms + 2_000))
    device.pump()
    assert device.next() == Held(0)


def test_feeding_the_same_session_again_repeats_nothing(place):
    hub = Peer(acks=False)
    device = place(hub, queue=Queue(2))
    device.connected()
    device.do(Feed("live"), Hold(device.now_ms), Feed("live"))
    assert device.next() == Held(2)
    assert device.quiet() and len(hub.bodies(peer.PUBLISH)) == 2


def test_what_a_lost_session_left_unacknowledged_goes_again_on_the_next(place):
    first, second = Peer(acks=False), Peer()
    queue = Queue(3)
    device = place(first, second, queue=queue)
    device.connected()
    device.do(Feed("live"))
    first.wait(peer.PUBLISH, 3)
    first.ack(2)
    device.until(lambda: len(queue.records) == 2)
    first.visit.close()
    assert device.next() == Disconnected("live", "closed")
    device.connected()
    device.do(Feed("live"))
    device.until(lambda: not queue.records)
    assert [peer.payload_of(b) for b in second.bodies(peer.PUBLISH)] == [b"0", b"2"]


def test_refused_connect_on_next_leaves_live_publishing(place):
    live, refusing = Peer(), Peer(5)
    queue = Queue(0)
    device = place(live, refusing, queue=queue)
    device.connected()
    device.do(Feed("live"))
    device.verified("next")
    device.do(Connect("next", "dev-7", "u", None, KEEPALIVE_S, False))
    assert device.next() == Refused("next", 5)
    queue.records = Queue(3).records
    device.until(lambda: not queue.records)
    assert len(live.bodies(peer.PUBLISH)) == 3
    device.do(Ping("live"))
    assert device.next() == Ponged("live")


def test_unanswered_connect_on_next_leaves_live_publishing(place):
    live, silent = Peer(), Peer(None)
    queue = Queue(3)
    device = place(live, silent, queue=queue)
    device.connected()
    device.verified("next")
    device.do(Connect("next", "dev-7", "u", None, KEEPALIVE_S, False), Feed("live"))
    silent.wait(peer.CONNECT)
    device.until(lambda: not queue.records)
    device.do(Close("next", "silent"))
    assert device.quiet()


def _swapped(device):
    device.connected("live")
    device.connected("next")
    device.do(Swap())


def test_swap_makes_next_the_live_link_and_reads_the_old_one_to_its_end(place):
    old, new = Peer(), Peer()
    device = place(old, new)
    _swapped(device)
    old.say(peer.publish("c2d", b"under way", 1))
    assert device.next() == Message("live", "c2d", b"under way")
    assert old.wait(peer.PUBACK) == b"\x00\x01"
    new.say(peer.publish("c2d", b"new", 1))
    assert device.next() == Message("live", "c2d", b"new")
    old.visit.close()
    assert device.quiet()
    device.do(Publish("live", "t", b"", 1, "x"))
    assert device.next() == Acked("live", "x")
    new.wait(peer.PUBLISH)


def test_old_link_is_left_with_a_disconnect_when_its_time_is_up(place):
    old, new = Peer(), Peer()
    device = place(old, new)
    _swapped(device)
    device.now_ms += LEAVING_MS
    device.pump()
    assert old.wait(peer.DISCONNECT) == b""
    assert device.quiet() and new.bodies(peer.DISCONNECT) == []


def test_acknowledgements_under_way_on_the_old_link_still_count(place):
    old, new = Peer(acks=False), Peer(acks=False)
    queue = Queue(2)
    device = place(old, new, queue=queue)
    device.connected("live")
    device.do(Feed("live"))
    old.wait(peer.PUBLISH, 2)
    device.connected("next")
    device.do(Hold(device.now_ms), Swap())
    assert device.next() == Held(2)
    old.ack(1)
    device.until(lambda: len(queue.records) == 1)
    device.do(Feed("live"))
    assert peer.payload_of(new.wait(peer.PUBLISH)) == b"1"
    new.ack(1)
    device.until(lambda: not queue.records)


def test_takeover_before_the_swap_is_told_of_the_old_link_and_the_swap_still_works(place):
    old, new = Peer(), Peer()
    device = place(old, new)
    device.connected("live")
    device.connected("next")
    old.visit.close()
    assert device.next() == Disconnected("live", "closed")
    device.do(Swap(), Publish("live", "t", b"", 1, "x"))
    assert device.next() == Acked("live", "x")
    new.wait(peer.PUBLISH)


def test_events_that_wait_during_a_swap_come_under_the_new_name_and_old_ends_are_dropped(place):
    old, new = Peer(), Peer()
    device = place(old, new)
    device.connected("live")
    device.connected("next")
    new.say(peer.publish("c2d", b"early", 1))
    old.visit.close()
    device.until(lambda: len(device.links._events) == 2)
    device.do(Swap())
    assert device.next() == Message("live", "c2d", b"early")
    assert device.quiet()


def test_new_link_that_died_before_the_swap_is_told_as_live(place):
    old, new = Peer(), Peer()
    device = place(old, new)
    device.connected("live")
    device.connected("next")
    new.visit.close()
    device.until(lambda: len(device.links._events) == 1)
    device.do(Swap())
    assert device.next() == Disconnected("live", "closed")


def test_agent_reaches_no_more_of_paho_than_these_private_names():
    """They are what a paho release could take away without notice."""
    client = mqtt.paho.Client
    for name in ("_create_socket", "_handle_pingresp", "_send_pingreq"):
        assert callable(getattr(client, name)), name
    assert list(inspect.signature(client._create_socket).parameters) == ["self"]
    assert "self._create_socket()" in inspect.getsource(client.reconnect)
    assert "self._handle_pingresp()" in inspect.getsource(client._packet_handle)


def test_links_import_neither_logging_nor_urllib_nor_cryptography():
    code = ("import sys, anchorwatch.linux.links;"
            "print([m for m in ('logging', 'urllib', 'urllib.request', 'http.client', 'argparse',"
            "'cryptography', 'asyncio') if m in sys.modules]);"
            "import logging, urllib.request; logging.getLogger; urllib.request.urlopen")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                          env={"PYTHONPATH": ":".join(p for p in sys.path if p)})
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_exception_in_an_errand_reaches_the_loop():
    selector = selectors.DefaultSelector()
    errands = Errands(selector)
    errands.start(lambda: 1 // 0, print)
    with pytest.raises(ZeroDivisionError):
        for key, mask in selector.select(TIMEOUT_S):
            key.data(mask)
    errands.close()
    selector.close()
