"""A server's first flight in TLS 1.2, read while it comes in: its chain is in clear there.

Rule: reads only, answers nothing, believes nothing. Bytes in any pieces; anything that is not a
flight is a MalformedMessage, and no flight is longer than the caps.

Source: RFC 5246 sections 6.2 and 7; for what a TLS 1.3 server shows, RFC 8446 section 4.1.3.
"""

from ..errors import MalformedMessage
from .hello import TLS_1_3, ServerHello, parse_certificates

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_HELLO_DONE = 1, 2, 11, 14
_IN_FLIGHT = (11, 12, 13, 14, 22)  # certificate, key exchange, request, done, stapled status
_RECORD_AT_MOST = 16_384
FLIGHT_AT_MOST = 131_072
MESSAGE_AT_MOST = 66_000  # the longest chain that is judged, and what each certificate adds to it
MESSAGE_TOO_LONG = "handshake message is too long"
CHAIN_AT_MOST = 16
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
    22: "record_overflow", 40: "handshake_failure", 42: "bad_certificate",
    43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
    46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied",
    50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security",
    80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
    109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
    116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip


def alert_name(code: int) -> str:
    """`unknown_ca` for 48."""
    return ALERTS.get(code) or "alert_%d" % code


class Handshakes:
    """Takes records apart and puts handshake messages together, however either is cut.

    messages       [(type, body)] completed so far
    alert          its code, or None; alert_version  of its record
    changed        a ChangeCipherSpec came: all that follows is encrypted and not looked at
    """

    def __init__(self, at_most: int = FLIGHT_AT_MOST) -> None:
        self.messages: list[tuple[int, bytes]] = []
        self.alert: int | None = None
        self.alert_version = 0
        self.changed = False
        self._records = b""
        self._pieces = b""
        self._room = at_most

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the wire."""
        self._room -= len(data)
        if self._room < 0:
            raise MalformedMessage("TLS flight is too long")
        self._records += bytes(data)
        while len(self._records) >= 5 and self.alert is None and not self.changed:
            head = self._records[:5]
            size = int.from_bytes(head[3:], "big")
            if head[1] != 3 or not 0 < size <= _RECORD_AT_MOST:
                raise MalformedMessage("not a TLS record", "type %d" % head[0])
            if len(self._records) < 5 + size:
                self._check_type(head[0])
                return
            body, self._records = self._records[5 : 5 + size], self._records[5 + size :]
            self._record(head[0], body)
            if self.alert is not None:
                self.alert_version = 256 * head[1] + head[2]

    def _check_type(self, kind: int) -> None:
        if kind not in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE):
            raise MalformedMessage("TLS record out of place", "type %d" % kind)

    def _record(self, kind: int, body: bytes) -> None:
        self._check_type(kind)
        if kind == ALERT:
            if len(body) != 2:
                raise MalformedMessage("TLS alert of a wrong length")
            self.alert = body[1]
        elif kind == CHANGE_CIPHER_SPEC:
            if self._pieces or body != b"\x01":
                raise MalformedMessage("ChangeCipherSpec inside a handshake message")
            self.changed = True
        else:
            self._pieces += body
            self._assemble()

    def _assemble(self) -> None:
        while len(self._pieces) >= 4:
            end = 4 + int.from_bytes(self._pieces[1:4], "big")
            if end > MESSAGE_AT_MOST:
                raise MalformedMessage(MESSAGE_TOO_LONG)
            if len(self._pieces) < end:
                return
            self.messages.append((self._pieces[0], self._pieces[4:end]))
            self._pieces = self._pieces[end:]


class Flight:
    """A server's answer to a ClientHello, as far as it is readable without keys.

    done          nothing more is to be learnt: the flight is complete, or it ended otherwise
    ended         "" | "complete" | "alert" | "tls13" | "resumed"
    chain         [DER], leaf first; empty unless complete
    version, suite, max_fragment   of the ServerHello; 0 before it came
    alert         its code, None without one; alert_version  of the record that brought it: the
                  version that the server had settled on; asks_client_certificate  by its request
    """

    def __init__(self) -> None:
        self.ended = ""
        self.chain: list[bytes] = []
        self.version = 0
        self.suite = 0
        self.max_fragment = 0
        self.alert: int | None = None
        self.alert_version = 0
        self.asks_client_certificate = False
        self._handshakes = Handshakes()
        self._seen: list[int] = []

    @property
    def done(self) -> bool:
        return self.ended != ""

    def feed(self, data: bytes) -> None:
        """Take the next bytes the server sent; ignored once done. Raises MalformedMessage."""
        if self.done:
            return
        self._handshakes.feed(data)
        while self._handshakes.messages and not self.done:
            kind, body = self._handshakes.messages.pop(0)
            self._message(kind, body)
        if not self.done and self._handshakes.alert is not None:
            self.alert, self.ended = self._handshakes.alert, "alert"
            self.alert_version = self._handshakes.alert_version
        if not self.done and self._handshakes.changed:
            if not self._seen or CERTIFICATE in self._seen:
                raise MalformedMessage("ChangeCipherSpec in a server's first flight")
            self.ended = "resumed"

    def _message(self, kind: int, body: bytes) -> None:
        if not self._seen:
            self._hello(kind, body)
        elif kind not in _IN_FLIGHT or kind in self._seen:
            raise MalformedMessage("handshake message out of place", "type %d" % kind)
        elif kind == CERTIFICATE:
            self.chain = parse_certificates(body, CHAIN_AT_MOST)
        elif kind == SERVER_HELLO_DONE:
            if body:
                raise MalformedMessage("ServerHelloDone is not empty")
            self.ended = "complete"
        self.asks_client_certificate = self.asks_client_certificate or kind == 13
        self._seen.append(kind)

    def _hello(self, kind: int, body: bytes) -> None:
        if kind != SERVER_HELLO:
            raise MalformedMessage("flight without a ServerHello", "type %d" % kind)
        hello = ServerHello(body)
        self.version, self.suite, self.max_fragment = hello.version, hello.suite, hello.max_fragment
        if self.version >= TLS_1_3:
            self.ended = "tls13"
