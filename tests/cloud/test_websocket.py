"""MQTT in a websocket at the HTTPS port of the emulated services, spoken here by hand."""

import base64
import hashlib

import pytest

from hil.cloud.broker import Broker
from hil.cloud.clock import Clock
from hil.cloud.connection import Peer
from hil.cloud.https import HttpsSide
from hil.cloud.journal import Journal
from tests.cloud import spoken
from tests.cloud.echo import Echo

KEY = base64.b64encode(b"the sample nonce").decode()
ASKED = {
    "Host": "hub-1.azure-devices.net",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "mqtt",
}
CONNACK = b"\x20\x02\x00\x00"
BINARY, PING, CLOSE = 0x82, 0x89, 0x88
MASK = b"\x01\x02\x03\x04"


class Client:
    """One connection to a service's HTTPS side, without TLS and without a socket."""

    def __init__(self, broker=True):
        self.journal, self.out, self.closed, self.echo = Journal(), b"", False, Echo()
        held = Broker("hub", self.echo, self.journal) if broker else None
        side = HttpsSide("hub", self.journal, Clock(), broker=held)
        self.connection = side.accept(self._write, self._close, Peer(), 0)

    def _write(self, data):
        self.out += data
        return 0

    def _close(self):
        self.closed = True

    def say(self, data, now_ms=0):
        """What comes back."""
        self.out = b""
        self.connection.receive(data, now_ms)
        return self.out

    def ask(self, target="/$iothub/websocket", but=(), rest=b"", **more):
        headers = {**ASKED, **{name.replace("_", "-"): value for name, value in more.items()}}
        lines = [f"{name}: {value}" for name, value in headers.items() if name not in but]
        head = "\r\n".join([f"GET {target} HTTP/1.1", *lines]).encode() + b"\r\n\r\n"
        return self.say(head + rest)


def framed(payload, first=BINARY, masked=True):
    """A client's frame."""
    size = len(payload)
    short = 2 if size < 65_536 else 8
    long = bytes([126 + short // 8]) + size.to_bytes(short, "big")
    length = bytes([size]) if size < 126 else long
    if not masked:
        return bytes([first]) + length + payload
    mixed = bytes(byte ^ MASK[n % 4] for n, byte in enumerate(payload))
    return bytes([first, length[0] | 0x80]) + length[1:] + MASK + mixed


def status(answer):
    return int(answer.split(b" ")[1])


def test_a_websocket_opens_and_carries_mqtt():
    client = Client()
    head, _, rest = client.ask().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith("HTTP/1.1 101 ") and rest == b""
    proof = hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    assert f"Sec-WebSocket-Accept: {base64.b64encode(proof).decode()}" in lines
    assert "Sec-WebSocket-Protocol: mqtt" in lines
    assert client.say(framed(spoken.connect())) == b"\x82\x04" + CONNACK
    assert client.say(framed(spoken.PINGREQ)) == b"\x82\x02\xd0\x00"
    (row,) = client.journal.of("https")
    assert (row["path"], row["status"]) == ("/$iothub/websocket", 101)


def test_the_query_for_no_client_certificate_is_understood():
    assert status(Client().ask("/$iothub/websocket?iothub-no-client-cert=true")) == 101


@pytest.mark.parametrize("changed, expected", [
    ({"target": "/"}, 200),
    ({"target": "/$iothub/other"}, 404),
    ({"but": ("Upgrade",)}, 400),
    ({"Connection": "close"}, 400),
    ({"Sec-WebSocket-Protocol": "AMQPWSB10"}, 400),
    ({"but": ("Sec-WebSocket-Protocol",)}, 400),
    ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
    ({"Sec-WebSocket-Key": "!"}, 400),
    ({"Sec-WebSocket-Version": "8"}, 426),
])  # fmt: skip
def test_what_is_no_request_for_mqtt_in_a_websocket_is_refused(changed, expected):
    client = Client()
    assert status(client.ask(**changed)) == expected
    assert client.journal.of("https")[-1]["status"] == expected
    assert client.echo.calls == []


def test_a_service_without_mqtt_has_no_websocket():
    assert status(Client(broker=False).ask()) == 404


def test_packets_may_be_cut_anywhere_and_lie_across_frames():
    client = Client()
    client.ask()
    packet, answer = spoken.connect(), b""
    data = framed(packet[:5], 0x02) + framed(b"", 0x00) + framed(packet[5:], 0x80)
    for at in range(len(data)):
        answer += client.say(data[at : at + 1])
    assert answer == b"\x82\x04" + CONNACK


def test_what_comes_with_the_request_is_not_lost():
    client = Client()
    assert client.ask(rest=framed(spoken.connect())).endswith(b"\r\n\r\n\x82\x04" + CONNACK)


@pytest.mark.parametrize("size", [0, 100, 126, 65_535, 200_000])
def test_messages_of_every_length_pass_both_ways(size):
    client = Client()
    client.ask()
    client.say(framed(spoken.connect()))
    payload = bytes(n % 251 for n in range(size))
    answer = client.say(framed(spoken.publish("a", payload)))
    assert answer.endswith(spoken.publish("echo/a", payload)) and answer[0] == BINARY


def test_a_ping_is_answered_between_the_frames_of_a_message():
    client = Client()
    client.ask()
    client.say(framed(spoken.connect()[:5], 0x02))
    assert client.say(framed(b"are you there", PING)) == b"\x8a\x0dare you there"
    assert client.say(framed(spoken.connect()[5:], 0x80)) == b"\x82\x04" + CONNACK


def test_a_farewell_is_answered_and_ends_the_session():
    client = Client()
    client.ask()
    client.say(framed(spoken.connect()))
    assert client.say(framed(b"\x03\xe8", CLOSE)) == b"\x88\x02\x03\xe8"
    assert client.closed and client.echo.calls[-1][0] == "disconnected"
    assert client.say(framed(spoken.PINGREQ)) == b""


def test_a_socket_that_is_gone_ends_the_session_once():
    client = Client()
    client.ask()
    client.say(framed(spoken.connect()))
    client.connection.lost(0)
    client.connection.lost(0)
    assert [call[0] for call in client.echo.calls].count("disconnected") == 1


def test_a_service_that_closes_says_farewell_in_the_websocket():
    client = Client()
    client.ask()
    client.say(framed(spoken.connect("dev-1")))
    client.out = b""
    client.echo.sessions["dev-1"].close("taken over")
    assert client.out == b"\x88\x02\x03\xe8" and client.closed


@pytest.mark.parametrize("data", [
    framed(b"a", masked=False), framed(b"a", 0xC2), framed(b"a", 0x81), framed(b"a", 0x80),
    framed(b"a", 0x02) + framed(b"b", 0x82), framed(b"a", 0x09), framed(b"a" * 126, PING),
    b"\x82\xff\x7f\x00\x00\x00\x00\x00\x00\x00", framed(b"a", 0x8B),
])  # fmt: skip
def test_a_client_that_breaks_the_framing_is_cut(data):
    client = Client()
    client.ask()
    client.say(framed(spoken.connect()))
    assert client.say(data).endswith(b"\x88\x02\x03\xea") and client.closed
    assert client.echo.calls[-1][0] == "disconnected"
