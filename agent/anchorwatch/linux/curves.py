"""The curve of our own certificate, among those that a hello offers.

Rule: what counts is what the library would really say, read from a hello: a system's openssl.cnf
may take curves away, and `ssl` has no call to add one. A server checks our certificate against what
we offered, and would end the handshake without a reason that anybody understands.

Source: RFC 8422 sections 5.1 and 5.3; numbers: IANA, TLS Supported Groups.
"""

from ..errors import AgentError, LinkError
from ..pki import pem
from ..pki.der import Certificate
from .keyfiles import read_certificate

NOT_OFFERED = "curve-not-offered"
# Keys as pki/algorithms.py names them; those by number: P-192, P-224, secp256k1 and Brainpool's.
GROUPS = {
    "ec-p256": 23, "ec-p384": 24, "ec-p521": 25, "ec-1.2.840.10045.3.1.1": 19,
    "ec-1.3.132.0.33": 21, "ec-1.3.132.0.10": 22, "ec-1.3.36.3.3.2.8.1.1.7": 26,
    "ec-1.3.36.3.3.2.8.1.1.11": 27, "ec-1.3.36.3.3.2.8.1.1.13": 28,
}  # fmt: skip


def check(certificate_file: str, offered: list[int]) -> None:
    """The leaf of a PEM file under a hello that offers these groups.

    Raises  LinkError: identity, curve-not-offered
    """
    key = _key(certificate_file)
    if key[:3] == "ec-" and GROUPS.get(key) not in offered:
        shown = "%s, %s" % (key[len("ec-"):], certificate_file)
        raise LinkError("identity", NOT_OFFERED, shown,
                        "use a certificate on P-256 or P-384, and let openssl.cnf offer its curve")


def _key(certificate_file: str) -> str:
    """The kind of its key; "" where the library may take what our own reader does not."""
    try:
        return Certificate(pem.certificates(read_certificate(certificate_file))[0]).key
    except AgentError:
        return ""
