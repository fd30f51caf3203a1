"""The certificates of the wrong servers: a good authority, and every way to hold a bad paper.

Rule: one thing is wrong with each chain and the rest is as it should be, so that a refusal is for
that one thing. All keys are made at first use and kept in memory only.
Source: RFC 5280 section 4.2.1; FIPS 186-5 for what SHA-1 must no longer do.
"""

import datetime
import functools
import ipaddress
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from ..certificates import DAY, Issuer, issued_under, name_of, pem, start, usage

NOW = datetime.datetime.now(datetime.timezone.utc)
VALID, PAST, FUTURE = (-1, 30), (-30, -2), (2, 30)
ORGANIZATION = {"O": "Anchorwatch Bad Servers"}
INSPECTOR = {"O": "Zscaler Inc.", "OU": "Zscaler Inc."}
WRONG_HOST, WRONG_DOMAIN = "somewhere-else.azure-devices.net", "example.invalid"
MANY_NAMES, LONG_CHAIN = 10_000, 100_000
_NOBODYS = "1.3.6.1.4.1.55555.1"
_SHA256_RSA = bytes.fromhex("06092a864886f70d01010b")
_SHA1_RSA = bytes.fromhex("06092a864886f70d010105")


class Chain:
    """What a server shows and the key it signs with; `certificates` leaf first."""

    def __init__(self, certificates: list[x509.Certificate], key: object) -> None:
        self.certificates, self.key = certificates, key

    def pem(self) -> bytes:
        """The certificates as one file."""
        return pem(*self.certificates)

    def key_pem(self) -> bytes:
        """The key, without a password."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )  # fmt: skip


@functools.cache
def key(kind: str) -> object:
    """One key for each place in the chains: they are slow to make and need not differ."""
    if kind.startswith("rsa-"):
        return rsa.generate_private_key(65537, int(kind.split("-")[1]))
    return ec.generate_private_key(ec.SECP256R1())


def _ca(common_name: str, issuer: Issuer | None, kind: str, parts: dict = ORGANIZATION,
        ca: bool = True, permitted: str = "", extra: int = 0) -> Issuer:  # fmt: skip
    name, own = name_of({**parts, "CN": common_name}), key(kind)
    above = issuer.certificate.subject if issuer else name
    builder = start(name, above, own, NOW - 100 * DAY, NOW + 1000 * DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
    bits = ("key_cert_sign", "crl_sign") if ca else ("digital_signature",)
    builder = builder.add_extension(usage(*bits), True)
    if permitted:
        only = x509.NameConstraints([x509.DNSName(permitted)], None)
        builder = builder.add_extension(only, True)
    if extra:
        ballast = x509.UnrecognizedExtension(x509.ObjectIdentifier(_NOBODYS), bytes(extra))
        builder = builder.add_extension(ballast, False)
    if issuer:
        builder = issued_under(builder, issuer)
    signer = issuer.key if issuer else own
    return Issuer(builder.sign(signer, hashes.SHA256()), own)


def _leaf(issuer: Issuer, names: list[x509.GeneralName], kind: str = "ec-leaf",
          days: tuple[int, int] = VALID, purpose: x509.ObjectIdentifier | None = None,
          ) -> x509.Certificate:  # fmt: skip
    subject = name_of({**ORGANIZATION, "CN": "hub"})
    above = issuer.certificate.subject
    builder = start(subject, above, key(kind), NOW + days[0] * DAY, NOW + days[1] * DAY)
    bits = ["digital_signature"] + (["key_encipherment"] if kind.startswith("rsa") else [])
    builder = builder.add_extension(usage(*bits), True)
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    purpose = purpose or ExtendedKeyUsageOID.SERVER_AUTH
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
    where = x509.UniformResourceIdentifier("http://ca.example/issuing.crt")
    access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
    builder = builder.add_extension(x509.AuthorityInformationAccess([access]), False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    return issued_under(builder, issuer).sign(issuer.key, hashes.SHA256())


def _dns(hosts: list[str]) -> list[x509.GeneralName]:
    return [x509.DNSName(host) for host in hosts]


class Papers:
    """The chains of one set of servers, all for the same host names.

    root   the only one that a device under test is given; ecdsa beneath it unless a name says rsa
    """

    def __init__(self, hosts: list[str]) -> None:
        self.hosts = hosts
        self.root = _ca("Good Root", None, "ec-root")
        self.issuing = _ca("Good Issuing CA", self.root, "ec-issuing")

    def chain(self, name: str) -> Chain:
        """One of CHAINS."""
        return CHAINS[name](self)

    def good(self, kind: str = "ec-leaf", **changes: object) -> Chain:
        """A chain with nothing wrong but what `changes` says of its leaf."""
        return self.under(self.issuing, kind, **changes)

    def under(self, issuer: Issuer, kind: str = "ec-leaf", above: tuple[Issuer, ...] = (),
              names: list[x509.GeneralName] | None = None, **changes: object) -> Chain:  # fmt: skip
        """A leaf under any issuer, and what stands above that."""
        names = _dns(self.hosts) if names is None else names
        leaf = _leaf(issuer, names, kind, **changes)
        return Chain([leaf, issuer.certificate, *[one.certificate for one in above]], key(kind))


def _self_signed(papers: Papers) -> Chain:
    own = Issuer(_ca("hub", None, "ec-leaf", ca=False).certificate, key("ec-leaf"))
    alone = _leaf(own, _dns(papers.hosts))
    builder = start(alone.issuer, alone.issuer, own.key, NOW - DAY, NOW + 30 * DAY)
    for extension in alone.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    return Chain([builder.sign(own.key, hashes.SHA256())], own.key)


def _unknown_root(papers: Papers) -> Chain:
    root = _ca("Unknown Root", None, "ec-unknown")
    return papers.under(_ca("Unknown Issuing CA", root, "ec-unknown-issuing"))


def _inspected(papers: Papers) -> Chain:
    root = _ca("Zscaler Root CA", None, "ec-inspector", INSPECTOR)
    return papers.under(_ca("Zscaler Intermediate Root CA", root, "ec-inspecting", INSPECTOR))


def _missing_intermediate(papers: Papers) -> Chain:
    whole = papers.good()
    return Chain(whole.certificates[:1], whole.key)


def _sha1(papers: Papers) -> Chain:
    """No library signs over SHA-1 any more: the algorithm's name is changed, and signed by hand."""
    issuer = _ca("SHA-1 Issuing CA", papers.root, "rsa-2048-issuing")
    honest = _leaf(issuer, _dns(papers.hosts))
    body = honest.tbs_certificate_bytes.replace(_SHA256_RSA, _SHA1_RSA)
    signature = issuer.key.sign(body, padding.PKCS1v15(), hashes.SHA1())
    outer = body + _der(0x30, _SHA1_RSA + b"\x05\x00") + _der(0x03, b"\x00" + signature)
    spoiled = x509.load_der_x509_certificate(_der(0x30, outer))
    return Chain([spoiled, issuer.certificate], key("ec-leaf"))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _no_ca(papers: Papers) -> Chain:
    return papers.under(_ca("No CA at all", papers.issuing, "ec-no-ca", ca=False),
                        above=(papers.issuing,))  # fmt: skip


def _constrained(papers: Papers) -> Chain:
    return papers.under(_ca("Narrow CA", papers.root, "ec-narrow", permitted=WRONG_DOMAIN))


def _long(papers: Papers) -> Chain:
    """Seven certificates between root and leaf that each weigh a seventh of the whole."""
    issuers = [papers.root]
    for number in range(7):
        name = "Heavy CA %d" % number
        issuers.append(_ca(name, issuers[-1], "ec-heavy-%d" % number, extra=LONG_CHAIN // 7))
    above = tuple(reversed(issuers[1:-1]))
    return papers.under(issuers[-1], above=above)


def _many_names(papers: Papers) -> Chain:
    others = ["device-%05d.azure-devices.net" % n for n in range(MANY_NAMES - len(papers.hosts))]
    return papers.good(names=_dns([*others, *papers.hosts]))


CHAINS: dict[str, Callable[[Papers], Chain]] = {
    "good": Papers.good,
    "good-rsa": lambda papers: papers.good("rsa-2048-leaf"),
    "expired": lambda papers: papers.good(days=PAST),
    "not-yet-valid": lambda papers: papers.good(days=FUTURE),
    "wrong-host": lambda papers: papers.good(names=_dns([WRONG_HOST])),
    "self-signed": _self_signed,
    "unknown-root": _unknown_root,
    "inspected": _inspected,
    "missing-intermediate": _missing_intermediate,
    "sha1": _sha1,
    "rsa-1024": lambda papers: papers.under(_ca("Small CA", papers.root, "rsa-1024-issuing")),
    "no-ca": _no_ca,
    "no-names": lambda papers: papers.good(names=[]),
    "address-only": lambda papers: papers.good(
        names=[x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
    "client-only": lambda papers: papers.good(purpose=ExtendedKeyUsageOID.CLIENT_AUTH),
    "constrained": _constrained,
    "many-names": _many_names,
    "long": _long,
}  # fmt: skip
