"""What a peer sends: however broken, it is understood or it is a MalformedMessage."""

import random

import pytest

from anchorwatch.errors import MalformedMessage
from anchorwatch.wire import bag, dps, http, hub, sntp

NONCE = b"12345678"
ASSIGNED = (
    b'{"operationId":"4.a","status":"assigned","registrationState":{"assignedHub":"h.x.net",'
    b'"deviceId":"d","substatus":"initialAssignment"}}'
)
FOUND = b'{"status":"assigned","assignedHub":"h.x.net","deviceId":"d"}'
TWIN = b'{"desired":{"a":{"b":[1]},"$version":4},"reported":{"$version":2}}'
DESIRED = "$iothub/twin/PATCH/properties/desired/?$version=4"
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
TIME = b"\x24\x02" + bytes(22) + NONCE + bytes(8) + b"\xee" + bytes(7)


def from_hub(topic):
    return lambda data: hub.parse_message(topic, data, "d")


def from_topic(call):
    return lambda data: call("".join(chr(b) for b in data))


def http_answer(data):
    response = http.Response("GET", 64)
    response.feed(data)
    response.finish()
    return response.status


READERS = {
    "a registration": (lambda data: dps.parse_response("$dps/registrations/res/200/?$rid=1", data),
    ASSIGNED),
    "a look-up": (lambda data: dps.parse_lookup(200, None, data), FOUND),
    "a response topic": (from_topic(lambda topic: dps.parse_response(topic, ASSIGNED)),
                         b"$dps/registrations/res/200/?$rid=1&retry-after=3"),
    "a twin": (from_hub("$iothub/twin/res/200/?$rid=1"), TWIN),
    "desired properties": (from_hub(DESIRED), b'{"a":1,"$version":4}'),
    "a method": (from_hub("$iothub/methods/POST/m/?$rid=1"), b'{"in_s":5}'),
    "a topic of a hub": (from_topic(lambda topic: hub.parse_message(topic, TWIN, "d")),
                         b"$iothub/twin/res/200/?$rid=1"),
    "a bag": (from_topic(bag.parse), b"%24.mid=1&a&b=&c=%C3%A4"),
    "an HTTP answer": (http_answer, ANSWER),
    "a time answer": (lambda data: sntp.parse(data, NONCE), TIME),
}  # fmt: skip


def broken(data, chance):
    """`data` with one to three bytes changed, removed, put in or cut off."""
    out = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(out) + 1)
        kind = chance.randrange(4)
        if kind == 0 and at < len(out):
            out[at] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + 3]
        elif kind == 2:
            out[at:at] = bytes([chance.randrange(256)])
        elif at:
            del out[at:]
        if not out:
            break
    return bytes(out)


@pytest.mark.parametrize("name", READERS)
def test_broken_message_is_understood_or_malformed(name):
    read, whole = READERS[name]
    read(whole)
    chance = random.Random(name)
    refused = 0
    for _ in range(3_000):
        try:
            read(broken(whole, chance))
        except MalformedMessage as error:
            assert error.reason and str(error).isascii() and str(error).isprintable()
            refused += 1
    assert refused > 300


@pytest.mark.parametrize(
    "name", ["a registration", "a look-up", "a twin", "an HTTP answer", "a time answer"]
)
def test_message_cut_anywhere_is_malformed(name):
    read, whole = READERS[name]
    for size in range(len(whole)):
        with pytest.raises(MalformedMessage):
            read(whole[:size])


def test_bag_of_any_text_comes_back_as_it_was():
    chance = random.Random(3)
    letters = "ab $&=?/#+%.\u00e4\u20ac\U0001f600\n"
    for _ in range(2_000):
        names = {"".join(chance.choices(letters, k=chance.randrange(1, 5))) for _ in range(4)}
        values = {
            n: chance.choice((None, "", "".join(chance.choices(letters, k=3)))) for n in names
        }
        properties = {name: values[name] for name in names if not name.startswith("$.")}
        text = bag.build(properties, {"message_id": "7&8"})
        assert bag.parse(text) == dict(properties, **{"$.mid": "7&8"})
        assert not set(text) & set("#+ /") and text.isascii()
