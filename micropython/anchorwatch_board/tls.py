"""TLS 1.2 by the `tls` module: a context for each dial, a handshake that judges before it answers.

Rule: no credential leaves before `look` has seen the chain: mbedTLS calls it before it writes
anything after its hello. A call out of the library raises nothing, since that would leave the
library in its middle, and refuses by a number below zero, since others pass for success. `cipher`
is asked only after the handshake: before it, the runtime ends.

Source: RFC 5246 section 7.4. What the library says becomes a word in verdicts.py.
"""

import tls

from anchorwatch.errors import LinkError

from . import verdicts
from .selector import READ, WRITE
from .tap import Tap

# The library's name for each suite, and that of the status; the better modes first.
_MODES = (
    ("128-GCM-SHA256", "128-GCM-SHA256"), ("256-GCM-SHA384", "256-GCM-SHA384"),
    ("128-CBC-SHA256", "128-SHA256"), ("256-CBC-SHA384", "256-SHA384"),
)  # fmt: skip
_LONG, _SHORT = "TLS-ECDHE-%s-WITH-AES-%s", "ECDHE-%s-AES%s"
SUITES = {key: tuple([_LONG % (key.upper(), mode) for mode, _ in _MODES])
          for key in ("rsa", "ecdsa")}
SUITES["any"] = SUITES["ecdsa"][:2] + SUITES["rsa"][:2] + SUITES["ecdsa"][2:] + SUITES["rsa"][2:]
_NAMES = {_LONG % (key, mode): _SHORT % (key, short)
          for key in ("RSA", "ECDSA") for mode, short in _MODES}
_REFUSED = -0x3000


def context(anchors, profile, credential, path):
    """A context for one handshake.

    anchors     DER; nothing else is trusted
    credential  ([DER], leaf first, the key's DER), None: no client certificate
    path        a Path, which hears of the server's certificates
    Raises      LinkError: memory, trust not-an-anchor, identity credential-unreadable
    """
    try:
        made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        made.verify_mode = tls.CERT_REQUIRED  # not all runtimes begin with that
        made.set_ciphers(SUITES[profile["suites"]])
        for der in anchors:
            made.load_verify_locations(der)
    except OSError as error:
        raise verdicts.of_library(error)
    except ValueError:
        raise LinkError("trust", "not-an-anchor", "", "the store is damaged: start again")
    made.verify_callback = path.heard
    if credential is not None:
        _load(made, *credential)
    return made


def veil(profile):
    """A context that believes any chain: for signed files only."""
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.set_ciphers(SUITES[profile["suites"]])
    made.verify_mode = tls.CERT_NONE
    return made


def _load(made, chain, key):
    """The library takes one certificate at a call, the key with each of them."""
    try:
        for der in chain:
            made.load_cert_chain(der, key)
    except (OSError, ValueError) as error:
        found = verdicts.of_library(error)
        if found.fault == "memory":
            raise found
        raise LinkError("identity", "credential-unreadable", "",
                        "give the certificate and its key as DER")


class Path:
    """The path that the library found, from its calls: `ders`, leaf first, until it is judged.

    look    called with them before anything is answered; raises LinkError to refuse
    agreed  called next, with the length of records that the server agrees to; raises LinkError too
    tap     of the handshake
    """

    def __init__(self, look, agreed=None):
        self.ders, self.error, self.raised = [], None, None
        self.tap, self._look, self._agreed = None, look, agreed
        self.judged = False

    def heard(self, der, depth):
        """The library's call, the root first; its memory is only lent."""
        try:
            self.ders.insert(0, bytes(der))
            if depth == 0:
                self.judged = True
                ders, self.ders = self.ders, []  # the library goes on, and needs the room
                self._look(ders)
                if self._agreed is not None:
                    self._agreed(self.tap.length)
            return 0
        except LinkError as error:
            self.error = error
        except MemoryError:
            self.error = LinkError("memory", "no-memory")
        except Exception as error:
            self.raised = error
        return _REFUSED


class Stream:
    """A secured connection. `sock` is what is polled; `reserve` has its buffers' room again at the
    end."""

    def __init__(self, sock, secure, reserve):
        self.sock, self._secure, self._reserve = sock, secure, reserve

    def read(self, at_most):
        """Bytes; None when none are there yet, b"" at the end; OSError."""
        return self._secure.read(at_most)

    def write(self, data):
        """How much of it the library took; None: the same again, later; OSError."""
        return self._secure.write(data)

    def close(self):
        """Say farewell if the socket takes it, and close it."""
        _end(self.sock, self._secure, self._reserve)


class Secured:
    """What a completed handshake agreed on: `stream`, suite and version, `length` of records that
    the server agrees to, 0 for none."""

    def __init__(self, stream, secure, tap):
        name, self.version = secure.cipher()
        if self.version != "TLSv1.2":
            raise LinkError("policy", "protocol-version", self.version)
        self.stream = stream
        self.suite = _NAMES.get(name, name)
        self.length = tap.length


def handshake(sock, made, host, path, patience, step, reserve, asked=0):
    """Shake hands over a connected, non-blocking socket, as an errand; it is closed if this fails.

    path   the Path of the context; None for one that believes any chain
    step   called with a function: how the library is called, at what time of the board's clock
    reserve  what is given to the library for its buffers, see memory.py
    asked  the length of records that the context asks for, 0 for none
    Raises  LinkError, also what `look` raises
    """
    tap, secure = Tap(sock, asked), None
    if path is not None:
        path.tap = tap
    try:
        reserve.give()
        secure = made.wrap_socket(tap, server_hostname=host, do_handshake_on_connect=False)
        while True:
            early = step(lambda: secure.read(1))
            if tap.secured:
                break
            if early is not None:
                raise LinkError("network", "cut")
            yield from patience.wait(sock, WRITE if tap.unsent else READ)
        if early:  # an MQTT or HTTP server has nothing to say before it is asked
            raise LinkError("policy", "malformed-handshake")
        made.verify_callback = None  # what it held is not needed any more
        return Secured(Stream(sock, secure, reserve), secure, tap)
    except BaseException as error:
        _end(sock, secure, reserve)
        if isinstance(error, (OSError, ValueError, MemoryError)):
            raise _refusal(error, tap, path)
        raise


def _end(sock, secure, reserve):
    try:
        if secure is not None:
            secure.close()
    except OSError:
        pass  # it is over either way, or the library is in the middle of something and stays there
    sock.close()
    reserve.keep()


def _refusal(error, tap, path):
    """The class and the word: our own judgement, then the alert, then the library's number."""
    if path is not None and path.raised is not None:
        return path.raised
    if path is not None and path.error is not None:
        return path.error
    if tap.alert is not None:
        return verdicts.of_alert(tap.alert, tap.version, path is not None and path.judged)
    return verdicts.of_library(error)
