"""Canonical JSON as the makers of signed metadata use it: equal trees give the same signed bytes.

Rule: members sorted by code point, no space, UTF-8 as it is, and only the quote and the backslash
escaped; it is not the JSON of wire/jsonwrite.py. Numbers are integers; a float is refused.

Source: the OLPC wiki, "Canonical JSON"; TUF specification 1.0, section 4.2.
"""

from ..errors import MalformedMessage

DEPTH = 16
_WORDS = {None: "null", True: "true", False: "false"}


def canonical(tree: object) -> bytes:
    """The bytes that a signature over `tree` covers; MalformedMessage for what has no such form."""
    parts: list[str] = []
    _write(parts, tree, DEPTH)
    return "".join(parts).encode()


def _write(parts: list[str], tree: object, depth: int) -> None:
    if depth < 0:
        raise MalformedMessage("signed JSON nested deeper than %d" % DEPTH)
    if isinstance(tree, dict):
        _write_members(parts, tree, depth)
    elif isinstance(tree, (list, tuple)):
        parts.append("[")
        for number, item in enumerate(tree):
            if number:
                parts.append(",")
            _write(parts, item, depth - 1)
        parts.append("]")
    else:
        parts.append(_scalar(tree))


def _write_members(parts: list[str], tree: dict[object, object], depth: int) -> None:
    names = [name for name in tree if isinstance(name, str)]
    if len(names) < len(tree):
        raise MalformedMessage("signed JSON with a member name that is no text")
    parts.append("{")
    for number, name in enumerate(sorted(names)):
        parts.append((",%s:" if number else "%s:") % _quoted(name))
        _write(parts, tree[name], depth - 1)
    parts.append("}")


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
