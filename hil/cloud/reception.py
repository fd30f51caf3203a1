"""A port whose clients are each spoken with in a thread of their own: what wrong servers, taps and
the servers of tests stand on.

Rule: knows sockets and threads and nothing that is spoken; everything it starts ends with it.
"""

import socket
import threading
from collections.abc import Callable

LOCAL, END_S = "127.0.0.1", 10


class Reception:
    """Takes clients at a port, a free one unless told, until close().

    serve  called in a client's thread with what `admit` made of it; then its socket is closed. An
           OSError ends it: the client left, or was let go
    admit  called with each socket in the order of their coming, before any thread has it
    """

    def __init__(
        self,
        serve: Callable,
        admit: Callable = lambda sock: sock,
        address: str = LOCAL,
        port: int = 0,
    ) -> None:
        self._serve, self._admit = serve, admit
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((address, port))
        self.address, self.port = self._listener.getsockname()[:2]
        self._start(self._accept)

    def place(self) -> str:
        return f"{self.address}:{self.port}"

    def also(self, sock: socket.socket) -> None:
        """A socket that has taken the place of a client's: it is let go with the others."""
        self._open.add(sock)

    def close(self) -> bool:
        """Take no more, let every client go; False when a thread does not end."""
        _let_go(self._listener)
        self._listener.close()
        self._threads[0].join(END_S)  # then nobody comes any more
        for sock in list(self._open):
            _let_go(sock)
        for thread in self._threads:
            thread.join(END_S)
        return not [thread for thread in self._threads if thread.is_alive()]

    def _start(self, work: Callable, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._open.add(sock)
            self._start(self._one, sock, self._admit(sock))

    def _one(self, sock: socket.socket, client: object) -> None:
        try:
            with sock:
                self._serve(client)
        except OSError:
            pass  # the client had enough, or we had
        finally:
            self._open.discard(sock)


def _let_go(sock: socket.socket) -> None:
    """Whoever reads or waits on it goes on, and finds the end; its thread closes it."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # nobody is there any more
