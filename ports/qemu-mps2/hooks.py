"""What the facts of board.py cannot do for the agent's driver: the watchdog and the restart."""

import board
import machine

_watchdog = None


def feed():
    """The watchdog begins with the first feed: a program that does not feed is not reset."""
    global _watchdog
    if _watchdog is None:
        _watchdog = machine.WDT(timeout=1000 * board.watchdog_s)
    _watchdog.feed()


def restart(reason):
    """Start again, as after a loss of power but for machine.reset_cause()."""
    machine.reset()
