"""A private key in DER: of what kind it is, and which public key belongs to it.

Rule: it never shows a key; what cannot be read is a ConfigError about the file. A public key that
stands beside the private one is believed, since only our own mistakes are looked for here.

Source: RFC 5958 (PKCS#8), RFC 5915 (SEC 1), RFC 8017 appendix A.1.2 (PKCS#1).
"""

from ..errors import ConfigError, TrustError
from . import asn1, p256sign
from .algorithms import key_name
from .asn1 import BIT_STRING, INTEGER, OCTET_STRING, OID, SEQUENCE, Element
from .derwrite import bit_string, element, unsigned
from .p256 import spki_of_point
from .shapes import Pause

KINDS = "use RSA with 2048 bits or more, P-256 or P-384"
_PARAMETERS, _PUBLIC = 0xA0, 0xA1
_EC, _RSA = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1"
_P256 = "1.2.840.10045.3.1.7"
_EC_OID = b"\x2a\x86\x48\xce\x3d\x02\x01"
_P256_OID = b"\x2a\x86\x48\xce\x3d\x03\x01\x07"
_RSA_OID = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
_NULL = b"\x05\x00"
_REMEDY = "give an unencrypted key, RSA or EC"


class Private:
    """One key.

    spki    of the public key, DER
    secret  of a key on P-256, to sign with; 0 for another
    Raises  ConfigError: not a key, or of a kind that is not used here
    """

    def __init__(self, der: bytes, path: str, pause: Pause = p256sign.quiet) -> None:
        self.secret, self.spki, self._pause = 0, b"", pause
        try:
            self._take(asn1.only(der).sequence("key"))
            self.kind = key_name(asn1.only(self.spki))
        except TrustError:
            raise ConfigError("private key cannot be read", path, _REMEDY)
        rsa_bits = int(self.kind[4:]) if self.kind[:4] == "rsa-" else 0
        if rsa_bits < 2048 and self.kind not in ("ec-p256", "ec-p384"):
            raise ConfigError("private key of a kind that is not used here", path, KINDS)

    def _take(self, parts: list[Element]) -> None:
        tags = [part.tag for part in parts[:3]]
        if tags == [INTEGER, SEQUENCE, OCTET_STRING]:
            self._wrapped(parts[1].members(), asn1.only(asn1.octets(parts[2])))
        elif tags[:2] == [INTEGER, OCTET_STRING]:
            named = [part for part in parts[2:] if part.tag == _PARAMETERS]
            self._elliptic(parts, named[0].members()[0] if named else parts[0])
        else:
            self._rsa(parts)

    def _wrapped(self, algorithm: list[Element], inner: Element) -> None:
        kind = asn1.oid(algorithm[0]) if algorithm else ""
        if kind == _EC and len(algorithm) == 2:
            self._elliptic(inner.sequence("key"), algorithm[1])
        elif kind == _RSA:
            self._rsa(inner.sequence("key"))
        else:
            raise asn1.bad("private key of another kind")

    def _elliptic(self, parts: list[Element], curve: Element) -> None:
        p256 = asn1.oid(curve) == _P256
        number = int.from_bytes(asn1.octets(parts[1]), "big")
        self.secret = number if p256 else 0
        public = [part for part in parts[2:] if part.tag == _PUBLIC]
        if public:
            algorithm = element(SEQUENCE, element(OID, _EC_OID), curve.raw())
            self.spki = element(SEQUENCE, algorithm, public[0].content())
        elif p256:
            self.spki = spki_of_point(p256sign.public(number, self._pause))
        else:
            raise asn1.bad("private key without its public one")

    def _rsa(self, parts: list[Element]) -> None:
        if len(parts) < 9:
            raise asn1.bad("private key of a wrong shape")
        numbers = [int.from_bytes(asn1.integer_bytes(part), "big") for part in parts[1:3]]
        key = element(SEQUENCE, parts[1].raw(), parts[2].raw())
        if not all(numbers):
            raise asn1.bad("private key of zeros")
        algorithm = element(SEQUENCE, element(OID, _RSA_OID), _NULL)
        self.spki = element(SEQUENCE, algorithm, bit_string(key))


def p256_der(secret: int, point: bytes) -> bytes:
    """A key on P-256 with its public point, as SEC 1 has it."""
    return element(
        SEQUENCE,
        unsigned(1),
        element(OCTET_STRING, secret.to_bytes(32, "big")),
        element(_PARAMETERS, element(OID, _P256_OID)),
        element(_PUBLIC, element(BIT_STRING, b"\0", point)),
    )
