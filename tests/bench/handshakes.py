"""handshakes.py: shakes hands on order, by the agent's own Dialer; `hil.bench handshake` counts.

An order is a line of JSON, {"place": "127.0.0.1:4711", "host", "roots": [PEM files], "suites",
"fragment": 0 | 512 ..., "credential": [certificate file, key file] | null, "trace": file | null}.
The answer is {"fault": "" or what it came to, "tls": {...}}.
Rule: a handshake stands between two calls of `getloadavg`, which nothing else calls here: callgrind
is told to begin a new count there. With `trace`, glibc writes every allocation in between to it.
It lives here because only tests may know both the agent and its bench.

Source: mtrace(3). It works where glibc's libc_malloc_debug.so is preloaded, and has the version of
glibc's first symbols: without one, dlsym finds the other function of that name, which does nothing.
"""

import ctypes
import gc
import hashlib
import json
import os
import platform
import ssl
import sys
import time
from collections.abc import Callable

from anchorwatch.core.actions import Dial
from anchorwatch.core.events import Failed
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.shortrecords import ShortRecords

PORT = 8883
FIRST_VERSION = {"x86_64": b"GLIBC_2.2.5", "aarch64": b"GLIBC_2.17"}
RECORDS = ShortRecords()  # the child that tries the fragment length is asked once


def prepared(order: dict) -> Callable[[], dict]:
    """What shakes hands; reading files and making an order for the Dialer is not counted."""
    ders = {}
    for file in order["roots"]:
        with open(file, encoding="ascii") as text:
            der = ssl.PEM_cert_to_DER_cert(text.read())
        ders[hashlib.sha256(der).hexdigest()] = der
    size, credential = order["fragment"], order["credential"]
    profile = {"suites": order["suites"], "max_fragment": "require" if size else "off",
               "max_fragment_bytes": size or 512, "strict": True, "all_ecc": False,
               "check_time": True}  # fmt: skip
    dialer = Dialer(Resolver({"%s:%d" % (order["host"], PORT): [order["place"]]}, None),
                    ders.__getitem__, lambda slot: credential, records=RECORDS)
    wanted = Dial("live", "hub", order["host"], PORT, "mqtt", sorted(ders), {}, profile,
                  "a" if credential else None, int(time.time()), "", "own")

    def shake() -> dict:
        event, sock = dialer.dial(wanted, dialer.patience())
        if sock is not None:
            sock.close()
        if isinstance(event, Failed):
            return {"fault": "%s %s" % (event.fault, event.verdict), "tls": {}}
        return {"fault": "", "tls": event.tls}

    return shake


def traced(file: str | None, act: Callable[[], dict]) -> dict:
    """What `act` returns, its allocations written to `file`."""
    if file is None:
        return act()
    os.environ["MALLOC_TRACE"] = file
    _of_glibc(b"mtrace")()
    try:
        return act()
    finally:
        _of_glibc(b"muntrace")()


def _of_glibc(name: bytes) -> Callable[[], object]:
    """The function; one that does nothing where there is none, and then no file is written."""
    c = ctypes.CDLL(None)
    look = getattr(c, "dlvsym", None)
    if look is None:
        return lambda: None
    look.restype = ctypes.c_void_p
    look.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)
    place = look(None, name, FIRST_VERSION.get(platform.machine(), b"GLIBC_2.17"))
    return ctypes.CFUNCTYPE(None)(place) if place else lambda: None


def main() -> int:
    for line in sys.stdin:
        order = json.loads(line)
        shake = prepared(order)
        gc.collect()
        os.getloadavg()
        answer = traced(order["trace"], shake)
        os.getloadavg()
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
