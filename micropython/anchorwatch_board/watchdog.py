"""A hardware watchdog that is too quick for the loop, made slower by a timer; for hooks.py.

Rule: the timer feeds the chip only while the loop has fed within its own, longer time. A loop that
hangs stops the timer's feeding, and an interpreter that hangs stops the timer.
"""

import machine

_TICK_MS = 1000


class Slow:
    """chip_ms  what the chip is told; patience_s  the longest between two feeds of the loop

    It begins with the first feed: a program that does not feed is not reset.
    """

    def __init__(self, chip_ms, patience_s):
        self._chip_ms, self._patience_s = chip_ms, patience_s
        self._left_s = 0
        self._chip = self._timer = None

    def feed(self):
        """The loop is alive."""
        self._left_s = self._patience_s
        if self._chip is None:
            self._chip = machine.WDT(timeout=self._chip_ms)
            self._timer = machine.Timer(-1)
            self._timer.init(mode=machine.Timer.PERIODIC, period=_TICK_MS, callback=self._tick)

    def _tick(self, timer):
        if self._left_s > 0:
            self._left_s -= 1
            self._chip.feed()
