"""The frame around every small piece of state, and the JSON tree inside.

    b"AWF"  format u8  generation u32  length u32  body  SHA-256 of all before

Numbers are big-endian; what follows the hash is ignored (boards preallocate their slots). Rule: a
frame is whole or it is refused; nothing of a torn one is looked at. Every later format keeps
this envelope, so "written by a newer anchorwatch" is only said of a frame whose hash is right.

Source: contract of the state directory; design, "State".
"""

import hashlib
import struct

from ..errors import MalformedMessage, StateError
from .jsonread import parse_object
from .jsonwrite import write

FORMAT = 1
BODY_AT_MOST = 262_144
_MAGIC = b"AWF"
_HEAD = ">3sBII"
_HEAD_SIZE = 12
_HASH_SIZE = 32
_GENERATION_MOST = 0xFFFFFFFF


def slot(generation: int) -> int:
    """Which of the two files, 0 or 1, holds this generation."""
    return generation & 1


def encode(generation: int, body: bytes) -> bytes:
    """The bytes to write."""
    if not 0 <= generation <= _GENERATION_MOST or len(body) > BODY_AT_MOST:
        shown = "generation %d, %d bytes" % (generation, len(body))
        raise StateError("unwritable", "state does not fit its frame", shown)
    head = struct.pack(_HEAD, _MAGIC, FORMAT, generation, len(body)) + body
    return head + hashlib.sha256(head).digest()


def decode(data: bytes) -> tuple[int, bytes]:
    """(generation, body) out of a file's bytes.

    Raises StateError with verdict `torn` (cut, flipped or empty: use the other slot) or `newer`
    (whole, but of a later format: stop, and start the newer anchorwatch again).
    """
    if len(data) < _HEAD_SIZE + _HASH_SIZE:
        raise _torn("%d bytes" % len(data))
    magic, format_number, generation, length = struct.unpack(_HEAD, data[:_HEAD_SIZE])
    end = _HEAD_SIZE + length
    if magic != _MAGIC or length > BODY_AT_MOST or len(data) < end + _HASH_SIZE:
        raise _torn("no complete frame")
    if hashlib.sha256(data[:end]).digest() != data[end : end + _HASH_SIZE]:
        raise _torn("hash does not match")
    if format_number > FORMAT:
        remedy = "start the newer version again, or remove the state to begin anew"
        shown = "format %d, known up to %d" % (format_number, FORMAT)
        raise StateError("newer", "state was written by a newer anchorwatch", shown, remedy)
    if format_number < FORMAT:
        raise _torn("format %d" % format_number)
    return generation, bytes(data[_HEAD_SIZE:end])


def _torn(how: str) -> StateError:
    return StateError("torn", "state frame is damaged", how, "the other slot is used")


def dump(tree: dict[str, object]) -> bytes:
    """The canonical body of a frame; ValueError for floats, bytes and other strangers."""
    return write(tree, floats=False)


def load(body: bytes) -> dict[str, object]:
    """Undo `dump`; StateError `torn` for anything else, although its hash was right."""
    try:
        return parse_object(body, BODY_AT_MOST)
    except MalformedMessage as error:
        raise _torn(error.reason)
