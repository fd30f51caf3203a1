"""Looks at a device's certificate and key, in a process of its own that ends.

Rule: the only file that imports `cryptography`, and no part of the resident process; file names
come in, no key material goes out. What is wrong is said as {"what", "value", "remedy"}.
"""

import json
import os
import sys

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ..errors import AgentError, ConfigError
from ..pki import pem
from ..pki.der import Certificate
from .keyfiles import read_certificate, read_secret

_BEGIN, _DASHES = b"-----BEGIN ", b"-----"
_PLAIN = (b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY")
_CURVES = ("secp256r1", "secp384r1")
_CURVE_KEYS = ("ec-p256", "ec-p384")
_RSA_BITS_LEAST = 2048
_KINDS = "use RSA with 2048 bits or more, P-256 or P-384"


def describe(certificate_file: str, key_file: str) -> dict:
    """What the core needs to know of an X.509 credential.

    {"fingerprint", "not_before", "not_after", "cn", "key", "matched"}; matched is False where the
    key is in a token and only a handshake can tell.
    Raises  ConfigError
    """
    leaf = _leaf(certificate_file)
    held = x509.load_der_x509_certificate(leaf.der)
    matched = _matches(held, read_secret(key_file), certificate_file, key_file)
    if not matched and not _is_used_here(leaf):
        raise ConfigError("device certificate with a key of a kind that is not used here",
                          "%s, %s" % (certificate_file, leaf.key), _KINDS)
    names = held.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return {
        "fingerprint": leaf.sha256, "not_before": leaf.not_before, "not_after": leaf.not_after,
        "cn": str(names[0].value) if names else "", "key": leaf.key, "matched": matched,
    }  # fmt: skip


def _leaf(path: str) -> Certificate:
    try:
        return Certificate(pem.certificates(read_certificate(path))[0])
    except ConfigError:
        raise
    except AgentError as error:
        raise ConfigError("device certificate cannot be used: " + error.what, path,
                          "give the PEM of the certificate, leaf first, then its chain") from error


def _is_used_here(leaf: Certificate) -> bool:
    """A token's key is not seen; the certificate says of what kind it is."""
    return leaf.key in _CURVE_KEYS or leaf.rsa_bits() >= _RSA_BITS_LEAST


def _matches(held: x509.Certificate, data: bytes, certificate_file: str, key_file: str) -> bool:
    label, block = _private_block(data, key_file)
    if label not in _PLAIN:
        return False  # a token's key: the TLS library's provider knows it, we do not
    try:
        key = serialization.load_pem_private_key(block, None)
    except TypeError as error:
        raise _encrypted(key_file) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError("private key cannot be read", key_file,
                          "give an unencrypted PEM key, RSA or EC") from error
    _check_kind(key, key_file)
    if _spki(key.public_key()) != _spki(held.public_key()):
        raise ConfigError("key does not match certificate", "%s, %s" % (key_file, certificate_file),
                          "name the key that the certificate was issued for")
    return True


def _private_block(data: bytes, path: str) -> tuple[bytes, bytes]:
    """Label and text of the first block that can be a key."""
    for start in _starts(data):
        label = data[start + len(_BEGIN):].partition(_DASHES)[0]
        if label.startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in data[start:start + 200]:
            raise _encrypted(path)
        if b"PRIVATE KEY" in label or b"PROVIDER URI" in label:
            end = data.find(b"-----END " + label + _DASHES, start)
            return label, data[start:end + len(label) + 14] if end > 0 else data[start:]
    raise ConfigError("file holds no private key", path, "give a PEM file with the device's key")


def _starts(data: bytes) -> list[int]:
    found, at = [], data.find(_BEGIN)
    while at >= 0:
        found.append(at)
        at = data.find(_BEGIN, at + 1)
    return found


def _encrypted(path: str) -> ConfigError:
    return ConfigError("private key is encrypted", path,
                       "nobody is there to type a password: store it unencrypted, or in a token")


def _check_kind(key: object, path: str) -> None:
    fits = (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _RSA_BITS_LEAST) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES)
    if not fits:
        raise ConfigError("private key of a kind that is not used here", path,
                          _KINDS)


def _spki(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def main(arguments: list[str]) -> int:
    """One line of JSON: {"is": {...}}, or {"error": {...}} and exit code 1."""
    try:
        answer = {"is": describe(*arguments)}
    except AgentError as error:
        answer = {"error": {"what": error.what, "value": error.value, "remedy": error.remedy}}
    os.write(1, json.dumps(answer).encode() + b"\n")
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
