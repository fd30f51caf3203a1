"""TLS for the emulated services: sockets on one side, bytes of an application on the other.

One listener for MQTT and for HTTPS; what it carries is given by `accept`. The handshake and each
failure of it is a row in the journal. Source: asyncio's Protocol over pyOpenSSL with memory BIOs.
"""

import asyncio
import hashlib
from collections.abc import Callable

from OpenSSL import SSL, crypto

from .clock import Clock
from .connection import Peer
from .journal import Journal
from .listening import Listening
from .tlspolicy import Presented, shown_in

HANDSHAKE_WITHIN_S = 60
READ_AT_MOST = 65_536


class Listener(Listening):
    """The open port of one service: its connections, and the TLS it presents at this moment.

    accept  called with (write, close, peer, now_ms) after a handshake; returns an object with
            receive(data, now_ms) and lost(now_ms)
    """

    def __init__(
        self, name: str, accept: Callable, presented: Presented, journal: Journal, clock: Clock
    ) -> None:
        self.name, self.accept, self.presented = name, accept, presented
        self.journal, self.clock = journal, clock
        super().__init__()


class Secured(asyncio.Protocol):
    """One TLS connection at a listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._chain, self._beside = listener.presented.chain, listener.presented.beside
        self._tls = SSL.Connection(listener.presented.context, None)
        self._tls.set_accept_state()
        self._application = None
        self._failed = self._frozen = False
        self._address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._address = "%s:%d" % transport.get_extra_info("peername")[:2]
        self._started_ms = self._listener.clock.now_ms()
        self._listener.connections.add(self)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(HANDSHAKE_WITHIN_S, self._fail, "handshake timed out")

    def data_received(self, data: bytes) -> None:
        self._tls.bio_write(data)
        try:
            if self._application is None:
                self._tls.do_handshake()
                self._begin()
            while not self._transport.is_closing():
                self._application.receive(self._tls.recv(READ_AT_MOST), self._now())
        except SSL.WantReadError:
            self._flush()
        except SSL.ZeroReturnError:
            self._flush()
            self._transport.close()
        except SSL.Error as e:
            self._flush()
            self._fail(_reason_of(e))

    def connection_lost(self, error: Exception | None) -> None:
        self._patience.cancel()
        self._listener.connections.discard(self)
        if self._application is not None:
            self._application.lost(self._now())
        elif not self._failed:
            self._journal_failure("closed by the client")

    def abort(self) -> None:
        """Drop the connection without a TLS or TCP farewell."""
        self._failed = True
        self._transport.abort()

    def freeze(self) -> None:
        """What a machine without power does: nothing, and it does not say so."""
        self._frozen = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _now(self) -> int:
        return self._listener.clock.now_ms()

    def _begin(self) -> None:
        self._flush()
        self._chain = shown_in(self._tls, self._chain, self._beside)
        self._patience.cancel()
        peer = Peer(_client_chain(self._tls), self._address, _server_name(self._tls))
        self._journal_success(peer)
        self._application = self._listener.accept(self._write, self._close, peer, self._now())

    def _write(self, data: bytes) -> int:
        """How many bytes now wait for the peer to read."""
        if not self._frozen and not self._transport.is_closing():
            self._tls.sendall(data)
            self._flush()
        return self._transport.get_write_buffer_size()

    def _close(self) -> None:
        if self._frozen or self._transport.is_closing():
            return
        try:
            self._tls.shutdown()
        except SSL.Error:
            pass  # the peer broke TLS; there is nobody to say farewell to
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        while not self._transport.is_closing():
            try:
                self._transport.write(self._tls.bio_read(READ_AT_MOST))
            except SSL.WantReadError:
                return

    def _fail(self, reason: str) -> None:
        if self._application is None:
            self._failed = True
            self._journal_failure(reason)
        self._transport.close()

    def _journal_failure(self, reason: str) -> None:
        self._listener.journal.add(
            self._now(), self._listener.name, "tls failed", None,
            reason=reason, chain=self._chain.name, server_name=_server_name(self._tls),
            address=self._address,
        )  # fmt: skip

    def _journal_success(self, peer: Peer) -> None:
        shown = hashlib.sha256(peer.chain[0]).hexdigest() if peer.chain else None
        self._listener.journal.add(
            self._now(), self._listener.name, "tls handshake", None,
            chain=self._chain.name, leaf=self._chain.leaf_sha256(), server_name=peer.server_name,
            version=self._tls.get_protocol_version_name(), suite=self._tls.get_cipher_name(),
            client_certificate=shown, address=peer.address, port=self._listener.port,
            took_ms=self._now() - self._started_ms,
        )  # fmt: skip


def _client_chain(tls: SSL.Connection) -> list[bytes]:
    leaf = tls.get_peer_certificate()
    if leaf is None:
        return []
    # On a server's side OpenSSL keeps the leaf apart from what came with it.
    chain = [leaf, *(tls.get_peer_cert_chain() or [])]
    return [crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate) for certificate in chain]


def _server_name(tls: SSL.Connection) -> str | None:
    name = tls.get_servername()
    return name.decode("ascii", "replace") if name else None


def _reason_of(error: SSL.Error) -> str:
    """OpenSSL's own words, such as "tlsv1 alert unknown ca"; they go to the journal only."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(entry[-1] for entry in entries) or "connection broken"


Listener.made = Secured
