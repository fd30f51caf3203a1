"""Dates as people and metadata write them.

Rule: UTC only. `2026-11-30` is its first second; anything finer is `2026-11-30T12:00:00Z`.
"""

import datetime

from ..errors import ConfigError

DAY_S = 86_400
_FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")


def utc_s(text: str) -> int:
    """Seconds since 1970 of a date that somebody typed."""
    for form in _FORMS:
        try:
            read = datetime.datetime.strptime(text, form)
        except ValueError:
            continue
        return int(read.replace(tzinfo=datetime.timezone.utc).timestamp())
    raise ConfigError("not a date", text, "write 2026-11-30 or 2026-11-30T12:00:00Z")


def text(seconds: int) -> str:
    """`2026-11-30T12:00:00Z`."""
    return moment(seconds).strftime(_FORMS[0])


def day(seconds: int) -> str:
    """`2026-11-30`."""
    return moment(seconds).strftime(_FORMS[1])


def moment(seconds: int) -> datetime.datetime:
    """The same for the library that writes metadata."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
