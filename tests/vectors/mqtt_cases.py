"""MQTT 3.1.1 for boards: packets of every kind, everything a server may not send, whole sessions.

The server's side is written here anew, so that a mistake is not made twice.
"""

import binascii

from anchorwatch.wire import mqtt
from anchorwatch.wire.mqttout import Outgoing, Owed
from anchorwatch.wire.mqttsession import ANSWER_MS, PUBACK_MS, Session

ACCEPTED = b"\x20\2\0\0"
PONG = b"\xd0\0"


def shown(data):
    return binascii.hexlify(data).decode()


def packet(first, body):
    """As a server sends it."""
    size, head = len(body), b""
    while size > 127:
        head += bytes([size % 128 + 128])
        size //= 128
    return bytes([first]) + head + bytes([size]) + body


def told(topic, payload, packet_id=0, first=None):
    """PUBLISH to the device."""
    first = first or (0x32 if packet_id else 0x30)
    number = bytes([packet_id >> 8, packet_id & 255]) if packet_id else b""
    return packet(first, bytes([len(topic) >> 8, len(topic) & 255]) + topic + number + payload)


def read(data, at_most=mqtt.PACKET_AT_MOST, size=0):
    """The packets in `data`, fed in pieces of `size` bytes if given."""
    reader, found = mqtt.Reader(at_most), []
    for at in range(0, len(data), size or len(data)):
        reader.feed(data[at : at + (size or len(data))])
        packet = reader.next()
        while packet is not None:
            found.append(packet)
            packet = reader.next()
    return found


def connect(*arguments):
    return shown(mqtt.connect(*arguments))


def publish(topic, payload, packet_id):
    return shown(mqtt.publish(mqtt.topic(topic, len(payload)), len(payload), packet_id) + payload)


def head_of(size, packet_id=0):
    return shown(mqtt.publish(mqtt.topic("t", size), size, packet_id))


def subscribe(*filters):
    return shown(mqtt.subscribe(7, list(filters)))


def drained(session, now_ms):
    """All that goes out, in the pieces it goes out in."""
    pieces = []
    while len(session.send_bytes()):
        piece = bytes(session.send_bytes())
        session.sent(len(piece), now_ms)
        pieces.append(shown(piece))
    return pieces


def played(*steps, **settings):
    """What comes of (time, method, arguments...) one after the other: bytes out, events, wake_at.

    What a step has to send is sent before the next one, until a step is "stuck".
    """
    session = Session(**settings)
    lines, stuck = [], False
    for now_ms, method, *arguments in steps:
        if method == "stuck":
            stuck = True
            continue
        if method not in ("end", "lost"):
            arguments = arguments + [now_ms]
        events = getattr(session, method)(*arguments) or []
        out = [] if stuck else drained(session, now_ms)
        lines.append((now_ms, events, out, session.wake_at))
    return lines + [session.complaint] if session.complaint else lines


OPENED = (
    (0, "connect", "d", "u", "p", 60, False),
    (100, "received", ACCEPTED),
)


def events(*steps, **settings):
    """Only what a played session told."""
    return [event for line in played(*steps, **settings) for event in line[1]]


def complaint(*steps):
    """What the peer broke, behind the events."""
    lines = played(*steps)
    return lines[-2][1], lines[-1]


def acked(*ids):
    return b"".join([packet(0x40, bytes([one >> 8, one & 255])) for one in ids])


def windowed():
    """Five messages at once with room for two: which numbers went out after each answer."""
    session = Session(in_flight=2)
    session.connect("d", "u", None, 60, True, 0)
    drained(session, 0)
    session.received(ACCEPTED, 0)
    for number in range(5):
        session.publish("t", b"%d" % number, 1, "m%d" % number, 0)
    out = [drained(session, 0)]
    for packet_id in (1, 2, 3, 4, 5):
        tokens = [token for _, token in session.received(acked(packet_id), 0)]
        out.append((tokens, drained(session, 0)))
    return out


def waiting_bytes(method_and_arguments):
    """How many bytes go out next before and after it, and what it tells."""
    session = Session()
    session.connect("d", "u", None, 60, True, 0)
    session.publish("t", b"1", 1, "one", 0)
    session.publish("t", bytes(2000), 1, "two", 0)
    before, method = len(session.send_bytes()), method_and_arguments[0]
    told = getattr(session, method)(*method_and_arguments[1:])
    return before, told, len(session.send_bytes())


def exactly():
    """Up to 1 KB leaves together, and no byte more."""
    sizes = []
    for last in (24, 25):
        out = Outgoing()
        for size in (500, 500, last):
            out.put(bytes(size))
        sizes.append(len(out.next()))
    return sizes


def gathered():
    """Small packets leave together, a long payload as it is, and nothing changes on the way."""
    out, payload = Outgoing(), bytes(5000)
    for piece in (b"a" * 500, b"b" * 500, b"c" * 100, payload, b"", b"d"):
        out.put(piece)
    sizes, queued = [], [out.queued]
    while len(out.next()):
        first = out.next()
        sizes.append(len(first))
        out.put(b"e" if len(sizes) == 1 else b"")
        count = min(700, len(first))
        out.took(count)
        queued.append(out.queued)
    return sizes, queued


def owed():
    """The time of an answer begins when its question is out, byte for byte."""
    answer, found = Owed(1000), []
    answer.ask(10, 0)
    answer.ask(20, 5)
    for count, now_ms in ((4, 100), (4, 200), (4, 300), (4, 400)):
        answer.took(count, now_ms)
        found.append((answer.deadline_ms, answer.overdue(1299), answer.overdue(1300)))
    answer.came()
    answer.took(5, 500)
    return found + [answer.deadline_ms]


LONG = b"x" * 300
HELD = told(b"$iothub/twin/res/200/?$rid=1", b"{}")
DOWN = told(b"devices/d/messages/devicebound/", LONG, 258)

CASES = [
    # sentence, call, arguments, expected
    (
        "CONNECT with a token and a kept session",
        connect,
        ("dev-1", "host/dev-1/?v", "secret", 240, False),
        "102800044d51545404c000f000056465762d31000d686f73742f6465762d312f3f760006736563726574",
    ),
    (
        "CONNECT with a certificate and a clean session",
        connect,
        ("d", "u", None, 60, True),
        "101000044d5154540482003c000164000175",
    ),
    ("an empty password is sent as one", connect, ("d", "u", "", 60, True),
     "101200044d51545404c2003c0001640001750000"),
    ("a client may be named beyond ASCII", connect, ("\u00fc", "u", None, 5, True),
     "101100044d515454048200050002c3bc000175"),
    ("a keepalive of nothing is refused", connect, ("d", "u", None, 0, True),
     ("raises", "ValueError", "a keepalive has")),
    ("the shortest keepalive", connect, ("d", "u", None, 1, True),
     "101000044d51545404820001000164000175"),
    ("the longest keepalive", connect, ("d", "u", None, 65535, True),
     "101000044d5154540482ffff000164000175"),
    ("a keepalive of more than two bytes is refused", connect, ("d", "u", None, 65536, True),
     ("raises", "ValueError", "a keepalive has")),
    ("a password with a zero in it is refused without showing it", connect,
     ("d", "u", "se\0cret", 60, True), ("raises", "ValueError", "MQTT has no such character")),
    ("PUBLISH without acknowledgement", publish, ("a/b", b"hi", 0), "30070003612f626869"),
    ("PUBLISH with acknowledgement", publish, ("a/b", b"hi", 258), "32090003612f6201026869"),
    ("PUBLISH of nothing", publish, ("a", b"", 0), "3003000161"),
    ("a length of one byte", head_of, (124,), "307f000174"),
    ("a length of two bytes", head_of, (125,), "308001000174"),
    ("the longest of two bytes", head_of, (16380,), "30ff7f000174"),
    ("a length of three bytes", head_of, (16381,), "30808001000174"),
    ("a length of four bytes", head_of, (2097149,), "3080808001000174"),
    ("the longest message", head_of, (0x0FFEFFFB,), "30fefffb7f000174"),
    ("a message of 256 MB is refused", head_of, (0x0FFEFFFC,),
     ("raises", "ValueError", "a message of MQTT has less")),
    ("a topic of nothing is refused", publish, ("", b"", 0), ("raises", "ValueError", "a topic")),
    ("a topic with a wildcard is refused", publish, ("a/+", b"", 0),
     ("raises", "ValueError", "a topic")),
    ("a topic with the other wildcard is refused", publish, ("a/#", b"", 0),
     ("raises", "ValueError", "a topic")),
    ("a topic with a zero is refused", publish, ("a\0", b"", 0),
     ("raises", "ValueError", "MQTT has no")),
    ("a topic with half a character is refused", publish, ("a" + chr(0xD800), b"", 0),
     ("raises", "ValueError", "MQTT has no")),
    ("a topic with the other half of one is refused", publish, (chr(0xDFFF), b"", 0),
     ("raises", "ValueError", "MQTT has no")),
    ("topics beside the halves are none", publish, (chr(0xD7FF) + chr(0xE000), b"", 0),
     "30080006ed9fbfee8080"),
    ("a topic longer than a text is refused", lambda: publish("a" * 65536, b"", 0), (),
     ("raises", "ValueError", "a text of MQTT has at most")),
    ("SUBSCRIBE to two, QoS 1 each", subscribe, ("a/#", "b"),
     "820c00070003612f230100016201"),
    ("SUBSCRIBE to nothing is refused", subscribe, (), ("raises", "ValueError", "a subscription")),
    ("SUBSCRIBE to an empty filter is refused", subscribe, ("a", ""),
     ("raises", "ValueError", "a subscription")),
    ("PUBACK", lambda: shown(mqtt.puback(258)), (), "40020102"),
    ("PINGREQ and DISCONNECT", lambda: shown(mqtt.PINGREQ + mqtt.DISCONNECT), (), "c000e000"),
    # What a server sends.
    ("CONNACK of a new session", read, (ACCEPTED,), [(2, False, 0)]),
    ("CONNACK of a kept session", read, (b"\x20\2\1\0",), [(2, True, 0)]),
    ("CONNACK that refuses", read, (b"\x20\2\0\5",), [(2, False, 5)]),
    ("CONNACK with a code that nobody defined passes as it is", read, (b"\x20\2\0\x87",),
     [(2, False, 0x87)]),
    ("CONNACK with a reserved bit", read, (b"\x20\2\2\0",),
     ("raises", "MalformedMessage", "MQTT: reserved bits in CONNACK")),
    ("CONNACK that refuses and kept a session", read, (b"\x20\2\1\5",),
     ("raises", "MalformedMessage", "MQTT: reserved bits in CONNACK")),
    ("CONNACK of another length", read, (b"\x20\3\0\0\0",),
     ("raises", "MalformedMessage", "MQTT: a packet of a wrong length: 3")),
    ("CONNACK with flags in its first byte", read, (b"\x21\2\0\0",),
     ("raises", "MalformedMessage", "MQTT: no packet for a client: 0x21")),
    ("PUBLISH without acknowledgement is read", read, (told(b"a/b", b"hi"),),
     [(3, "a/b", b"hi", 0)]),
    ("PUBLISH with acknowledgement is read", read, (told(b"a", b"hi", 258),),
     [(3, "a", b"hi", 258)]),
    ("PUBLISH that comes again is read", read, (told(b"a", b"hi", 258, 0x3A),),
     [(3, "a", b"hi", 258)]),
    ("PUBLISH as short as it can be is read", read,
     (told(b"a", b"", 1) + told(b"a", b"", 1, 0x33) + told(b"a", b"", 1, 0x3A)
      + told(b"a", b"", 1, 0x3B) + told(b"a", b""),),
     [(3, "a", b"", 1)] * 4 + [(3, "a", b"", 0)]),
    ("PUBLISH to a long topic is read", read, (told(LONG, b"hi"),),
     [(3, "x" * 300, b"hi", 0)]),
    ("PUBLISH that was kept is read", read, (told(b"a", b"", 0, 0x31),), [(3, "a", b"", 0)]),
    ("PUBLISH to a topic beyond ASCII is read", read, (told(b"\xc3\xbc", b""),),
     [(3, "\u00fc", b"", 0)]),
    ("PUBLISH that comes again without acknowledgement", read, (told(b"a", b"", 0, 0x38),),
     ("raises", "MalformedMessage", "MQTT: no packet for a client: 0x38")),
    ("PUBLISH of QoS 2", read, (told(b"a", b"", 1, 0x34),),
     ("raises", "MalformedMessage", "MQTT: no packet for a client: 0x34")),
    ("PUBLISH of QoS 3", read, (told(b"a", b"", 1, 0x36),),
     ("raises", "MalformedMessage", "MQTT: no packet for a client: 0x36")),
    ("PUBLISH with packet identifier 0", read, (b"\x32\x05\0\1a\0\0",),
     ("raises", "MalformedMessage", "MQTT: packet identifier 0")),
    ("PUBLISH with a topic longer than itself", read, (b"\x30\x04\0\x03ab",),
     ("raises", "MalformedMessage", "MQTT: a topic longer than its packet")),
    ("PUBLISH with no room for its identifier", read, (b"\x32\x05\0\2abc",),
     ("raises", "MalformedMessage", "MQTT: a topic longer than its packet")),
    ("PUBLISH to nothing", read, (b"\x30\3\0\0a",),
     ("raises", "MalformedMessage", "MQTT: no topic of a message")),
    ("PUBLISH to a wildcard", read, (told(b"a/#", b""),),
     ("raises", "MalformedMessage", "MQTT: no topic of a message: a/#")),
    ("PUBLISH to a topic with a zero", read, (told(b"a\0", b""),),
     ("raises", "MalformedMessage", "MQTT: no topic of a message: a\\x00")),
    ("PUBLISH to a topic that is no UTF-8", read, (told(b"a\xff", b""),),
     ("raises", "MalformedMessage", "not UTF-8")),
    ("PUBLISH to a topic with half a character", read, (told(b"\xed\xa0\x80", b""),),
     ("raises", "MalformedMessage", "not UTF-8")),
    ("PUBACK is read", read, (b"\x40\2\1\2",), [(4, 258)]),
    ("PUBACK with packet identifier 0", read, (b"\x40\2\0\0",),
     ("raises", "MalformedMessage", "MQTT: packet identifier 0")),
    ("PUBACK of another length", read, (b"\x40\1\1",),
     ("raises", "MalformedMessage", "MQTT: a packet of a wrong length: 1")),
    ("PUBACK with more in it", read, (b"\x40\3\0\1\0",),
     ("raises", "MalformedMessage", "MQTT: a packet of a wrong length: 3")),
    ("SUBACK is read", read, (b"\x90\5\0\7\0\1\x80",), [(9, 7, [0, 1, 0x80])]),
    ("SUBACK with a reserved bit", read, (b"\x90\3\0\7\3",),
     ("raises", "MalformedMessage", "MQTT: reserved bits in SUBACK")),
    ("SUBACK without an answer", read, (b"\x90\2\0\7",),
     ("raises", "MalformedMessage", "MQTT: a packet of a wrong length: 2")),
    ("PINGRESP is read", read, (PONG,), [(13,)]),
    ("PINGRESP with something in it", read, (b"\xd0\1\0",),
     ("raises", "MalformedMessage", "MQTT: a packet of a wrong length: 1")),
    ("a packet that only clients send", read, (b"\xc0\0",),
     ("raises", "MalformedMessage", "MQTT: no packet for a client: 0xc0")),
    ("a packet of type 0", read, (b"\0\0",),
     ("raises", "MalformedMessage", "MQTT: no packet for a client: 0x00")),
    ("an answer of HTTP ends with its first byte", read, (b"HTTP/1.1 400 Bad Request\r\n",),
     ("raises", "MalformedMessage", "MQTT: no packet for a client: 0x48")),
    ("a length in more bytes than it needs is read", read, (b"\xd0\x80\x80\0",), [(13,)]),
    ("a length of five bytes", read, (b"\x30\x80\x80\x80\x80\1",),
     ("raises", "MalformedMessage", "MQTT: a length of more than four bytes")),
    ("the longest packet that is taken", read, (told(b"a", b"x" * 97), 100),
     [(3, "a", b"x" * 97, 0)]),
    ("a packet that is too long is refused by its head alone", read, (b"\x30\x65", 100),
     ("raises", "MalformedMessage", "MQTT: a packet is too long: 101")),
    ("a packet longer than anything is refused by its head alone", read, (b"\x30\xff\xff\xff\x7f",),
     ("raises", "MalformedMessage", "MQTT: a packet is too long: 268435455")),
    ("half a packet is none", read, (DOWN[:-1],), []),
    ("several packets in one piece", read, (ACCEPTED + HELD + DOWN + PONG,),
     [(2, False, 0), (3, "$iothub/twin/res/200/?$rid=1", b"{}", 0),
      (3, "devices/d/messages/devicebound/", LONG, 258), (13,)]),
    ("several packets byte by byte", read, (ACCEPTED + HELD + DOWN + PONG, 400, 1),
     [(2, False, 0), (3, "$iothub/twin/res/200/?$rid=1", b"{}", 0),
      (3, "devices/d/messages/devicebound/", LONG, 258), (13,)]),
    ("several packets in pieces of seven", read, (ACCEPTED + HELD + DOWN + PONG, 400, 7),
     [(2, False, 0), (3, "$iothub/twin/res/200/?$rid=1", b"{}", 0),
      (3, "devices/d/messages/devicebound/", LONG, 258), (13,)]),
    ("a packet of 8 KB in pieces", lambda: [
        (kind, topic, len(payload), packet_id)
        for kind, topic, payload, packet_id in read(told(b"a", b"y" * 8189), 8192, 1460)
     ], (), [(3, "a", 8189, 0)]),
    # Sessions.
    ("a session that is accepted", played, OPENED,
     [(0, [], ["101300044d51545404c0003c000164000175000170"], ANSWER_MS),
      (100, [("connected", False)], [], 60_000)]),
    ("a session that is refused is over", played,
     (OPENED[0], (50, "received", b"\x20\2\0\5" + HELD), (60, "lost", "closed"), (70, "tick")),
     [(0, [], ["101300044d51545404c0003c000164000175000170"], ANSWER_MS),
      (50, [("refused", 5)], [], None), (60, [], [], None), (70, [], [], None)]),
    ("a subscription that was refused is told by its 128", events,
     OPENED + ((200, "subscribe", ["a", "b"]), (300, "received", b"\x90\4\0\1\1\x80")),
     [("connected", False), ("subscribed", [1, 128])]),
    ("SUBACK for another number of filters is a broken protocol", complaint,
     OPENED + ((200, "subscribe", ["a", "b"]), (300, "received", b"\x90\3\0\1\1")),
     ([("disconnected", "protocol")], "MQTT: SUBACK for something else: 1")),
    ("SUBACK for nothing is a broken protocol", complaint,
     OPENED + ((300, "received", b"\x90\3\0\1\1"),),
     ([("disconnected", "protocol")], "MQTT: SUBACK for something else: 1")),
    ("subscriptions are answered one by one, and the next has its whole time", played,
     ((0, "connect", "d", "u", None, 1177, True), (0, "received", ACCEPTED),
      (200, "subscribe", ["a"]), (300, "subscribe", ["b", "c"]),
      (5_000, "received", b"\x90\3\0\1\1"), (6_000, "received", b"\x90\4\0\2\0\0")),
     lambda lines: [(line[1], line[3]) for line in lines[2:]] == [
         ([], 90_200), ([], 90_200), ([("subscribed", [1])], 95_000),
         ([("subscribed", [0, 0])], 1_177_300)]),
    ("a message is told, and acknowledged by what goes out next", played,
     OPENED + ((200, "received", told(b"t", b"one", 9) + told(b"t", b"two")),),
     lambda lines: lines[2:] == [
         (200, [("message", "t", b"one"), ("message", "t", b"two")], ["40020009"], 60_200)]),
    ("a message that comes again is told and acknowledged again", played,
     OPENED + ((200, "received", told(b"t", b"one", 9) + told(b"t", b"one", 9, 0x3A)),),
     lambda lines: lines[2:] == [
         (200, [("message", "t", b"one")] * 2, ["4002000940020009"], 60_200)]),
    ("acknowledgements find their messages in any order", events,
     OPENED + ((200, "publish", "t", b"1", 1, "one"), (200, "publish", "t", b"2", 1, "two"),
               (300, "received", acked(2, 1))),
     [("connected", False), ("acked", "two"), ("acked", "one")]),
    ("PUBACK for nothing, or again, says nothing", events,
     OPENED + ((200, "publish", "t", b"1", 1, "one"), (300, "received", acked(9, 1, 1))),
     [("connected", False), ("acked", "one")]),
    ("a window of two lets two go, and one for each answer", windowed, (),
     [["32060001740001303206000174000231"],
      (["m0"], ["3206000174000332"]), (["m1"], ["3206000174000433"]),
      (["m2"], ["3206000174000534"]), (["m3"], []), (["m4"], [])]),
    ("QoS 0 waits for nobody and is acknowledged by nobody", played,
     OPENED + ((200, "publish", "t", b"1", 0, "one"),),
     lambda lines: lines[2:] == [(200, [], ["300400017431"], 60_100)]),
    ("a quiet session pings, and the answer quiets it again", played,
     OPENED + ((59_999, "tick"), (60_100, "tick"), (60_200, "received", PONG)),
     lambda lines: lines[2:] == [(59_999, [], [], 60_000), (60_100, [], ["c000"], 90_100),
                                 (60_200, [], [], 120_100)]),
    ("a session whose ping stays unanswered is silent", played,
     OPENED + ((60_000, "tick"), (89_999, "tick"), (90_000, "tick"), (90_001, "lost", "closed")),
     lambda lines: lines[2:] == [(60_000, [], ["c000"], 90_000), (89_999, [], [], 90_000),
                                 (90_000, [("disconnected", "silent")], [], None),
                                 (90_001, [], [], None)]),
    ("a ping is answered within a short keepalive", played,
     ((0, "connect", "d", "u", None, 5, True), (0, "received", ACCEPTED), (5_000, "tick"),
      (10_000, "tick")),
     lambda lines: lines[2:] == [(5_000, [], ["c000"], 10_000),
                                 (10_000, [("disconnected", "silent")], [], None)]),
    ("only a ping that was asked for is told", events,
     OPENED + ((60_000, "tick"), (60_100, "received", PONG), (61_000, "ping"),
               (61_100, "received", PONG), (61_200, "received", PONG)),
     [("connected", False), ("ponged",)]),
    ("two pings that were asked for are told twice", events,
     OPENED + ((200, "ping"), (201, "ping"), (300, "received", PONG + PONG + PONG)),
     [("connected", False), ("ponged",), ("ponged",)]),
    ("any word of the peer answers a ping", played,
     OPENED + ((60_000, "tick"), (60_500, "received", HELD[:3])),
     lambda lines: lines[3] == (60_500, [], [], 120_000)),
    ("a server that never greets is silent", played, (OPENED[0], (ANSWER_MS, "tick")),
     lambda lines: lines[1] == (ANSWER_MS, [("disconnected", "silent")], [], None)),
    ("a subscription that nobody answers is silent", events,
     OPENED + ((200, "subscribe", ["a"]), (60_000, "tick"), (60_001, "received", PONG),
               (90_200, "tick")),
     [("connected", False), ("disconnected", "silent")]),
    ("a message that nobody acknowledges is silent, much later", events,
     ((0, "connect", "d", "u", None, 1177, True), (0, "received", ACCEPTED),
      (200, "publish", "t", b"", 1, "one"), (PUBACK_MS + 199, "tick"), (PUBACK_MS + 200, "tick")),
     [("connected", False), ("disconnected", "silent")]),
    ("an acknowledgement gives the next its whole time", played,
     ((0, "connect", "d", "u", None, 1177, True), (0, "received", ACCEPTED),
      (200, "publish", "t", b"", 1, "one"), (300, "publish", "t", b"", 1, "two"),
      (5_000, "received", acked(1)), (6_000, "received", acked(2))),
     lambda lines: [line[3] for line in lines[2:]] == [
         PUBACK_MS + 200, PUBACK_MS + 200, PUBACK_MS + 5_000, 1_177_300]),
    ("bytes before CONNECT are a broken protocol", complaint, ((5, "received", HELD),),
     ([("disconnected", "protocol")], "MQTT: a packet out of place: 3")),
    ("CONNACK before CONNECT is a broken protocol", complaint, ((5, "received", ACCEPTED),),
     ([("disconnected", "protocol")], "MQTT: a packet out of place: 2")),
    ("a message before CONNACK is a broken protocol", complaint,
     (OPENED[0], (5, "received", HELD + ACCEPTED)),
     ([("disconnected", "protocol")], "MQTT: a packet out of place: 3")),
    ("a second CONNACK is a broken protocol", complaint, OPENED + ((200, "received", ACCEPTED),),
     ([("disconnected", "protocol")], "MQTT: a packet out of place: 2")),
    ("what came before a broken packet is told", complaint,
     OPENED + ((200, "received", told(b"t", b"one", 9) + b"\x36"),),
     ([("message", "t", b"one"), ("disconnected", "protocol")],
      "MQTT: no packet for a client: 0x36")),
    ("after a broken packet nothing goes out and nothing is read", played,
     OPENED + ((200, "received", told(b"t", b"one", 9) + b"\x36"), (201, "received", HELD),
               (202, "publish", "t", b"", 1, "one"), (203, "subscribe", ["a"]), (204, "ping"),
               (205, "end")),
     lambda lines: lines[2][2] == []
     and [line[1:] for line in lines[3:-1]] == [([], [], None)] * 5),
    ("after a refusal nothing goes out of what waited", waiting_bytes,
     (("received", b"\x20\2\0\5", 1),), (34, [("refused", 5)], 0)),
    ("after the connection nothing goes out of what waited", waiting_bytes,
     (("lost", "network"),), (34, [("disconnected", "network")], 0)),
    ("the end says DISCONNECT behind what waits, and tells nothing", played,
     OPENED + ((200, "publish", "t", b"1", 1, "one"), (201, "end"), (202, "received", acked(1)),
               (203, "lost", "closed"), (204, "end")),
     lambda lines: [line[1:] for line in lines[3:]] == [
         ([], ["e000"], None), ([], [], None), ([], [], None), ([], [], None)]),
    ("the end before CONNECT says nothing", played, ((0, "end"),), [(0, [], [], None)]),
    ("before CONNECT nothing is said and nothing is due", played,
     ((0, "publish", "t", b"", 0, ""), (0, "subscribe", ["a"]), (0, "ping"), (0, "tick")),
     [(0, [], [], None)] * 4),
    ("how the socket ended is told once", events,
     OPENED + ((200, "lost", "network"), (201, "lost", "closed")),
     [("connected", False), ("disconnected", "network")]),
    ("a packet longer than the session takes is a broken protocol",
     lambda: played(*(OPENED + ((200, "received", b"\x30\x65"),)), packet_at_most=100)[-2:],
     (), [(200, [("disconnected", "protocol")], [], None), "MQTT: a packet is too long: 101"]),
    ("while bytes still go out, an answer is not overdue", played,
     OPENED + ((60_000, "stuck"), (60_000, "publish", "t", bytes(5000), 0, ""),
               (60_100, "tick"), (80_000, "sent", 5), (100_000, "sent", 2000),
               (125_000, "sent", 3002), (154_000, "tick"), (155_000, "tick")),
     lambda lines: lines[2:] == [
         (60_000, [], [], 60_000), (60_100, [], [], 90_100), (80_000, [], [], 110_000),
         (100_000, [], [], 130_000), (125_000, [], [], 155_000), (154_000, [], [], 155_000),
         (155_000, [("disconnected", "silent")], [], None)]),
    ("small packets leave together, a long one as it is", gathered, (),
     ([1000, 300, 100, 5000, 4300, 3600, 2900, 2200, 1500, 800, 100, 2],
      [6101, 5402, 5102, 5002, 4302, 3602, 2902, 2202, 1502, 802, 102, 2, 0])),
    ("a kilobyte leaves together, and no byte more", exactly, (), [1024, 1000]),
    ("an answer's time begins when its question is out", owed, (),
     [(1100, True, True), (1200, True, True), (1300, False, True), (1300, False, True), None]),
]  # fmt: skip
