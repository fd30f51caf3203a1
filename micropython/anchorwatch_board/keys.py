"""Makes keys and requests, and looks at a device's certificate and whether its key is for it.

Rule: a library that is given another certificate's key says nothing, and the server only that
something is wrong; so it is found here. No key is shown or returned but in the answer of `new`.

Source: RFC 2986; facts of the TLS library, micropython/README.md.
"""

import hashlib
import os

from anchorwatch.errors import AgentError, ConfigError
from anchorwatch.pki import issued, p256, p256sign
from anchorwatch.pki.csr import request
from anchorwatch.pki.der import Certificate
from anchorwatch.pki.private import KINDS, Private, p256_der
from anchorwatch.wire.encoding import base64_text

from . import keyfiles

MAKES = ("p256",)
_QUESTION = b"anchorwatch: is this the key of the certificate"
_LABEL = "EC PRIVATE KEY"


def describe(certificate_file: str, key_file: str, element=None, pause=p256sign.quiet) -> dict:
    """The configured credential as issued.described gives it.

    element  signs a SHA-256 by the key of a secure element; then there is no key file
    Raises   ConfigError: a file that cannot be used, or a key that is for another certificate
    """
    path = chain(certificate_file)
    leaf = path[0]
    if element is None:
        held = Private(key(key_file), key_file, pause)
        fits, shown = held.spki == leaf.spki, "%s, %s" % (key_file, certificate_file)
    else:
        fits, shown = _signs(element, leaf), "secure element, " + certificate_file
    if not fits:
        raise ConfigError("key does not match certificate", shown,
                          "name the key that the certificate was issued for")
    if not issued.usable(leaf):
        raise ConfigError("device certificate with a key of a kind that is not used here",
                          "%s, %s" % (certificate_file, leaf.key), KINDS)
    return dict(issued.described("", path, ""), matched=True)


def chain(file: str) -> list:
    """[Certificate] of a certificate file, leaf first. ConfigError."""
    data = keyfiles.read(file, "device certificate")
    try:
        listed = keyfiles.certificates(data)
        return issued.ordered(listed, Certificate(listed[0]).spki)
    except AgentError as error:
        raise ConfigError("device certificate cannot be used: " + error.what, file,
                          "give the certificate, leaf first, then its chain")


def key(file: str) -> bytes:
    """The DER of a key file. ConfigError."""
    return keyfiles.key_der(keyfiles.read(file, "key file"), file)


def new(kind: str, pause=p256sign.quiet) -> dict:
    """{"key": PEM} of a new private key. ConfigError for a kind that is not made on a board."""
    if kind not in MAKES:
        raise ConfigError("no board makes such a key", kind, "write [identity] key = \"p256\"")
    secret = p256sign.new(os.urandom)
    der = p256_der(secret, p256sign.public(secret, pause))
    return {"key": keyfiles.pem_of([der], _LABEL).decode()}


def csr(text: str, cn: str, pause=p256sign.quiet) -> dict:
    """{"csr": PKCS#10 DER in base64}: a request for `cn` alone, signed by a key in PEM.

    Raises  ConfigError
    """
    held = Private(keyfiles.key_der(text.encode(), "slot"), "slot", pause)
    if not held.secret:
        raise ConfigError("no board signs a request by such a key", held.kind,
                          "have a new key made")
    der = request(cn, held.spki, lambda body: p256sign.sign(held.secret, body, pause))
    return {"csr": base64_text(der)}


def _signs(element, leaf: Certificate) -> bool:
    """Whether what the element signs is verified by the certificate's key."""
    if leaf.key != "ec-p256":
        return False
    digest = hashlib.sha256(_QUESTION).digest()
    return p256.verify_digest(p256.point_of_spki(leaf.spki), digest, bytes(element(digest)))
