"""Canonical JSON as the makers of signed metadata use it: equal trees give the same signed bytes.

Rule: members sorted by code point, no space, UTF-8 as it is, and only the quote and the backslash
escaped; it is not the JSON of wire/jsonwrite.py. Numbers are integers; a float is refused.

Source: the OLPC wiki, "Canonical JSON"; TUF specification 1.0, section 4.2.
"""

import hashlib

from ..errors import MalformedMessage
from .shapes import Put

DEPTH = 16
_WORDS = {None: "null", True: "true", False: "false"}


def canonical(tree: object) -> bytes:
    """The bytes that a signature over `tree` covers; MalformedMessage for what has no such form."""
    parts: list[bytes] = []
    _write(parts.append, tree, DEPTH)
    return b"".join(parts)


def digest(tree: object) -> bytes:
    """The SHA-256 of `canonical(tree)`, piece by piece: a board has no room for the whole."""
    hashed = hashlib.sha256()
    _write(hashed.update, tree, DEPTH)
    return hashed.digest()


def _write(put: Put, tree: object, depth: int) -> None:
    if depth < 0:
        raise MalformedMessage("signed JSON nested deeper than %d" % DEPTH)
    if isinstance(tree, dict):
        _write_members(put, tree, depth)
    elif isinstance(tree, (list, tuple)):
        put(b"[")
        for number, item in enumerate(tree):
            if number:
                put(b",")
            _write(put, item, depth - 1)
        put(b"]")
    else:
        put(_scalar(tree).encode())


def _write_members(put: Put, tree: dict[object, object], depth: int) -> None:
    names = [name for name in tree if isinstance(name, str)]
    if len(names) < len(tree):
        raise MalformedMessage("signed JSON with a member name that is no text")
    put(b"{")
    for number, name in enumerate(sorted(names)):
        put(((",%s:" if number else "%s:") % _quoted(name)).encode())
        _write(put, tree[name], depth - 1)
    put(b"}")


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None or value is True or value is False:
        return _WORDS[value]
    if isinstance(value, int):
        return str(value)
    raise MalformedMessage("signed JSON with a number that is not whole")


def _quoted(text: str) -> str:
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')
