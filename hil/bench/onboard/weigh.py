"""What is put before main.py to have a board weigh itself while it works.

Rule: each weight is of what is alive: the heap is collected first. In the status stand, in bytes,
the most there was as `weighed`, and the longest free piece as `heap` `largest`.
"""

import gc

from anchorwatch_board import memory

memory.collect_often()

# ruff: noqa: E402  as a board's own main.py
from anchorwatch_board import agent, tls

from anchorwatch.pki import p256

most = {"handshake": 0, "bundle": 0}


def weighed(name, does):
    """The same, with the heap weighed before it."""

    def do(*given):
        gc.collect()
        most[name] = max(most[name], gc.mem_alloc())
        return does(*given)

    return do


def largest():
    """Bytes of the longest piece of the heap that can be had, to 512."""
    gc.collect()
    had, too_many = 0, gc.mem_free() + 512
    while too_many - had > 512:
        tried = (had + too_many) // 2
        try:
            bytearray(tried)
            had = tried
        except MemoryError:
            too_many = tried
        gc.collect()
    return had


def telling(status):
    """A status with the weights in it."""

    def told(self):
        page = status(self)
        page["weighed"] = most
        page["heap"]["largest"] = largest()
        return page

    return told


# The server's chain has come, and the library judges it: all of the handshake is in the heap.
tls.Path.heard = weighed("handshake", tls.Path.heard)
# A signature of a bundle's metadata is judged.
p256.verify_digest = weighed("bundle", p256.verify_digest)
agent.Agent.status = telling(agent.Agent.status)
