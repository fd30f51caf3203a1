"""What is kept of a crash. Rule: names and places in our own shape, no value of a variable."""

import os

from ..errors import plain

_FRAMES = 8


def account(error: BaseException, utc_s: int, before: dict | None) -> dict:
    """{"what", "where", "at_utc_s", "count"}: the innermost frames last."""
    where = []
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        where.append("%s:%d %s" % (os.path.basename(code.co_filename), at.tb_lineno, code.co_name))
        at = at.tb_next
    return {"what": plain("%s: %s" % (type(error).__name__, error)), "where": where[-_FRAMES:],
            "at_utc_s": utc_s, "count": (before or {}).get("count", 0) + 1}
