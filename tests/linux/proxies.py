"""A proxy on 127.0.0.1 and a free port: CONNECT, and GET of whole addresses.

Rule: written from RFC 9110 for the tests alone; `asked` holds every request, `cut()` is its death.
"""

import base64
import contextlib
import socket
import threading

TIMEOUT_S = 10


class Proxy:
    """`users` {name: password}, None to let everybody in; `say` answers instead, with bytes.

    ports  those that a tunnel may lead to; None: all
    """

    def __init__(self, users=None, say=None, ports=None):
        self.asked, self._users, self._say, self._ports = [], users, say, ports
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open, self._threads = [], []
        self._start(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        for thread in self._threads:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive(), "a thread of the proxy hangs"

    @property
    def port(self):
        return self._port

    def url(self):
        return "http://127.0.0.1:%d" % self._port

    def targets(self):
        return [line.split(" ")[1] for line, _ in self.asked]

    def cut(self):
        """Take no more, and drop what is open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def again(self):
        """Listen once more where it was."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._start(self._accept)

    def _start(self, work, *arguments):
        if work == self._accept:
            self._port = self._listener.getsockname()[1]
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        listener = self._listener
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self._open.append(sock)
            self._start(self._serve, sock)

    def _serve(self, sock):
        with sock, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                more = sock.recv(4096)
                if not more:
                    return
                data += more
            line, *rest = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
            headers = {n.lower(): v for n, v in (one.split(": ", 1) for one in rest)}
            self.asked.append((line, headers))
            self._answer(sock, data, line, headers)

    def _answer(self, sock, data, line, headers):
        if self._say is not None:
            sock.sendall(self._say)
            sock.recv(1)
        elif not self._known(headers):
            sock.sendall(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
                         b"Content-Length: 2\r\n\r\nno")
        elif line.startswith("CONNECT "):
            self._tunnel(sock, line.split(" ")[1])
        else:
            place, _, path = line.split(" ")[1].removeprefix("http://").partition("/")
            with _dialled(place) as far:
                far.sendall(data.replace(line.encode(), b"GET /%s HTTP/1.1" % path.encode(), 1))
                _pour(far, sock)

    def _known(self, headers):
        if self._users is None:
            return True
        kind, _, pair = headers.get("proxy-authorization", "").partition(" ")
        name, _, password = base64.b64decode(pair).decode().partition(":")
        return kind == "Basic" and self._users.get(name) == password

    def _tunnel(self, sock, place):
        if self._ports is not None and int(place.rpartition(":")[2]) not in self._ports:
            sock.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n<html>no such port here</html>")
            return
        try:
            far = _dialled(place)
        except OSError:
            sock.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        self._open.append(far)
        with far:
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pour, args=(far, sock), daemon=True)
            back.start()
            _pour(sock, far)
            back.join(TIMEOUT_S)


def _dialled(place):
    host, _, port = place.rpartition(":")
    return socket.create_connection((host, int(port)), TIMEOUT_S)


def _pour(near, far):
    """All that one says to the other, and then its end."""
    near.settimeout(None)
    with contextlib.suppress(OSError):
        while data := near.recv(65536):
            far.sendall(data)
    with contextlib.suppress(OSError):
        far.shutdown(socket.SHUT_WR)
