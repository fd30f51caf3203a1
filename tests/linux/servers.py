"""TLS servers on 127.0.0.1 for these tests: each keeps what its clients sent, byte for byte.

Rule: free ports, daemon threads that end with their server, no sleeps.
"""

import pathlib
import socket
import ssl
import struct
import tempfile
import threading

from hil.cloud.reception import Reception

TIMEOUT_S = 10
NO_LINGERING = struct.pack("ii", 1, 0)  # SO_LINGER on, for no seconds: close sends RST


class Visit:
    """One client: `raw` all it sent, `certificate` its DER, `closed` set when it is gone."""

    def __init__(self, sock):
        self.sock, self.raw = sock, b""
        self.certificate, self.server_name, self.error = None, None, None
        self.shaken, self.closed = threading.Event(), threading.Event()
        self._in, self._out = self.bios = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls, self._turn = None, threading.Lock()

    def shake(self, context):
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._repeat(self.tls.do_handshake)
        self.certificate = self.tls.getpeercert(binary_form=True)
        self.shaken.set()

    def read(self, most=4096):
        """What the client says next; b"" at the end."""
        try:
            return self._repeat(lambda: self.tls.read(most))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError, OSError):
            return b""

    def write(self, data):
        self._repeat(lambda: self.tls.write(data))

    def close(self):
        """Let go as a server does that was told to: FIN without a word."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def reset(self):
        """RST, and nothing before it: the reader must not answer its EOF by an alert."""
        with self._turn:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
            self.sock.shutdown(socket.SHUT_RD)  # wakes the reader, which waits for its turn
            self.sock.close()

    def _repeat(self, act):
        while True:
            try:
                with self._turn:  # a test may write while the visit's own thread reads
                    try:
                        return act()
                    finally:
                        self.flush()
            except ssl.SSLWantReadError:
                self.more()

    def flush(self):
        if self._out.pending:
            self.sock.sendall(self._out.read())

    def more(self):
        data = self.sock.recv(65536)
        with self._turn:
            self.raw += data
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()


class Server:
    """Accepts until closed. `talk(visit)` is called after each handshake, in the visit's thread."""

    def __init__(self, chain, talk=None, *, client_ca=None, ask=ssl.CERT_OPTIONAL,
                 address="127.0.0.1", tune=None, instead=None):
        self.visits = []
        self._talk, self._instead = talk or (lambda visit: visit.read()), instead
        self.context = _context(chain, client_ca, ask)
        if tune:
            tune(self.context)
        self.context.sni_callback = self._named
        self._reception = Reception(self._serve, self._admit, address)
        self.address, self.port = self._reception.address, self._reception.port
        self.place = self._reception.place

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self._reception.close(), "a server thread hangs"

    def visit(self, number=0):
        """The n-th visit, once it is over."""
        assert self.visits[number].closed.wait(TIMEOUT_S), "the client is still there"
        return self.visits[number]

    def _admit(self, sock):
        self.visits.append(Visit(sock))
        return self.visits[-1]

    def _serve(self, visit):
        try:
            if self._instead:
                self._instead(visit)
            else:
                visit.shake(self.context)
                self._talk(visit)
        except OSError as error:
            visit.error = error
        finally:
            visit.sock.close()
            visit.closed.set()

    def _named(self, tls, name, context):
        for visit in self.visits:
            if visit.tls is tls:
                visit.server_name = name


def _context(chain, client_ca, ask):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*chain[0].write(pathlib.Path(folder), chain=chain))
    if client_ca is not None:
        context.verify_mode = ask
        context.load_verify_locations(cadata=client_ca.der)
    return context
