"""Server chains and device certificates of one size each, to be shown in a handshake.

Stand-ins: names, key types and extensions are those that public authorities use, so that a
certificate is about as long as a real one; the bytes of its transparency log entries are chance.
Source: RFC 5280 section 4.2; RFC 6962 section 3.3; "Azure certificate authority details".
"""

import datetime
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID as Use

from hil.cloud.certificates import DAY, KEYS, Issuer, issued_under, name_of, pem, start, usage

HOST = "bench-hub.azure-devices.net"
# What a server presents: keys of the root, which it keeps, of the issuing CA, and of the leaf.
CHAINS = {
    "rsa":     ("rsa-2048", "rsa-4096", "rsa-2048"),  # DigiCert G2 -> Azure RSA -> leaf
    "g3":      ("ec-p384", "ec-p384", "ec-p256"),  # DigiCert G3 -> Azure ECC -> leaf
    "p256":    ("ec-p256", "ec-p256", "ec-p256"),
    "p384":    ("ec-p384", "ec-p384", "ec-p384"),
}  # fmt: skip
# What a device shows: keys of the same three; it sends the last two. "none": nothing to show.
CLIENTS = {
    "none": None,
    "p256": ("ec-p256", "ec-p256", "ec-p256"),
    "rsa":  ("rsa-2048", "rsa-2048", "rsa-2048"),
}  # fmt: skip
_SUBJECTS = (
    {"C": "US", "O": "DigiCert Inc", "OU": "www.digicert.com", "CN": "DigiCert Global Root G9"},
    {"C": "US", "O": "Microsoft Corporation", "CN": "Microsoft Azure TLS Issuing CA 03"},
    {"C": "US", "O": "Microsoft Corporation", "CN": HOST},
)
_MAKER = ({"CN": "Maker Root"}, {"CN": "Maker Device CA 01"}, {"CN": "gateway-17"})
_OCSP = "http://ocsp.digicert.com"
_ISSUER = "http://cacerts.digicert.com/DigiCertGlobalRootG9.crt"
_CRL = "http://crl3.digicert.com/DigiCertGlobalRootG9.crl"
_LOG_ENTRY = 119  # bytes of one, with an ECDSA signature
_LOG_ENTRIES = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_POLICY = x509.ObjectIdentifier("2.23.140.1.2.2")


@dataclass(frozen=True)
class Papers:
    """Files: the root, the leaf, the issuing CA, both (leaf first), and the leaf's key."""

    root: Path
    leaf: Path
    issuing: Path
    chain: Path
    key: Path
    ecdsa: bool


def server(folder: Path, keys: tuple[str, str, str]) -> Papers:
    """A new chain of a server."""
    return _written(folder, keys, _SUBJECTS, _public)


def client(folder: Path, keys: tuple[str, str, str]) -> Papers:
    """A new certificate of a device, under its maker's CA."""
    return _written(folder, keys, _MAKER, _private)


def _written(folder: Path, keys: tuple, subjects: tuple, more: object) -> Papers:
    folder.mkdir()
    made: list[Issuer] = []
    for depth, kind in enumerate(keys):
        above = made[-1] if made else None
        made.append(_issued(kind, subjects[depth], above, more(depth)))
    root, issuing, leaf = made
    files = ("root.pem", "leaf.pem", "issuing.pem", "chain.pem", "leaf.key")
    found = Papers(*[folder / name for name in files], keys[-1].startswith("ec"))
    found.root.write_bytes(pem(root.certificate))
    found.leaf.write_bytes(pem(leaf.certificate))
    found.issuing.write_bytes(pem(issuing.certificate))
    found.chain.write_bytes(pem(leaf.certificate, issuing.certificate))
    plain = serialization.NoEncryption()
    text = leaf.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )
    with os.fdopen(os.open(found.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(text)
    return found


def _issued(kind: str, subject: dict, above: Issuer | None, more: list) -> Issuer:
    """more  extensions as (extension, critical)"""
    key, name = KEYS[kind](), name_of(subject)
    today = datetime.datetime.now(datetime.timezone.utc)
    issuer = above.certificate.subject if above else name
    builder = start(name, issuer, key, today - DAY, today + 180 * DAY)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    if above:
        builder = issued_under(builder, above)
    signer = above.key if above else key
    hashed = hashes.SHA384() if signer.key_size in (384, 4096) else hashes.SHA256()
    return Issuer(builder.sign(signer, hashed), key)


def _private(depth: int) -> list:
    if depth < 2:
        return _authority(1 - depth)
    return [
        (x509.BasicConstraints(False, None), True), (usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([Use.CLIENT_AUTH]), False),
    ]  # fmt: skip


def _public(depth: int) -> list:
    if depth == 0:
        return _authority(None)
    both = x509.ExtendedKeyUsage([Use.SERVER_AUTH, Use.CLIENT_AUTH])
    if depth == 1:
        return [*_authority(0), (both, False), *_where()]
    names = [x509.DNSName(name) for name in (HOST, "*.azure-devices.net", "*.amqpws." + HOST)]
    return [
        (x509.BasicConstraints(False, None), True), (usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([Use.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
        (x509.UnrecognizedExtension(_LOG_ENTRIES, _log_entries(2)), False), *_where(),
    ]  # fmt: skip


def _authority(length: int | None) -> list:
    return [
        (x509.BasicConstraints(True, length), True),
        (usage("digital_signature", "key_cert_sign", "crl_sign"), True),
    ]


def _where() -> list:
    """Where its issuer publishes what: revocations, its own certificate, its policy."""
    places = ((Access.OCSP, _OCSP), (Access.CA_ISSUERS, _ISSUER))
    access = [
        x509.AccessDescription(what, x509.UniformResourceIdentifier(at)) for what, at in places
    ]
    at = x509.DistributionPoint([x509.UniformResourceIdentifier(_CRL)], None, None, None)
    return [
        (x509.AuthorityInformationAccess(access), False),
        (x509.CRLDistributionPoints([at]), False),
        (x509.CertificatePolicies([x509.PolicyInformation(_POLICY, None)]), False),
    ]


def _log_entries(count: int) -> bytes:
    """An OCTET STRING of that many: a list of entries, each with its length before it."""
    entry = struct.pack("!H", _LOG_ENTRY) + b"\0" + secrets.token_bytes(_LOG_ENTRY - 1)
    listed = struct.pack("!H", count * len(entry)) + count * entry
    return b"\x04\x81" + bytes([len(listed)]) + listed
