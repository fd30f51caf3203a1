"""The device's credential as the resident process knows it: two file names, or a symmetric key.

Rule: certificate and private key are looked at by a child that ends (keys.py); in this process the
TLS library alone reads the private key, at each handshake. Nothing here prints or returns a key.
"""

import json
import os
import sys

from ..errors import ConfigError, MalformedMessage
from ..wire import sas
from .keyfiles import read_secret, stamp

SLOT = "a"
_CHILD_S = 60
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_CHILD = ("import sys; sys.path.insert(0, sys.argv.pop(1));"
          "from anchorwatch.linux import keys; sys.exit(keys.main(sys.argv[1:]))")
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
            found = examine(self._certificate_file, self._key_file)
            return {"kind": "x509", "slot": SLOT, "fingerprint": found["fingerprint"],
                    "not_before": found["not_before"], "not_after": found["not_after"],
                    "cn": found["cn"]}  # fmt: skip
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

    def _stamps(self) -> tuple:
        return (stamp(self._certificate_file), stamp(self._key_file))


def examine(certificate_file: str, key_file: str) -> dict:
    """What keys.describe says, from a child process; see there. Raises ConfigError."""
    import subprocess  # a device with a symmetric key starts without it

    command = [sys.executable, "-I", "-c", _CHILD, _ROOT, certificate_file, key_file]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=_CHILD_S, check=False)
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError("credential could not be examined", certificate_file,
                          "check that the package cryptography is installed") from error
    if "error" in answer:
        error = answer["error"]
        raise ConfigError(error["what"], error["value"], error["remedy"])
    return answer["is"]  # type: ignore[no-any-return]


def _symmetric(path: str) -> bytes:
    data = read_secret(path)
    try:
        return sas.key_bytes(data.decode("ascii").strip(), "key in " + path)
    except (UnicodeDecodeError, MalformedMessage) as error:
        raise ConfigError("symmetric key is not base64", path,
                          "copy the primary or secondary key of the enrollment again") from error
