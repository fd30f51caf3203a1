"""The broker alone: what follows from MQTT whatever service stands behind it."""

import pytest

from hil.cloud.broker import Broker
from hil.cloud.connection import Peer
from hil.cloud.journal import Journal
from hil.cloud.session import CloseSession, Delay, Silence
from tests.cloud import spoken
from tests.cloud.echo import Echo

ACCEPTED = b"\x20\x02\x00\x00"


class Client:
    """One client of a broker; `heard` is what it was sent, `open` whether the broker kept it."""

    def __init__(self, broker: Broker, chain: list[bytes] | None = None) -> None:
        self.heard, self.open = bytearray(), True
        self.connection = broker.accept(self._hear, self._shut, Peer(chain or [], "127.0.0.1:1"), 0)

    def _hear(self, data: bytes) -> None:
        assert self.open
        self.heard += data

    def _shut(self) -> None:
        self.open = False

    def say(self, *data: bytes, now_ms: int = 0) -> bytes:
        """What comes back after saying this."""
        before = len(self.heard)
        self.connection.receive(b"".join(data), now_ms)
        return bytes(self.heard[before:])


def a_broker(**orders) -> Broker:
    return Broker("hub", Echo(**orders), Journal())


def rows(broker: Broker) -> list[tuple]:
    return [(row["what"], row["device"], row["reason"]) for row in broker.journal.since()]


def test_connect_publish_and_ping_are_answered_in_order():
    client = Client(a_broker())
    heard = client.say(spoken.connect(), spoken.publish("a", b"hi", 1, 5), spoken.PINGREQ)
    assert heard == ACCEPTED + spoken.publish("echo/a", b"hi", 1, 1) + b"\x40\x02\x00\x05\xd0\x00"


def test_the_session_carries_what_connect_and_tls_said():
    broker = a_broker()
    will = ("t", b"gone", 1)
    Client(broker, chain=[b"leaf"]).say(spoken.connect("d", "name", b"pw", False, 240, will))
    session = broker.service.sessions["d"]
    assert (session.username, session.password, session.clean) == ("name", b"pw", False)
    assert (session.keepalive_s, session.will, session.chain) == (240, will, [b"leaf"])
    assert session.address == "127.0.0.1:1"


def test_a_refused_connect_is_answered_and_cut():
    broker = a_broker(connect=(5, True))
    client = Client(broker)
    assert client.say(spoken.connect()) == b"\x20\x02\x00\x05"
    assert not client.open and not broker.connections
    assert broker.service.calls == [("connect", "dev-1")] and rows(broker) == []


def test_another_protocol_level_is_refused_with_1():
    broker = a_broker()
    client = Client(broker)
    assert client.say(spoken.connect(level=5)) == b"\x20\x02\x00\x01"
    assert not client.open and broker.service.calls == []


@pytest.mark.parametrize("packet", [spoken.PINGREQ, spoken.publish("a"), spoken.DISCONNECT])
def test_a_packet_before_connect_cuts_the_connection(packet):
    broker = a_broker()
    client = Client(broker)
    assert client.say(packet) == b"" and not client.open
    assert rows(broker)[0][:2] == ("closed before CONNACK", None)


@pytest.mark.parametrize(
    "packet",
    [spoken.connect(), b"\xc1\x00", b"\x30\xff\xff\xff\xff\x01", spoken.publish("a", b"", 2)],
    ids=["second CONNECT", "reserved bits", "remaining length", "QoS 2"],
)
def test_a_packet_against_the_standard_ends_the_session(packet):
    broker = a_broker()
    client = Client(broker)
    client.say(spoken.connect(), packet)
    assert not client.open
    what, device, reason = broker.service.calls[-1]
    assert (what, device) == ("disconnected", "dev-1") and reason not in ("tcp", "asked")


def test_nothing_is_read_after_the_cut():
    broker = a_broker()
    Client(broker).say(spoken.connect(), b"\xc1\x00", spoken.publish("late"))
    assert not [call for call in broker.service.calls if call[0] == "publish"]


def test_disconnect_is_told_apart_from_a_lost_socket():
    broker = a_broker()
    polite, lost = Client(broker), Client(broker)
    polite.say(spoken.connect("polite"), spoken.DISCONNECT)
    lost.say(spoken.connect("lost"))
    lost.connection.lost(0)
    lost.connection.lost(0)
    assert [call for call in broker.service.calls if call[0] == "disconnected"] == [
        ("disconnected", "polite", "asked"),
        ("disconnected", "lost", "tcp"),
    ]


def test_takeover_cuts_the_old_session_and_accepts_the_new():
    broker = a_broker()
    old, new = Client(broker), Client(broker)
    old.say(spoken.connect())
    assert new.say(spoken.connect()) == ACCEPTED
    assert not old.open and new.open
    assert broker.service.calls[-1] == ("disconnected", "dev-1", "taken over")


@pytest.mark.parametrize(
    "keepalive_s, patience_ms", [(60, 90_000), (2000, 1_767_000), (0, 1_767_000)]
)
def test_keepalive_is_one_and_a_half_times_the_value_and_capped(keepalive_s, patience_ms):
    broker = a_broker()
    client = Client(broker)
    client.say(spoken.connect(keepalive_s=keepalive_s), now_ms=1000)
    assert broker.turn(1000) == 1000 + patience_ms
    broker.turn(1000 + patience_ms - 1)
    assert client.open
    broker.turn(1000 + patience_ms)
    assert not client.open
    assert broker.service.calls[-1] == ("disconnected", "dev-1", "keepalive")


def test_a_ping_renews_the_patience():
    broker = a_broker()
    client = Client(broker)
    client.say(spoken.connect(keepalive_s=60))
    client.say(spoken.PINGREQ, now_ms=89_000)
    broker.turn(178_000)
    assert client.open


def test_a_client_that_never_says_connect_is_cut_after_a_minute():
    broker = a_broker()
    client = Client(broker)
    broker.turn(59_999)
    assert client.open
    broker.turn(60_000)
    assert rows(broker) == [("closed before CONNACK", None, "no CONNECT")]


def test_what_is_delivered_during_connect_comes_after_the_connack():
    client = Client(a_broker(early=True))
    assert client.say(spoken.connect()) == ACCEPTED + spoken.publish("early", b"waiting", 1, 1)


def test_what_a_subscription_releases_comes_after_its_suback():
    client = Client(a_broker(c2d=True))
    client.say(spoken.connect())
    heard = client.say(spoken.subscribe([("a", 2), ("b", 0)], 9))
    released = spoken.publish("c2d", b"released", 1, 1) + spoken.publish("c2d", b"released", 1, 2)
    assert heard == b"\x90\x04\x00\x09\x01\x00" + released


def test_a_delivery_is_reported_acknowledged_once():
    broker = a_broker(early=True)
    client = Client(broker)
    client.say(spoken.connect())
    client.say(spoken.puback(1), spoken.puback(1), spoken.puback(77))
    assert broker.service.calls.count(("acked", 1)) == 1
    assert ("acked", 77) not in broker.service.calls


def test_packet_identifiers_go_round_and_pass_over_those_in_use():
    broker = a_broker(early=True)
    client = Client(broker)
    client.say(spoken.connect())
    for number in range(2, 0x10000):
        client.say(spoken.publish("a", b"", 1))
        client.say(spoken.puback(number))
    heard = client.say(spoken.publish("a", b"", 1))
    assert spoken.publish("echo/a", b"", 1, 2) in heard


def test_a_silent_connect_is_never_answered_and_stays_open():
    broker = a_broker(connect=Silence())
    client = Client(broker)
    assert client.say(spoken.connect(), spoken.PINGREQ) == b""
    broker.turn(10_000_000)
    assert client.open
    client.connection.lost(0)
    assert rows(broker) == [("closed before CONNACK", "dev-1", "tcp")]


def test_a_delayed_connect_is_asked_again_in_its_time_and_then_reads_on():
    broker = a_broker(connect=Delay(54_000))
    client = Client(broker)
    assert client.say(spoken.connect(), spoken.PINGREQ) == b""
    assert broker.turn(53_999) == 54_000
    broker.service.orders.clear()
    broker.turn(54_000)
    assert client.heard == ACCEPTED + b"\xd0\x00"


@pytest.mark.parametrize("call", ["connect", "started", "subscribe", "publish"])
def test_a_service_that_closes_is_obeyed_without_another_packet(call):
    client = Client(a_broker(**{call: CloseSession("fault")}))
    before = {"connect": b"", "started": ACCEPTED}.get(call)
    heard = client.say(spoken.connect())
    assert before is None or (heard == before and not client.open)
    if before is None:
        packet = {"subscribe": spoken.subscribe([("a", 0)]), "publish": spoken.publish("a", b"", 1)}
        assert client.say(packet[call]) == b""
    assert not client.open


def test_a_publish_met_with_silence_gets_no_puback():
    client = Client(a_broker(publish=Silence()))
    client.say(spoken.connect())
    assert client.say(spoken.publish("a", b"", 1), spoken.PINGREQ) == b"\xd0\x00"


def test_deliveries_go_on_after_a_subscription_met_with_silence():
    broker = a_broker(subscribe=Silence())
    client = Client(broker)
    client.say(spoken.connect(), spoken.subscribe([("a", 0)]))
    assert spoken.publish("echo/a", b"x") in client.say(spoken.publish("a", b"x"))


def test_unsubscribe_is_told_and_answered():
    broker = a_broker()
    client = Client(broker)
    client.say(spoken.connect())
    assert client.say(spoken.unsubscribe(["a", "b"], 3)) == b"\xb0\x02\x00\x03"
    assert broker.service.calls[-2:] == [("unsubscribe", "a"), ("unsubscribe", "b")]


def test_the_earliest_deadline_of_service_and_connections_counts():
    broker = a_broker(turn=7)
    Client(broker)
    assert broker.turn(0) == 7


def test_nothing_is_written_to_a_closed_connection():
    broker = a_broker()
    client = Client(broker)
    client.say(spoken.connect())
    session = broker.service.sessions["dev-1"]
    session.close("asked by the operator")
    assert session.deliver("a", b"", 1) is None
    assert client.heard == ACCEPTED
