"""The table of wrong servers: what is wrong, how it is served, what a device must make of it.

Rule: the last two columns are the words of the documentation, written here by hand: a device that
says otherwise is wrong, or this table is. They hold where the device's clock is authenticated, and
for a device that offers both kinds of suites and trusts the good root.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import engines
from .engines import Chain, Engine, Program
from .papers import Papers, key
from .relay import AFTER_FLIGHT, CLOSE, FINISH, HELLO, IN_FLIGHT, STALL, Manner

OPENSSL, GNUTLS, TLSLITE, BY_HAND = "openssl", "gnutls", "tlslite", "by hand"
PROVEN, ABUSIVE = "proven", "abusive"


@dataclass(frozen=True)
class Row:
    """One wrong server.

    chain    one of papers.CHAINS; by  what speaks TLS; settings  of that engine
    fault    class and word that a device must come to
    marks    PROVEN: its chain and key are good, so that a device may show its certificate before
             anything goes wrong, but never more; ABUSIVE: it costs time or memory
    fragment what the device asks for as `max_fragment`
    """

    name: str
    wrong: str
    chain: str
    by: str
    fault: str
    verdict: str
    settings: dict = field(default_factory=dict)
    manner: Manner = Manner()
    marks: tuple[str, ...] = ()
    fragment: str = "off"


def _papers(chain: str, wrong: str, fault: str, verdict: str, name: str = "",
            marks: tuple[str, ...] = ()) -> Row:  # fmt: skip
    return Row(name or chain, wrong, chain, OPENSSL, fault, verdict, marks=marks)


def _old(name: str, wrong: str, priority: str, verdict: str) -> Row:
    settings = {"priority": priority}
    return Row(name, wrong, "good-rsa", GNUTLS, "policy", verdict, settings)


def _suites(name: str, wrong: str, ciphers: str) -> Row:
    settings = {"ciphers": ciphers}
    return Row(name, wrong, "good-rsa", OPENSSL, "policy", "no-common-suite", settings)


def _manner(name: str, wrong: str, verdict: str, manner: Manner, *marks: str) -> Row:
    settings: dict = {}
    return Row(name, wrong, "good", OPENSSL, "network", verdict, settings, manner, marks)


def _hand(name: str, wrong: str, fault: str, verdict: str, says: Callable[[], bytes],
          for_ever: bool = False) -> Row:  # fmt: skip
    settings = {"says": says, "for_ever": for_ever}
    marks = (ABUSIVE,) if for_ever else ()
    return Row(name, wrong, "good", BY_HAND, fault, verdict, settings, marks=marks)


def _record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


def _empty_messages() -> bytes:
    """Handshake records with a HelloRequest each, of which a client must make nothing."""
    return _record(22, bytes(4)) * 1000


def _hello_then_nothing_legal() -> bytes:
    """A ServerHello, and ServerHelloDone right behind it: no certificate at all."""
    body = b"\x03\x03" + bytes(32) + b"\x00\xc0\x2b\x00"
    return _record(22, b"\x02" + len(body).to_bytes(3, "big") + body + b"\x0e\x00\x00\x00")


_ONLY = "NORMAL:-VERS-ALL:+VERS-TLS1."
_ALL_OLD = ":+3DES-CBC:+SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1"
_DES = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC:-KX-ALL:+RSA"

ROWS = (
    # papers
    _papers("expired", "its certificate has ended", "trust", "expired"),
    _papers("not-yet-valid", "its certificate has not begun", "trust", "not-yet-valid"),
    _papers("wrong-host", "its certificate is for another name", "trust", "name-mismatch"),
    _papers("self-signed", "its certificate is its own issuer", "trust", "unknown-issuer"),
    _papers("unknown-root", "its root is nobody's", "trust", "unknown-issuer"),
    _papers("inspected", "a box in between signs for everybody", "trust", "intercepted"),
    _papers("missing-intermediate", "it shows its own certificate alone", "trust",
            "intermediate-missing"),
    _papers("sha1", "its issuer signed over SHA-1", "trust", "weak-signature"),
    _papers("rsa-1024", "its issuer has an RSA key of 1024 bits", "trust", "weak-key"),
    _papers("no-ca", "its issuer is no CA", "trust", "wrong-key-use"),
    _papers("no-names", "it has a CN and no alternative name", "trust", "name-mismatch"),
    _papers("address-only", "it has an IP address and no name", "trust", "name-mismatch"),
    _papers("client-only", "its certificate is for clients", "trust", "wrong-key-use"),
    _papers("constrained", "its issuer may not sign for this domain", "trust", "chain-refused"),
    _papers("many-names", "its certificate has 10 000 names", "trust", "chain-too-long",
            marks=(ABUSIVE,)),
    _papers("long", "a chain of 100 KB", "trust", "chain-too-long", "long-chain", (ABUSIVE,)),
    # versions and suites
    _old("tls-1.0", "TLS 1.0 only", _ONLY + "0" + _ALL_OLD, "protocol-version"),
    _old("tls-1.1", "TLS 1.1 only", _ONLY + "1" + _ALL_OLD, "protocol-version"),
    Row("tls-1.3", "TLS 1.3 only", "good", OPENSSL, "policy", "protocol-version",
        {"only": "TLSv1_3"}),
    _suites("rsa-exchange", "RSA key exchange only", "AES128-GCM-SHA256:AES256-SHA256"),
    _suites("cbc-sha1", "CBC with SHA-1 only", "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"),
    _old("triple-des", "3DES only", _DES, "no-common-suite"),
    # what is no answer
    Row("fragment-ignored", "it does not shorten its records", "good", TLSLITE, "policy",
        "fragment-refused", fragment="require"),
    Row("stolen-chain", "it shows a good chain and has another key", "good", TLSLITE, "trust",
        "key-not-proven", {"stolen": True}),
    _hand("no-certificate", "a flight without a certificate", "trust", "no-certificate",
          _hello_then_nothing_legal),
    _hand("web-page", "HTTP without TLS", "policy", "malformed-handshake",
          lambda: b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n"),
    _hand("alert", "an alert of its own trouble", "network", "alert-80",
          lambda: _record(21, b"\x02\x50")),
    _hand("endless", "a flight that never ends", "policy", "malformed-handshake",
          _empty_messages, for_ever=True),
    # manners
    _manner("stalled-at-hello", "silence after the hello", "silent", Manner(STALL, HELLO),
            ABUSIVE),
    _manner("stalled-in-flight", "silence in its flight", "silent", Manner(STALL, IN_FLIGHT),
            ABUSIVE),
    _manner("stalled-at-finish", "silence after the client's flight", "silent",
            Manner(STALL, FINISH), PROVEN, ABUSIVE),
    _manner("closed-at-hello", "closes after the hello", "cut", Manner(CLOSE, HELLO)),
    _manner("closed-in-flight", "closes in its flight", "cut", Manner(CLOSE, IN_FLIGHT)),
    _manner("closed-after-flight", "closes after its flight", "cut", Manner(CLOSE, AFTER_FLIGHT),
            PROVEN),
    _manner("closed-at-finish", "closes after the client's flight", "cut", Manner(CLOSE, FINISH),
            PROVEN),
    _manner("byte-at-a-time", "a byte of its flight every 50 ms", "silent",
            Manner(byte_every_s=0.05), ABUSIVE),
)  # fmt: skip
BY_NAME = {row.name: row for row in ROWS}


def engine(row: Row, papers: Papers) -> Engine | Program:
    """Start what speaks TLS for a row; engines.Unavailable where it is not installed."""
    return _ENGINES[row.by](papers.chain(row.chain), papers, **row.settings)


def _tlslite(chain: Chain, papers: Papers, stolen: bool = False) -> Engine:
    return engines.tlslite(chain, Chain([], key("ec-thief")) if stolen else None)


_ENGINES: dict[str, Callable] = {
    OPENSSL: lambda chain, papers, **settings: engines.openssl(chain, **settings),
    GNUTLS: lambda chain, papers, **settings: engines.gnutls(chain, **settings),
    TLSLITE: _tlslite,
    BY_HAND: lambda chain, papers, **settings: engines.by_hand(**settings),
}
