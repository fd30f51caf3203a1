"""What one side of a TLS 1.2 connection says in clear, and how much of the rest it says.

Rule: it follows a connection and never fails: what cannot be read is counted as bytes and no more.
Source: RFC 5246 sections 6.2.1 and 7.4.
"""

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
CLIENT_HELLO, CERTIFICATE, SERVER_HELLO_DONE, CERTIFICATE_VERIFY = 1, 11, 14, 15
_EMPTY_LIST = 3


class Heard:
    """Bytes of one direction, in any pieces.

    total        all of them
    messages     types of the handshake messages before ChangeCipherSpec
    credential   bytes of certificates shown, and of the proof that their key is there
    application  bytes of application data, such as CONNECT
    alerts       codes of those in clear; records  lengths of all records, (type, length)
    """

    def __init__(self) -> None:
        self.total = self.credential = self.application = 0
        self.messages: list[int] = []
        self.alerts: list[int] = []
        self.records: list[tuple[int, int]] = []
        self.changed = False
        self._waiting = self._pieces = b""

    def feed(self, data: bytes) -> None:
        """Take what came next."""
        self.total += len(data)
        self._waiting += data
        while len(self._waiting) >= 5:
            size = int.from_bytes(self._waiting[3:5], "big")
            if len(self._waiting) < 5 + size:
                return
            kind, body = self._waiting[0], self._waiting[5 : 5 + size]
            self._waiting = self._waiting[5 + size :]
            self._record(kind, body)

    def _record(self, kind: int, body: bytes) -> None:
        self.records.append((kind, len(body)))
        if kind == APPLICATION:
            self.application += len(body)
        elif kind == CHANGE_CIPHER_SPEC:
            self.changed = True
        elif kind == ALERT and len(body) == 2:
            self.alerts.append(body[1])
        elif kind == HANDSHAKE and not self.changed:
            self._pieces += body
            self._assemble()

    def _assemble(self) -> None:
        while len(self._pieces) >= 4:
            size = int.from_bytes(self._pieces[1:4], "big")
            if len(self._pieces) < 4 + size:
                return
            kind, self._pieces = self._pieces[0], self._pieces[4 + size :]
            self.messages.append(kind)
            if kind == CERTIFICATE and size > _EMPTY_LIST or kind == CERTIFICATE_VERIFY:
                self.credential += size
