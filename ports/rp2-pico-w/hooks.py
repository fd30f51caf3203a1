"""What the agent's driver cannot do by the facts of board.py alone: Wi-Fi, watchdog, restart."""

import board
import machine
from anchorwatch_board.watchdog import Slow
from anchorwatch_board.wifi import Station

_CHIP_MS = 8000  # its watchdog can wait for 8.3 s at most
_SCRATCH, _ASKED = 0x4005800C, 0x616E6368  # a register that a reset does not clear; "anch"
_watchdog = Slow(_CHIP_MS, board.watchdog_s)
_station = None
feed = _watchdog.feed


def bring_up_network(config):
    """Join the network of wifi.json."""
    global _station
    if _station is None:
        _station = Station(feed)
    _station.up()


def restart(reason):
    """Start again. The chip does it by its watchdog, so it is written down who asked."""
    machine.mem32[_SCRATCH] = _ASKED
    machine.reset()


def bitten():
    """Whether the watchdog has reset the board without restart()."""
    asked = machine.mem32[_SCRATCH] == _ASKED
    machine.mem32[_SCRATCH] = 0
    return machine.reset_cause() == machine.WDT_RESET and not asked
