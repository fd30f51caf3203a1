"""Certificates out of PEM text.

Rule: text outside the blocks is ignored, everything inside is strict; a block that is no
certificate is refused, a private key with a message of its own, and never shown.

Source: RFC 7468.
"""

from ..errors import MalformedMessage, TrustError
from ..wire.encoding import base64_bytes

SIZE_AT_MOST = 1_048_576
COUNT_AT_MOST = 512
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_LABEL = b"CERTIFICATE"
_REMEDY = "give a PEM file that holds certificates only"


def certificates(
    data: bytes, count_at_most: int = COUNT_AT_MOST, size_at_most: int = SIZE_AT_MOST
) -> list[bytes]:
    """[DER] in the order of the text; TrustError if there is none or a block is bad."""
    if len(data) > size_at_most:
        raise TrustError("PEM file too large", "%d bytes" % len(data), _REMEDY)
    found: list[bytes] = []
    body: list[bytes] | None = None
    for line in data.replace(b"\r\n", b"\n").split(b"\n"):
        line = line.strip()
        if line.startswith(_BEGIN):
            _check_label(line, body)
            body = []
        elif line.startswith(_END):
            found.append(_block(line, body))
            body = None
            if len(found) > count_at_most:
                raise TrustError("PEM file with too many certificates", count_at_most, _REMEDY)
        elif body is not None:
            body.append(line)
    if body is not None or not found:
        raise TrustError("PEM file without a complete certificate", "", _REMEDY)
    return found


def _check_label(line: bytes, open_body: list[bytes] | None) -> None:
    if b"PRIVATE KEY" in line:
        raise TrustError("private key where a certificate is expected", "", _REMEDY)
    if open_body is not None or line != _BEGIN + _LABEL + _DASHES:
        raise TrustError("PEM block that is not a certificate", "", _REMEDY)


def _block(line: bytes, body: list[bytes] | None) -> bytes:
    if body is None or line != _END + _LABEL + _DASHES:
        raise TrustError("PEM block ends that did not begin", "", _REMEDY)
    joined = b"".join(body)
    if [b for b in joined if b > 0x7F]:
        raise TrustError("PEM block is not base64", "", _REMEDY)
    try:
        return base64_bytes(joined.decode())
    except MalformedMessage:
        raise TrustError("PEM block is not base64", "", _REMEDY)
