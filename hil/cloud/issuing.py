"""Authorities that issue device certificates: a request in, a chain of DER out.

Signs what it is told to sign; who may ask for what, the services decide. Time is an argument, keys
are made by a function given at construction. Of a request a leaf takes over the key and the CN.
Source: RFC 5280; "Certificate issuance" of certificate management for IoT Hub.
"""

import datetime
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .certificates import Issuer, issued_under, name_of, start, usage
from .csr import CsrRefused, SigningRequest
from .faults import Fault

DAY_S = 86_400
YEAR_S = 365 * DAY_S
BEFORE_S = DAY_S  # a certificate that has expired already was made so long ago

MakeKey = Callable[[], object]
CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
NO_CA, A_CA = x509.BasicConstraints(False, None), x509.BasicConstraints(True, None)
SIGNS, CERTIFIES = usage("digital_signature"), usage("key_cert_sign", "crl_sign")


def new_key() -> object:
    """P-256, the cheapest of those that devices and services take."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Terms:
    """What a leaf is to say: for a fault, other than was asked for."""

    common_name: str
    public_key: object
    from_utc_s: int
    until_utc_s: int
    more: tuple[x509.ExtensionType, ...] = ()


class Authority:
    """A CA, and what stands above it up to its root.

    path  DER: its own certificate first, its root last
    """

    def __init__(self, issuer: Issuer, above: tuple[bytes, ...] = ()) -> None:
        self.issuer = issuer
        self.path = (der_of(issuer.certificate), *above)
        self._digest = hash_for(issuer.key)
        ski = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        self._aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski.value)

    @classmethod
    def new(
        cls,
        common_name: str,
        from_utc_s: int,
        until_utc_s: int,
        above: "Authority | None" = None,
        make_key: MakeKey = new_key,
    ) -> "Authority":
        """A CA with a new key, self-signed unless another stands above."""
        key = make_key()
        name = name_of({"CN": common_name})
        over = above.issuer if above else None
        named = over.certificate.subject if over else name
        builder = start(name, named, key, moment(from_utc_s), moment(until_utc_s))
        builder = builder.add_extension(A_CA, True).add_extension(CERTIFIES, True)
        if over:
            builder = issued_under(builder, over)
        signer = over.key if over else key
        made = builder.sign(signer, hash_for(signer))
        return cls(Issuer(made, key), above.path if above else ())

    def root(self) -> bytes:
        """DER of the certificate that ends its path."""
        return self.path[-1]

    def leaf(self, terms: Terms) -> bytes:
        """A client certificate, as DER."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terms.common_name)])
        ski = x509.SubjectKeyIdentifier.from_public_key(terms.public_key)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.issuer.certificate.subject)
            .public_key(terms.public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(moment(terms.from_utc_s))
            .not_valid_after(moment(terms.until_utc_s))
        )
        for extension, critical in ((NO_CA, True), (SIGNS, True), (CLIENT, False), (ski, False)):
            builder = builder.add_extension(extension, critical)
        builder = builder.add_extension(self._aki, False)
        for extension in terms.more:
            builder = builder.add_extension(extension, False)
        return der_of(builder.sign(self.issuer.key, self._digest))


class Issues(Protocol):
    """What issues certificates to devices: the tenant CA, a policy, the EST server's own CA."""

    def authority(self, now_ms: int) -> Authority:
        """The CA that signs at this moment."""

    def terms(self, request: SigningRequest, now_ms: int) -> Terms:
        """What the next leaf for this request says; raises CsrRefused."""

    def published(self, now_ms: int) -> list[bytes]:
        """Its CA certificates as DER, those that sign now and those that are still good."""


class Standing:
    """A CA that never changes, such as the EST server's own.

    life_s  of a leaf; an operator may change it
    """

    def __init__(
        self, authority: Authority, utc_s: Callable[[int], int], life_s: int = 90 * DAY_S
    ) -> None:
        self._authority, self._utc_s, self.life_s = authority, utc_s, life_s

    def authority(self, now_ms: int) -> Authority:
        """Always the same."""
        return self._authority

    def terms(self, request: SigningRequest, now_ms: int) -> Terms:
        """From now on, for life_s."""
        utc_s = self._utc_s(now_ms)
        return Terms(request.common_name, request.public_key, utc_s, utc_s + self.life_s)

    def published(self, now_ms: int) -> list[bytes]:
        """The issuing CA and its root."""
        return list(self._authority.path)


def two_tier(
    common_name: str, utc_s: int, life_s: int = 25 * YEAR_S, make_key: MakeKey = new_key
) -> Authority:
    """An issuing CA under a root of its own, both valid since yesterday."""
    since, until = utc_s - DAY_S, utc_s + life_s
    root = Authority.new(f"{common_name} Root", since, until, make_key=make_key)
    return Authority.new(f"{common_name} Issuing", since, until, root, make_key)


def chain_for(
    issues: Issues, request: SigningRequest, now_ms: int, fault: Fault | None = None
) -> list[bytes]:
    """The leaf and its CAs, root last, as DER; or what a fault at the point "issue" makes of it."""
    name = fault.name if fault else ""
    if name == "ISSUE_REFUSED":
        raise CsrRefused(fault["error"], "fault: refused")
    authority, terms = issues.authority(now_ms), issues.terms(request, now_ms)
    if name == "WRONG_CN":
        terms = replace(terms, common_name=fault["cn"])
    elif name == "WRONG_KEY":
        terms = replace(terms, public_key=new_key().public_key())
    elif name == "EXPIRED_CERTIFICATE":
        ended = terms.from_utc_s - BEFORE_S
        terms = replace(terms, from_utc_s=ended - BEFORE_S, until_utc_s=ended)
    elif name == "OTHER_CA":
        authority = stranger(authority, terms)
    if name == "NO_INTERMEDIATE":
        return [authority.leaf(terms), *authority.path[-1:][: len(authority.path) - 1]]
    return [authority.leaf(terms), *authority.path]


def stranger(authority: Authority, terms: Terms) -> Authority:
    """A CA with the same name and another key, which nobody has registered."""
    name = authority.issuer.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Authority.new(str(name[0].value), terms.from_utc_s - DAY_S, terms.until_utc_s + DAY_S)


def moment(utc_s: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(utc_s, datetime.timezone.utc)


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def hash_for(key: object) -> hashes.HashAlgorithm:
    """SHA-384 beside P-384, else SHA-256."""
    return hashes.SHA384() if key.key_size == 384 else hashes.SHA256()


def pem_of(chain: list[bytes] | tuple[bytes, ...]) -> str:
    """Certificates as one PEM text, in the order given."""
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in chain)
