"""Reads the files of a credential: certificates and keys, PEM or DER.

Rule: bounded; what comes out is DER, the only thing that every firmware's TLS library takes.

Source: RFC 7468.
"""

import os

from anchorwatch.errors import ConfigError, MalformedMessage, TrustError
from anchorwatch.pki import pem
from anchorwatch.pki.asn1 import Element
from anchorwatch.wire.encoding import base64_bytes, base64_text

from . import folder

_AT_MOST = 32_768
_COUNT_AT_MOST = 32
_BEGIN, _DASHES = b"-----BEGIN ", b"-----"
_KEYS = (b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY")
_LINE = 64


def read(path: str, what: str) -> bytes:
    """The bytes of a file; ConfigError when it cannot be read."""
    try:
        data = folder.read(path, _AT_MOST + 1)
    except OSError as error:
        raise ConfigError(what + " cannot be read", "%s (error %s)" % (path, error.errno),
                          "put the file there, or correct its path")
    if len(data) > _AT_MOST:
        raise ConfigError(what + " is too large", path, "name the file itself")
    return data


def stamp(path: str) -> tuple:
    """Changes when the file's size or time does; empty while it cannot be seen."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found[6], found[8])


def certificates(data: bytes) -> list:
    """[DER] of PEM text or of DER, one behind the other. TrustError, MalformedMessage."""
    if _BEGIN in data:
        return pem.certificates(data, _COUNT_AT_MOST, _AT_MOST)
    found, at = [], 0
    while at < len(data) and len(found) < _COUNT_AT_MOST:
        one = Element(data, at, len(data))
        found.append(one.raw())
        at = one.stop
    if not found:
        raise TrustError("file without a certificate", "", "give PEM or DER")
    return found


def key_der(data: bytes, path: str) -> bytes:
    """A private key, of PEM text or of DER. ConfigError, which shows nothing of it."""
    at = _label_at(data)
    if at < 0:
        return data
    label, dashes, rest = data[at + len(_BEGIN):].partition(_DASHES)
    body, end, _ = rest.partition(b"-----END ")
    if b"ENCRYPTED" in label or b"ENCRYPTED" in body:
        raise ConfigError("private key is encrypted", path,
                          "nobody is there to type a password: store it unencrypted")
    try:
        if label not in _KEYS or not dashes or not end:
            raise MalformedMessage("no block of a key")
        return base64_bytes(b"".join(body.split()).decode())
    except (MalformedMessage, UnicodeError):
        raise ConfigError("private key cannot be read", path, "give the key as PEM or DER")


def pem_of(ders: list, label: str = "CERTIFICATE") -> bytes:
    """DER as PEM text."""
    lines = []
    for der in ders:
        text = base64_text(der)
        lines.append("-----BEGIN %s-----" % label)
        lines.extend([text[at:at + _LINE] for at in range(0, len(text), _LINE)])
        lines.append("-----END %s-----" % label)
    lines.append("")
    return "\n".join(lines).encode()


def _label_at(data: bytes) -> int:
    """Where the block of the key begins; -1 in what is no PEM."""
    first = at = data.find(_BEGIN)
    while at >= 0:
        if b"PRIVATE KEY" in data[at:at + 48]:
            return at
        at = data.find(_BEGIN, at + 1)
    return first
