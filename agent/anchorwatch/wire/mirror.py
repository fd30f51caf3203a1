"""Where bundles may come from: URLs of the cloud against the operator's list.

Rule: scheme, host and port are equal, the path begins with the listed one at a whole segment; no
user, no query, no dots. A private address is reached only by being listed.

Source: design section 7, R9.
"""

from ..errors import MalformedMessage
from .encoding import base64_bytes

SCHEMES = ("http", "https")
FILE, INLINE = "file:", "inline:"
URL_AT_MOST = 1024
FILES_AT_MOST = 80


def is_url(url: object) -> bool:
    """http:// or https:// with a host and a path of plain characters."""
    if not isinstance(url, str) or len(url) > URL_AT_MOST:
        return False
    scheme, there, rest = url.partition("://")
    strange = [c for c in rest if not " " < c < "\x7f" or c in "@?#\\%"]
    segments = rest.split("/")
    return scheme in SCHEMES and bool(there and segments[0]) and not strange and not _dots(segments)


def is_allowed(url: str, prefixes: list[str]) -> bool:
    """True when a URL is one of the prefixes or below it."""
    for prefix in prefixes:
        bare = prefix[:-1] if prefix[-1:] == "/" else prefix
        if is_url(url) and (url == bare or url.startswith(bare + "/")):
            return True
    return False


def _dots(segments: list[str]) -> bool:
    return bool([segment for segment in segments[1:] if segment in (".", "..")])


def inline(given: object) -> dict[str, bytes]:
    """The files of a small bundle that came in a message: metadata as text, certificates in
    base64; MalformedMessage for anything else.

    given  {name: text}, or [{"name", "text"}]: a twin takes no name with a dot
    """
    table = _table(given) if isinstance(given, list) else given
    if not isinstance(table, dict) or not 0 < len(table) <= FILES_AT_MOST:
        raise MalformedMessage("files are no table of names")
    files = {}
    for name in sorted(table):
        text = table[name]
        if not isinstance(text, str) or "/" in name or name[:1] in ("", "."):
            raise MalformedMessage("not a file of a bundle", name)
        files[name] = base64_bytes(text) if name.endswith(".der") else text.encode()
    return files


def _table(rows: list[object]) -> dict[str, object]:
    table: dict[str, object] = {}
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise MalformedMessage("file of a bundle without a name")
        if row["name"] in table:
            raise MalformedMessage("two files of a bundle have one name", row["name"])
        table[row["name"]] = row.get("text")
    return table
