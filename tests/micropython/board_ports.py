"""The hooks of the boards that are sold, tried with stand-ins of what their firmware alone has.

Rule: the stand-ins count and answer; what a chip really does nobody has seen here.
"""

import json
import sys

from anchorwatch_board import port, resolve
from anchorwatch_board.folder import make
from board_store import raises

PORTS = __file__.rpartition("/tests/")[0] + "/ports/"


class Reset(Exception):
    """The board begins anew."""


class Machine:
    """The module `machine`, and the chip behind it."""

    WDT_RESET, PWRON_RESET = 3, 1

    def __init__(self):
        self.timeouts, self.fed, self.timers = [], 0, []
        self.mem32, self.cause = {0x4005800C: 0}, self.PWRON_RESET
        machine = self

        class WDT:
            def __init__(self, timeout):
                machine.timeouts.append(timeout)

            def feed(self):
                machine.fed += 1

        class Timer:
            PERIODIC = 1

            def __init__(self, number):
                assert number == -1

            def init(self, mode, period, callback):
                assert (mode, period) == (self.PERIODIC, 1000)
                machine.timers.append(callback)

        self.WDT, self.Timer = WDT, Timer

    def reset(self):
        raise Reset()

    def reset_cause(self):
        return self.cause

    def seconds(self, count):
        """As many turns of the timers."""
        for _ in range(count):
            for turn in self.timers:
                turn(None)


class Network:
    """The module `network`: up after `joins` questions."""

    STA_IF = 0

    def __init__(self, joins):
        self.joins, self.given, self.made = joins, [], 0
        self.LAN = self.WLAN = self._interface

    def _interface(self, *number):
        self.made += 1
        return self

    def active(self, on):
        assert on

    def connect(self, name, password):
        self.given.append((name, password))
        if len(self.given) > 1:
            raise OSError("sta is connecting")

    def isconnected(self):
        self.joins -= 1
        return self.joins < 0


class Esp32:
    """The module `esp32`: heaps of the chip's own system."""

    HEAP_DATA = 4

    def idf_heap_info(self, kind):
        assert kind == self.HEAP_DATA
        return [(7288, 176, 100, 0), (94_064, 50_000, 40_960, 5664), (15_072, 13_448, 8192, 9)]


class Time:
    """The module `time`, in which nothing lasts."""

    def __init__(self):
        self.slept = 0

    def sleep(self, seconds):
        self.slept += seconds


def loaded(name, joins=0):
    """(hooks, machine, network, time) of a port, loaded anew."""
    machine, network, time = Machine(), Network(joins), Time()
    for module in ("hooks", "board", "anchorwatch_board.wifi", "anchorwatch_board.watchdog"):
        sys.modules.pop(module, None)
    real = sys.modules.get("time")
    sys.modules.update({"machine": machine, "network": network, "esp32": Esp32(), "time": time})
    sys.path.insert(0, PORTS + name)
    try:
        return __import__("hooks"), machine, network, time
    finally:
        sys.path.pop(0)
        for module in ("machine", "network", "esp32", "time"):
            sys.modules.pop(module)
        if real is not None:
            sys.modules["time"] = real


def test_wifi_is_joined_as_the_file_says_and_nothing_of_it_is_printed(path):
    file = path + "/wifi.json"
    make(path)
    with open(file, "w") as opened:
        json.dump({"ssid": "shop", "password": "s3cret"}, opened)
    for name in ("esp32-s3", "rp2-pico-w"):
        hooks, _, network, time = loaded(name, joins=3)
        said = []
        station = sys.modules.get("anchorwatch_board.wifi").Station(hooks.feed, file, said.append)
        assert station.up() and network.given == [("shop", "s3cret")] and time.slept == 2
        assert station.up() and len(network.given) == 1
        assert said == []


def test_network_that_is_lost_is_joined_again_while_the_watchdog_is_fed(path):
    file = path + "/wifi.json"
    make(path)
    with open(file, "w") as opened:
        json.dump({"ssid": "shop", "password": "s3cret"}, opened)
    hooks, machine, network, time = loaded("esp32-s3", joins=99)
    station = sys.modules.get("anchorwatch_board.wifi").Station(hooks.feed, file, print)
    assert not station.up() and time.slept == machine.fed == 20
    assert not station.up() and len(network.given) == 2


def test_wifi_file_that_cannot_be_read_is_said_without_what_is_in_it(path):
    make(path)
    hooks, _, network, _ = loaded("rp2-pico-w", joins=99)
    said = []
    station = sys.modules.get("anchorwatch_board.wifi").Station(
        hooks.feed, path + "/wifi.json", said.append)  # fmt: skip
    for text in (None, '{"ssid": "shop", "password": "s3c', '{"password": "s3cret"}', "[]"):
        if text is not None:
            with open(path + "/wifi.json", "w") as opened:
                opened.write(text)
        station.up()
    assert len(said) == 4 and network.given == []
    for line in said:
        assert line.startswith("warning what=wifi-file-unreadable") and "s3c" not in line


def test_ethernet_is_waited_for_and_made_once(path):
    hooks, machine, network, time = loaded("stm32-nucleo-h7", joins=2)
    hooks.bring_up_network(None)
    hooks.bring_up_network(None)
    assert (network.made, time.slept, machine.fed) == (1, 2, 0)


def test_watchdog_begins_with_the_first_feed_and_bites_after_the_facts_time(path):
    for name, chip_ms in (("rp2-pico-w", 8000), ("stm32-nucleo-h7", 30_000)):
        hooks, machine, _, _ = loaded(name)
        assert machine.timeouts == [] and machine.timers == []
        hooks.feed()
        hooks.feed()
        assert machine.timeouts == [chip_ms] and len(machine.timers) == 1
        machine.seconds(50)
        hooks.feed()
        machine.seconds(200)
        assert machine.fed == 50 + 120
    hooks, machine, _, _ = loaded("esp32-s3")
    hooks.feed()
    hooks.feed()
    assert machine.timeouts == [120_000] and machine.fed == 2


def test_restart_that_was_asked_for_is_no_bite_of_the_watchdog(path):
    for name in ("rp2-pico-w", "esp32-s3", "stm32-nucleo-h7"):
        hooks, machine, _, _ = loaded(name)
        raises(Reset, hooks.restart, "crash")
        if name != "rp2-pico-w":
            continue
        machine.cause = machine.WDT_RESET
        board = port.Port(None, hooks)
        assert not board.bitten()
        assert board.bitten()
        machine.cause = machine.PWRON_RESET
        assert not board.bitten()


def test_memory_of_tls_is_asked_where_the_firmware_takes_it(path):
    hooks, _, _, _ = loaded("esp32-s3")
    assert port.Port(None, hooks).tls_free() == 40_960
    assert port.Port().tls_free() > 100_000


def test_network_is_brought_up_before_every_look_up(path):
    ups = []
    resolver = resolve.Resolver({"a.example:1": ["127.0.0.1:2"]}, None, lambda: ups.append(1))
    for count in (1, 2):
        assert resolver.addresses("a.example", 1) == [("127.0.0.1", 2)]
        assert len(ups) == count
    assert resolver.listed("a.example", 1) and len(ups) == 2
