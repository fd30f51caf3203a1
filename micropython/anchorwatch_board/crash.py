"""What is kept of a crash, and of a reset by the watchdog, until the agent has run for an hour.

Rule: names and places in our own shape, no value of a variable. A crash may be the want of memory:
then the account is as long as there is room for. A board's clock may begin anew at each start, so a
crash counts until an hour is known to have passed: by the clock, or by the agent having been up for
so long.
"""

import gc
import io
import sys

from anchorwatch.errors import plain

HOUR_S = 3_600
HOUR_MS = 3_600_000
_FRAMES, _KEPT = 8, 8
_RESET = "the watchdog has reset the board"


def account(error, utc_s: int, before) -> dict:
    """{"what", "where", "at_utc_s", "count", "recent"}: the innermost frames last.

    recent  when it crashed within the hour, this one included
    """
    gc.collect()
    name = type(error).__name__
    what = _as_room(lambda: plain("%s: %s" % (name, error)), name)
    return _body(what, _as_room(lambda: _where(error), []), utc_s, before)


def reset(utc_s: int, before) -> dict:
    """The same for a board that the watchdog had to reset: nobody knows where it was."""
    return _body(_RESET, [], utc_s, before)


def within_the_hour(body, utc_s: int) -> list:
    """When it crashed, of the crashes that may be within the hour before `utc_s`."""
    return [at for at in (body or {}).get("recent", []) if utc_s - at < HOUR_S]


def settle(store, body, up_ms: int):
    """The body, written without what counts once the agent has been up for an hour."""
    if up_ms < HOUR_MS or not body or not body.get("recent"):
        return body
    calm = dict(body, recent=[])
    try:
        store.save("crash", calm)
    except (OSError, MemoryError):
        pass  # it counts again after the next start; no reason to try again now
    return calm


def _body(what: str, where: list, utc_s: int, before) -> dict:
    recent = within_the_hour(before, utc_s) + [utc_s]
    return {"what": what, "where": where, "at_utc_s": utc_s,
            "count": (before or {}).get("count", 0) + 1, "recent": recent[-_KEPT:]}


def _as_room(told, else_):
    """What `told` gives, where there is room for it."""
    try:
        return told()
    except MemoryError:
        gc.collect()
        return else_


def _where(error) -> list:
    """["FILE:LINE FUNCTION"] out of `File "FILE", line LINE, in FUNCTION`."""
    printed = io.StringIO()
    sys.print_exception(error, printed)
    found = []
    for line in printed.getvalue().split("\n"):
        words = line.strip().split('"')
        if len(words) == 3 and words[0] == "File ":
            place = words[2].replace(", line ", ":").replace(", in ", " ")
            found.append(words[1].rpartition("/")[2] + place)
    return found[-_FRAMES:]
