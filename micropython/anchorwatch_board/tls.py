"""TLS 1.2 by the `tls` module: a context for each dial, a handshake that judges before it answers.

Rule: no credential leaves before `look` has seen the chain: mbedTLS calls it before it writes
anything after its hello. A call out of the library raises nothing, since that would leave the
library in its middle, and refuses by a number below zero, since others pass for success. `cipher`
is asked only after the handshake: before it, the runtime ends.

Source: RFC 5246 section 7.4. What the library says becomes a word in verdicts.py.
"""

import io

import tls

from anchorwatch.errors import LinkError
from anchorwatch.wire.hello import TLS_1_2, ServerHello
from anchorwatch.wire.tls12 import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, SERVER_HELLO

from . import verdicts
from .selector import READ, WRITE

# The library's name for each suite, and that of the status; the better modes first.
_MODES = (
    ("128-GCM-SHA256", "128-GCM-SHA256"), ("256-GCM-SHA384", "256-GCM-SHA384"),
    ("128-CBC-SHA256", "128-SHA256"), ("256-CBC-SHA384", "256-SHA384"),
)  # fmt: skip
_LONG, _SHORT = "TLS-ECDHE-%s-WITH-AES-%s", "ECDHE-%s-AES%s"
SUITES = {key: [_LONG % (key.upper(), mode) for mode, _ in _MODES] for key in ("rsa", "ecdsa")}
SUITES["any"] = SUITES["ecdsa"][:2] + SUITES["rsa"][:2] + SUITES["ecdsa"][2:] + SUITES["rsa"][2:]
_NAMES = {_LONG % (key, mode): _SHORT % (key, short)
          for key in ("RSA", "ECDSA") for mode, short in _MODES}
_REFUSED = -0x3000
_HEAD = 5


def context(anchors, profile, credential, path):
    """A context for one handshake.

    anchors     DER; nothing else is trusted
    credential  ([DER], leaf first, the key's DER), None: no client certificate
    path        a Path, which hears of the server's certificates
    Raises      LinkError: memory, identity credential-unreadable
    """
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED  # not all runtimes begin with that
    made.set_ciphers(SUITES[profile["suites"]])
    for der in anchors:
        made.load_verify_locations(der)
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
    """The path that the library found, from its calls: `ders`, leaf first.

    look  called with them before anything is answered; raises LinkError to refuse
    """

    def __init__(self, look):
        self.ders, self.error, self.raised = [], None, None
        self._look = look
        self.judged = False

    def heard(self, der, depth):
        """The library's call, the root first; its memory is only lent."""
        try:
            self.ders.insert(0, bytes(der))
            if depth == 0:
                self.judged = True
                self._look(self.ders)
            return 0
        except LinkError as error:
            self.error = error
        except MemoryError:
            self.error = LinkError("memory", "no-memory")
        except Exception as error:
            self.raised = error
        return _REFUSED


class Tap(io.IOBase):
    """A socket as the library sees it. It notes what stands in clear in the heads of records, which
    the library does not tell: the alert, the hello's choice of length, the end of the handshake."""

    def __init__(self, sock):
        self._sock = sock
        self.alert = None
        self.version = TLS_1_2
        self.secured = False  # the server's Finished has come
        self.unsent = False  # the library waits until the socket takes more
        self.hello = None  # the ServerHello's body
        self._kind, self._left, self._changed = 0, 0, False

    def readinto(self, buffer):
        """As a socket's, with errors as numbers."""
        try:
            size = self._sock.readinto(buffer)
        except OSError as error:
            return -error.errno
        if size and not self.secured:
            self._note(buffer, size)
        return size

    def write(self, data):
        """As a socket's, with errors as numbers."""
        try:
            size = self._sock.write(data)
        except OSError as error:
            return -error.errno
        self.unsent = size is None or size < len(data)
        return size

    def ioctl(self, request, argument):
        """Nobody polls this: the socket itself is polled."""
        return 0

    def _note(self, buffer, size):
        if self._left:
            self._body(buffer, size)
            self._left -= min(size, self._left)
            self.secured = self._changed and self._kind == HANDSHAKE and not self._left
        elif size == _HEAD:
            self._kind, self._left = buffer[0], 256 * buffer[3] + buffer[4]
            self.version = 256 * buffer[1] + buffer[2]
            self._changed = self._changed or self._kind == CHANGE_CIPHER_SPEC

    def _body(self, buffer, size):
        if self._kind == ALERT and size == 2 and not self._changed:
            self.alert = buffer[1]
        elif self._kind == HANDSHAKE and self.hello is None and buffer[0] == SERVER_HELLO:
            end = 4 + 256 * buffer[2] + buffer[3]
            self.hello = bytes(buffer[4:end]) if end <= size else None


class Stream:
    """A secured connection. `sock` is what is polled."""

    def __init__(self, sock, secure):
        self.sock, self._secure = sock, secure

    def read(self, at_most):
        """Bytes; None when none are there yet, b"" at the end; OSError."""
        return self._secure.read(at_most)

    def write(self, data):
        """How much of it the library took; None: the same again, later; OSError."""
        return self._secure.write(data)

    def close(self):
        """Say farewell if the socket takes it, and close it."""
        try:
            self._secure.close()
        except OSError:
            pass  # it is over either way
        self.sock.close()


class Secured:
    """What a completed handshake proved: `stream`, suite and version, `path` [DER] to the root,
    `length` of records that the server agrees to, 0 for none."""

    def __init__(self, stream, secure, tap, path):
        name, self.version = secure.cipher()
        if self.version != "TLSv1.2":
            raise LinkError("policy", "protocol-version", self.version)
        self.stream, self.path = stream, path
        self.suite = _NAMES.get(name, name)
        self.length = ServerHello(tap.hello).max_fragment if tap.hello else 0


def handshake(sock, made, host, path, patience, step):
    """Shake hands over a connected, non-blocking socket, as an errand; it is closed if this fails.

    path  the Path of the context; None for one that believes any chain
    step  called with a function: how the library is called, at what time of the board's clock
    Raises  LinkError, also what `look` raises
    """
    tap, secure = Tap(sock), None
    try:
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
        return Secured(Stream(sock, secure), secure, tap, path.ders if path else [])
    except BaseException as error:
        _end(sock, secure)
        if isinstance(error, (OSError, ValueError, MemoryError)):
            raise _refusal(error, tap, path)
        raise


def _end(sock, secure):
    try:
        if secure is not None:
            secure.close()
    except OSError:
        pass  # the library is in the middle of something, and stays there
    sock.close()


def _refusal(error, tap, path):
    """The class and the word: our own judgement, then the alert, then the library's number."""
    if path is not None and path.raised is not None:
        return path.raised
    if path is not None and path.error is not None:
        return path.error
    if tap.alert is not None:
        return verdicts.of_alert(tap.alert, tap.version, path is not None and path.judged)
    return verdicts.of_library(error)
