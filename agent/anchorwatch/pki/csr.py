"""A certificate request, PKCS#10 in DER: for one common name, by a key on P-256.

Rule: a request of ours is all that is read here, so its signature is not verified again.

Source: RFC 2986 section 4; RFC 5758 section 3.2.
"""

import binascii

from ..errors import ConfigError, TrustError
from . import asn1
from .asn1 import OID, SEQUENCE, SET
from .derwrite import bit_string, element, unsigned
from .distinguished import common_names
from .shapes import Signer

COMMON_NAME_AT_MOST = 64
_CN, _UTF8 = binascii.unhexlify("550403"), 0x0C
_ECDSA_SHA256 = binascii.unhexlify("2a8648ce3d040302")
_ATTRIBUTES = 0xA0


def request(cn: str, spki: bytes, sign: Signer) -> bytes:
    """The request for `cn` alone.

    spki    of the key, DER
    sign    called with the bytes to sign; ECDSA with SHA-256, DER
    Raises  ConfigError: no name that a certificate can hold
    """
    if not 0 < len(cn) <= COMMON_NAME_AT_MOST:
        raise ConfigError("not a common name", cn, "give 1 to 64 characters")
    pair = element(SEQUENCE, element(OID, _CN), element(_UTF8, cn.encode()))
    name = element(SEQUENCE, element(SET, pair))
    body = element(SEQUENCE, unsigned(0), name, spki, element(_ATTRIBUTES))
    algorithm = element(SEQUENCE, element(OID, _ECDSA_SHA256))
    return element(SEQUENCE, body, algorithm, bit_string(sign(body)))


class Request:
    """cn  the only name, "" where there is not one; spki  the key, DER

    Raises  TrustError: not a request
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        outer = asn1.only(der).sequence("request")
        body = outer[0].sequence("request body") if len(outer) == 3 else []
        if len(body) < 3:
            raise TrustError("certificate request of a wrong shape", "", "have a new key made")
        names = common_names(body[1])
        self.cn = names[0] if len(names) == 1 else ""
        self.spki = body[2].raw()


class Unasked:
    """No request yet: for nobody and for no key."""

    cn, spki = None, b""
