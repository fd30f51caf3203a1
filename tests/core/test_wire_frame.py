"""State frames: nothing that is not whole gets through."""

import random

import pytest

from anchorwatch.errors import StateError
from anchorwatch.wire import frame

TREE = {"hub": "h.example.net", "n": [1, None, True, "\u00e4\U0001f600"], "der": "AQID"}
WHOLE = frame.encode(41, frame.dump(TREE))


def refused(data):
    with pytest.raises(StateError) as caught:
        frame.decode(data)
    return caught.value.verdict


def test_every_truncation_is_refused_as_torn():
    assert {refused(WHOLE[:size]) for size in range(len(WHOLE))} == {"torn"}


def test_every_flipped_byte_is_refused_as_torn():
    for at in range(len(WHOLE)):
        for flip in range(1, 256):
            data = WHOLE[:at] + bytes([WHOLE[at] ^ flip]) + WHOLE[at + 1 :]
            assert refused(data) == "torn", (at, flip)


def test_half_new_half_old_is_refused_as_torn():
    newer = frame.encode(43, frame.dump(dict(TREE, hub="k.example.net")))
    assert len(newer) == len(WHOLE)
    differ = [at for at in range(len(WHOLE)) if newer[at] != WHOLE[at]]
    for cut in range(differ[0] + 1, differ[-1] + 1):
        assert refused(newer[:cut] + WHOLE[cut:]) == "torn", cut


def test_any_tree_comes_back_as_it_was_with_the_same_bytes():
    chance = random.Random(7)

    def tree(depth):
        kind = chance.randrange(7 if depth else 5)
        if kind == 5:
            return [tree(depth - 1) for _ in range(chance.randrange(4))]
        if kind == 6:
            return {word(): tree(depth - 1) for _ in range(chance.randrange(4))}
        return (None, True, False, chance.randrange(-(2**63), 2**63), word())[kind]

    def word():
        codes = (0, 7, 34, 47, 92, 127, 228, 0x2028, 0xFFFD, 0x1F600, 0x10FFFF, 65, 97)
        return "".join(chr(chance.choice(codes)) for _ in range(chance.randrange(6)))

    for _ in range(500):
        body = {word(): tree(5)}
        generation, data = frame.decode(frame.encode(chance.randrange(2**32), frame.dump(body)))
        assert frame.load(data) == body
        assert frame.dump(frame.load(data)) == data
        assert frame.slot(generation) == generation % 2
