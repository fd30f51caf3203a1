"""The judge: it has a word for everything, and every word can be said."""

import pathlib
import random
import sys
from binascii import a2b_base64

from anchorwatch.pki import judge as judges
from anchorwatch.pki.judge import VERDICTS, judge

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "vectors"))

import certificates  # noqa: E402
import judge_cases  # noqa: E402

CHAIN = [a2b_base64(getattr(certificates, name)) for name in ("LEAF", "ISSUING", "ROOT")]


def test_every_verdict_is_said_in_a_case():
    said = set()
    for _, _, _, expected in judge_cases.CASES:
        said.add(str(expected[0] if isinstance(expected, tuple) else expected))
    assert set(VERDICTS) <= said


def test_every_verdict_has_a_sentence_and_a_class():
    assert all(VERDICTS.values())
    assert {judges.fault(word) for word in VERDICTS} == {"trust", "policy", "clock"}


def test_broken_chain_gets_a_verdict_and_never_an_exception():
    chance = random.Random(13)
    words = set()
    for _ in range(3_000):
        chain = list(CHAIN)
        number = chance.randrange(3)
        der = bytearray(chain[number])
        der[chance.randrange(len(der))] = chance.randrange(256)
        chain[number] = bytes(der[: chance.choice((None, chance.randrange(len(der)))) or len(der)])
        judgement = judge(chain, "hub.example.net", 1780000000, {})
        assert judgement.verdict in VERDICTS
        assert len(judgement.chain) == 3
        assert all(name.isascii() and name.isprintable() for name in judgement.presented)
        words.add(judgement.verdict)
    assert {"ok", "malformed", "name-mismatch"} <= words
