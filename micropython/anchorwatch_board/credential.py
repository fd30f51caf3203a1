"""The device's credential as the configuration names it: two files, or a symmetric key.

Rule: certificate and private key are read when they are used and not kept; nothing here prints a
key. With a secure element, whose hook signs, there is no key file: the TLS library is given a key
that is nobody's, and asks the hook instead.
"""

import binascii

from anchorwatch.errors import ConfigError, LinkError, MalformedMessage
from anchorwatch.wire import sas

from . import keyfiles
from .folder import Folder, quiet

SLOT = "onboarding"
_LABEL = b"anchorwatch: which key is this"


class Credential:
    """kind  x509 | symmetric_key
    certificate_file  PEM or DER, the leaf and its chain behind it; unused for a symmetric key
    key_file          PEM or DER, or the symmetric key in base64
    element           signs a SHA-256 by the key of a secure element; None: there is none
    """

    def __init__(self, kind: str, certificate_file: str, key_file: str, element=None,
                 pause=quiet) -> None:
        self._kind, self._certificate_file, self._key_file = kind, certificate_file, key_file
        self._element, self._pause = element, pause
        self._key = b""
        self._stamp: tuple = ()

    def read(self) -> dict:
        """Look at the files: the `credential` of Start and CredentialRead.

        Raises  ConfigError: unreadable, not a key, or the two do not match
        """
        self._stamp = self._stamps()
        if self._kind == "x509":
            from . import keys  # a device with a symmetric key does without

            found = keys.describe(self._certificate_file, self._key_file, self._element,
                                  self._pause)
            del found["matched"]
            return dict(found, slot=SLOT)
        self._key = _symmetric(self._key_file)
        name = binascii.hexlify(sas.hmac_sha256(self._key, _LABEL)).decode()
        return {"kind": "symmetric_key", "slot": SLOT, "fingerprint": name, "not_before": None,
                "not_after": None, "cn": None}  # fmt: skip

    def changed(self) -> bool:
        """True when the files are not the ones that were read."""
        return self._stamps() != self._stamp

    def files(self, slot: str):
        """([DER], leaf first, the key's DER) for TLS; None for a symmetric key.

        Raises  LinkError: identity, credential-unreadable
        """
        if self._kind != "x509":
            return None
        from . import keys

        try:
            path = [one.der for one in keys.chain(self._certificate_file)]
            return path, _nobodys() if self._element else keys.key(self._key_file)
        except ConfigError as error:
            raise LinkError("identity", "credential-unreadable", error.value)

    def sign(self, data: bytes) -> bytes:
        """HMAC-SHA-256 by the symmetric key; empty for a certificate, which signs in TLS."""
        return sas.hmac_sha256(self._key, data) if self._key else b""

    def wipe(self):
        """Overwrite and remove the key file: (reason, what to do) where that is not ours to do.

        Raises  OSError: its bytes may still be there
        """
        if self._element:
            return "key is in the secure element", "delete it there"
        self._key = b""
        above, _, name = self._key_file.rpartition("/")
        folder = Folder(above or ".")
        size = folder.size(name)
        if size is not None:
            folder.over(name, b"", size)
            folder.unlink(name)
            folder.erase_free(self._pause)
        self._stamp = self._stamps()
        return None

    def _stamps(self) -> tuple:
        return keyfiles.stamp(self._certificate_file), keyfiles.stamp(self._key_file)


def absent() -> dict:
    """The `credential` of Start where the configured one is not there any more."""
    return {"kind": "none", "slot": SLOT, "fingerprint": "", "not_before": None, "not_after": None,
            "cn": None}  # fmt: skip


def _symmetric(path: str) -> bytes:
    data = keyfiles.read(path, "key file")
    try:
        return sas.key_bytes(data.decode().strip(), "key in " + path)
    except (UnicodeError, ConfigError, MalformedMessage):
        raise ConfigError("symmetric key is not base64", path,
                          "copy the primary or secondary key of the enrollment again")


def _nobodys() -> bytes:
    """A key that says which curve is used; the secure element signs in its place."""
    from anchorwatch.pki.p256 import G
    from anchorwatch.pki.private import p256_der

    point = b"\x04" + G[0].to_bytes(32, "big") + G[1].to_bytes(32, "big")
    return p256_der(1, point)
