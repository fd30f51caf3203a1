"""State frames: whole, torn, and from the future."""

import hashlib

from anchorwatch.wire import frame

_WHOLE = frame.encode(7, b'{"a":1}')


def _of_format(number):
    head = b"AWF" + bytes([number]) + _WHOLE[4:-32]
    return head + hashlib.sha256(head).digest()


def _torn(how):
    return ("raises", "StateError", "state frame is damaged: %s; the other slot is used" % how)


CASES = (
    ("a frame reads back", frame.decode, (_WHOLE,), (7, b'{"a":1}')),
    ("what follows it is ignored", frame.decode, (_WHOLE + b"rest",), (7, b'{"a":1}')),
    ("its head", lambda: _WHOLE[:12], (), b"AWF\x01\x00\x00\x00\x07\x00\x00\x00\x07"),
    ("an empty body", frame.decode, (frame.encode(0, b""),), (0, b"")),
    ("the last generation", frame.decode, (frame.encode(4294967295, b"x"),), (4294967295, b"x")),
    ("one more", frame.encode, (4294967296, b"x"), ("raises", "StateError",
     "state does not fit its frame")),
    ("a negative generation", frame.encode, (-1, b"x"), ("raises", "StateError",
     "state does not fit its frame")),
    ("a body too large", frame.encode, (1, bytes(262145)), ("raises", "StateError",
     "state does not fit its frame")),
    ("an even generation is in slot 0", frame.slot, (8,), 0),
    ("an odd generation is in slot 1", frame.slot, (9,), 1),
    ("an empty file", frame.decode, (b"",), _torn("0 bytes")),
    ("a file of zeros", frame.decode, (bytes(4096),), _torn("no complete frame")),
    ("cut in the body", frame.decode, (_WHOLE[:-33],), _torn("18 bytes")),
    ("cut in the hash", frame.decode, (_WHOLE[:-3],), _torn("no complete frame")),
    ("a length beyond the file", frame.decode, (_WHOLE[:8] + b"\xff\xff\xff\xff" + _WHOLE[12:],),
     _torn("no complete frame")),
    ("a later format, whole", frame.decode, (_of_format(2),),
     ("raises", "StateError", "state was written by a newer anchorwatch: format 2, known up to 1")),
    ("a later format by a flipped bit", frame.decode, (_WHOLE[:3] + b"\x03" + _WHOLE[4:],),
     _torn("hash does not match")),
    ("a format before the first", frame.decode, (_of_format(0),), _torn("format 0")),
    ("a tree in canonical JSON", frame.dump, ({"b": [], "a": "\u00e4"},),
     b'{"a":"\\u00e4","b":[]}'),
    ("a tree with a float", frame.dump, ({"a": 1.5},), ("raises", "ValueError",
     "JSON cannot hold this value")),
    ("a tree reads back", frame.load, (b'{"a":"\\u00e4","b":[]}',), {"a": "\u00e4", "b": []}),
    ("a body that is not JSON", frame.load, (b"{",), _torn("JSON: member without a name")),
)  # fmt: skip
