"""What OpenSSL, a server's alert or the line says of a handshake, as a class and a word.

Rule: tables only, one row for each thing that is said; what is in none of them is in the last line
of its function. `WORDS` is the closed list of what a dial fails by: the judge's words, the guesses,
and those of OpenSSL, of the line and of this runtime.

Source: OpenSSL, X509_STORE_CTX_get_error; RFC 5246 section 7.2; RFC 6066 section 3.
"""

from ..errors import LinkError
from ..pki import guess, judge
from ..wire.hello import TLS_1_2, version_name
from ..wire.tls12 import MESSAGE_TOO_LONG

WORDS = {word: judge.VERDICTS[word] for word in judge.VERDICTS if word != "ok"}
WORDS.update(guess.WORDS)
WORDS.update({
    "unknown-issuer": "no anchor that was offered issued the chain; the presented root is named",
    "bad-signature": "a certificate was not signed by the one above it",
    "chain-refused": "OpenSSL finds something else wrong with the chain",
    "key-not-proven": "the server shows a certificate, and does not have its key",
    "no-common-suite": "the server has no suite of ours; it is probably RSA only, and we ECDSA",
    "protocol-version": "the server does not speak TLS 1.2",
    "name-not-served": "the server does not know the name that it was asked for",
    "malformed-handshake": "what came is no answer to a ClientHello",
    "fragment-refused": "max_fragment = require, and the server ignores it or chose another length",
    "handshake-broken": "OpenSSL gives up for a reason of its own",
    "alert-N": "the server ended the handshake by the alert of this number",
    "certificate-refused": "the server does not take our certificate",
    "name-unknown": "the name has no address",
    "refused": "nobody listens at this address and port",
    "unreachable": "there is no way to this address",
    "socket-failed": "the connection failed for another reason of the system's",
    "silent": "nothing came in time",
    "cut": "the connection ended during the handshake",
    "proxy-unreachable": "the proxy itself cannot be reached",
    "proxy-failed": "the proxy did not reach the server",
    "proxy-forbids": "the proxy allows no connection to the server",
    "proxy-credentials": "the proxy wants other credentials",
    "upgrade-refused": "the server opens no websocket",
    "upgrade-malformed": "what came is no answer to a websocket's request",
    "no-anchor": "no anchor was offered, or none of them is on the device",
    "est-anchors": "[est] anchors_file cannot be used",
    "not-an-anchor": "what was offered as an anchor is no self-signed CA",
    "fragment-unavailable": "max_fragment = require, and this TLS library cannot be asked for it",
    "credential-unreadable": "our certificate or its key cannot be read",
    "curve-not-offered": "our hello does not offer the curve of our own certificate",
    "table-malformed": "the resolve_file cannot be used",
    "cancelled": "nobody waits for the answer any more",
})  # fmt: skip
# What OpenSSL says of a chain; every other code is "chain-refused".
CHAIN = {
    2: "unknown-issuer", 18: "unknown-issuer", 19: "unknown-issuer", 20: "unknown-issuer",
    21: "unknown-issuer", 7: "bad-signature", 9: "not-yet-valid", 10: "expired",
    62: "name-mismatch", 64: "name-mismatch", 66: "weak-key", 67: "weak-key", 68: "weak-signature",
}  # fmt: skip
# What a server's alert says before it has seen our certificate, by the number on the wire.
ALERTS = {
    40: "no-common-suite", 71: "no-common-suite", 70: "protocol-version", 112: "name-not-served",
}  # fmt: skip
_NO_SUITE = (40, 71)
# The same numbers by the last part of the name that `ssl` gives them.
ALERT_NAMES = {
    "HANDSHAKE_FAILURE": 40, "BAD_CERTIFICATE": 42, "UNSUPPORTED_CERTIFICATE": 43,
    "CERTIFICATE_REVOKED": 44, "CERTIFICATE_EXPIRED": 45, "CERTIFICATE_UNKNOWN": 46,
    "ILLEGAL_PARAMETER": 47, "UNKNOWN_CA": 48, "ACCESS_DENIED": 49, "DECODE_ERROR": 50,
    "DECRYPT_ERROR": 51, "PROTOCOL_VERSION": 70, "INSUFFICIENT_SECURITY": 71, "INTERNAL_ERROR": 80,
    "TLSV1_UNRECOGNIZED_NAME": 112, "UNRECOGNIZED_NAME": 112,
}  # fmt: skip
OF_OUR_CERTIFICATE = range(42, 50)
# OpenSSL's words for a signature over the key exchange that is not the certificate's.
_NOT_PROVEN = ("BAD_SIGNATURE", "WRONG_SIGNATURE_TYPE")


def of_chain(code: int) -> LinkError:
    """A verify code of OpenSSL."""
    return LinkError("trust", CHAIN.get(code, "chain-refused"), "code %d" % code)


def of_alert(number: int, version: int = TLS_1_2) -> LinkError:
    """An alert instead of a flight, in a record of this version: a server that has settled on an
    older one finds no suite, since ours are all of TLS 1.2."""
    if number in _NO_SUITE and version < TLS_1_2:
        return LinkError("policy", "protocol-version", version_name(version))
    if number in ALERTS:
        return LinkError("policy", ALERTS[number], "alert %d" % number)
    return LinkError("network", "alert-%d" % number, "alert %d" % number)


def of_library(reason: str) -> LinkError:
    """Why OpenSSL gave up after the server's flight was judged."""
    if reason in _NOT_PROVEN:
        return LinkError("trust", "key-not-proven", reason)
    alert = ALERT_NAMES.get(reason.rpartition("ALERT_")[2])
    if alert is None:
        return LinkError("network", "handshake-broken", reason)
    if alert in OF_OUR_CERTIFICATE:
        return LinkError("identity", "certificate-refused", "alert %d" % alert)
    return of_alert(alert)


def of_flight(reason: str) -> LinkError:
    """Why the server's flight cannot be read."""
    if reason == MESSAGE_TOO_LONG:
        return LinkError("trust", "chain-too-long", reason)
    return LinkError("policy", "malformed-handshake", reason,
                     "another service answers at this port, or a box in between")
