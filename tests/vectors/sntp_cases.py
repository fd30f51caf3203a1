"""Time answers that count, and those that do not."""

from anchorwatch.wire import sntp

_NONCE = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def answer(head=b"\x24\x02\x00\x00", origin=_NONCE, stamp=b"\xee\x00\x00\x00\x80\x00\x00\x00",
more=b""):
    return head + bytes(20) + origin + bytes(8) + stamp + more


def _malformed(reason):
    return ("raises", "MalformedMessage", reason)


CASES = (
    ("a question", sntp.request, (_NONCE,), b"\x23" + bytes(39) + _NONCE),
    ("a question without chance in it", sntp.request, (bytes(8),), ("raises", "ValueError",
     "the nonce has 8 bytes")),
    ("an answer", sntp.parse, (answer(), _NONCE), 0xEE000000 - 2208988800),
    ("an answer of version 3", sntp.parse, (answer(b"\x1c\x01\x00\x00"), _NONCE),
     0xEE000000 - 2208988800),
    ("the last second of the first era", sntp.parse, (answer(stamp=b"\xff" * 8), _NONCE),
     2085978495),
    ("the first of the next era", sntp.parse, (answer(stamp=b"\x00\x00\x00\x00\x00\x00\x00\x01"),
     _NONCE), 2085978496),
    ("an answer to another question", sntp.parse, (answer(origin=b"\x01" * 8), _NONCE),
     _malformed("time answer to another question")),
    ("an answer cut off", sntp.parse, (answer()[:47], _NONCE),
     _malformed("time answer of a wrong length")),
    ("an answer too long", sntp.parse, (answer(more=b"x"), _NONCE),
     _malformed("time answer of a wrong length")),
    ("our own question back", sntp.parse, (sntp.request(_NONCE), _NONCE),
     _malformed("time answer not from a server")),
    ("a broadcast", sntp.parse, (answer(b"\x25\x02\x00\x00"), _NONCE),
     _malformed("time answer not from a server")),
    ("a kiss of death", sntp.parse, (answer(b"\x24\x00\x00\x00"), _NONCE),
     _malformed("time server asks to be left alone")),
    ("a server without a clock", sntp.parse, (answer(b"\xe4\x02\x00\x00"), _NONCE),
     _malformed("time server is not synchronised")),
    ("stratum 16", sntp.parse, (answer(b"\x24\x10\x00\x00"), _NONCE),
     _malformed("time server is not synchronised")),
    ("no time in it", sntp.parse, (answer(stamp=bytes(8)), _NONCE),
     _malformed("time answer without a time")),
)  # fmt: skip
