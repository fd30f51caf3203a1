"""The agent's log: a line on standard error and a bounded memory of the last ones for `logs`.

Rule: what a peer sent is escaped and cut before it is shown; payloads and answers are not shown.
"""

from collections import deque

from ..core.record import show
from ..errors import plain

_KEEP = 500
_LINE_AT_MOST = 1000
_NOT_SHOWN = ("payload", "desired", "is", "ask_id")
_BARE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+"


class Journal:
    """`write` takes one line of text; `now_ms` stamps the lines that are kept."""

    def __init__(self, write, now_ms) -> None:
        self._write, self._now_ms = write, now_ms
        self._kept: deque = deque(maxlen=_KEEP)

    def note(self, name: str, about: dict) -> None:
        """Log one Tell: `fault class=network verdict=refused`."""
        line = line_of(name, about)
        self._kept.append({"t_ms": self._now_ms(), "line": line})
        self._write(line)

    def lines(self, most: int) -> list[dict]:
        """The last lines, oldest first: {"t_ms", "line"}."""
        return list(self._kept)[-most:] if most > 0 else []


def line_of(name: str, about: dict) -> str:
    """One line of printable ASCII."""
    parts = [plain(name)]
    for key in about:
        if key in _NOT_SHOWN or about[key] in ("", None):
            continue
        inner = about[key] if isinstance(about[key], dict) else {key: about[key]}
        parts += ["%s=%s" % (plain(name), _value(inner[name])) for name in sorted(inner)]
    return plain(" ".join(parts), _LINE_AT_MOST)


def _value(value: object) -> str:
    text = plain(value if isinstance(value, str) else show(value))
    if text and not [c for c in text if c not in _BARE]:
        return text
    return '"%s"' % text.replace('"', "'")
