"""JSON out: ASCII, sorted members, no spaces, so equal trees give equal bytes on both runtimes.

Rule: what JSON cannot hold is a ValueError here, never a guess; a board's own writer turns bytes
and any object into text without a word.

Source: RFC 8259.
"""

from .jsonread import DEPTH


def write(tree: object, floats: bool = True) -> bytes:
    """`tree` as ASCII JSON with sorted members and no spaces: equal trees give equal bytes.

    Raises ValueError for what JSON cannot hold, for nesting deeper than DEPTH, and for a float
    where `floats` is False.
    """
    parts: list[str] = []
    _write(parts, tree, floats, DEPTH)
    return "".join(parts).encode()


def _write(parts: list[str], tree: object, floats: bool, depth: int) -> None:
    if isinstance(tree, dict):
        _write_members(parts, tree, floats, depth)
    elif isinstance(tree, (list, tuple)):
        _check_depth(depth)
        for number, item in enumerate(tree):
            parts.append("," if number else "[")
            _write(parts, item, floats, depth - 1)
        parts.append("]" if tree else "[]")
    else:
        parts.append(_scalar(tree, floats))


def _write_members(parts: list[str], tree: dict[object, object], floats: bool, depth: int) -> None:
    _check_depth(depth)
    for key in tree:
        if not isinstance(key, str):
            raise ValueError("JSON member names are text")
    names = [key for key in tree if isinstance(key, str)]
    for number, key in enumerate(sorted(names)):
        parts.append(("," if number else "{") + _quoted(key) + ":")
        _write(parts, tree[key], floats, depth - 1)
    parts.append("}" if tree else "{}")


def _check_depth(depth: int) -> None:
    if depth <= 0:
        raise ValueError("JSON nested deeper than %d" % DEPTH)


def _scalar(value: object, floats: bool) -> str:
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if floats and isinstance(value, float) and value - value == 0:
        return repr(value)
    raise ValueError("JSON cannot hold this value")


def _quoted(text: str) -> str:
    """A text that goes as it is needs no list of its characters: a certificate's is too long for
    a board."""
    for c in text:
        if not " " <= c <= "~" or c in '"\\':
            return '"%s"' % "".join([_written(c) for c in text])
    return '"' + text + '"'


def _written(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    if " " <= c <= "~":
        return c
    code = ord(c)
    if code < 0x10000:
        return "\\u%04x" % code
    code -= 0x10000
    return "\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
