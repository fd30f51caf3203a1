"""A certificate request that we made: for whom, and for which key. PKCS#10 in DER.

Rule: only our own requests are read, so the signature is not verified again.

Source: RFC 2986 section 4.
"""

from ..errors import TrustError
from ..pki import asn1
from .issued import common_names

_REMEDY = "have a new key made"


class Request:
    """cn  the only name, "" where there is not one; spki  the key, DER

    Raises  TrustError: not a request
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        outer = asn1.only(der).sequence("request")
        body = outer[0].sequence("request body") if len(outer) == 3 else []
        if len(body) < 3:
            raise TrustError("certificate request of a wrong shape", "", _REMEDY)
        names = common_names(body[1].raw())
        self.cn = names[0] if len(names) == 1 else ""
        self.spki = body[2].raw()


class Unasked:
    """No request yet: for nobody and for no key."""

    cn, spki = None, b""
