"""A board's MQTT session against a server's bytes: in any pieces, cut off anywhere, spoiled anyhow.

The server's bytes are written and the client's are read by the emulated cloud's own codec, which
shares no line with the agent's.
"""

import os
import random
import tracemalloc

import pytest

from anchorwatch.errors import MalformedMessage
from anchorwatch.wire import mqtt
from anchorwatch.wire.mqttsession import Session
from hil.cloud import mqtt as server
from hil.cloud import packets

FULL = os.environ.get("ANCHORWATCH_COUNTS") == "full"
FILTERS = ["$iothub/twin/res/#", "devices/d/messages/devicebound/#"]
LETTER = "devices/d/messages/devicebound/%24.to=%2Fdevices%2Fd"
SAYS = (
    server.connack(0, True),
    server.suback(1, [1, 0x80]),
    server.publish("$iothub/twin/res/200/?$rid=1", b'{"desired":{"$version":1}}'),
    server.publish(LETTER, b"first" * 40, 1, 700),
    server.puback(3),
    server.publish("\u00fc", b"", 1, 65535),
    server.puback(2),
    server.PINGRESP_BYTES,
)
STREAM = b"".join(SAYS)
EVENTS = [
    ("connected", True),
    ("subscribed", [1, 0x80]),
    ("message", "$iothub/twin/res/200/?$rid=1", b'{"desired":{"$version":1}}'),
    ("message", LETTER, b"first" * 40),
    ("acked", "two"),
    ("message", "\u00fc", b""),
    ("acked", "one"),
    ("ponged",),
]
KINDS = {
    "connected", "refused", "subscribed", "acked", "message", "ponged", "disconnected",
}  # fmt: skip


def opened(**settings):
    """A session that has asked for everything the STREAM answers, and the bytes it sent."""
    session = Session(**settings)
    session.connect("d", "host/d/?v", "secret", 240, False, 0)
    session.subscribe(FILTERS, 0)
    session.publish("t", b"1", 1, "one", 0)
    session.publish("t", b"2", 1, "two", 0)
    session.ping(0)
    return session, drained(session)


def drained(session):
    out = b""
    while len(session.send_bytes()):
        piece = bytes(session.send_bytes())
        session.sent(len(piece), 0)
        out += piece
    return out


def told(session, pieces):
    """(events, bytes that went out) of one session fed piece by piece."""
    events, out = [], b""
    for piece in pieces:
        events += session.received(piece, 1)
        out += drained(session)
    return events, out


def read_by_server(data):
    reader, found = server.Reader(), []
    reader.feed(data)
    while (packet := reader.next()) is not None:
        found.append(packet)
    return found


def cut(data, chance):
    """`data` in pieces of random lengths, empty ones among them."""
    pieces, at = [], 0
    while at < len(data):
        size = chance.choice((0, 1, 1, 2, 3, 7, 40, 200))
        pieces.append(data[at : at + size])
        at += size
    return pieces


def test_server_understands_everything_a_session_says():
    session, out = opened()
    assert read_by_server(out) == [
        packets.Connect("d", "host/d/?v", b"secret", False, 240),
        packets.Subscribe(1, tuple((name, 1) for name in FILTERS)),
        packets.Publish("t", b"1", 1, False, 2),
        packets.Publish("t", b"2", 1, False, 3),
        packets.Pingreq(),
    ]
    events, out = told(session, [STREAM])
    assert events == EVENTS
    assert read_by_server(out) == [packets.Puback(700), packets.Puback(65535)]
    session.end()
    assert read_by_server(drained(session)) == [packets.Disconnect()]


def test_bytes_one_by_one_tell_the_same():
    whole = told(opened()[0], [STREAM])
    assert whole[0] == EVENTS
    assert told(opened()[0], [STREAM[at : at + 1] for at in range(len(STREAM))]) == whole


def test_any_pieces_tell_the_same():
    seed = random.randrange(1 << 32)
    print("seed %d" % seed)
    chance = random.Random(seed)
    for _ in range(5_000 if FULL else 300):
        events, out = told(opened()[0], cut(STREAM, chance))
        assert events == EVENTS
        assert read_by_server(out) == [packets.Puback(700), packets.Puback(65535)]


def test_stream_cut_off_anywhere_tells_what_was_whole_and_then_its_end():
    ends = [len(b"".join(SAYS[: count + 1])) for count in range(len(SAYS))]
    for size in range(len(STREAM)):
        session, _ = opened()
        events, _ = told(session, [STREAM[:size]])
        assert events == EVENTS[: sum(end <= size for end in ends)]
        assert session.lost("closed") == [("disconnected", "closed")]
        assert session.wake_at is None


def assert_sound(session, events, why):
    """Known kinds in a possible order; after the end nothing is told, said or due."""
    assert {event[0] for event in events} <= KINDS, why
    last = [event for event in events if event[0] in ("refused", "disconnected")]
    assert len(last) <= 1 and (not last or events[-1] == last[0]), why
    assert not last or last[0][0] == "refused" or last[0][1] == "protocol", why
    assert session.over == bool(last), why
    assert bool(session.complaint) == (last != [] and last[0][0] == "disconnected"), why
    if session.over:
        assert session.wake_at is None and len(session.send_bytes()) == 0, why
        assert session.received(STREAM, 2) == [] and session.tick(10**9) == [], why


def test_every_spoiled_byte_is_understood_or_ends_the_session_as_a_broken_protocol():
    ended = 0
    for at in range(len(STREAM)):
        for change in range(1, 256) if FULL else (1, 2, 4, 8, 16, 32, 64, 128, 255):
            spoiled = STREAM[:at] + bytes([STREAM[at] ^ change]) + STREAM[at + 1 :]
            session, _ = opened(packet_at_most=4096)
            events, _ = told(session, [spoiled])
            assert_sound(session, events, (at, change))
            ended += session.over
    assert ended > len(STREAM)


def test_random_bytes_behind_a_greeting_are_understood_or_a_broken_protocol():
    seed = random.randrange(1 << 32)
    print("seed %d" % seed)
    chance = random.Random(seed)
    for number in range(20_000 if FULL else 2_000):
        first = chance.choice((0x20, 0x30, 0x32, 0x3A, 0x40, 0x90, 0xD0, chance.randrange(256)))
        junk = bytes([first, chance.randrange(12)]) + chance.randbytes(chance.randrange(30))
        session, _ = opened(packet_at_most=4096)
        events, _ = told(session, cut(SAYS[0] + junk, chance))
        assert_sound(session, events, (number, junk))


@pytest.mark.parametrize("password", ["secret\0", "s" * 70_000])
def test_password_that_cannot_be_sent_is_not_shown(password):
    with pytest.raises(ValueError) as refused:
        Session().connect("d", "u", password, 60, True, 0)
    assert "secret" not in str(refused.value) and "sss" not in str(refused.value)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0", "a" + chr(0xDC00), "a" * 65_536])
@pytest.mark.parametrize("qos", [0, 1])
def test_message_that_mqtt_cannot_carry_is_refused_and_nothing_of_it_goes_out(topic, qos):
    session, _ = opened()
    with pytest.raises(ValueError):
        session.publish(topic, b"", qos, "bad", 0)
    session.publish("good", b"", qos, "good", 0)
    assert [packet.topic for packet in read_by_server(drained(session))] == ["good"]


def test_longest_topic_goes_out_whole():
    session, _ = opened()
    session.publish("a" * 65_535, b"x", 0, "", 0)
    assert read_by_server(drained(session)) == [packets.Publish("a" * 65_535, b"x")]


@pytest.mark.once
def test_packet_identifiers_wrap_and_pass_over_those_in_use():
    """The first number and the last are kept for more than a round."""
    session = Session(in_flight=1_002)
    session.connect("d", "u", None, 60, True, 0)
    session.received(server.connack(0, False), 0)
    session.publish("t", b"", 1, "held", 0)
    drained(session)
    used = []
    for start in range(0, 132_000, 1_000):
        for number in range(start, start + 1_000):
            session.publish("t", b"", 1, number, 0)
        used += [packet.packet_id for packet in read_by_server(drained(session))]
        answered = [one for one in used[start:] if one != 65_535]
        told = session.received(b"".join(map(server.puback, answered)), 0)
        assert len(told) == len(answered)
    assert used == [*range(2, 65_536), *range(2, 65_535), *range(2, 935)]
    told = session.received(server.puback(1) + server.puback(65_535), 0)
    assert told == [("acked", "held"), ("acked", 65_533)]


def test_window_holds_whatever_order_the_acknowledgements_have():
    seed = random.randrange(1 << 32)
    print("seed %d" % seed)
    chance = random.Random(seed)
    session = Session(in_flight=7)
    session.connect("d", "u", None, 60, True, 0)
    session.received(server.connack(0, False), 0)
    drained(session)
    for number in range(200):
        session.publish("t", b"%d" % number, 1, number, 0)
    sent, open_, acked = [], [], []
    while len(acked) < 200:
        new = read_by_server(drained(session))
        sent += [int(packet.payload) for packet in new]
        open_ += [packet.packet_id for packet in new]
        assert 0 < len(open_) <= 7 and len(set(open_)) == len(open_)
        answers = [open_.pop(chance.randrange(len(open_))) for _ in range(min(2, len(open_)))]
        told = session.received(b"".join(map(server.puback, answers)), 0)
        acked += [number for _, number in told]
    assert sent == list(range(200)) and sorted(acked) == sent


def test_wanted_bytes_stay_the_same_until_they_went():
    """TLS must be asked again with what it did not take."""
    session, _ = opened()
    session.publish("t", bytes(5_000), 0, "", 0)
    first = session.send_bytes()
    session.publish("t", b"more", 0, "", 0)
    session.received(STREAM, 0)
    assert session.send_bytes() is first
    session.sent(3, 0)
    assert bytes(session.send_bytes()) == bytes(first[3:])


def test_long_message_goes_out_without_a_copy():
    session, _ = opened()
    payload = bytes(1 << 20)
    tracemalloc.start()
    try:
        session.publish("t", payload, 1, "long", 0)
        count = 0
        while size := len(session.send_bytes()):
            session.sent(min(size, 1_000), 0)
            count += min(size, 1_000)
        assert count > len(payload)
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()


def test_long_message_comes_in_within_twice_its_size():
    session, _ = opened()
    data = SAYS[0] + server.publish("t", bytes(60_000), 1, 5)
    pieces = [data[at : at + 1_460] for at in range(0, len(data), 1_460)]
    tracemalloc.start()
    try:
        events, _ = told(session, pieces)
        assert [len(event[2]) for event in events if event[0] == "message"] == [60_000]
        assert tracemalloc.get_traced_memory()[1] < 130_000
    finally:
        tracemalloc.stop()


def test_packet_that_is_too_long_is_refused_before_it_is_kept():
    reader, head = mqtt.Reader(at_most=1_000), server.publish("tt", bytes(100_000))[:5]
    with pytest.raises(MalformedMessage, match="too long: 100004"):
        tracemalloc.start()
        try:
            reader.feed(head)
            reader.next()
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert peak < 50_000


def test_empty_piece_is_no_word_of_the_peer():
    session, _ = opened()  # with a ping that waits
    due_ms = session.wake_at
    assert session.received(b"", 1_000) == [] and session.wake_at == due_ms
    assert session.received(STREAM, 1_000) == EVENTS and session.wake_at > due_ms
