"""What the agent's driver cannot do by the facts of board.py alone: Wi-Fi, watchdog, TLS memory."""

import board
import esp32
import machine
from anchorwatch_board.wifi import Station

_LARGEST = 2  # of (total, free, largest free piece, least free ever)
_watchdog = _station = None


def bring_up_network(config):
    """Join the network of wifi.json."""
    global _station
    if _station is None:
        _station = Station(feed)
    _station.up()


def feed():
    """The watchdog begins with the first feed: a program that does not feed is not reset."""
    global _watchdog
    if _watchdog is None:
        _watchdog = machine.WDT(timeout=1000 * board.watchdog_s)
    _watchdog.feed()


def tls_free():
    """The largest free piece outside the heap of MicroPython: TLS takes its memory there."""
    return max([piece[_LARGEST] for piece in esp32.idf_heap_info(esp32.HEAP_DATA)])


def restart(reason):
    """Start again, as after a loss of power but for machine.reset_cause()."""
    machine.reset()
