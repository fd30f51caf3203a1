"""What this board is and can: the facts of its `board.py` and the functions of its `hooks.py`.

Rule: both are optional and every name in them is; without one the driver does what any board can.

Source: ports/README.md.
"""

import gc
import time

_FROM_2000_S = 946_684_800
FACTS = {
    "name": "a board",
    "second_session": True,  # room for a second TLS session beside the live one
    "tls_in_bytes": 16_384,  # the longest record that the TLS library takes in
    "handshake_kib": 24,  # with less of the heap free a chain that fits no root says nothing
    "watchdog_s": 0,  # the hardware bites after so long; 0: there is none
    "keeps_time_without_power": False,
}
_READ_MS = 3_600_000  # the steady clock's counter wraps after days
_HOOKS = ("utc_s", "set_clock", "feed", "restart", "bitten", "bring_up_network", "tls_free",
          "sign")


class Port:
    """`facts`: FACTS with what board.py says; `hooks`: {name: function} of hooks.py."""

    def __init__(self, board=None, hooks=None):
        self.facts = {name: getattr(board, name, FACTS[name]) for name in FACTS}
        self.facts.update({name: FACTS[name] for name in FACTS if self.facts[name] is None})
        self._hooks = {name: getattr(hooks, name) for name in _HOOKS if hasattr(hooks, name)}

    def utc_s(self):
        """Seconds since 1970 by the board's own clock; None where it has none."""
        if "utc_s" in self._hooks:
            return self._hooks["utc_s"]()
        return None if _rtc() is None else int(time.time()) + _epoch_s()

    def set_clock(self, utc_s):
        """Set the board's own clock, by which its TLS library judges dates."""
        if "set_clock" in self._hooks:
            self._hooks["set_clock"](utc_s)
        elif _rtc() is not None:
            year, month, day, hour, minute, second, weekday = time.gmtime(utc_s - _epoch_s())[:7]
            _rtc()().datetime((year, month, day, weekday, hour, minute, second, 0))

    @property
    def sets_clock(self):
        """Whether the board's clock is ours to set."""
        return _rtc() is not None or "set_clock" in self._hooks

    @property
    def element(self):
        """Signs a SHA-256 by the key of a secure element; None: there is none."""
        return self._hooks.get("sign")

    @property
    def longest_ms(self):
        """How long the loop may sleep: the watchdog wants to be fed, a counter to be read."""
        return 1000 * self.facts["watchdog_s"] // 3 or _READ_MS

    def feed(self):
        """Feed the hardware watchdog."""
        self._call("feed")

    def restart(self, reason):
        """Restart the board; returns where it cannot."""
        self._call("restart", reason)

    def bitten(self):
        """Whether it was the watchdog that reset the board."""
        if "bitten" in self._hooks:
            return self._hooks["bitten"]()
        try:
            import machine

            return machine.reset_cause() == machine.WDT_RESET
        except (ImportError, AttributeError):
            return False  # this port does not tell

    def bring_up_network(self, config):
        """Have the network up, or try: it is called before every look-up of a name."""
        self._call("bring_up_network", config)

    @property
    def tls_in_heap(self):
        """Whether the TLS library takes its memory from the heap that is collected."""
        return "tls_free" not in self._hooks

    def tls_free(self):
        """Bytes free where the TLS library takes its memory: in the heap, unless a hook knows."""
        gc.collect()
        return self._hooks["tls_free"]() if "tls_free" in self._hooks else gc.mem_free()

    def _call(self, name, *given):
        hook = self._hooks.get(name)
        return None if hook is None else hook(*given)


def here():
    """The port that this device was made with: modules `board` and `hooks`, where there are any."""
    return Port(module("board"), module("hooks"))


def module(name):
    """A module of this port; None without one."""
    try:
        return __import__(name)
    except ImportError:
        return None


def _rtc():
    """The class of the board's own clock; None: it has none."""
    return getattr(module("machine"), "RTC", None)


def _epoch_s():
    """What the runtime's clock counts from, in seconds since 1970."""
    return _FROM_2000_S if time.gmtime(0)[0] == 2000 else 0
