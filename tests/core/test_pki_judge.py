"""The judge: it has a word for everything, and every word can be said."""

import pathlib
import random
import sys
from binascii import a2b_base64

import pytest

from anchorwatch.pki import judge as judges
from anchorwatch.pki.der import Certificate
from anchorwatch.pki.judge import VERDICTS, judge
from anchorwatch.pki.limits import LIMITS, Anchor

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "vectors"))

import certificates  # noqa: E402
import judge_cases  # noqa: E402

KINDS = ("LEAF", "ISSUING", "ROOT", "RSA_ROOT")
POOL = [
    a2b_base64(getattr(certificates, name))
    for name in sorted(dir(certificates))
    if name.startswith(KINDS)
]
ROOTS = [a2b_base64(getattr(certificates, name)) for name in ("ROOT", "ROOT_OTHER_KEY", "RSA_ROOT")]
KEYS = [Certificate(der).spki_sha256 for der in POOL]
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


def judged(chain, limits, offered):
    anchors = tuple([Anchor(der, limit) for der, limit in zip(offered, limits)])
    return judge(chain, "hub.example.net", 1780000000, {}, anchors)


@pytest.mark.once
def test_limits_refuse_more_and_never_less():
    """None and wide ones change nothing; where they speak, nothing worse was to be said."""
    chance = random.Random(17)
    refused = 0
    for _ in range(4_000):
        chain = [chance.choice(POOL) for _ in range(chance.randrange(1, 5))]
        offered = chance.sample(ROOTS, chance.randrange(1, 4))
        plain = judged(chain, [{}] * 3, offered)
        assert plain.withheld == {} and plain.limit == ""
        wide = judged(chain, [{"leaf_not_before_max": 2**40, "issuers": KEYS}] * 3, offered)
        assert (wide.verdict, wide.at) == (plain.verdict, plain.at)
        tight = judged(chain, [{"leaf_not_before_max": 0, "issuers": None}] * 3, offered)
        assert len(tight.withheld) == len({Certificate(der).sha256 for der in offered})
        if tight.verdict in LIMITS:
            refused += 1
            assert plain.verdict in ("ok", "expired", "not-yet-valid")
        else:
            assert (tight.verdict, tight.at) == (plain.verdict, plain.at)
    assert refused > 50
