"""Handshake records cut to an agreed length: what is on the wire, however the bytes come."""

from anchorwatch.wire.shortened import Shortened

MOST = 512
CHANGE = b"\x14\x03\x03\0\1\1"
FINISHED = b"\x16\x03\x03\0\x28" + bytes(range(40))
ALERT = b"\x15\x03\x03\0\2\2\x28"


def record(size, kind=22, first=0):
    return bytes([kind, 3, 3, size >> 8, size & 255]) + bytes([(first + n) % 251
                                                              for n in range(size)])  # fmt: skip


def flight(*sizes):
    """A client's second flight: handshake records, and what is encrypted behind them."""
    plain = b"".join([record(size, first=7 * size) for size in sizes])
    return plain + CHANGE + FINISHED + record(600, kind=23)


def pieces(data, seed):
    """The same bytes in pieces of 1 to 700, drawn from the seed; seed 0: one at a time."""
    at = 0
    while at < len(data):
        seed = (1_103_515_245 * seed + 12_345) % 2_147_483_648 if seed else 0
        size = 1 + (seed >> 8) % 700 if seed else 1
        yield data[at:at + size]
        at += size


def sent(fed):
    shortened, wire = Shortened(MOST), b""
    for piece in fed:
        wire += shortened.feed(piece)
    return wire


def records(wire):
    """[(kind, size)], and the handshake's bytes without heads, up to the ChangeCipherSpec."""
    heads, body = [], b""
    while wire[0] != 0x14:
        size = 256 * wire[3] + wire[4]
        heads.append((wire[0], size))
        body += wire[5:5 + size]
        wire = wire[5 + size:]
    return heads, body, wire


def lengths(*sizes):
    heads, _, _ = records(sent([flight(*sizes)]))
    return heads


def same_bytes(*sizes):
    before, after = records(flight(*sizes)), records(sent([flight(*sizes)]))
    return before[1:] == after[1:]


def any_pieces(seeds, *sizes):
    """Seeds with which the wire is not what it is for bytes that come at once."""
    data = flight(*sizes)
    whole = sent([data])
    return [seed for seed in seeds if sent(pieces(data, seed)) != whole]


def in_memory_that_is_lent():
    """A board is lent a bytearray; what comes out is bytes of its own."""
    lent = bytearray(record(1000))
    out = sent([lent])
    lent[:] = bytes(len(lent))
    return type(out) is bytes and out == sent([record(1000)])


def ends(data):
    shortened = Shortened(MOST)
    shortened.feed(data)
    return shortened.over


CASES = (
    ("a long message lies in records of the agreed length", lengths, (1500,),
     [(22, 512), (22, 512), (22, 476)]),
    ("one that just fits, and one by a byte too long", lengths, (512, 513),
     [(22, 512), (22, 512), (22, 1)]),
    ("short ones stay as they are", lengths, (70, 264), [(22, 70), (22, 264)]),
    ("an empty record stays one", lengths, (0, 600), [(22, 0), (22, 512), (22, 88)]),
    ("the longest record there is", lengths, (16_384,), [(22, 512)] * 32),
    ("not a byte of a message changes, nor what is encrypted", same_bytes, (3000, 70, 5000), True),
    ("an alert in clear passes", sent, ([ALERT],), ALERT),
    ("one byte at a time", any_pieces, ((0,), 600, 1, 513), []),
    ("any pieces", any_pieces, (range(1, 30), 2000, 70, 1, 512, 513), []),
    ("memory that is lent", in_memory_that_is_lent, (), True),
    ("it is over with the ChangeCipherSpec", ends, (record(900) + CHANGE,), True),
    ("and not before", ends, (record(900) + CHANGE[:4],), False),
)  # fmt: skip
