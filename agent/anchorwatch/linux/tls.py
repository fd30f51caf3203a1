"""TLS 1.2 by the `ssl` module: contexts built by hand, a handshake that judges before it answers.

Rule: no credential leaves before `judge` has seen the server's flight, and nothing is said about a
chain before the handshake has returned. No session is resumed: that would show no certificate.

Source: RFC 5246 section 7.4. What the library says becomes a word in verdicts.py.
"""

import os
import socket
import ssl
import sys
from _ssl import ENCODING_DER

from ..errors import LinkError
from ..wire.hello import ClientHello
from ..wire.tls12 import Handshakes
from . import curves
from .patience import READ, WRITE, Patience
from .peek import AT_MOST, cut, peek, send

SUITES = {
    "rsa": ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384"),
    "ecdsa": ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
              "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384"),
}  # fmt: skip
SUITES["any"] = SUITES["ecdsa"][:2] + SUITES["rsa"][:2] + SUITES["ecdsa"][2:] + SUITES["rsa"][2:]

# What the other files of this driver need to know of the library's errors.
WANTS = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
PEER_ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError)

PARTIAL_CHAIN = 0x80000
NO_CHECK_TIME = 0x200000

_PEEK_S = 10.0


def context(anchors: list[bytes], profile: dict, credential: tuple[str, str] | None,
            library_dates: bool) -> ssl.SSLContext:
    """A context for one handshake.

    anchors        DER; nothing else is trusted but what `trust` adds
    credential     (certificate file, key file); None: no client certificate
    library_dates  False: the caller judges all dates
    Raises         LinkError: identity, credential-unreadable or curve-not-offered
    """
    made = _offering(profile)
    flags = int(made.verify_flags) & ~PARTIAL_CHAIN
    flags |= int(ssl.VERIFY_X509_STRICT) if profile["strict"] else 0
    made.verify_flags = ssl.VerifyFlags(flags if library_dates else flags | NO_CHECK_TIME)
    trust(made, anchors)
    if credential is not None:
        _load(made, *credential)
        curves.check(credential[0], offer(made).groups)
    return made


def veil(profile: dict) -> ssl.SSLContext:
    """A context for whoever answers: it offers what the profile says, and believes any chain. For
    signed files only, whose trust does not come from the connection."""
    made = _offering(profile)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _offering(profile: dict) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(":".join(SUITES[profile["suites"]]) + ":@SECLEVEL=2")
    made.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    made.hostname_checks_common_name = False
    return made


def trust(made: ssl.SSLContext, anchors: list[bytes]) -> None:
    """Further anchors, DER, for a context; in time even while a server's flight is judged."""
    if anchors:
        made.load_verify_locations(cadata=b"".join(anchors))


def _load(made: ssl.SSLContext, certificate_file: str, key_file: str) -> None:
    try:  # a password is given so that OpenSSL never asks for one at the terminal
        made.load_cert_chain(certificate_file, key_file, password="none")
    except (OSError, ValueError) as error:
        raise LinkError("identity", "credential-unreadable", certificate_file,
                        "run `anchorwatch check`: it says what is wrong with the files") from error


def check_pair(certificate_file: str, key_file: str) -> str:
    """"" if the library takes certificate and key together; else its own word for why not."""
    try:
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate_file, key_file)
    except LinkError as error:
        return getattr(error.__cause__, "reason", None) or "UNREADABLE"
    return ""


def offer(made: ssl.SSLContext) -> ClientHello:
    """What a handshake of this context would offer, said to nobody."""
    said = ssl.MemoryBIO()
    tls = made.wrap_bio(ssl.MemoryBIO(), said, server_hostname="host.invalid")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    reader = Handshakes()
    reader.feed(said.read())
    return ClientHello(reader.messages[0][1])


class Secured:
    """What a completed handshake proved.

    chain  DER of the verified one, leaf first, root last; empty where the context believes any
    """

    def __init__(self, sock: ssl.SSLSocket, chain: list[bytes]) -> None:
        self.sock, self.chain = sock, chain
        self.suite = (sock.cipher() or ("",))[0]
        self.version = sock.version() or ""


def handshake(sock: socket.socket, made: ssl.SSLContext, host: str, judge, patience: Patience,
              answered=None) -> Secured:
    """Shake hands over a connected, non-blocking socket, which is closed if this fails.

    judge     called with the presented chain [DER] before anything but the hello was sent; what the
              context trusts when it returns is what counts
    answered  called after it, with the record length that the server agrees to, 0 for none
    Raises    LinkError, also what these two raise
    """
    tls, hello = _hello(made, host)
    try:
        with sock:
            send(sock, hello, patience)
            os.dup2(sock.fileno(), tls.fileno(), inheritable=False)
        flight = peek(tls, patience.at_most(_PEEK_S))
        judge(flight.chain)
        if answered is not None:
            answered(flight.max_fragment)
        _finish(tls, patience)
        return _proved(tls)
    except BaseException:
        tls.close()
        raise


def _hello(made: ssl.SSLContext, host: str) -> tuple[ssl.SSLSocket, bytes]:
    """A TLS socket that has said its hello to nobody, and the hello.

    On the real connection the library would read on at once: a flight that is quick enough would be
    answered, with the certificate, before we have seen it. The descriptor is exchanged afterwards.
    """
    near, far = socket.socketpair()
    with far:
        near.setblocking(False)
        tls = made.wrap_socket(near, server_hostname=host, do_handshake_on_connect=False)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return tls, far.recv(AT_MOST)


def _finish(tls: ssl.SSLSocket, patience: Patience) -> None:
    while True:
        try:
            return tls.do_handshake()
        except ssl.SSLWantReadError:
            patience.wait(tls, READ)
        except ssl.SSLWantWriteError:
            patience.wait(tls, WRITE)
        except ssl.SSLError as error:
            raise _refusal(error) from error
        except OSError as error:
            raise cut() from error


def _refusal(error: ssl.SSLError) -> LinkError:
    """The class and verdict of a handshake that failed after the server's flight was judged."""
    from . import verdicts  # a handshake that succeeds does without

    if isinstance(error, ssl.SSLCertVerificationError):
        return verdicts.of_chain(error.verify_code)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return cut()
    return verdicts.of_library(error.reason or "")


def _proved(tls: ssl.SSLSocket) -> Secured:
    if tls.session_reused or tls.version() != "TLSv1.2":
        raise LinkError("policy", "protocol-version", tls.version())
    return Secured(tls, _verified(tls) if tls.context.verify_mode else [])


def _verified(tls: ssl.SSLSocket) -> list[bytes]:
    if sys.version_info >= (3, 13):
        return list(tls.get_verified_chain())
    held = tls._sslobj.get_verified_chain()  # type: ignore[attr-defined]
    return [one.public_bytes(ENCODING_DER) for one in held]
