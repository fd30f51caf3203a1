"""deliver.py FOLDER UTC_S [KIB]: verifies the bundle in FOLDER from 1.root.json on, as a device.

Runs on CPython and on MicroPython; prints what is believed in the end, one line each, or the
refusal and exit status 1. The last line, `# MS MODULES`, is the time it took and the heap that the
modules fill before anything is read. KIB (MicroPython only): all of the heap but so much is filled
first, which is what a board has whose modules are frozen.
"""

import gc
import os
import sys
import time

from anchorwatch.errors import AgentError
from anchorwatch.pki.delivery import Delivery
from anchorwatch.pki.tuf import TrustedSet

_PIECES_AT_MOST, _SPARE, _COLLECTIONS = 8_000, 1_024, 8


def read(folder, name):
    """A file's bytes; None if there is none. Read in one piece: a buffer that grows takes twice."""
    path = folder + "/" + name
    try:
        with open(path, "rb") as file:
            return file.read(os.stat(path)[6])
    except OSError:
        return None


def now_ms():
    """Both runtimes have one clock each that only goes forward."""
    return time.ticks_ms() if hasattr(time, "ticks_ms") else int(time.monotonic() * 1000)


def filled(free):
    """What fills the heap but for `free` bytes in one piece."""
    ballast, count, size = [None] * _PIECES_AT_MOST, 0, 65_536
    gc.collect()
    kept_free = bytearray(free)
    while size >= 16:
        try:
            ballast[count] = bytearray(size)
            count += 1
        except MemoryError:
            size //= 2
    del kept_free
    gc.collect()
    if not count < _PIECES_AT_MOST or gc.mem_free() > free + _SPARE:
        raise ValueError("%d bytes are free" % gc.mem_free())
    return ballast


def main(folder, utc_s, kib=""):
    """Verify all; print; return the exit status."""
    gc.collect()
    used = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    ballast = filled(int(kib) * 1024) if kib else []
    if hasattr(gc, "threshold"):  # else what stays is strewn over all of a small heap
        gc.threshold(gc.mem_free() // _COLLECTIONS)
    began = now_ms()
    try:
        first = read(folder, "1.root.json")
        delivery = Delivery(TrustedSet(first, {}, int(utc_s)), {}, "global", "0.1.0")
        first = None
        wanted = delivery.wanted()
        while wanted is not None:
            gc.collect()
            print("%s %s" % (wanted.name, delivery.take(read(folder, wanted.name))))
            wanted = delivery.wanted()
    except AgentError as error:
        print("%s: %s" % (type(error).__name__, error))
        return 1
    for entry in delivery.entries:
        print("%s %s %s" % (entry["sha256"], entry["state"], entry["name"]))
    print("# %d %d" % (now_ms() - began, used))
    return 0 if ballast is not None else 1  # it is held until here


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
