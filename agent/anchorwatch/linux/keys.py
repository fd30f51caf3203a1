"""Makes keys and requests and looks at a device's certificate, in a process of its own that ends.

Rule: the only file that imports `cryptography`, and no part of the resident process; what is asked
comes by standard input, the answer goes to standard output, and both are pipes. What is wrong is
said as {"what", "value", "remedy"}, never with key material.

Source: RFC 2986; which kinds of key the services take, facts of the preview's requests.
"""

import json
import os
import sys

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ..errors import AgentError, ConfigError
from ..pki import issued, pem
from ..pki.der import Certificate
from ..wire.encoding import base64_text
from .keyblocks import PLAIN, encrypted, private_block
from .keyfiles import read_certificate, read_secret

_ASKED_AT_MOST = 1_048_576
_RSA_BITS, _RSA_EXPONENT = 2048, 65537
_CURVES = ("secp256r1", "secp384r1")
_CURVE_KEYS = ("ec-p256", "ec-p384")
_RSA_BITS_LEAST = 2048
_KINDS = "use RSA with 2048 bits or more, P-256 or P-384"


def describe(certificate_file: str, key_file: str) -> dict:
    """The configured credential as issued.described gives it, of the certificates in its file; and
    "matched", False where the key is in a token and only a handshake can tell.

    Raises  ConfigError
    """
    path = _path(certificate_file)
    held = x509.load_der_x509_certificate(path[0].der)
    matched = _matches(held, read_secret(key_file), certificate_file, key_file)
    if not matched and not _is_used_here(path[0]):
        raise ConfigError("device certificate with a key of a kind that is not used here",
                          "%s, %s" % (certificate_file, path[0].key), _KINDS)
    return dict(issued.described("", path, ""), matched=matched)


def _path(file: str) -> list[Certificate]:
    try:
        listed = pem.certificates(read_certificate(file), issued.COUNT_AT_MOST)
        return issued.ordered(listed, Certificate(listed[0]).spki)
    except ConfigError:
        raise
    except AgentError as error:
        raise ConfigError("device certificate cannot be used: " + error.what, file,
                          "give the PEM of the certificate, leaf first, then its chain") from error


def _is_used_here(leaf: Certificate) -> bool:
    """A token's key is not seen; the certificate says of what kind it is."""
    return leaf.key in _CURVE_KEYS or leaf.rsa_bits() >= _RSA_BITS_LEAST


def _matches(held: x509.Certificate, data: bytes, certificate_file: str, key_file: str) -> bool:
    label, block = private_block(data, key_file)
    if label not in PLAIN:
        return False  # a token's key: the TLS library's provider knows it, we do not
    key = _loaded(block, key_file)
    if _spki(key.public_key()) != _spki(held.public_key()):
        raise ConfigError("key does not match certificate", "%s, %s" % (key_file, certificate_file),
                          "name the key that the certificate was issued for")
    return True


def _loaded(block: bytes, path: str):
    try:
        key = serialization.load_pem_private_key(block, None)
    except TypeError as error:
        raise encrypted(path) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError("private key cannot be read", path,
                          "give an unencrypted PEM key, RSA or EC") from error
    _check_kind(key, path)
    return key


def _check_kind(key: object, path: str) -> None:
    fits = (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _RSA_BITS_LEAST) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES)
    if not fits:
        raise ConfigError("private key of a kind that is not used here", path,
                          _KINDS)


def _spki(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def new(kind: str) -> dict:
    """{"key": PEM} of a new private key: p256, p384 or rsa2048."""
    made = _MAKERS[kind]()
    pem_text = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption())
    return {"key": pem_text.decode()}


_MAKERS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa2048": lambda: rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS),
}


def csr(key: str, cn: str) -> dict:
    """{"csr": PKCS#10 DER in base64}: a request for `cn` alone, signed by a key in PEM.

    Raises  ConfigError
    """
    held = _loaded(private_block(key.encode(), "slot")[1], "slot")
    try:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    except ValueError as error:
        raise ConfigError("not a common name", cn, "give 1 to 64 characters") from error
    strong = isinstance(held, ec.EllipticCurvePrivateKey) and held.key_size > 256
    digest = hashes.SHA384() if strong else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(held, digest)
    return {"csr": base64_text(made.public_bytes(serialization.Encoding.DER))}


DOES = {"describe": describe, "new": new, "csr": csr}


def main() -> int:
    """Answer {"do", "with"}: a line of JSON {"is": {...}}, or {"error": {...}} and exit code 1."""
    try:
        asked = json.loads(sys.stdin.buffer.read(_ASKED_AT_MOST))
        answer = {"is": DOES[asked["do"]](**asked["with"])}
    except AgentError as error:
        answer = {"error": {"what": error.what, "value": error.value, "remedy": error.remedy}}
    os.write(1, json.dumps(answer).encode() + b"\n")
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
