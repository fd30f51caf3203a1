"""What really speaks TLS behind a wrong server: OpenSSL, GnuTLS, tlslite-ng, or bytes by hand.

Rule: each listens on a free port of 127.0.0.1 until close(), asks for a client certificate, reads
whatever it is told, and answers nothing. `Unavailable` says which package is missing.
"""

import os
import random
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ..reception import END_S, LOCAL, Reception
from .papers import Chain

READY_S, READ = END_S, 65_536
_BELOW_LEAVING = (20_000, 32_000)


class Unavailable(Exception):
    """A program or library is not here; the text says what to install."""


class Engine(Reception):
    """A listener in this process; `speak(sock)` speaks with one client."""

    def __init__(self, speak: Callable[[socket.socket], None]) -> None:
        self._speak = speak
        super().__init__(self._spoken_with)

    def _spoken_with(self, sock: socket.socket) -> None:
        try:
            self._speak(sock)
        except ValueError:
            pass  # the client left, or was left: what it said is written down in front of us


def openssl(chain: Chain, ciphers: str = "DEFAULT", only: str = "TLSv1_2") -> Engine:
    """The interpreter's own OpenSSL, at its lowest security level."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = context.minimum_version = ssl.TLSVersion[only]
    with tempfile.TemporaryDirectory() as folder:
        certificate_file, key_file = write(chain, Path(folder))
        context.load_cert_chain(certificate_file, key_file)
        context.load_verify_locations(certificate_file)
    context.verify_mode = ssl.CERT_OPTIONAL

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as tls:
            while tls.recv(READ):
                pass

    return Engine(serve)


def by_hand(says: Callable[[], bytes], for_ever: bool = False) -> Engine:
    """Answers the hello with these bytes, once or until nobody reads them."""

    def serve(sock: socket.socket) -> None:
        sock.recv(READ)
        sock.sendall(says())
        while for_ever:
            sock.sendall(says())
        while sock.recv(READ):
            pass

    return Engine(serve)


def tlslite(chain: Chain, key: Chain | None = None) -> Engine:
    """A library that knows no fragment length, and signs with whatever key it is given."""
    try:
        from tlslite.handshakesettings import HandshakeSettings
        from tlslite.tlsconnection import TLSConnection
        from tlslite.utils.keyfactory import parsePEMKey
        from tlslite.x509certchain import X509CertChain
    except ImportError as e:
        raise Unavailable("no tlslite-ng here: pip install 'tlslite-ng>=0.8'") from e
    shown = X509CertChain()
    shown.parsePemList(chain.pem().decode())
    own = parsePEMKey((key or chain).key_pem().decode(), private=True)
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 3)

    def serve(sock: socket.socket) -> None:
        tls = TLSConnection(sock)
        tls.closeSocket = True
        try:
            tls.handshakeServer(certChain=shown, privateKey=own, reqCert=True, settings=settings)
            while tls.read(max=READ):
                pass
        except Exception as e:  # the library has a family of its own, and asserts
            raise ValueError("tlslite-ng gave up") from e

    return Engine(serve)


class Program:
    """A TLS server that nobody here wrote, as a process; its output goes to `log`."""

    def __init__(self, package: str, command: list[str], port: int, folder: Path) -> None:
        if not shutil.which(command[0]):
            raise Unavailable(f"no {command[0]} here: apt-get install {package}, as root")
        self.port, self._folder = port, folder
        self.log = folder / "log.txt"
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=folder
            )
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process, by its own id, and remove its files."""
        self._process.kill()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection((LOCAL, self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)  # another process starts: nothing here can say when
        raise Unavailable(f"{self._process.args[0]} did not start: {self.log.read_text()[-300:]}")


def gnutls(chain: Chain, priority: str) -> Program:
    """gnutls-serv with a priority string; it knows no address, and so listens on all of them."""
    port, folder = free_port(), new_folder()
    certificate_file, key_file = write(chain, folder)
    command = [
        "gnutls-serv", "--quiet", "--port", str(port), "--priority", priority,
        "--x509certfile", certificate_file, "--x509keyfile", key_file, "--noticket",
    ]  # fmt: skip
    return Program("gnutls-bin", command, port, folder)


def new_folder() -> Path:
    """An empty folder for one program's files."""
    return Path(tempfile.mkdtemp(prefix="badserver-"))


def free_port() -> int:
    """A port that nobody has now, below those that connections leave from: whoever knocks until a
    program listens would else meet himself, and take its port away."""
    while True:
        port = random.randrange(*_BELOW_LEAVING)
        with socket.socket() as sock:
            try:
                sock.bind(("", port))
            except OSError:
                continue
            return port


def write(chain: Chain, folder: Path) -> tuple[str, str]:
    """(certificate file, key file) of a chain."""
    certificate_file, key_file = folder / "chain.pem", folder / "chain.key"
    certificate_file.write_bytes(chain.pem())
    key_file.touch(mode=0o600)
    key_file.write_bytes(chain.key_pem())
    return os.fspath(certificate_file), os.fspath(key_file)
