"""What a client certificate proves: its name, its thumbprints, the authority it reaches.

TLS has let every certificate through; the judgement is here. No revocation list is read, as
documented.
Source: "Authenticate identities with X.509 certificates"; "X.509 attestation" of DPS.
"""

import functools
import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from .refusal import NotProven

# all that the library says of bytes it cannot read or check
UNREADABLE = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)


@functools.lru_cache(maxsize=8192)
def loaded(der: bytes) -> x509.Certificate:
    """The certificate in these bytes; the same ones come again at every connect."""
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE:
        raise NotProven("a certificate cannot be read") from None


def common_name(der: bytes) -> str:
    """The CN of the subject; "" when there is none."""
    try:
        names = loaded(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except UNREADABLE:
        raise NotProven("a certificate's subject cannot be read") from None
    return str(names[0].value) if names else ""


def thumbprints(der: bytes) -> tuple[str, str]:
    """SHA-1 and SHA-256 over the certificate, upper-case hex, as the services store them."""
    return hashlib.sha1(der).hexdigest().upper(), hashlib.sha256(der).hexdigest().upper()


def plain_thumbprint(text: str) -> str:
    """A thumbprint as an operator may write it (colons, spaces, lower case), in the stored form."""
    return text.replace(":", "").replace(" ", "").upper()


def check_dates(certificate: x509.Certificate, utc_s: int) -> None:
    """Refuse a certificate before its first or after its last second."""
    if utc_s < certificate.not_valid_before_utc.timestamp():
        raise NotProven("a certificate is not valid yet")
    if utc_s > certificate.not_valid_after_utc.timestamp():
        raise NotProven("a certificate has expired")


def nearest_authority(chain: list[bytes], authorities: list[bytes], utc_s: int) -> bytes:
    """The registered authority first met going up from the leaf.

    chain        DER, leaf first, as the device sent it
    authorities  DER of the registered (verified) certificates, roots or intermediates
    Raises       NotProven: dates, a link that is missing or not signed, no authority reached
    """
    registered = [(der, loaded(der)) for der in authorities]
    certificates = [loaded(der) for der in chain]
    for certificate, above in zip(certificates, certificates[1:] + [None], strict=True):
        check_dates(certificate, utc_s)
        for der, authority in registered:
            if issued(certificate, authority):
                check_dates(authority, utc_s)
                return der
        if above is None or not issued(certificate, above):
            break
    raise NotProven("the chain reaches no registered CA")


def issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether `by` is a CA, bears the issuer's name and signed the certificate."""
    try:
        certificate.verify_directly_issued_by(by)
        return by.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except UNREADABLE:
        return False
