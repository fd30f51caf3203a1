"""Whatever a client sends, an issuer answers it or refuses it; it never breaks.

Random, with a printed seed: bits flipped in requests, bodies, headers, certificates.
"""

import base64
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from hil.cloud import csr
from hil.cloud.connection import Peer
from hil.cloud.credentialrequest import Refused, checked
from hil.cloud.est import OPERATIONS
from hil.cloud.http1 import Request
from hil.cloud.issuing import chain_for
from tests.cloud.test_est import Yard
from tests.cloud.world import request

SEED = 20261122


def flipped(rand, data):
    made = bytearray(data)
    for _ in range(rand.randint(1, 3)):
        made[rand.randrange(len(made))] ^= 1 << rand.randrange(8)
    return bytes(made[: rand.choice((len(made), rand.randrange(len(made) + 1)))])


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_flipped_request_is_refused_for_a_reason_or_still_proven():
    rand = random.Random(SEED)
    whole, taken = request("dev-1", names=("dev-1.example",)), 0
    signed = x509.load_der_x509_csr(whole).tbs_certrequest_bytes
    for _ in range(3000):
        try:
            der = flipped(rand, whole)
            csr.read(der)
        except csr.CsrRefused as e:
            assert e.reason and e.message, SEED
        else:
            taken += 1
            assert x509.load_der_x509_csr(der).tbs_certrequest_bytes == signed, SEED
    assert taken < 100


KEYS = {
    "Ed25519PublicKey": ed25519.Ed25519PrivateKey.generate,
    "Ed448PublicKey": ed448.Ed448PrivateKey.generate,
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "ec-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "secp521r1": lambda: ec.generate_private_key(ec.SECP521R1()),
    "DSAPublicKey": lambda: dsa.generate_private_key(2048),
}


@pytest.mark.parametrize("kind", KEYS)
def test_key_of_any_kind_is_told_by_its_name(kind):
    yard, key = Yard(), KEYS[kind]()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dev-1")])
    digest = None if kind.startswith("Ed") else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, digest)
    asked = csr.read(made.public_bytes(serialization.Encoding.DER))
    assert asked.key_kind == kind
    leaf = x509.load_der_x509_certificate(chain_for(yard.est.authorities[""], asked, 0)[0])
    assert leaf.public_key() == key.public_key()


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_random_calls_never_break_est():
    rand = random.Random(SEED)
    yard = Yard()
    good = base64.b64encode(request("dev-1"))
    secret = b"Basic " + base64.b64encode(b"dev-1:open sesame")
    statuses = set()
    for _ in range(2000):
        path = "/.well-known/est/" + rand.choice((*OPERATIONS, "x", ""))
        headers = {"content-type": rand.choice(("application/pkcs10", "", "text/html"))}
        if rand.random() < 0.8:
            value = secret if rand.random() < 0.5 else flipped(rand, secret)
            headers["authorization"] = value.decode("latin-1")
        chain = rand.choice(([], yard.chain, [flipped(rand, yard.chain[0])]))
        body = rand.choice((good, flipped(rand, good), b""))
        method = rand.choice(("GET", "POST", "POST"))
        answer = yard.est.answer(Request(method, path, {}, headers, body), Peer(chain), 0)
        statuses.add(answer[0])
    assert statuses == {200, 204, 400, 401, 404, 405, 415}, SEED


def test_random_bodies_are_refused_with_a_documented_code():
    rand = random.Random(SEED)
    text = base64.b64encode(request("dev-1")).decode()
    whole = f'{{"id": "dev-1", "csr": "{text}", "replace": "*"}}'.encode()
    codes = set()
    for _ in range(2000):
        try:
            checked("dev-1", "req-1", flipped(rand, whole))
        except Refused as e:
            codes.add(e.code)
    assert codes == {400004, 400006}, SEED
