"""What is kept of a crash. Rule: names and places in our own shape, no value of a variable."""

import os

from ..errors import plain

_FRAMES = 8
HOUR_S = 3_600


def account(error: BaseException, utc_s: int, before: dict | None) -> dict:
    """{"what", "where", "at_utc_s", "count", "recent"}: the innermost frames last.

    recent  when it crashed within the hour, this one included
    """
    where = []
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        where.append("%s:%d %s" % (os.path.basename(code.co_filename), at.tb_lineno, code.co_name))
        at = at.tb_next
    return {"what": plain("%s: %s" % (type(error).__name__, error)), "where": where[-_FRAMES:],
            "at_utc_s": utc_s, "count": (before or {}).get("count", 0) + 1,
            "recent": within_the_hour(before, utc_s) + [utc_s]}


def within_the_hour(body: dict | None, utc_s: int) -> list[int]:
    """When it crashed in the hour before `utc_s`; a clock that was set back forgets."""
    return [at for at in (body or {}).get("recent", []) if 0 <= utc_s - at < HOUR_S]
