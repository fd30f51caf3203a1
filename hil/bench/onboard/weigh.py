"""What application.py puts on where a board is to weigh itself while it works.

Rule: each weight is of what is alive: the heap is collected first. In the status stand, in bytes,
the most there was as `weighed`, and the longest free piece as `heap` `largest`. The agent lies in
the flash, so it is not changed: what is put on are objects that this agent has made.
"""

import gc

from anchorwatch.core import actions

most = {"handshake": 0, "bundle": 0}


def weighed(name, does):
    """The same, with the heap weighed before it."""

    def do(*given):
        gc.collect()
        most[name] = max(most[name], gc.mem_alloc())
        return does(*given)

    return do


def put_on(agent):
    """Have this agent weigh itself.

    handshake  the server's chain has come, and the library judges it: all of it is in the heap
    bundle     from the first file of a bundle on, wherever the watchdog is fed: between its files
    """
    library = agent._links._dialer._library
    made = library.made

    def weighing(context):
        found = made(context)
        found[0].verify_callback = weighed("handshake", found[0].verify_callback)
        return found

    library.made = weighing
    outward = agent._outward
    fetch, hooks = outward._fetch, agent.port._hooks
    fed = hooks.get("feed", lambda: None)

    def fetching(order):
        hooks["feed"] = weighed("bundle", fed)
        fetch(order)

    outward.perform[actions.Fetch] = fetching
    status = agent.status

    def told():
        page = status()
        page["weighed"] = most
        page["heap"]["largest"] = largest()
        return page

    agent.status = told


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
