"""Certificates of devices: self-signed ones, and those under a device CA.

Keys are EC P-256 and new at each call. CN = registration id.
Source: "X.509 certificate attestation" of DPS.
"""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from .certificates import DAY, Issuer, issued_under, name_of, start, usage


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def device_ca(common_name: str, issuer: Issuer | None = None) -> Issuer:
    """An authority that may issue device certificates, self-signed unless an issuer is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = name_of({"CN": common_name})
    above = issuer.certificate.subject if issuer else name
    builder = start(name, above, key, _now() - DAY, _now() + 3650 * DAY)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    builder = builder.add_extension(usage("key_cert_sign", "crl_sign"), True)
    if issuer:
        builder = issued_under(builder, issuer)
    return Issuer(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def device(common_name: str, issuer: Issuer | None = None, days: int = 365) -> Issuer:
    """A device's certificate and key, self-signed unless an issuer is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = name_of({"CN": common_name})
    above = issuer.certificate.subject if issuer else name
    builder = start(name, above, key, _now() - DAY, _now() + days * DAY)
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    builder = builder.add_extension(usage("digital_signature"), True)
    client = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = builder.add_extension(client, False)
    if issuer:
        builder = issued_under(builder, issuer)
    return Issuer(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def key_pem(made: Issuer) -> bytes:
    """The private key as PEM (PKCS#8, not encrypted)."""
    return made.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def der(made: Issuer) -> bytes:
    """The certificate as DER."""
    return made.certificate.public_bytes(serialization.Encoding.DER)
