"""A scripted EST server on the loopback network: what it is asked is kept, what it says is given.

Rule: `answers` maps the last part of a path to (status, headers, body), or to a function of the
request; it is no EST server of its own mind (hil/cloud has one).
"""

import base64
import ssl

from tests.linux.authority import root
from tests.linux.issuing import certs_only
from tests.linux.servers import Server

HOST = "est.example.net"
NONE = (204, {}, b"")


class Asked:
    """One request: operation, path, method, headers (names in lower case), body, certificate."""

    def __init__(self, raw, certificate):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.operation = self.path.rpartition("/")[2]
        self.headers = {name.lower(): value for name, _, value in
                        (line.partition(": ") for line in lines)}
        self.certificate = certificate

    @property
    def csr(self):
        return "".join(self.body.decode().split())


class EstServer(Server):
    """`root` is what it is verified against."""

    def __init__(self, answers, *, client_ca=None, ask=ssl.CERT_OPTIONAL, **more):
        self.answers, self.asked = answers, []
        self.root = root("EST Root")
        chain = self.root.issue("EST CA", ca=True).issue(HOST, names=(HOST,)).below()
        super().__init__(chain, self._talk, client_ca=client_ca, ask=ask, **more)

    def operations(self):
        return [one.operation for one in self.asked]

    def _talk(self, visit):
        raw = b""
        while not _whole(raw):
            data = visit.read(65536)
            if not data:
                return
            raw += data
        self.asked.append(Asked(raw, visit.certificate))
        answer = self.answers.get(self.asked[-1].operation, NONE)
        answer = answer(self.asked[-1]) if callable(answer) else answer
        if isinstance(answer, bytes):
            visit.write(answer)
            return
        status, headers, body = answer
        headers = {"Content-Length": str(len(body)), **headers}
        head = ["HTTP/1.1 %d Said" % status] + ["%s: %s" % pair for pair in headers.items()]
        visit.write("\r\n".join(head + ["", ""]).encode() + body)


def _whole(raw):
    head, found, body = raw.partition(b"\r\n\r\n")
    length = [int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n")
              if line.startswith(b"content-length:")]
    return bool(found) and len(body) >= sum(length)


def certificates(ders, lines=False):
    """A 200 with these."""
    text = base64.encodebytes(certs_only(ders)) if lines else base64.b64encode(certs_only(ders))
    return 200, {"Content-Type": "application/pkcs7-mime; smime-type=certs-only"}, text
