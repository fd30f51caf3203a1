"""Calendar dates into seconds since 1970, with integers: a board's float has 24 bits.

Rule: a date that does not exist is refused; a leap second counts as the second before it.
"""

from ..errors import MalformedMessage

_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def utc_s(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Seconds since 1970-01-01T00:00:00Z of a Gregorian date; before 1970 it is negative."""
    if not 1 <= month <= 12 or not 1 <= day <= _length(year, month):
        raise MalformedMessage("no such date", "%d-%d-%d" % (year, month, day))
    if hour > 23 or minute > 59 or second > 60 or min(hour, minute, second) < 0:
        raise MalformedMessage("no such time", "%d:%d:%d" % (hour, minute, second))
    days = _days_before(year) + day - 1
    for earlier in range(1, month):
        days += _length(year, earlier)
    return ((days * 24 + hour) * 60 + minute) * 60 + min(second, 59)


def _length(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap and month == 2 else _LENGTHS[month - 1]


def _days_before(year: int) -> int:
    past = year - 1
    return 365 * past + past // 4 - past // 100 + past // 400 - 719_162
