"""The device's credential as the resident process knows it: two file names, or a symmetric key.

Rule: certificate and private key are looked at by a child that ends (keys.py); in this process the
TLS library alone reads the private key, at each handshake. Nothing here prints or returns a key.
"""

import os
import stat

from ..errors import ConfigError, MalformedMessage
from ..wire import sas
from . import keyschild
from .keyfiles import read_secret, stamp

SLOT = "onboarding"
_LABEL = b"anchorwatch: which key is this"


class Credential:
    """kind  x509 | symmetric_key
    certificate_file  PEM, the leaf and its chain behind it; unused for a symmetric key
    key_file          PEM, or the key in base64
    """

    def __init__(self, kind: str, certificate_file: str, key_file: str) -> None:
        self._kind, self._certificate_file, self._key_file = kind, certificate_file, key_file
        self._key = b""
        self._stamp: tuple = ()

    def read(self) -> dict:
        """Look at the files: the `credential` of Start and CredentialRead.

        Raises  ConfigError: unreadable, open to others, not a key, or the two do not match
        """
        self._stamp = self._stamps()
        if self._kind == "x509":
            found = dict(examine(self._certificate_file, self._key_file), slot=SLOT)
            del found["matched"]
            return found
        self._key = _symmetric(self._key_file)
        name = sas.hmac_sha256(self._key, _LABEL).hex()
        return {"kind": "symmetric_key", "slot": SLOT, "fingerprint": name, "not_before": None,
                "not_after": None, "cn": None}  # fmt: skip

    def changed(self) -> bool:
        """True when the files are not the ones that were read."""
        return self._stamps() != self._stamp

    def files(self, slot: str) -> tuple[str, str] | None:
        """(certificate file, key file) for TLS; None for a symmetric key."""
        return (self._certificate_file, self._key_file) if self._kind == "x509" else None

    def sign(self, data: bytes) -> bytes:
        """HMAC-SHA-256 by the symmetric key; empty for a certificate, which signs in TLS."""
        return sas.hmac_sha256(self._key, data) if self._key else b""

    def wipe(self) -> tuple[str, str] | None:
        """Overwrite and remove the key file: (reason, what to do) where that is not ours to do.

        Raises  OSError: its bytes may still be there
        """
        self._key = b""
        wrong = _wiped(self._key_file)
        self._stamp = self._stamps()
        return wrong

    def _stamps(self) -> tuple:
        return (stamp(self._certificate_file), stamp(self._key_file))


def absent() -> dict:
    """The `credential` of Start where the configured one is not there any more."""
    return {"kind": "none", "slot": SLOT, "fingerprint": "", "not_before": None, "not_after": None,
            "cn": None}  # fmt: skip


def examine(certificate_file: str, key_file: str) -> dict:
    """What keys.describe says, from a child process; see there. Raises ConfigError."""
    return keyschild.ask("describe", certificate_file, certificate_file=certificate_file,
                         key_file=key_file)


def _symmetric(path: str) -> bytes:
    data = read_secret(path)
    try:
        return sas.key_bytes(data.decode("ascii").strip(), "key in " + path)
    except (UnicodeDecodeError, MalformedMessage) as error:
        raise ConfigError("symmetric key is not base64", path,
                          "copy the primary or secondary key of the enrollment again") from error


def _wiped(path: str) -> tuple[str, str] | None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        return "key file cannot be written (%s)" % error.strerror, "remove it by hand: " + path
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            return "key file is not a file of the agent's own", "remove it by hand: " + path
        _blank(descriptor, found.st_size)
    finally:
        os.close(descriptor)
    os.unlink(path)
    _sync(os.path.dirname(path) or ".")
    return None


def _blank(descriptor: int, size: int) -> None:
    zeros = bytes(size)
    while zeros:
        zeros = zeros[os.write(descriptor, zeros):]
    os.fsync(descriptor)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
