"""The server's side of MQTT 3.1.1: what is read, what is refused, and that refusing has one way."""

import random

import pytest

from hil.cloud import mqtt, packets
from hil.cloud.packets import MalformedPacket
from tests.cloud import spoken

GOOD = {
    "connect": spoken.connect("dev-1", "user", b"secret", False, 240, ("t/", b"gone", 1)),
    "connect, nothing but an id": spoken.connect("dev-1", None),
    "publish": spoken.publish("devices/dev-1/messages/events/", b"x" * 200, 1, 7),
    "puback": spoken.puback(9),
    "subscribe": spoken.subscribe([("a/#", 1), ("b/+", 0)], 3),
    "unsubscribe": spoken.unsubscribe(["a/#", "b/+"], 4),
    "pingreq": spoken.PINGREQ,
    "disconnect": spoken.DISCONNECT,
}


def read(data: bytes) -> list:
    reader = mqtt.Reader()
    reader.feed(data)
    return list(iter(reader.next, None))


def test_each_packet_is_read_as_it_was_said():
    assert [read(data)[0] for data in GOOD.values()] == [
        packets.Connect("dev-1", "user", b"secret", False, 240, ("t/", b"gone", 1)),
        packets.Connect("dev-1", None, None, True, 60),
        packets.Publish("devices/dev-1/messages/events/", b"x" * 200, 1, False, 7),
        packets.Puback(9),
        packets.Subscribe(3, (("a/#", 1), ("b/+", 0))),
        packets.Unsubscribe(4, ("a/#", "b/+")),
        packets.Pingreq(),
        packets.Disconnect(),
    ]


def test_a_stream_is_cut_into_the_same_packets_however_it_arrives():
    stream = b"".join(GOOD.values())
    whole = read(stream)
    reader, found = mqtt.Reader(), []
    for at in range(len(stream)):
        reader.feed(stream[at : at + 1])
        found += list(iter(reader.next, None))
    assert found == whole and len(whole) == len(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_a_packet_cut_short_is_waited_for(name):
    data = GOOD[name]
    assert all(read(data[:length]) == [] for length in range(len(data)))


@pytest.mark.parametrize("name", ["connect", "publish", "puback", "subscribe", "unsubscribe"])
def test_a_body_shorter_than_its_fields_is_refused(name):
    first, body = GOOD[name][0], GOOD[name][2 if len(GOOD[name]) < 130 else 3 :]
    required = {"publish": 34, "subscribe": 8, "unsubscribe": 7}.get(name, len(body))
    for length in range(required):
        with pytest.raises(MalformedPacket):
            read(spoken.packet(first, body[:length]))


def test_flipped_bits_raise_the_one_error_or_give_a_packet():
    refused = 0
    for data in GOOD.values():
        for bit in range(8 * len(data)):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            try:
                read(bytes(flipped) + bytes(64))
            except MalformedPacket as e:
                refused += 1
                assert e.reason
    assert refused > 300


def test_noise_raises_the_one_error_or_gives_a_packet():
    chance = random.Random(2)
    for _ in range(3000):
        noise = chance.randbytes(chance.randrange(1, 80))
        try:
            read(noise)
        except MalformedPacket as e:
            assert e.reason


def odd_connect(name: str, level_and_flags: bytes) -> bytes:
    return spoken.packet(0x10, spoken.text(name) + level_and_flags + b"\x00\x3c\x00\x01a")


WRONG = {
    "reserved flags of PINGREQ": b"\xc1\x00",
    "reserved flags of SUBSCRIBE": b"\x80" + spoken.subscribe([("a", 0)])[1:],
    "reserved CONNECT flag": odd_connect("MQTT", b"\x04\x03"),
    "another protocol's name": odd_connect("MQIsdp", b"\x03\x02"),
    "password without user name": spoken.connect("a", None, b"p"),
    "will QoS without a will": odd_connect("MQTT", b"\x04\x0a"),
    "will QoS 3": spoken.connect("a", will=("t", b"", 3)),
    "publish QoS 3": b"\x36" + spoken.publish("a", b"", 1)[1:],
    "DUP with QoS 0": b"\x38" + spoken.publish("a")[1:],
    "topic with a wildcard": spoken.publish("a/#"),
    "empty topic": spoken.publish(""),
    "U+0000 in a topic": spoken.publish("a\0b"),
    "topic that is not UTF-8": spoken.packet(0x30, spoken.text(b"\xc0\x80")),
    "packet identifier 0": spoken.publish("a", b"", 1, 0),
    "subscription to nothing": spoken.subscribe([]),
    "empty filter": spoken.subscribe([("", 0)]),
    "requested QoS 3": spoken.subscribe([("a", 3)]),
    "five bytes of length": b"\x30\xff\xff\xff\xff\x01",
    "more than a hub takes": b"\x30\xff\xff\xff\x7f",
    "PUBREL": spoken.packet(0x62, b"\x00\x01"),
    "packet type 0": b"\x00\x00",
    "packet type 15": b"\xf0\x00",
    "a server's packet": spoken.packet(0x20, b"\x00\x00"),
    "bytes behind the last field": spoken.packet(0x40, b"\x00\x01\x00"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_breaks_the_standard_is_refused(what):
    with pytest.raises(MalformedPacket):
        read(WRONG[what])


def test_another_protocol_level_is_read_so_that_it_can_be_answered():
    assert read(spoken.connect(level=5))[0].level == 5


def test_lengths_are_written_in_as_few_bytes_as_they_need():
    sizes = {0: 2, 127: 2, 128: 3, 16_383: 3, 16_384: 4}
    assert {n: len(mqtt.encode(0x30, bytes(n))) - n for n in sizes} == sizes


def test_what_the_server_writes_are_the_bytes_of_the_standard():
    assert mqtt.connack(0, True) == b"\x20\x02\x01\x00"
    assert mqtt.connack(5, True) == b"\x20\x02\x00\x05"
    assert mqtt.publish("a/b", b"hi", 1, 10) == b"\x32\x09\x00\x03a/b\x00\x0ahi"
    assert mqtt.publish("a/b", b"hi") == b"\x30\x07\x00\x03a/bhi"
    assert mqtt.puback(258) == b"\x40\x02\x01\x02"
    assert mqtt.suback(1, [1, 0x80]) == b"\x90\x04\x00\x01\x01\x80"
    assert mqtt.unsuback(1) == b"\xb0\x02\x00\x01"
    assert mqtt.PINGRESP_BYTES == b"\xd0\x00"


def test_a_password_is_not_shown():
    assert "secret" not in repr(read(GOOD["connect"])[0])
