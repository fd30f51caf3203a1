"""Certificate requests: PKCS#10, read and proven.

Says what a request asks for and that its key signed it; grants nothing.
Source: RFC 2986; "Certificate issuance" of certificate management for IoT Hub.
"""

import base64
import functools
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from .identity import UNREADABLE

LARGEST = 8 * 1024
CURVES = {"secp256r1": "ec-p256", "secp384r1": "ec-p384"}
KEY_KINDS = ("ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096")


class CsrRefused(Exception):
    """A request that no certificate comes of; `reason` is the service's own word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True)
class SigningRequest:
    """A request that was read, and whose signature proves the key.

    key_kind  "ec-p256", "ec-p384", "rsa-2048"; any other kind by its own name
    subject   the whole name as RFC 4514 writes it; names  the SAN, sorted
    """

    common_name: str
    public_key: object
    key_kind: str
    subject: str
    names: tuple[str, ...]
    sha256: str


@functools.lru_cache(maxsize=4096)
def read(der: bytes) -> SigningRequest:
    """The request in these bytes; raises CsrRefused. Who is told to wait sends the same again."""
    if len(der) > LARGEST:
        raise CsrRefused("CsrTooLarge", f"the request has {len(der)} bytes")
    try:
        csr = x509.load_der_x509_csr(der)
        proven, key = csr.is_signature_valid, csr.public_key()
        common_names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = alternative_names(csr)
        subject = csr.subject.rfc4514_string()
    except UNREADABLE:
        raise CsrRefused("FailedToDecodeCsr", "the request is not PKCS#10 in DER") from None
    if not proven:
        raise CsrRefused("InvalidCsrSignature", "the request's key did not sign it")
    if len(common_names) != 1:
        raise CsrRefused("InvalidSubject", "the request's subject has no single CN")
    return SigningRequest(
        str(common_names[0].value), key, kind_of(key), subject, names,
        hashlib.sha256(der).hexdigest(),
    )  # fmt: skip


def from_base64(text: object) -> bytes:
    """The DER in a member of JSON; raises CsrRefused."""
    if not isinstance(text, str):
        raise CsrRefused("FailedToDecodeCsr", "the request is not a text")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise CsrRefused("FailedToDecodeCsr", "the request is not base64") from None


def alternative_names(made: x509.CertificateSigningRequest | x509.Certificate) -> tuple[str, ...]:
    """The SAN as sorted texts; () without one."""
    try:
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(sorted(str(name.value) for name in names))


def kind_of(key: object) -> str:
    """What kind of key it is, as settings name it."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVES.get(key.curve.name, key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    return type(key).__name__
