"""Our canonical JSON beside that of the tool that signs bundles."""

import json
import random

import pytest
from securesystemslib.formats import encode_canonical

from anchorwatch.errors import MalformedMessage
from anchorwatch.pki.canonical import canonical
from anchorwatch.wire.jsonread import parse

LETTERS = 'abzAZ09_"\\/ \n\t\x00\x7f\u00e4\u20ac\uffee\U0001f600'


def tree(chance, depth):
    kind = chance.randrange(7 if depth else 5)
    if kind == 0:
        return chance.choice((True, False, None))
    if kind < 3:
        return chance.choice((0, 1, -1, chance.randrange(-(10**12), 10**12)))
    if kind < 5:
        return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(6)))
    size = chance.randrange(5)
    if kind == 5:
        return [tree(chance, depth - 1) for _ in range(size)]
    return {tree_name(chance): tree(chance, depth - 1) for _ in range(size)}


def tree_name(chance):
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(4)))


def test_every_tree_has_the_form_that_the_signer_gives_it():
    chance = random.Random(5)
    for _ in range(5_000):
        one = tree(chance, 4)
        assert canonical(one).decode() == encode_canonical(one), one


def test_form_depends_on_the_content_and_not_on_how_the_file_is_written():
    chance = random.Random(6)
    for _ in range(500):
        one = tree(chance, 4)
        for text in (json.dumps(one, indent=1), json.dumps(one, ensure_ascii=False)):
            assert canonical(parse(text.encode())) == canonical(one)


def test_tree_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(MalformedMessage):
        canonical(endless)
