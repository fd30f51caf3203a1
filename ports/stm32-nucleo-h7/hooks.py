"""What the agent's driver cannot do by the facts of board.py alone: Ethernet, watchdog, restart."""

import time

import board
import machine
import network
from anchorwatch_board.watchdog import Slow

_CHIP_MS = 30000  # its watchdog can wait for 32 s at most
_LINK_S = 20
_watchdog = Slow(_CHIP_MS, board.watchdog_s)
_lan = None
feed = _watchdog.feed


def bring_up_network(config):
    """Have an address by DHCP; wait for it, but not for ever."""
    global _lan
    if _lan is None:
        _lan = network.LAN()
        _lan.active(True)
    for _ in range(_LINK_S):
        if _lan.isconnected():
            return
        feed()
        time.sleep(1)


def restart(reason):
    """Start again, as after a loss of power but for machine.reset_cause()."""
    machine.reset()
