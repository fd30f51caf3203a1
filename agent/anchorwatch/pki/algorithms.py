"""Keys and signatures by short names: `rsa-2048`, `ec-p256`, `sha256-rsa`.

Rule: what is not in these tables is named by its object identifier, and so is in no list of
allowed ones.

Source: RFC 3279, RFC 4055, RFC 5480, RFC 5758, RFC 8410.
"""

from . import asn1
from .asn1 import OID, Element, bad

_RSA, _RSA_PSS, _EC = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1"
_CURVES = {
    "1.2.840.10045.3.1.7": "ec-p256",
    "1.3.132.0.34": "ec-p384",
    "1.3.132.0.35": "ec-p521",
}
_OTHER_KEYS = {"1.3.101.112": "ed25519", "1.3.101.113": "ed448"}
_SIGNATURES = {
    "1.2.840.113549.1.1.2": "md2-rsa",
    "1.2.840.113549.1.1.4": "md5-rsa",
    "1.2.840.113549.1.1.5": "sha1-rsa",
    "1.2.840.113549.1.1.14": "sha224-rsa",
    "1.2.840.113549.1.1.11": "sha256-rsa",
    "1.2.840.113549.1.1.12": "sha384-rsa",
    "1.2.840.113549.1.1.13": "sha512-rsa",
    "1.2.840.10045.4.1": "sha1-ecdsa",
    "1.2.840.10045.4.3.1": "sha224-ecdsa",
    "1.2.840.10045.4.3.2": "sha256-ecdsa",
    "1.2.840.10045.4.3.3": "sha384-ecdsa",
    "1.2.840.10045.4.3.4": "sha512-ecdsa",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
}
_HASHES = {
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


def key_name(spki: Element) -> str:
    """The name of the key in a SubjectPublicKeyInfo."""
    members = spki.sequence("public key")
    if len(members) != 2:
        raise bad("public key of a wrong shape")
    algorithm = _algorithm(members[0])
    kind = asn1.oid(algorithm[0])
    _, key = asn1.bits(members[1])
    if kind == _RSA:
        return "rsa-%d" % _modulus_bits(key)
    if kind == _EC and len(algorithm) == 2 and algorithm[1].tag == OID:
        curve = asn1.oid(algorithm[1])
        return _CURVES.get(curve) or "ec-" + curve
    return _OTHER_KEYS.get(kind) or "key-" + kind


def signature_name(algorithm: Element) -> str:
    """The name of a signature algorithm."""
    members = _algorithm(algorithm)
    kind = asn1.oid(members[0])
    if kind == _RSA_PSS:
        return _pss_hash(members[1:]) + "-rsa-pss"
    return _SIGNATURES.get(kind) or "signature-" + kind


def _algorithm(element: Element) -> list[Element]:
    members = element.sequence("algorithm")
    if not 1 <= len(members) <= 2:
        raise bad("algorithm of a wrong shape")
    return members


def _modulus_bits(key: bytes) -> int:
    members = asn1.only(key).sequence("RSA key")
    if len(members) != 2:
        raise bad("RSA key of a wrong shape")
    modulus = asn1.integer_bytes(members[0])
    bits, first = 8 * len(modulus), modulus[0]
    while first < 0x80 and bits:
        first, bits = first << 1 | 1, bits - 1
    return bits


def _pss_hash(parameters: list[Element]) -> str:
    """The hash of RSASSA-PSS, whose default is SHA-1."""
    for part in parameters[0].sequence("PSS parameters") if parameters else []:
        if part.tag == 0xA0:
            named = part.members()
            if len(named) != 1:
                raise bad("PSS parameters of a wrong shape")
            kind = asn1.oid(_algorithm(named[0])[0])
            return _HASHES.get(kind) or "hash-" + kind
    return "sha1"
