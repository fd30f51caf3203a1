"""The keys of those who sign: made, named by their public half, brought to a signature.

Rule: EC P-256 only, since devices check nothing else. A private key, its passphrase or a PIN is
never an argument, never printed, and never lies in the workspace that is handed around.
"""

import getpass
import os
import sys

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Signer, SSlibKey

from ..errors import ConfigError, TrustError
from . import files

KEY_AT_MOST = 16_384
_SECRET_AT_MOST = 1_024
_REMEDY = "make one: openssl ecparam -name prime256v1 -genkey, or init --root-keys"


class Secrets:
    """Passphrases and PINs: one line each from a file descriptor, or typed at the terminal."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor

    def __call__(self, name: str) -> str:
        """The secret called `name`."""
        if self._descriptor is not None:
            return self._line(self._descriptor, name)
        if not sys.stdin.isatty():
            raise ConfigError("a secret is needed and nobody can type it", name,
                              "give it with --passphrase-fd")
        return getpass.getpass(name + ": ")

    def twice(self, name: str) -> str:
        """A new secret; at the terminal it is typed twice."""
        typed = self(name)
        if self._descriptor is None and self("again, " + name) != typed:
            raise ConfigError("the two are not the same", name, "type it again")
        return typed

    def _line(self, descriptor: int, name: str) -> str:
        """Byte by byte: what follows the line may be for the next program."""
        line = b""
        try:
            while not line.endswith(b"\n") and len(line) < _SECRET_AT_MOST:
                byte = os.read(descriptor, 1)
                if not byte:
                    break
                line += byte
        except OSError as error:
            raise ConfigError("descriptor cannot be read", descriptor,
                              "open it: 3< file") from error
        if not line.strip(b"\r\n"):
            raise ConfigError("no line is left on the descriptor", name, "give one line each")
        return line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def make(folder: str, name: str, passphrase: str | None) -> SSlibKey:
    """A new key in FOLDER/NAME.pem (PKCS#8, mode 0600) and NAME.pub.pem; its public half."""
    private = ec.generate_private_key(ec.SECP256R1())
    lock = serialization.NoEncryption() if passphrase is None else (
        serialization.BestAvailableEncryption(passphrase.encode("utf-8", "surrogateescape")))
    encoded = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    files.write_once(os.path.join(folder, name + ".pem"), encoded, 0o600)
    files.write(os.path.join(folder, name + ".pub.pem"), public)
    return _checked(private.public_key(), name)


def public_key(path: str) -> SSlibKey:
    """The public key in a PEM file. ConfigError, or TrustError for one devices cannot check."""
    data = files.read(path, KEY_AT_MOST)
    if b"PRIVATE KEY" in data:
        raise ConfigError("private key where a public key is expected", path,
                          "give what `openssl pkey -pubout` makes of it")
    try:
        return _checked(serialization.load_pem_public_key(data), path)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError("no public key in PEM", path,
                          "give what `openssl pkey -pubout` makes") from error


def signer(given: str, public: str | None, secrets: Secrets) -> Signer:
    """Who signs with a key file, or with a URI of securesystemslib and the PEM of its public half.

    A secret is asked for only when the key wants one.
    """
    scheme = given.partition(":")[0]
    if ":" in given and scheme in SIGNER_FOR_URI_SCHEME:
        return _remote(given, scheme, public, secrets)
    return _file_signer(given, secrets)


def _remote(uri: str, scheme: str, public: str | None, secrets: Secrets) -> Signer:
    if public is None:
        raise ConfigError("a key behind a URI needs its public half", scheme + ":...",
                          "add --public FILE.pem")
    key = public_key(public)
    try:
        return Signer.from_priv_key_uri(uri, key, secrets)
    except ConfigError:
        raise
    except Exception as error:  # every signer has errors of its own, and none is documented
        raise ConfigError("key cannot be opened", "%s:... (%s)" % (scheme, type(error).__name__),
                          "check the URI, --public and the signer's own package") from error


def _file_signer(path: str, secrets: Secrets) -> Signer:
    data = files.read(path, KEY_AT_MOST)
    if files.open_to_others(path):
        raise ConfigError("private key can be read by others", path, "chmod 600 it")
    private = _private(path, data, secrets)
    return CryptoSigner(private, _checked(private.public_key(), path))


def _private(path: str, data: bytes, secrets: Secrets):
    password = None
    if b"ENCRYPTED" in data:
        password = secrets("passphrase of " + path).encode("utf-8", "surrogateescape")
    try:
        return serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        what = "private key or passphrase is wrong" if password else "no private key in PEM"
        raise ConfigError(what, path, "give a PKCS#8 file and its own passphrase") from error


def _checked(public, where: str) -> SSlibKey:
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise TrustError("key that devices cannot check: not EC P-256", where, _REMEDY)
    return SSlibKey.from_crypto(public)
