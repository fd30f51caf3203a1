"""Certificates for these tests: roots, intermediates, leaves, and the chains that servers present.

Rule: made anew in each run, EC P-256 unless a test is about something else, with all that RFC 5280
asks for.
"""

import datetime
import functools
import hashlib
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW_S = int(datetime.datetime.now(datetime.timezone.utc).timestamp())
DAY_S = 86_400
CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(),
          "k256": ec.SECP256K1(), "brainpool256": ec.BrainpoolP256R1(),
          "brainpool384": ec.BrainpoolP384R1()}  # fmt: skip


def sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def _key(kind: str):
    if kind == "rsa":
        return _rsa_key()
    return ec.generate_private_key(CURVES[kind])


@functools.cache
def _rsa_key():
    """One for all: they are slow to make, and no test needs two different ones."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(cn: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn),
                      x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Anchorwatch Tests")])


def _time(utc_s: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(utc_s, datetime.timezone.utc)


class Holder:
    """A key and its certificate; `issue` makes the next one below it."""

    def __init__(self, key, certificate, issuer=None):
        self.key, self.certificate, self.issuer = key, certificate, issuer
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.sha256 = sha256(self.der)
        self.spki_sha256 = sha256(key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
        self.key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())

    def issue(self, cn, *, ca=False, names=(), key="p256", begins=-DAY_S, ends=30 * DAY_S,
              client=False):
        made = _key(key)
        return Holder(made, _certificate(cn, made, self, ca, names, begins, ends, client), self)

    def named(self, cn, issuer):
        """This CA's key under a name and an issuer that somebody else chose."""
        made = _certificate(cn, self.key, issuer, True, (), -DAY_S, 30 * DAY_S, False)
        return Holder(self.key, made, issuer)

    def below(self):
        """This certificate and its issuers without the root, leaf first: what a server presents."""
        chain, one = [], self
        while one.issuer is not None:
            chain.append(one)
            one = one.issuer
        return chain

    def write(self, folder, name="device", chain=None):
        """(certificate file, key file) with the chain behind the leaf."""
        held = self.below() if chain is None else chain
        certificate_file, key_file = folder / (name + ".pem"), folder / (name + ".key")
        certificate_file.write_bytes(b"".join(one.pem for one in held))
        key_file.touch(mode=0o600)
        key_file.write_bytes(self.key_pem)
        return str(certificate_file), str(key_file)


def root(cn="Test Root", *, key="p256", begins=-DAY_S, ends=60 * DAY_S):
    made = _key(key)
    return Holder(made, _certificate(cn, made, None, True, (), begins, ends, False))


def _certificate(cn, key, issuer, ca, names, begins, ends, client):
    signer = issuer.key if issuer else key
    builder = (x509.CertificateBuilder().subject_name(_name(cn))
               .issuer_name(issuer.certificate.subject if issuer else _name(cn))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(_time(NOW_S + begins)).not_valid_after(_time(NOW_S + ends))
               .add_extension(x509.BasicConstraints(ca, None), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
               .add_extension(
                   x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
               .add_extension(_usage(ca), critical=True))
    if not ca:
        eku = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([eku]), False)
    if names:
        alternative = x509.SubjectAlternativeName([_alt(n) for n in names])
        builder = builder.add_extension(alternative, False)
    return builder.sign(signer, hashes.SHA256())


def _usage(ca):
    return x509.KeyUsage(
        digital_signature=not ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca,
        encipher_only=False, decipher_only=False)


def _alt(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
