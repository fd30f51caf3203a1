"""What mbedTLS, a server's alert or the line says of a handshake, as a class and a word.

Rule: tables only, the words are those of the Linux driver's table. What a judgement of ours has
said goes before anything that the library says. Beside them there are, of the class memory:
no-memory, low-memory (what it looks like is a root that is missing: see dial.py), one-session; and
of the class policy what a firmware cannot: handshake-split, record-too-long, own-chain-too-long,
root-expired (judged.py).

Source: mbedtls/ssl.h, x509.h, pk.h, ecp.h, rsa.h and bignum.h of 3.6; RFC 5246 section 7.2.
"""

from anchorwatch.errors import LinkError
from anchorwatch.wire.hello import TLS_1_2, version_name

# The library's numbers, where one says enough.
CODES = {
    -0x4E00: ("trust", "key-not-proven"),  # ECDSA over the key exchange
    -0x4380: ("trust", "key-not-proven"),  # RSA over it
    -0x7680: ("trust", "no-anchor"),
    -0x7200: ("policy", "malformed-handshake"),  # no TLS record
    -0x7300: ("policy", "malformed-handshake"),
    -0x7700: ("policy", "malformed-handshake"),
    -0x7080: ("policy", "handshake-split"),  # before 3.6.3: a message in several records
    -0x7100: ("policy", "record-too-long"),  # for the buffer of what comes in
    -0x6A00: ("policy", "own-chain-too-long"),  # for the buffer of what goes out
    -0x6E80: ("policy", "protocol-version"),
    -0x6E00: ("policy", "no-common-suite"),
    -0x6600: ("policy", "malformed-handshake"),
    -0x7280: ("network", "cut"),
    -0x7880: ("network", "cut"),
}  # fmt: skip
# No memory: of ssl, x509, pk as they are; of bignum and asn1 in the low bits of another number.
MEMORY = (-0x7F00, -0x2880, -0x3F80)
_MEMORY_LOW = (0x10, 0x6A)
_LOW = 0x7F
_NO_MEMORY = 12  # of the runtime itself
# What a server's alert says before it has seen our certificate.
ALERTS = {
    40: "no-common-suite", 71: "no-common-suite", 70: "protocol-version", 112: "name-not-served",
}  # fmt: skip
_NO_SUITE = (40, 71)
OF_OUR_CERTIFICATE = (42, 43, 44, 45, 46, 47, 48, 49)
# The library's sentences about dates, in small letters: it judges by the board's own clock.
DATES = (("expired", "expired"), ("future", "not-yet-valid"))


def of_alert(number, version, judged):
    """An alert in clear. judged: the server's chain had come, so it has seen what we showed."""
    shown = "alert %d" % number
    if judged and number in OF_OUR_CERTIFICATE:
        return LinkError("identity", "certificate-refused", shown)
    if number in _NO_SUITE and version < TLS_1_2:
        return LinkError("policy", "protocol-version", version_name(version))
    if number in ALERTS:
        return LinkError("policy", ALERTS[number], shown)
    return LinkError("network", "alert-%d" % number, shown)


def of_library(error):
    """Why the library gave up, by what it raised: ValueError for a chain, OSError for the rest."""
    if isinstance(error, MemoryError):
        return LinkError("memory", "no-memory")
    if isinstance(error, ValueError):
        said = str(error).lower()
        for word, verdict in DATES:
            if word in said:
                return LinkError("clock", verdict)
        return LinkError("trust", "chain-refused")
    code = error.errno if isinstance(error.errno, int) else 0
    if code in MEMORY or code == _NO_MEMORY or (code < -_LOW and -code & _LOW in _MEMORY_LOW):
        return LinkError("memory", "no-memory", code)
    if code > 0:
        return LinkError("network", "cut", code)
    fault, verdict = CODES.get(code, ("network", "handshake-broken"))
    return LinkError(fault, verdict, code)
