"""The server chains the emulated services can present, and the roots they stand on.

Stand-ins: the real roots' subject names, key types and sizes, with keys made at first use and kept
in memory only; nothing here is a real authority. Making a chain may take seconds (RSA 4096), so
callers on an event loop use a thread.
Source: the roots as in "Azure certificate authority details"; RFC 5280 for the extensions.
"""

import datetime
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .chaintable import CHAINS, ISSUING, ROOTS

DAY = datetime.timedelta(days=1)
KEYS = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
}

OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}


@dataclass(frozen=True)
class Issuer:
    """A certificate with the key that signs under it."""

    certificate: x509.Certificate
    key: object


@dataclass(frozen=True)
class ServerChain:
    """What a server presents: leaf first, the root not included."""

    name: str
    root: str
    certificates: tuple[x509.Certificate, ...]
    key: object

    def leaf_sha256(self) -> str:
        return self.certificates[0].fingerprint(hashes.SHA256()).hex()


class Authority:
    """All roots, issuing certificates and leaf keys of one emulated cloud.

    utc_s  the clock that leaves are dated by; this machine's if not given
    """

    def __init__(self, utc_s: Callable[[], int] | None = None) -> None:
        self._utc_s = utc_s or (lambda: int(time.time()))
        self._made: dict[str, Issuer] = {}
        self._leaf_keys: dict[str, object] = {}
        self._one_at_a_time = threading.RLock()

    def root(self, name: str) -> Issuer:
        """One of ROOTS, made when first asked for."""
        with self._one_at_a_time:
            if name not in self._made:
                self._made[name] = _make_root(*ROOTS[name])
            return self._made[name]

    def certificate(self, name: str) -> x509.Certificate:
        """One of ROOTS or ISSUING; KeyError for any other name."""
        if name in ROOTS:
            return self.root(name).certificate
        with self._one_at_a_time:
            return self._path(name)[0].certificate

    def chain(self, name: str, hosts: list[str], new_leaf_key: bool = False) -> ServerChain:
        """One of CHAINS for these host names, with a new leaf each time.

        new_leaf_key  the leaf's key is made anew as well; otherwise all leaves of a kind share one
        """
        issued_by, key_kind, days, other_name = CHAINS[name]
        with self._one_at_a_time:
            path = self._path(issued_by)
            key = self._leaf_key(key_kind, new_leaf_key)
        today = datetime.datetime.fromtimestamp(self._utc_s(), datetime.timezone.utc)
        leaf = _make_leaf([other_name] if other_name else hosts, key, path[0], today, days)
        return ServerChain(
            name, root_of(issued_by), (leaf, *[issuer.certificate for issuer in path]), key
        )

    def _path(self, name: str) -> list[Issuer]:
        """The issuing certificates from `name` up, without the root."""
        issued_by = ISSUING[name][0]
        above = [] if issued_by in ROOTS else self._path(issued_by)
        if name not in self._made:
            parent = above[0] if above else self.root(issued_by)
            self._made[name] = _make_issuing(parent, *ISSUING[name][1:])
        return [self._made[name], *above]

    def _leaf_key(self, kind: str, new: bool) -> object:
        if new or kind not in self._leaf_keys:
            self._leaf_keys[kind] = KEYS[kind]()
        return self._leaf_keys[kind]


def root_of(issuing: str) -> str:
    """The root above one of ISSUING."""
    above = ISSUING[issuing][0]
    return above if above in ROOTS else root_of(above)


def pem(*certificates: x509.Certificate) -> bytes:
    """The certificates as one PEM file."""
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def name_of(parts: dict[str, str]) -> x509.Name:
    """{"C": "US", "CN": "x"} as a name, in the order given."""
    return x509.Name([x509.NameAttribute(OIDS[part], text) for part, text in parts.items()])


def _noon(day: tuple[int, int, int]) -> datetime.datetime:
    return datetime.datetime(*day, 12, tzinfo=datetime.timezone.utc)


def _hash_for(key: object) -> hashes.HashAlgorithm:
    return hashes.SHA384() if key.key_size in (384, 4096) else hashes.SHA256()


def start(
    subject: x509.Name, issuer: x509.Name, key: object, from_: datetime.datetime,
    until: datetime.datetime,
) -> x509.CertificateBuilder:  # fmt: skip
    """A certificate with its names, key, dates and SKI; the rest is the caller's."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(from_)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def usage(*wanted: str) -> x509.KeyUsage:
    """A KeyUsage with these bits and no other."""
    bits = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{bit: bit in wanted for bit in bits})


def issued_under(builder: x509.CertificateBuilder, issuer: Issuer) -> x509.CertificateBuilder:
    """Add the AKI that points at the issuer's SKI."""
    ski = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski.value)
    return builder.add_extension(aki, False)


def _make_root(parts: dict, common_name: str, key_kind: str, from_: tuple, until: tuple) -> Issuer:
    key = KEYS[key_kind]()
    name = name_of({**parts, "CN": common_name})
    builder = start(name, name, key, _noon(from_), _noon(until))
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    builder = builder.add_extension(usage("digital_signature", "key_cert_sign", "crl_sign"), True)
    return Issuer(builder.sign(key, _hash_for(key)), key)


def _make_issuing(parent: Issuer, parts: dict, common_name: str, key_kind: str) -> Issuer:
    key = KEYS[key_kind]()
    name = name_of({**parts, "CN": common_name})
    builder = start(name, parent.certificate.subject, key, _noon((2023, 6, 8)), _noon((2033, 6, 8)))
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    builder = builder.add_extension(usage("digital_signature", "key_cert_sign", "crl_sign"), True)
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = issued_under(builder.add_extension(x509.ExtendedKeyUsage(both), False), parent)
    return Issuer(builder.sign(parent.key, _hash_for(parent.key)), key)


def _make_leaf(
    hosts: list[str], key: object, issuer: Issuer, today: datetime.datetime, days: tuple[int, int]
) -> x509.Certificate:
    subject = name_of({"C": "US", "O": "Microsoft Corporation", "CN": hosts[0]})
    builder = start(
        subject, issuer.certificate.subject, key, today + days[0] * DAY, today + days[1] * DAY
    )
    names = [x509.DNSName(host) for host in hosts]
    bits = ["digital_signature"] + (["key_encipherment"] if key.key_size >= 2048 else [])
    builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    builder = builder.add_extension(usage(*bits), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    return issued_under(builder, issuer).sign(issuer.key, _hash_for(issuer.key))
