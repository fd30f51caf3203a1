"""Certificates out of PEM text, and files that hold something else."""

from binascii import a2b_base64, b2a_base64

import certificates

from anchorwatch.pki import pem

_DER = a2b_base64(certificates.LEAF)
_BODY = certificates.LEAF.encode()
_ONE = b"-----BEGIN CERTIFICATE-----\n" + _BODY + b"\n-----END CERTIFICATE-----\n"


def count(data, most=4):
    found = pem.certificates(data, most)
    return len(found), found[0] == _DER


def _refused(what):
    return ("raises", "TrustError", what)


_NOT = _refused("PEM block that is not a certificate")
_NO_BASE64 = _refused("PEM block is not base64")

CASES = (
    ("one certificate", count, (_ONE,), (1, True)),
    ("two with text around", count,
     (b"# roots\nsubject=x\n" + _ONE + b"\n\xffnext\n" + _ONE + b"end",), (2, True)),
    ("lines of a typewriter", count, (_ONE.replace(b"\n", b"\r\n"),), (1, True)),
    ("lines of 64", count,
     (b"-----BEGIN CERTIFICATE-----\n" + b"\n".join([_BODY[at : at + 64] for at in range(0,
     len(_BODY), 64)])
      + b"\n-----END CERTIFICATE-----",), (1, True)),
    ("a private key", count,
     (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + _ONE,),
     _refused("private key where a certificate is expected; give a PEM file")),
    ("a private key behind", count, (_ONE + b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n",),
     _refused("private key where")),
    ("a request", count,
     (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",), _NOT),
    ("a block in a block", count, (b"-----BEGIN CERTIFICATE-----\n" + _ONE,), _NOT),
    ("a label with more dashes", count, (b"-----BEGIN CERTIFICATE------\n",), _NOT),
    ("nothing", count, (b"",), _refused("PEM file without a complete certificate")),
    ("no end", count, (_ONE[:-27],), _refused("PEM file without a complete certificate")),
    ("an end alone", count, (b"-----END CERTIFICATE-----\n",),
     _refused("PEM block ends that did not begin")),
    ("another end", count, (_ONE.replace(b"END CERT", b"END X509"),),
     _refused("PEM block ends that did not begin")),
    ("a character that is not base64", count, (_ONE.replace(_BODY[8:12], b"a*b="),), _NO_BASE64),
    ("a byte that is not text", count, (_ONE.replace(_BODY[8:12], b"a\xe4bc"),), _NO_BASE64),
    ("too many", count, (_ONE * 5,), _refused("PEM file with too many certificates: 4")),
    ("too large", pem.certificates, (_ONE, 1, 99), _refused("PEM file too large: ")),
    ("the same bytes come back", lambda: b2a_base64(pem.certificates(_ONE)[0]).strip() == _BODY, (),
     True),
)  # fmt: skip
