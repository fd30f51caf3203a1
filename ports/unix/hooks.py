"""What MicroPython's unix port can do beyond the facts of board.py: it has the computer's clock."""

import time


def utc_s():
    """Seconds since 1970."""
    return int(time.time())
