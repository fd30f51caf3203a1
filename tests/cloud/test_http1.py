"""The small HTTP reader: what it takes, and that bad bytes have one way out."""

import random

import pytest

from hil.cloud import http1

GOOD = b"POST /a%20b/c?x=1&y= HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nX-One:  two \r\n\r\nhi"


def read(data: bytes) -> list[http1.Request]:
    reader = http1.Reader()
    reader.feed(data)
    return list(iter(reader.next, None))


def test_a_request_is_taken_apart():
    (request,) = read(GOOD)
    assert (request.method, request.path, request.body) == ("POST", "/a%20b/c", b"hi")
    assert request.parts() == ["a b", "c"]
    assert request.query == {"x": "1", "y": ""}
    assert request.headers["x-one"] == "two"


def test_requests_may_arrive_in_any_pieces():
    reader, found = http1.Reader(), []
    for at in range(2 * len(GOOD)):
        reader.feed((GOOD + GOOD)[at : at + 1])
        found += list(iter(reader.next, None))
    assert found == read(GOOD) * 2


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\r\n\r\n",
        b"GET x HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"a" * 20_000,
    ],
    ids=lambda data: data[:24].decode(),
)
def test_what_is_not_such_a_request_is_refused(data):
    with pytest.raises(http1.MalformedRequest):
        read(data)


def test_flipped_bytes_raise_the_one_error_or_give_a_request():
    chance = random.Random(3)
    for _ in range(3000):
        flipped = bytearray(GOOD)
        flipped[chance.randrange(len(GOOD))] = chance.randrange(256)
        try:
            read(bytes(flipped))
        except http1.MalformedRequest as e:
            assert e.reason


def test_the_answer_to_a_head_has_the_length_and_no_body():
    answer = http1.response(200, {"A": "b"}, b"body", "HEAD")
    assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nA: b\r\n\r\n"


def test_dates_are_written_as_http_writes_them():
    assert http1.date(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT"
