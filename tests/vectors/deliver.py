"""deliver.py FOLDER UTC_S: verifies the bundle in FOLDER from 1.root.json on, as a device does.

Runs on CPython and on MicroPython; prints what is believed in the end, one line each, or the
refusal and exit status 1. The last line, `# MS CODE`, is the time it took, and the heap that the
modules fill before anything is read (frozen ones, as on a board, fill none).
"""

import gc
import sys
import time

from anchorwatch.errors import AgentError
from anchorwatch.pki.delivery import Delivery
from anchorwatch.pki.tuf import TrustedSet


def read(folder, name):
    """A file's bytes; None if there is none."""
    try:
        with open(folder + "/" + name, "rb") as file:
            return file.read()
    except OSError:
        return None


def now_ms():
    """Both runtimes have one clock each that only goes forward."""
    return time.ticks_ms() if hasattr(time, "ticks_ms") else int(time.monotonic() * 1000)


def main(folder, utc_s):
    """Verify all; print; return the exit status."""
    gc.collect()
    began, used = now_ms(), gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    try:
        first = read(folder, "1.root.json")
        delivery = Delivery(TrustedSet(first, {}, int(utc_s)), {}, "global", "0.1.0")
        first = None
        wanted = delivery.wanted()
        while wanted is not None:
            data = read(folder, wanted.name)
            gc.collect()
            print("%s %s" % (wanted.name, delivery.take(data)))
            wanted = delivery.wanted()
    except AgentError as error:
        print("%s: %s" % (type(error).__name__, error))
        return 1
    for entry in delivery.entries:
        print("%s %s %s" % (entry["sha256"], entry["state"], entry["name"]))
    print("# %d %d" % (now_ms() - began, used))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
