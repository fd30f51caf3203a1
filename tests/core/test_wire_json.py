"""Our JSON beside CPython's: equal where both accept, nothing accepted that it refuses."""

import json
import random

import pytest

from anchorwatch.errors import MalformedMessage
from anchorwatch.wire.jsonread import parse
from anchorwatch.wire.jsonwrite import write

SEED = b'{"a":[1,-2.5e3,true,null,"x\\n\\u00e4"],"b":{"c":[],"d":{}},"$version":7} '
ALPHABET = b'{}[]:,"\\ ntfu0123456789.-+eE\x00\xc3\xa4ab'


def ours(data):
    """(accepted, value)."""
    try:
        return True, parse(data)
    except MalformedMessage:
        return False, None


def no_constant(text):
    raise ValueError(text)


def theirs(data):
    try:
        return True, json.loads(data.decode(), parse_constant=no_constant)
    except ValueError:
        return False, None


def mutations(count):
    chance = random.Random(11)
    for _ in range(count):
        data = bytearray(SEED)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(data))
            kind = chance.randrange(3)
            if kind == 0:
                data[at] = chance.choice(ALPHABET)
            elif kind == 1:
                del data[at : at + chance.randrange(1, 5)]
            else:
                data[at:at] = bytes([chance.choice(ALPHABET)])
        yield bytes(data)


def test_what_cpython_refuses_is_refused_and_what_both_take_is_equal():
    taken = 0
    for data in mutations(20_000):
        accepted, value = ours(data)
        if accepted:
            assert theirs(data) == (True, value), data
            taken += 1
    assert taken > 1_000


def test_what_only_cpython_takes_has_a_reason():
    for data in mutations(20_000):
        accepted, value = theirs(data)
        if accepted and not ours(data)[0]:
            with pytest.raises(MalformedMessage) as caught:
                parse(data)
            reason = caught.value.reason
            assert reason in ("JSON: member given twice", "JSON: number too large"), data


def test_any_depth_of_nesting_needs_no_stack():
    for opening in (b"[", b'{"a":'):
        with pytest.raises(MalformedMessage) as caught:
            parse(opening * 20_000)
        assert caught.value.reason == "JSON: nested deeper than 16"


def test_written_text_is_what_cpython_writes_with_sorted_names():
    tree = {"b": [1, 0.5, None, '\u00e4"\\/'], "a": {"": True}, "c": "\U0001f600\u2028"}
    assert write(tree).decode() == json.dumps(tree, sort_keys=True, separators=(",", ":"))
