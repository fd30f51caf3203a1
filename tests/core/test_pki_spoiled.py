"""Every byte of every file of a bundle changed, and every file cut at every place.

Each is refused with one of our errors, or what is believed in the end is the same: a signature that
nobody needs may be spoiled, or a hexadecimal digit written as a capital.

Whether a signature is right hangs on the key, the digest and the signature alone. So OpenSSL is
asked, which is fifty times as quick, and ours must agree: on every yes, and on some of the noes, in
the long ring on ten times as many.
"""

import copy
import os

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from anchorwatch.errors import AgentError
from anchorwatch.pki import p256
from anchorwatch.pki.delivery import Delivery
from anchorwatch.pki.tuf import TrustedSet
from tests.core import signed
from tests.core.runtimes import RUNTIMES, played
from tests.core.signed import NOW_S, three_roots

pytestmark = pytest.mark.once

FULL = os.environ.get("ANCHORWATCH_COUNTS") == "full"
FIRST = "1.root.json"
_ONE_NO_IN = 10 if FULL else 100
_STEP = 151


@pytest.fixture(scope="module")
def files():
    return three_roots().published()


@pytest.fixture(scope="module")
def right(files):
    """The content that its makers meant."""
    return finished(begun(files[FIRST]), files)


def by_openssl(point, digest, signature):
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    try:
        key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


@pytest.fixture
def quick(monkeypatch):
    """Signatures by OpenSSL, remembered; each yes and one no of many by ours too."""
    ours, known = p256.verify_digest, {}

    def answer(*question):
        if question not in known:
            found = by_openssl(*question)
            if found or len(known) % _ONE_NO_IN == 0:
                assert ours(*question) == found, question
            known[question] = found
        return known[question]

    monkeypatch.setattr(p256, "verify_digest", answer)


def begun(root):
    return Delivery(TrustedSet(root, {}, NOW_S), {}, "global", "0.1.0")


def finished(delivery, files):
    """Its content, once it took the rest of the files."""
    wanted = delivery.wanted()
    while wanted is not None:
        delivery.take(files.get(wanted.name))
        wanted = delivery.wanted()
    return delivery.content()


def stages(files):
    """(name, what takes that file) for each file of the bundle, the first root included."""
    yield FIRST, begun
    delivery = begun(files[FIRST])
    wanted = delivery.wanted()
    while wanted is not None:
        if wanted.name in files:
            yield wanted.name, taker(copy.deepcopy(delivery))
        delivery.take(files.get(wanted.name))
        wanted = delivery.wanted()


def taker(before):
    """The same delivery again for each try; nothing but these is changed by taking a file."""
    def take(data):
        delivery = copy.copy(before)
        delivery.trusted = copy.copy(before.trusted)
        delivery.entries, delivery._left = list(before.entries), list(before._left)
        delivery.take(data)
        return delivery
    return take


def tried(files, right, changes):
    """{name: (tried, taken with the same content)}."""
    found = {}
    for name, take in stages(files):
        count = same = 0
        for changed in changes(files[name]):
            count += 1
            try:
                content = finished(take(changed), files)
            except AgentError:
                continue
            assert content == right, (name, changed)
            same += 1
        found[name] = count, same
    return found


def one_byte(data):
    """A change of one bit at each place; of every bit, and to zero, in the long ring."""
    for at, byte in enumerate(data):
        bits = range(8) if FULL else [at % 8]
        values = {byte ^ 1 << bit for bit in bits} | ({0} if FULL else set())
        for value in sorted(values - {byte}):
            yield data[:at] + bytes([value]) + data[at + 1 :]


def cut(data):
    for size in range(len(data)):
        yield data[:size]


@pytest.mark.parametrize("changes", [one_byte, cut])
def test_no_spoiled_file_brings_another_content(quick, files, right, changes, capsys):
    found = tried(files, right, changes)
    assert sorted(found) == sorted(files)
    for name, (count, same) in found.items():
        assert count >= len(files[name])
        spared = name.endswith("root.json") or name == "timestamp.json"  # the rest goes by a hash
        assert same == 0 or (changes is one_byte and spared and same < count / 4), name
    with capsys.disabled():
        print("\n%s: %d spoiled files, %d of them with the same content"
              % (changes.__name__, sum(c for c, _ in found.values()),
                 sum(s for _, s in found.values())))


def test_other_content_that_is_rightly_signed_is_noticed(files, right):
    """The test above can fail: it looks at what is believed."""
    other = three_roots().published()
    assert finished(begun(other[FIRST]), other) == right
    maker = three_roots()
    maker.put_trust(dict(signed.trust_tree(), policy={"evidence_days": 9}))
    other = maker.published()
    assert finished(begun(other[FIRST]), other) != right


@pytest.mark.micropython
def test_both_runtimes_refuse_the_same_spoiled_files(files, tmp_path):
    signed.write(tmp_path, files)
    said = [played(runtime.values[0](), "spoil.py", tmp_path, NOW_S, _STEP) for runtime in RUNTIMES]
    assert said[0] == said[1] and said[0][0] == 0, said[0][1]
    assert len(said[0][1].splitlines()) == len(files)
