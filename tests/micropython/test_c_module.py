"""The optional C module: keys and signatures as another library judges them, and its refusals.

Rule: nothing it made is checked by itself alone.
"""

import functools
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from tests.micropython import programs

pytestmark = [pytest.mark.micropython, pytest.mark.lane_firmware]

SCRIPT = programs.ROOT / "tests" / "micropython" / "c_module.py"
DER = serialization.Encoding.DER
SHA256 = utils.Prehashed(hashes.SHA256())
DIGEST = hashlib.sha256(b"the watch").digest()
OTHER = hashlib.sha256(b"another watch").digest()
KEYS = {
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "rsa-4096": rsa.generate_private_key(public_exponent=65537, key_size=4096),
}


def asked(program, folder, what, *given, **limits):
    """The lines that the script prints."""
    words = [one.hex() if isinstance(one, bytes) else one for one in given]
    file = folder / "given"
    file.write_text("".join([word + "\n" for word in words]), encoding="ascii")
    return program.output(SCRIPT, what, file, **limits).decode().split("\n")[:-1]


@pytest.fixture(params=[programs.REFERENCE, programs.SMALL_HEAP])
def say(request, tmp_path):
    """Calls the script on each program."""
    return functools.partial(asked, request.param(), tmp_path)


def public(key):
    return key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def private(key, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(DER, form, serialization.NoEncryption())


def signed(key, digest):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(digest, ec.ECDSA(SHA256))
    return key.sign(digest, padding.PKCS1v15(), SHA256)


def good(key, digest, signature):
    """Does the other library take it?"""
    scheme = [ec.ECDSA(SHA256)] if isinstance(key, ec.EllipticCurvePrivateKey) else [
        padding.PKCS1v15(), SHA256]  # fmt: skip
    try:
        key.public_key().verify(signature, digest, *scheme)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("kind", KEYS)
def test_true_signature_is_true_and_every_other_false(say, kind):
    key, stranger = KEYS[kind], KEYS["rsa" if kind != "rsa" else "p256"]
    signature = signed(key, DIGEST)
    spoiled = signature[:-1] + bytes([signature[-1] ^ 1])
    assert say("verify", public(key), DIGEST, signature) == ["True"]
    assert say("verify", public(key), OTHER, signature) == ["False"]
    assert say("verify", public(key), DIGEST, spoiled) == ["False"]
    assert say("verify", public(key), DIGEST, signature[:-1]) == ["False"]
    assert say("verify", public(key), DIGEST, signature + b"\0") == ["False"]
    assert say("verify", public(key), DIGEST, b"") == ["False"]
    assert say("verify", public(stranger), DIGEST, signature) == ["False"]


def test_zero_signature_is_false(say):
    """r = s = 0 satisfies the equation of a verifier that forgets to look at the range."""
    assert say("verify", public(KEYS["p256"]), DIGEST, utils.encode_dss_signature(0, 0)) == [
        "False"
    ]


@pytest.mark.parametrize("kind", ["p256", "rsa"])
def test_lack_of_memory_never_passes_for_a_bad_signature(tmp_path, kind):
    """Where TLS has its buffers on the heap, so has this."""
    given = (public(KEYS[kind]), DIGEST, signed(KEYS[kind], DIGEST))
    said = asked(programs.small_heap(), tmp_path, "starve", *given, heap="128k")
    assert set(said) == {"True", "MemoryError"}


def test_key_made_here_is_a_p256_key_of_its_own(say):
    made, spki = [bytes.fromhex(line) for line in say("make")]
    key = serialization.load_der_private_key(made, None)
    assert key.curve.name == "secp256r1" and public(key) == spki
    assert say("make")[0] != made.hex()


@pytest.mark.parametrize("kind", KEYS)
def test_signature_and_public_key_are_as_another_library_says(say, kind):
    key = KEYS[kind]
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        assert say("public", private(key, form)) == [public(key).hex()]
        signature = bytes.fromhex(say("sign", private(key, form), DIGEST)[0])
        assert good(key, DIGEST, signature) and not good(key, OTHER, signature)


REFUSED = [
    ("verify", (b"no key", DIGEST, b""), "ValueError('invalid key',)"),
    ("verify", (public(KEYS["p256"])[:-1], DIGEST, b""), "ValueError('invalid key',)"),
    ("verify", (private(KEYS["p256"]), DIGEST, b""), "ValueError('invalid key',)"),
    ("verify", (public(KEYS["p256"]), DIGEST[1:], b""), "ValueError('digest must have 32 bytes',)"),
    ("sign", (public(KEYS["p256"]), DIGEST), "ValueError('invalid key',)"),
    ("sign", (private(KEYS["p256"]), DIGEST + b"\0"), "ValueError('digest must have 32 bytes',)"),
    ("public", (b"",), "ValueError('invalid key',)"),
    ("length", ("513",), "ValueError('fragment length must be 0, 512, 1024, 2048 or 4096',)"),
    ("length", ("-1",), "ValueError('fragment length must be 0, 512, 1024, 2048 or 4096',)"),
    ("length", ("66048",), "ValueError('fragment length must be 0, 512, 1024, 2048 or 4096',)"),
]


@pytest.mark.parametrize("what, given, words", REFUSED)
def test_what_makes_no_sense_is_refused_in_words(say, what, given, words):
    assert say(what, *given) == [words]
