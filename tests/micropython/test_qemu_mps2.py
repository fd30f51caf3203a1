"""The board `qemu-mps2`, a Cortex-M3 binary in QEMU: boot, resets, network, and its disk.

Rule: what the guest prints and what it leaves on the disk is all that counts.
"""

import contextlib
import socket
import threading

import pytest

from hil.bench import disk, qemu
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


@contextlib.contextmanager
def greeter(address):
    """Says its address to each who comes; gives its port."""

    def serve():
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            with visitor:
                visitor.sendall(address.encode())

    with socket.create_server((address, 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_board_reaches_every_address_of_the_hosts_loopback_and_none_beyond(tmp_path):
    with greeter("127.0.0.1") as one, greeter("127.9.8.7") as other:
        places = [("10.0.2.2", one), ("127.0.0.1", one), ("127.9.8.7", other)]
        beyond = [("192.0.2.1", 80), ("198.51.100.7", 443)]
        _, text = guest.run(tmp_path, REACH.format(places=places + beyond))
    assert text.split() == ["b'127.0.0.1'", "b'127.0.0.1'", "b'127.9.8.7'", "113", "113"]


# The disk.


def test_file_that_was_closed_is_there_after_the_power_was_cut(tmp_path):
    main = """
import os
if "kept" in os.listdir("/"):
    print(open("/kept").read())
    raise SystemExit
with open("/kept", "w") as file:
    file.write("words " * 1000)
print("closed")
while True:
    pass
"""
    image = guest.new_disk(tmp_path, main)
    with qemu.Guest(image, guest.firmware()) as board:
        assert board.stdout.readline() == b"closed\n"
        board.cut()
    assert disk.read(image)["kept"] == b"words " * 1000
    assert guest.again(image) == (0, "words " * 1000 + "\n")


def test_power_that_fails_in_any_write_leaves_the_old_file_or_the_new_one(tmp_path):
    main = "with open('/state', 'w') as file:\n    file.write('new' * 300)\nprint('closed')"
    image = guest.new_disk(tmp_path, main, {"state": b"old" * 300})
    untouched, cuts, kept = image.read_bytes(), 0, set()
    while True:
        image.write_bytes(untouched)
        status, text = guest.again(image, cut=cuts + 1)
        kept.add(disk.read(image)["state"][:3])
        if status == 0:
            break
        assert (status, text) == (qemu.CUT, "")
        cuts += 1
    assert cuts > 5
    assert kept == {b"old", b"new"}


def test_disk_with_fat_is_made_on_the_board_and_started_from(tmp_path):
    main = """
import mps2, vfs
device = mps2.Disk("fat.img", 512)
vfs.VfsFat.mkfs(device)
vfs.mount(vfs.VfsFat(device), "/fat")
with open("/fat/main.py", "w") as file:
    file.write("import os\\nprint('from FAT', os.listdir('/'))")
"""
    image = guest.new_disk(tmp_path, main)
    fat = tmp_path / "fat.img"
    fat.write_bytes(bytes(256 * 1024))
    assert guest.again(image) == (0, "")
    assert guest.again(fat, fat=512) == (0, "from FAT ['main.py']\n")


def test_disk_that_is_not_there_is_named(tmp_path):
    status, text = guest.again(tmp_path / "none.img")
    assert status == qemu.MAIN_RAISED
    assert "none.img" in text
