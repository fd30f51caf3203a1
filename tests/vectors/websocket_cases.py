"""A websocket's client: the upgrade, frames of every length, and everything a server may not send.

The server's side is written here anew from RFC 6455, so that a mistake is not made twice.
"""

import binascii
import hashlib

from anchorwatch.wire import http, sha1, websocket

KEY = b"the sample nonce"  # the key of RFC 6455 section 1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
AGREED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + ACCEPT.encode() + b"\r\n\r\n"
)
MASK = b"\x37\xfa\x21\x3d"


def drawn(size):
    return (KEY if size == 16 else MASK)[:size]


def asked():
    return websocket.Websocket(drawn).request("hub.example.net", "/$way?a=b")


def fed(data, size=0, answer=AGREED):
    """(what was taken, what is owed, the close) after `data`, in pieces of `size` if given."""
    socket = websocket.Websocket(drawn)
    data = answer + data
    got = b""
    for at in range(0, len(data), size or len(data)):
        socket.feed(data[at : at + (size or len(data))])
        got += socket.take(1) + socket.take(7) + socket.take(1 << 20)
    return (socket.opened, got, socket.answer(), socket.closed)


def streamed():
    """As fed(), of a frame that is never here as a whole; how many bytes came."""
    socket = websocket.Websocket(drawn)
    socket.feed(AGREED + b"\x82\x7f\0\0\0\0\0\1\0\0")
    count = 0
    for _ in range(64):
        socket.feed(b"y" * 1024)
        count += len(socket.take(2000))
    return (socket.opened, count, socket.answer(), socket.closed)


def framed(payload):
    return websocket.Websocket(drawn).frame(payload)


def farewell(code):
    return websocket.Websocket(drawn).close(code)


def hashed(data):
    """By ours, for who has no other; both say the same."""
    own = sha1.own(data)
    assert own == sha1.digest(data)
    return binascii.hexlify(own)


def server_frame(first, payload):
    """As a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    if size < 65536:
        return bytes([first, 126, size >> 8, size & 255]) + payload
    return (
        bytes([first, 127, 0, 0, 0, 0, size >> 24, size >> 16 & 255, size >> 8 & 255, size & 255])
        + payload
    )


def unmasked(frame):
    """(first byte, payload) of a client's frame."""
    short = frame[1] & 127
    at = {126: 4, 127: 10}.get(short, 2)
    mask, body = frame[at : at + 4], frame[at + 4 :]
    size = (
        short
        if at == 2
        else int(sum([b << (8 * n) for n, b in enumerate(reversed(list(frame[2:at])))]))
    )
    if not frame[1] & 128 or size != len(body):
        raise ValueError("frame of %d bytes says %d" % (len(body), size))
    pieces = [
        bytes([b ^ mask[n & 3] for n, b in enumerate(body[begin : begin + 256])])
        for begin in range(0, size, 256)
    ]
    return (frame[0], b"".join(pieces))


class Chance:
    """Numbers that are the same on every runtime."""

    def __init__(self, seed):
        self._x = seed

    def below(self, n):
        self._x = (self._x * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._x >> 8) % n

    def draw(self, size):
        return bytes([self.below(256) for _ in range(size)])


def round_trips(seed):
    """A digest of forty messages there and forty back, in frames and pieces of chance."""
    chance = Chance(seed)
    socket = websocket.Websocket(chance.draw)
    key = socket.request("h", "/").split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
    socket.feed(AGREED.replace(ACCEPT.encode(), websocket.accept(key).encode()))
    digest = hashlib.sha256()
    for _ in range(40):
        size = (0, 1, 125, 126, 127, 300, 511, 3000)[chance.below(8)] if chance.below(3) else 9
        message = chance.draw(size)
        there = unmasked(socket.frame(message))
        if there != (0x82, message):
            return "message there is another"
        back = _back(socket, chance, message)
        if back != message:
            return "message back is another"
        digest.update(message)
    return binascii.hexlify(digest.digest())


def _back(socket, chance, message):
    data, at, first = b"", 0, 2
    while at < len(message) or first:
        step = 1 + chance.below(len(message) + 1)
        last = 0x80 if at + step >= len(message) else 0
        data += server_frame(last | first, message[at : at + step])
        first, at = 0, at + step
        if last:
            break
        if chance.below(2):
            data += server_frame(0x89, b"p")
    got, at = b"", 0
    while at < len(data):
        step = 1 + chance.below(1 + len(data) // 3)
        socket.feed(data[at : at + step])
        at += step
        got += socket.take(chance.below(90))
    return got + socket.take(socket.waiting)


def _broken(reason):
    return ("raises", "MalformedMessage", "websocket: " + reason)


def _but(old, new=b""):
    """The answer of the upgrade with something else in it."""
    return AGREED.replace(old, new)


_NEVER = "a frame that no server may send"
_PLACE = "a frame out of place"
_REASON = "a close for a reason that nobody defined"
_MANY = server_frame(0x02, b"ab") + server_frame(0x00, b"cd") + server_frame(0x80, b"ef")
_LONG = b"x" * 126


def longer(size=65536):
    """Not a constant: the heap of this program is small, and other tables come after this one."""
    return b"y" * size


CASES = (
    ("an upgrade", asked, (),
     (b"GET /$way?a=b HTTP/1.1\r\nHost: hub.example.net\r\nConnection: Upgrade\r\n"
     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n"
     b"Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n\r\n")),
    ("the sample of the RFC", websocket.accept, (b"dGhlIHNhbXBsZSBub25jZQ==",), ACCEPT),
    ("SHA-1 of nothing", hashed, (b"",), b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("SHA-1 of abc", hashed, (b"abc",), b"a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("SHA-1 of 55 bytes", hashed, (b"a" * 55,), b"c1c8bbdc22796e28c0e15163d20899b65621d65a"),
    ("SHA-1 of 56 bytes", hashed, (b"a" * 56,), b"c2db330f6083854c99d4b5bfb6e8f29f201be699"),
    ("SHA-1 of 64 bytes", hashed, (b"a" * 64,), b"0098ba824b5c16427bd7a1122a5a442a25ec644d"),
    ("SHA-1 of 200 bytes", hashed, (b"a" * 200,), b"e61cfffe0d9195a525fc6cf06ca2d77119c24a40"),
    ("the server agrees", fed, (b"",), (True, b"", b"", None)),
    ("byte by byte", fed, (server_frame(0x82, b"hello"), 1), (True, b"hello", b"", None)),
    ("words of any case", fed, (b"", 0, _but(b"Connection: Upgrade", b"Connection: x, UPGRADE")),
     (True, b"", b"", None)),
    ("not yet whole", fed, (b"", 0, AGREED[:-1]), (False, b"", b"", None)),
    ("404", fed, (b"", 0, b"HTTP/1.1 404 Not Found\r\n\r\n"),
     ("raises", "NotUpgraded", "no websocket is opened here: status 404")),
    ("an accepted GET is no upgrade", fed, (b"", 0, _but(b"101 Switching Protocols", b"200 OK")),
     ("raises", "NotUpgraded", "no websocket is opened here: status 200")),
    ("another's answer", fed, (b"", 0, _but(b"s3pPL", b"s3pPl")),
     _broken("the answer to another request")),
    ("no answer to the key", fed, (b"", 0, _but(b"Sec-WebSocket-Accept", b"X-Accept")),
     _broken("the answer to another request")),
    ("no protocol", fed, (b"", 0, _but(b"Sec-WebSocket-Protocol: mqtt\r\n")),
     _broken("another protocol in it than MQTT")),
    ("another protocol", fed, (b"", 0, _but(b": mqtt", b": AMQPWSB10")),
     _broken("another protocol in it than MQTT")),
    ("an extension", fed,
     (b"", 0, _but(b"Upgrade: w", b"Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: w")),
     _broken("an extension that nobody asked for")),
    ("an upgrade to HTTP/2", fed, (b"", 0, _but(b"Upgrade: websocket", b"Upgrade: h2c")),
     _broken("an upgrade to something else")),
    ("an upgrade that is not connected", fed, (b"", 0, _but(b"n: Upgrade", b"n: close")),
     _broken("an upgrade to something else")),
    ("not HTTP", fed, (b"", 0, b"\x20\x02\x00\x00\r\n\r\n"),
     ("raises", "MalformedMessage", "HTTP head with other than printable")),
    ("a head without an end", fed, (b"", 0, b"HTTP/1.1 101 S\r\nA: " + b"x" * 16384),
     ("raises", "TooLong", "HTTP head is too long")),
    ("Hello, masked as in the RFC", framed, (b"Hello",), b"\x82\x85" + MASK + b"\x7f\x9fMQX"),
    ("nothing, masked", framed, (b"",), b"\x82\x80" + MASK),
    ("125 bytes", lambda: unmasked(framed(b"x" * 125)), (), (0x82, b"x" * 125)),
    ("126 bytes", lambda: framed(_LONG)[:4] + unmasked(framed(_LONG))[1], (),
     b"\x82\xfe\x00\x7e" + _LONG),
    ("65535 bytes", lambda: framed(longer(65535))[:4], (), b"\x82\xfe\xff\xff"),
    ("65536 bytes", lambda: framed(longer())[:10], (), b"\x82\xff\0\0\0\0\0\1\0\0"),
    ("1026 bytes come back", lambda: unmasked(framed(longer(1026)))[1] == longer(1026), (), True),
    ("a close", lambda: unmasked(farewell(1000)), (), (0x88, b"\x03\xe8")),
    ("a message in three frames", fed, (_MANY,), (True, b"abcdef", b"", None)),
    ("three frames, byte by byte", fed, (_MANY, 1), (True, b"abcdef", b"", None)),
    ("a ping between two frames", fed,
     (server_frame(0x02, b"ab") + server_frame(0x89, b"?") + server_frame(0x80, b"c"),),
     (True, b"abc", b"\x8a\x81" + MASK + b"\x08", None)),
    ("of many pings the last is answered", fed, (server_frame(0x89, b"1") + server_frame(0x89,
     b"\x37"),), (True, b"", b"\x8a\x81" + MASK + b"\x00", None)),
    ("a pong that nobody asked for", fed, (server_frame(0x8A, b"x"),), (True, b"", b"", None)),
    ("a frame of nothing", fed, (server_frame(0x82, b"") + server_frame(0x82, b"a"),),
     (True, b"a", b"", None)),
    ("126 bytes come in", fed, (server_frame(0x82, _LONG),), (True, _LONG, b"", None)),
    ("65536 bytes come in", streamed, (), (True, 65536, b"", None)),
    ("the server says farewell", fed, (server_frame(0x88, b"\x03\xe9bye"),),
     (True, b"", b"\x88\x82" + MASK + b"\x34\x13", 1001)),
    ("a farewell without a word", fed, (server_frame(0x88, b""),),
     (True, b"", b"\x88\x80" + MASK, 1005)),
    ("nothing counts after a farewell", fed,
     (server_frame(0x82, b"a") + server_frame(0x88, b"") + server_frame(0x82, b"b"),),
     (True, b"a", b"\x88\x80" + MASK, 1005)),
    ("half a code", fed, (server_frame(0x88, b"\x03"),), _broken(_REASON)),
    ("code 999", fed, (server_frame(0x88, b"\x03\xe7"),), _broken(_REASON)),
    ("code 1005 on the wire", fed, (server_frame(0x88, b"\x03\xed"),), _broken(_REASON)),
    ("code 2999", fed, (server_frame(0x88, b"\x0b\xb7"),), _broken(_REASON)),
    ("code 4000", lambda: fed(server_frame(0x88, b"\x0f\xa0"))[3], (), 4000),
    ("code 5000", fed, (server_frame(0x88, b"\x13\x88"),), _broken(_REASON)),
    ("a masked frame", fed, (b"\x82\x81" + MASK + b"a",), _broken(_NEVER)),
    ("a reserved bit", fed, (b"\xc2\x01a",), _broken(_NEVER)),
    ("text", fed, (server_frame(0x81, b"a"),), _broken(_PLACE)),
    ("an opcode that nobody defined", fed, (server_frame(0x83, b"a"),), _broken(_PLACE)),
    ("a control opcode that nobody defined", fed, (server_frame(0x8B, b"a"),), _broken(_NEVER)),
    ("the rest of nothing", fed, (server_frame(0x80, b"a"),), _broken(_PLACE)),
    ("a message within a message", fed, (server_frame(0x02, b"a") + server_frame(0x82, b"b"),),
     _broken(_PLACE)),
    ("a ping in parts", fed, (server_frame(0x09, b"a"),), _broken(_NEVER)),
    ("a ping of 126 bytes", fed, (server_frame(0x89, _LONG),), _broken(_NEVER)),
    ("125 bytes, said in three", fed, (b"\x82\x7e\x00\x7d",),
     _broken("a length in more bytes than it needs")),
    ("126 bytes, said in nine", fed, (b"\x82\x7f\0\0\0\0\0\0\0\x7e",),
     _broken("a length in more bytes than it needs")),
    ("a frame of 16 MiB", fed, (b"\x82\x7f\0\0\0\0\1\0\0\0",), (True, b"", b"", None)),
    ("a frame of 16 MiB and one", fed, (b"\x82\x7f\0\0\0\0\1\0\0\1",),
     ("raises", "TooLong", "websocket: a frame is too long")),
    ("a frame longer than numbers", fed, (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",),
     ("raises", "TooLong", "websocket: a frame is too long")),
    ("eighty messages by chance", round_trips, (1,),
     b"f87b0e3054bee4994b4df6bfd4bfc0720fc9a8ab6553465bfc599d4e09817d8c"),
    ("eighty more", round_trips, (2026,),
     b"93bc2e5fb7587a6b9ea2cf8fc547567b96abee9728265267f619ac89deeb2758"),
    ("http's request still closes", http.request, ("GET", "h", "/"),
     b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
)  # fmt: skip
