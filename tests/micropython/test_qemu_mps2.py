"""The board `qemu-mps2`, a Cortex-M3 binary in QEMU: boot, resets, network.

Rule: what the guest prints and how it ends is all that counts.
"""

import contextlib
import socket
import threading

import pytest

from hil.bench import qemu
from tests.micropython import guest

pytestmark = [pytest.mark.micropython, pytest.mark.lane_firmware]

SECOND_S = 1_900_000_000


# Boot, and how a run ends.


def test_board_has_the_modules_of_the_agent_and_says_what_it_is(tmp_path):
    main = """
import sys
for name in ("binascii collections gc hashlib json machine os random select socket struct time tls "
             "vfs anchorwatch_mbedtls anchorwatch anchorwatch_board board hooks").split():
    __import__(name)
try:
    import ssl
except ImportError:
    print("no ssl")
import hashlib, os
print(sys.platform, hashlib.sha1(b"").digest()[:2], len(os.urandom(7)), os.listdir("/"))
"""
    status, text = guest.run(tmp_path, main)
    assert text == "no ssl\nqemu-mps2 b'\\xda9' 7 ['main.py']\n"
    assert status == qemu.MAIN_ENDED


def test_exit_status_of_the_program_is_that_of_the_run(tmp_path):
    assert guest.run(tmp_path, "import sys\nsys.exit(7)") == (7, "")


def test_exception_that_nobody_takes_is_printed_and_ends_the_run(tmp_path):
    status, text = guest.run(tmp_path, "def f():\n    raise ValueError('all wrong')\nf()")
    assert status == qemu.MAIN_RAISED
    assert text.endswith('  File "main.py", line 2, in f\nValueError: all wrong\n')


def test_fault_is_told_in_a_line_and_ends_the_run(tmp_path):
    main = "import machine\nprint('on')\nmachine.mem32[0x70000000]\nprint('not reached')"
    status, text = guest.run(tmp_path, main)
    assert status == qemu.FAULT
    assert text.startswith("on\n\nHardFault: pc ") and text.endswith("address 70000000\n")


def test_recursion_without_end_is_an_exception_and_no_fault(tmp_path):
    status, text = guest.run(tmp_path, "def f():\n    f()\nf()")
    assert status == qemu.MAIN_RAISED
    assert text.endswith("RuntimeError: maximum recursion depth exceeded\n")


def test_heap_is_as_large_as_the_run_was_told(tmp_path):
    main = "import gc\ngc.collect()\nprint(gc.mem_free() + gc.mem_alloc())"
    image = guest.new_disk(tmp_path, main)
    for kib in (64, 96, 256):
        status, text = guest.again(image, heap=kib * 1024)
        assert status == 0
        assert 0.96 * kib * 1024 < int(text) <= kib * 1024


def test_clock_counts_from_2000_starts_as_told_and_can_be_set(tmp_path):
    main = """
import machine, time
print(time.gmtime(0)[0], time.time())
machine.RTC().datetime((2031, 1, 2, 3, 4, 5, 6, 0))
print(time.gmtime()[:6], machine.RTC().datetime()[:7])
"""
    _, text = guest.run(tmp_path, main, utc=SECOND_S)
    first, second = text.splitlines()
    assert first.split()[0] == "2000"
    assert 0 <= int(first.split()[1]) - (SECOND_S - 946_684_800) < 60
    assert second.startswith("(2031, 1, 2, 4, 5, ") and second.endswith(")")


def test_board_that_never_had_the_time_starts_in_2000(tmp_path):
    _, text = guest.run(tmp_path, "import time\nprint(time.gmtime()[0])", utc=0)
    assert text == "2000\n"


# Resets.

RESET = """
import machine, time
print(machine.reset_cause() == machine.%s)
if machine.reset_cause() != machine.PWRON_RESET:
    raise SystemExit(5)
%s
"""


def test_reset_that_was_asked_for_starts_the_program_again(tmp_path):
    main = RESET % ("HARD_RESET", "machine.reset()")
    assert guest.run(tmp_path, main) == (5, "False\nTrue\n")


def test_watchdog_that_is_not_fed_resets_the_board(tmp_path):
    main = RESET % ("WDT_RESET", "machine.WDT(timeout=300)\nwhile True:\n    pass")
    assert guest.run(tmp_path, main) == (5, "False\nTrue\n")


def test_watchdog_that_is_fed_does_not(tmp_path):
    feeding = "w = machine.WDT(timeout=20000)\nfor _ in range(9):\n    w.feed()\nprint('fed')"
    assert guest.run(tmp_path, RESET % ("WDT_RESET", feeding)) == (0, "False\nfed\n")


# Network: the host's loopback and nothing else.

REACH = """
import socket
for address in {places!r}:
    s = socket.socket()
    s.settimeout(30)
    try:
        s.connect(socket.getaddrinfo(*address)[0][-1])
        print(s.recv(20))
    except OSError as error:
        print(error.errno)
    s.close()
"""


class Plain:
    """A TCP server of the host: `talk(visitor)` with each who comes, in a thread."""

    def __init__(self, talk, address="127.0.0.1"):
        self._talk, self._listener = talk, socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(visitor,), daemon=True).start()

    def _serve(self, visitor):
        with visitor, contextlib.suppress(OSError):
            self._talk(visitor)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()


def greet(visitor):
    """Say to which address they came."""
    visitor.sendall(visitor.getsockname()[0].encode())


def echo_plainly(visitor):
    while data := visitor.recv(4096):
        visitor.sendall(data)


def test_board_reaches_every_address_of_the_hosts_loopback_and_none_beyond(tmp_path):
    with Plain(greet) as one, Plain(greet, "127.9.8.7") as other:
        places = [("10.0.2.2", one.port), ("127.0.0.1", one.port), ("127.9.8.7", other.port)]
        beyond = [("192.0.2.1", 80), ("198.51.100.7", 443)]
        _, text = guest.run(tmp_path, REACH.format(places=places + beyond))
    assert text.split() == ["b'127.0.0.1'", "b'127.0.0.1'", "b'127.9.8.7'", "113", "113"]


RECONNECTS = """
import gc, socket

def visit(number):
    s = socket.socket()
    s.settimeout(60)
    s.connect(socket.getaddrinfo("127.0.0.1", {port})[0][-1])
    s.write(bytes(2000))
    heard = 0
    while number % 3 and heard < 2000:      # every third leaves before it has heard its words
        heard += len(s.recv(2000))
    s.close()

visit(1)
gc.collect()
before = gc.mem_free()
for number in range(100):
    visit(number)
gc.collect()
print(before - gc.mem_free() < 1000)
"""


def test_a_hundred_connections_leave_the_memory_as_it_was(tmp_path):
    with Plain(echo_plainly) as server:
        assert guest.run(tmp_path, RECONNECTS.format(port=server.port)) == (0, "True\n")


def test_each_program_says_how_long_a_record_it_takes_in(tmp_path):
    main = "import anchorwatch_mbedtls\nprint(anchorwatch_mbedtls.IN_CONTENT_LEN)"
    for records, length in (("16k", "16384\n"), ("4k", "4096\n")):
        assert guest.run(tmp_path, main, elf=guest.firmware(records)) == (0, length)
