"""The server chains: each verifies strictly under its own root, or fails as it is named."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import crypto

from hil.cloud import devicecerts
from hil.cloud.certificates import CHAINS, ROOTS, Authority, pem
from hil.cloud.identity import nearest_authority

HOST = "hub-1.azure-devices.net"
STRICT = crypto.X509StoreFlags.X509_STRICT
KEY_TYPES = {
    "rsa-2048": (rsa.RSAPublicKey, 2048),
    "rsa-4096": (rsa.RSAPublicKey, 4096),
    "ec-p384": (ec.EllipticCurvePublicKey, 384),
    "ec-p256": (ec.EllipticCurvePublicKey, 256),
}
SOUND = [name for name in CHAINS if name != "expired"]


@pytest.fixture(scope="module")
def authority():
    return Authority()


def verify(root, chain) -> None:
    store = crypto.X509Store()
    store.set_flags(STRICT)
    store.add_cert(crypto.X509.from_cryptography(root.certificate))
    leaf, *issuing = [crypto.X509.from_cryptography(c) for c in chain.certificates]
    crypto.X509StoreContext(store, leaf, issuing).verify_certificate()


def names_in(chain) -> list[str]:
    san = chain.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return san.value.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("name", SOUND)
def test_each_chain_verifies_strictly_under_its_root_and_no_other(authority, name):
    chain = authority.chain(name, [HOST])
    verify(authority.root(chain.root), chain)
    other = authority.root("g2" if chain.root != "g2" else "baltimore")
    with pytest.raises(crypto.X509StoreContextError):
        verify(other, chain)


def test_the_expired_chain_fails_for_its_date_alone(authority):
    chain = authority.chain("expired", [HOST])
    with pytest.raises(crypto.X509StoreContextError, match="expired"):
        verify(authority.root("g2"), chain)
    assert names_in(chain) == [HOST]


def test_leaves_bear_the_exact_host_except_where_the_name_is_wrong(authority):
    named = {name: names_in(authority.chain(name, [HOST])) for name in CHAINS}
    assert named.pop("wrong-name") == ["somewhere-else.azure-devices.net"]
    assert set(map(tuple, named.values())) == {(HOST,)}


def test_the_long_chain_is_one_certificate_longer(authority):
    long, short = (authority.chain(n, [HOST]) for n in ("g2-rsa-long", "g2-rsa"))
    assert len(long.certificates) == len(short.certificates) + 1
    assert long.root == short.root == "g2"


def test_the_ecc_chain_holds_no_rsa_key(authority):
    chain = authority.chain("g3-ecc", [HOST])
    keys = [c.public_key() for c in (*chain.certificates, authority.root("g3").certificate)]
    assert all(isinstance(key, ec.EllipticCurvePublicKey) for key in keys)


@pytest.mark.parametrize("name", ROOTS)
def test_stand_in_roots_have_the_real_key_types_and_are_valid_now(authority, name):
    root = authority.root(name).certificate
    kind, size = KEY_TYPES[ROOTS[name][2]]
    assert isinstance(root.public_key(), kind) and root.public_key().key_size == size
    now = datetime.datetime.now(datetime.timezone.utc)
    assert root.not_valid_before_utc < now < root.not_valid_after_utc
    assert root.subject == root.issuer


@pytest.mark.parametrize("name", [n for n in ROOTS if "unknown" not in n and n != "est"])
def test_stand_in_roots_bear_the_names_of_the_real_ones(authority, shared_data, name):
    real = [x509.load_pem_x509_certificate(f.read_bytes()) for f in shared_data.glob("roots/*.pem")]
    made = authority.root(name).certificate
    same = [r for r in real if r.subject.rfc4514_string() == made.subject.rfc4514_string()]
    assert len(same) == 1
    assert type(same[0].public_key()) is type(made.public_key())
    assert same[0].public_key().key_size == made.public_key().key_size
    assert same[0].not_valid_before_utc.date() == made.not_valid_before_utc.date()


def test_a_root_and_its_issuing_certificates_are_made_once(authority):
    first, second = (authority.chain("g3-ecc", [HOST]) for _ in range(2))
    assert first.certificates[1:] == second.certificates[1:]
    assert first.certificates[0] != second.certificates[0]
    assert first.key is second.key


def test_a_new_leaf_may_have_a_new_key_under_the_same_anchor(authority):
    first = authority.chain("g3-ecc", [HOST])
    second = authority.chain("g3-ecc", [HOST], new_leaf_key=True)
    assert first.key is not second.key and first.root == second.root


def test_two_clouds_share_no_key():
    roots = {pem(Authority().root("g3").certificate) for _ in range(2)}
    assert len(roots) == 2


def test_a_device_certificate_reaches_its_authority_through_an_intermediate():
    top = devicecerts.device_ca("top")
    middle = devicecerts.device_ca("middle", top)
    leaf = devicecerts.device("dev-1", middle)
    chain = [devicecerts.der(c) for c in (leaf, middle)]
    utc_s = int(datetime.datetime.now(datetime.timezone.utc).timestamp())
    assert nearest_authority(chain, [devicecerts.der(top)], utc_s) == devicecerts.der(top)
