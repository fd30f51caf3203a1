"""An HTTP server that does what a test says with each request, well or badly.

Rule: it listens on 127.0.0.1 and a free port; `say` gets the connection and the request's path and
headers, and whatever it sends is the answer. Everything it starts ends with it.
"""

from hil.cloud.reception import Reception

TIMEOUT_S = 10


class Asked:
    """One request."""

    def __init__(self, sock, text):
        lines = text.split("\r\n")
        self.sock, self.path = sock, lines[0].split(" ")[1]
        self.name = self.path.rpartition("/")[2]
        self.headers = dict(line.split(": ", 1) for line in lines[1:] if line)

    def answer(self, status, body=b"", *headers):
        """A whole answer, with its length."""
        lines = ["HTTP/1.1 %d X" % status, "Content-Length: %d" % len(body), *headers]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def send(self, data):
        self.sock.sendall(data)

    def until_gone(self):
        """Wait until the other side closes; False when it never does."""
        try:
            return self.sock.recv(1) == b""
        except TimeoutError:
            return False


class Server:
    """`say(asked)` in a thread for each connection; `asked` holds the requests in order."""

    def __init__(self, say, context=None):
        self.asked, self._say, self._context = [], say, context
        self._reception = Reception(self._serve)
        self.address, self.port = self._reception.address, self._reception.port
        self.place = self._reception.place

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self._reception.close(), "a server thread hangs"

    def names(self):
        return [asked.name for asked in self.asked]

    def _serve(self, sock):
        sock.settimeout(TIMEOUT_S)
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                self._reception.also(sock)
            text = b""
            while not text.endswith(b"\r\n\r\n"):
                more = sock.recv(4096)
                if not more:
                    return
                text += more
            self.asked.append(Asked(sock, text.decode()))
            self._say(self.asked[-1])
        finally:
            sock.close()


def serving(files):
    """`say` of an honest server, which knows parts: Range, If-Range and ETag."""
    def say(asked):
        data = files.get(asked.name)
        if data is None:
            asked.answer(404, b"<html>not here</html>" * 50)
            return
        first = asked.headers.get("Range", "bytes=0-")[len("bytes="):-1]
        if int(first):
            place = "Content-Range: bytes %s-%d/%d" % (first, len(data) - 1, len(data))
            asked.answer(206, data[int(first):], place)
        else:
            asked.answer(200, data, 'ETag: "1"')
    return say
