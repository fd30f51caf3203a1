"""Our P-256 beside vectors and a library that nobody here wrote."""

import hashlib
import random

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from anchorwatch.pki.p256 import point_of_spki, verify
from tests.core.runtimes import RUNTIMES, played

WYCHEPROOF = "vectors/wycheproof_ecdsa_secp256r1_sha256_test.json"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_each_of_the_484_wycheproof_verdicts_is_ours(runtime, shared_data):
    status, text = played(runtime(), "wycheproof.py", shared_data / WYCHEPROOF)
    assert (status, text) == (0, "484 of 484\n")


def keys(count):
    """Keys that come out the same in each run."""
    for number in range(count):
        secret = int.from_bytes(hashlib.sha256(b"key %d" % number).digest(), "big") >> 1
        key = ec.derive_private_key(secret, ec.SECP256R1())
        yield key, point_of_spki(
            key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )


@pytest.mark.once
def test_what_the_library_signs_is_right_and_with_one_bit_changed_it_is_wrong():
    chance = random.Random(7)
    for number, (key, point) in enumerate(keys(200)):
        message = b"message %d" % number
        signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
        assert verify(point, message, signature)
        changed = bytearray(signature)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        assert not verify(point, message, bytes(changed)), (number, changed.hex())
        assert not verify(point, message + b".", signature)


def test_no_piece_of_a_signature_is_a_signature():
    key, point = next(keys(1))
    signature = key.sign(b"x", ec.ECDSA(hashes.SHA256()))
    for size in range(len(signature)):
        assert not verify(point, b"x", signature[:size])
    assert verify(point, b"x", signature)
