"""One certificate, and what makes it an anchor.

Rule: bytes in; a Certificate, or a TrustError. An anchor is a self-signed CA: leaf and intermediate
are refused here, so no layer can hold a pin.

Source: RFC 5280 section 4.1; design, "Trust".
"""

import binascii
import hashlib

from ..errors import TrustError
from ..wire.encoding import base64_text
from . import asn1
from .algorithms import key_name, signature_name
from .asn1 import INTEGER, Element, bad
from .distinguished import readable
from .extensions import KEY_CERT_SIGN, Extensions
from .shapes import Entry

CERTIFICATE_AT_MOST = 16_384
_RSA_BITS_LEAST = 2048
_ANCHOR_KEYS = ("ec-p256", "ec-p384", "ec-p521")


def sha256_hex(data: bytes) -> str:
    """A fingerprint: 64 hexadecimal digits, lower case."""
    return binascii.hexlify(hashlib.sha256(data).digest()).decode()


class Certificate(Extensions):
    """The parts of a certificate that somebody here needs; the rest is the TLS library's.

    serial      hexadecimal, `-` before a negative one
    issuer, subject  raw DER; issuer_name, subject_name  for humans
    not_before, not_after  utc_s; key `rsa-2048`, signature `sha256-rsa`, see algorithms.py
    ski, aki    key identifiers, hexadecimal through `key_ids`; empty where absent
    """

    def __init__(self, der: bytes) -> None:
        super().__init__()
        if len(der) > CERTIFICATE_AT_MOST:
            raise bad("longer than %d bytes" % CERTIFICATE_AT_MOST)
        self.der = bytes(der)
        outer = asn1.only(self.der).sequence("certificate")
        if len(outer) != 3:
            raise bad("certificate of a wrong shape")
        asn1.bits(outer[2])
        self.signature = signature_name(outer[1])
        self._take(outer[0].sequence("certificate body"), outer[1])
        self.sha256 = sha256_hex(self.der)
        self.spki_sha256 = sha256_hex(self.spki)
        self.self_issued = self.issuer == self.subject

    def _take(self, body: list[Element], algorithm: Element) -> None:
        version = self._version(body)
        if len(body) < 6:
            raise bad("certificate body of a wrong shape")
        serial, inner, issuer, validity, subject, spki = body[:6]
        self.serial = binascii.hexlify(asn1.integer_bytes(serial)).decode()
        if serial.content()[0] >= 0x80:
            self.serial = "-" + self.serial
        if inner.raw() != algorithm.raw():
            raise bad("two different signature algorithms")
        self.issuer, self.issuer_name = issuer.raw(), readable(issuer)
        self.subject, self.subject_name = subject.raw(), readable(subject)
        times = validity.sequence("validity")
        if len(times) != 2:
            raise bad("validity of a wrong shape")
        self.not_before, self.not_after = asn1.utc_s(times[0]), asn1.utc_s(times[1])
        self.spki, self.key = spki.raw(), key_name(spki)
        self._optional(body[6:], version)

    def _version(self, body: list[Element]) -> int:
        """Take the version away from the front of the body; 1 where it is absent."""
        if not body or body[0].tag != 0xA0:
            return 1
        inner = body.pop(0).members()
        if len(inner) != 1 or inner[0].tag != INTEGER or asn1.small(inner[0]) not in (1, 2):
            raise bad("version nobody defined")
        return asn1.small(inner[0]) + 1

    def _optional(self, rest: list[Element], version: int) -> None:
        last = 0xA0
        for item in rest:
            if item.tag not in (0x81, 0x82, 0xA3) or item.tag & 0x1F <= last & 0x1F:
                raise bad("certificate body with a part out of place")
            last = item.tag
            if item.tag == 0xA3:
                inner = item.members()
                if version != 3 or len(inner) != 1:
                    raise bad("extensions out of place")
                self.read(inner[0])

    def rsa_bits(self) -> int:
        """The length of an RSA modulus; 0 for another key."""
        return int(self.key[4:]) if self.key[:4] == "rsa-" else 0

    def key_ids(self) -> tuple[str, str]:
        """(subject key id, authority key id), hexadecimal, empty where absent."""
        return binascii.hexlify(self.ski).decode(), binascii.hexlify(self.aki).decode()


def anchor_entry(der: bytes) -> Entry:
    """What a trust layer keeps of a root; TrustError for anything that is not a self-signed CA.

    {"sha256", "spki_sha256", "name", "not_before", "not_after", "key", "der": base64}; the
    signature itself is the driver's to verify.
    """
    certificate = Certificate(der)
    name = certificate.subject_name
    usage = certificate.key_usage
    if not certificate.is_ca or (usage is not None and KEY_CERT_SIGN not in usage):
        raise _no_anchor(name)
    if not certificate.self_issued or (certificate.aki and certificate.aki != certificate.ski):
        raise _no_anchor(name)
    if certificate.rsa_bits() < _RSA_BITS_LEAST and certificate.key not in _ANCHOR_KEYS:
        remedy = "use the issuer's successor root"
        raise TrustError("root with a key too weak", "%s, %s" % (name, certificate.key), remedy)
    return {
        "sha256": certificate.sha256,
        "spki_sha256": certificate.spki_sha256,
        "name": name,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "key": certificate.key,
        "der": base64_text(certificate.der),
    }


def _no_anchor(name: str) -> TrustError:
    return TrustError(
        "leaf or intermediate offered as a root", name,
        "offer the self-signed root of its chain; leaves and intermediates change without notice",
    )  # fmt: skip
