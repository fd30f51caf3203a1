"""The agent's log: one line a word of the core, for a console.

Rule: what a peer sent is escaped and cut before it is shown; payloads and answers are not shown.
"""

from anchorwatch.core.record import show
from anchorwatch.errors import plain

_LINE_AT_MOST = 500
_NOT_SHOWN = ("payload", "desired", "is", "ask_id")


def line_of(name, about):
    """One line of printable ASCII; its first word alone where there is no memory for the others."""
    try:
        return _whole(name, about)
    except MemoryError:
        return plain(name)


def _whole(name, about):
    parts = [plain(name)]
    for key in sorted(about):
        if key in _NOT_SHOWN or about[key] in ("", None):
            continue
        inner = about[key] if isinstance(about[key], dict) else {key: about[key]}
        parts += ["%s=%s" % (plain(word), _value(inner[word])) for word in sorted(inner)]
    return plain(" ".join(parts), _LINE_AT_MOST)


def _value(value):
    text = plain(value if isinstance(value, str) else show(value))
    return '"%s"' % text.replace('"', "'") if not text or " " in text else text
