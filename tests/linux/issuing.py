"""A CA that issues what requests ask for, and what no CA should."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from tests.linux import authority


class Ca:
    """root, then the issuing CA below it; `issue` makes a leaf for a request in base64."""

    def __init__(self, cn="Tenant CA"):
        self.root = authority.root(cn + " Root")
        self.ca = self.root.issue(cn, ca=True)

    def issue(self, csr, cn=None, *, key=None, below=None, **wishes):
        """The DER of a leaf; another name, key or purpose if asked."""
        request = x509.load_der_x509_csr(base64.b64decode(csr))
        assert request.is_signature_valid
        (asked,) = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        held = _Public(key.public_key() if key else request.public_key())
        wishes = {"ca": False, "begins": -authority.DAY_S, "ends": 30 * authority.DAY_S,
                  "client": True, **wishes}
        made = authority._certificate(cn or asked.value, held, below or self.ca, wishes["ca"], (),
                                      wishes["begins"], wishes["ends"], wishes["client"])
        return made.public_bytes(serialization.Encoding.DER)

    def chain(self, csr, *given, **wishes):
        """Leaf and issuing CA."""
        return [self.issue(csr, *given, **wishes), self.ca.der]


class _Public:
    """A key of which only the public half is known."""

    def __init__(self, public):
        self._public = public

    def public_key(self):
        return self._public


def certs_only(ders):
    """PKCS#7 that holds certificates alone, DER."""
    from cryptography.hazmat.primitives.serialization import pkcs7

    return pkcs7.serialize_certificates(
        [x509.load_der_x509_certificate(der) for der in ders], serialization.Encoding.DER)


