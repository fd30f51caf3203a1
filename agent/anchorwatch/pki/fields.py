"""Members of a signed JSON tree, each with the type and the bounds it must have.

Rule: what is missing, of another type or out of bounds is one MalformedMessage that names the
member; nothing behind this file meets a value it did not ask for. Times end in `Z` and name a date
that exists; a fraction of a second is dropped.

Source: TUF specification 1.0, section 4; RFC 3339.
"""

from ..errors import MalformedMessage
from ..wire import civil

WHOLE_MOST = 0x7FFFFFFF
TEXT_AT_MOST = 4096
_HEX = "0123456789abcdef"
_SEPARATORS = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"))


def wrong(name: str, value: object = "") -> MalformedMessage:
    """The one error for a member that is not what it must be."""
    return MalformedMessage("signed file with a wrong or missing '%s'" % name, value)


def whole(tree: dict[str, object], name: str, least: int = 0, most: int = WHOLE_MOST) -> int:
    """A whole number from `least` to `most`."""
    value = tree.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(name, value)
    return value


def flag(tree: dict[str, object], name: str, absent: bool) -> bool:
    """True or false; `absent` where there is no such member."""
    value = tree.get(name, absent)
    if not isinstance(value, bool):
        raise wrong(name, value)
    return value


def text(tree: dict[str, object], name: str, at_most: int = TEXT_AT_MOST) -> str:
    """Text that is not empty."""
    value = tree.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= at_most:
        raise wrong(name, value)
    return value


def chosen(tree: dict[str, object], name: str, words: tuple[str, ...]) -> str:
    """One of `words`."""
    value = tree.get(name)
    if not isinstance(value, str) or value not in words:
        raise wrong(name, value)
    return value


def mapped(tree: dict[str, object], name: str, at_most: int) -> dict[str, object]:
    """An object of at most `at_most` members."""
    value = tree.get(name)
    if not isinstance(value, dict) or len(value) > at_most:
        raise wrong(name)
    return value


def listed(tree: dict[str, object], name: str, at_most: int) -> list[object]:
    """A list of at most `at_most` items."""
    value = tree.get(name)
    if not isinstance(value, list) or len(value) > at_most:
        raise wrong(name)
    return value


def objects(tree: dict[str, object], name: str, at_most: int) -> list[dict[str, object]]:
    """A list of objects."""
    items = listed(tree, name, at_most)
    found = [item for item in items if isinstance(item, dict)]
    if len(found) < len(items):
        raise wrong(name)
    return found


def words(tree: dict[str, object], name: str, at_most: int) -> list[str]:
    """A list of texts, each of them once."""
    items = listed(tree, name, at_most)
    found = [item for item in items if isinstance(item, str) and len(item) <= TEXT_AT_MOST]
    if len(found) < len(items) or len(set(found)) < len(found):
        raise wrong(name)
    return found


def is_sha256(value: object) -> bool:
    """Whether it is 64 hexadecimal digits, lower case."""
    return isinstance(value, str) and len(value) == 64 and not [c for c in value if c not in _HEX]


def digits(tree: dict[str, object], name: str, at_most: int) -> str:
    """Hexadecimal digits, lower case: also safe as a part of a file's name."""
    value = text(tree, name, at_most)
    if [c for c in value if c not in _HEX]:
        raise wrong(name, value)
    return value


def sha256(tree: dict[str, object], name: str) -> str:
    """A fingerprint."""
    value = tree.get(name)
    if not isinstance(value, str) or not is_sha256(value):
        raise wrong(name, value)
    return value


def instant(tree: dict[str, object], name: str) -> int:
    """`2030-01-31T12:00:00Z` in seconds since 1970."""
    value = text(tree, name, 40)
    date, fraction = value[:19], value[19:-1]
    shape = len(date) == 19 and value[-1] == "Z" and len(value) > 19
    if not shape or (fraction and (fraction[0] != "." or not _digits(fraction[1:]))):
        raise wrong(name, value)
    for at, separator in _SEPARATORS:
        if date[at] != separator:
            raise wrong(name, value)
    parts = [date[0:4], date[5:7], date[8:10], date[11:13], date[14:16], date[17:19]]
    if [part for part in parts if not _digits(part)]:
        raise wrong(name, value)
    year, month, day, hour, minute, second = [int(part) for part in parts]
    try:
        return civil.utc_s(year, month, day, hour, minute, second)
    except MalformedMessage:
        raise wrong(name, value)


def _digits(part: str) -> bool:
    return part != "" and not [c for c in part if not "0" <= c <= "9"]
