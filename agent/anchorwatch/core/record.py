"""Values that compare by type and content, print themselves and hide their secrets.

Rule: a Record's text is the same on every runtime, and `eval` of it restores the value unless it
holds a secret.
"""


def show(value: object) -> str:
    """The text of a value that two runtimes agree on: sorted dicts, ASCII only, single quotes."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join(["%s: %s" % (show(k), show(value[k])) for k in sorted(value)])
    if isinstance(value, list):
        return "[%s]" % ", ".join([show(item) for item in value])
    if isinstance(value, tuple):
        inner = ", ".join([show(item) for item in value])
        return "(%s,)" % inner if len(value) == 1 else "(%s)" % inner
    if isinstance(value, str):
        return "'%s'" % "".join([_escaped(ord(char)) for char in value])
    if isinstance(value, (bytes, bytearray)):
        return "b'%s'" % "".join([_escaped(byte) for byte in value])
    return repr(value)


def _escaped(code: int) -> str:
    if code in (0x27, 0x5C):
        return "\\" + chr(code)
    if 0x20 <= code < 0x7F:
        return chr(code)
    if code < 0x100:
        return "\\x%02x" % code
    return "\\u%04x" % code if code < 0x10000 else "\\U%08x" % code


class Record:
    """A value with named fields; see `fields` and `secret` of each kind."""

    fields: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()

    def __init__(self, *values: object, **named: object) -> None:
        rest = self.fields[len(values) :]
        count = len(values) + len(named)
        if count != len(self.fields) or [field for field in rest if field not in named]:
            raise TypeError("%s takes %s" % (type(self).__name__, ", ".join(self.fields)))
        for field, value in zip(self.fields, values):
            setattr(self, field, value)
        for field in rest:
            setattr(self, field, named[field])

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False
        return all([getattr(self, f) == getattr(other, f) for f in self.fields])

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        shown = []
        for field in self.fields:
            value = getattr(self, field)
            hidden = field in self.secret and value is not None
            shown.append("%s=%s" % (field, "..." if hidden else show(value)))
        return "%s(%s)" % (type(self).__name__, ", ".join(shown))
