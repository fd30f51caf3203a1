"""Dials of the board's driver, as cases.json in the folder lists them: one line each, `name: word`.

A case: host, port, roots (DER files), chain (DER files) and key of our own or none, profile,
judge_utc_s, size (bytes to be said and heard again), free (bytes of the heap that are left to it, 0
for all). Its word is what the evidence says of the fragment length, or the class and the verdict of
the failure.
"""

import binascii
import gc
import hashlib
import json
import sys

from anchorwatch_board import library, waiting
from anchorwatch_board import port as ports
from anchorwatch_board.clock import steady
from anchorwatch_board.dial import Dialer
from anchorwatch_board.errands import Errands
from anchorwatch_board.memory import Reserve
from anchorwatch_board.resolve import Resolver
from anchorwatch_board.selector import Selector

from anchorwatch.core.actions import Dial

FOLDER = sys.argv[1] + "/" if len(sys.argv) > 1 else "/"
SLOT = "a"
NOW_MS = steady()
PIECE = 96  # what a bytearray of two thirds of its size takes, with its head


def read(name):
    with open(FOLDER + name, "rb") as file:
        return file.read()


def sha256(der):
    return binascii.hexlify(hashlib.sha256(der).digest()).decode()


def order(case, anchors):
    slot = SLOT if case["chain"] else None
    return Dial("live", "hub", case["host"], 8883, "mqtt", sorted(anchors), {}, case["profile"],
                slot, case["judge_utc_s"], "", "own")


def dialer_of(case, anchors):
    place = {"%s:8883" % case["host"]: ["127.0.0.1:%d" % case["port"]]}
    chain = [read(name) for name in case["chain"]]
    held = (chain, read(case["key"])) if chain else None
    return Dialer(Resolver(place, None, lambda: None), anchors.get, lambda slot: held, ports.here(),
                  library.here(), NOW_MS, Reserve(0))


def prepared(case):
    """(dialer, order, what will be said)"""
    anchors = {sha256(der): der for der in [read(name) for name in case["roots"]]}
    return dialer_of(case, anchors), order(case, anchors), bytes(case["size"])


def session(dialer, order, said):
    """The word for a dial, once what was said has come back; as an errand."""
    patience = dialer.patience()
    event, stream = yield from dialer.dial(order, patience)
    if stream is not None:
        yield from waiting.send(stream, said, patience)
        heard = b""
        while len(heard) < len(said):
            heard += yield from waiting.receive(stream, patience)
        stream.close()
        if heard != said:
            return "another echo"
        return "%s %s" % (event.tls["fragment"]["negotiated"], event.tls["fragment"]["reason"])
    return "%s %s" % (event.fault, event.verdict)


def outcome(dialer, order, said):
    selector, got = Selector(), []
    errands = Errands(selector)
    errands.start(session(dialer, order, said), got.append)
    while not got:
        errands.turn(NOW_MS())
        if not got:
            selector.wait(max(0, min(1000, errands.wake_at - NOW_MS())))
    return got[0]


def with_free(free, call, *given):
    """What `call(*given)` returns with about so many bytes of the heap free."""
    gc.collect()
    pieces = [None] * (gc.mem_free() // PIECE)
    try:
        for at in range((gc.mem_free() - free) // PIECE if free else 0):
            pieces[at] = bytearray(PIECE - 32)
        return call(*given)
    except MemoryError:
        return "no memory beside the dial"
    finally:
        for at in range(len(pieces)):
            pieces[at] = None
        gc.collect()


for case in json.loads(read("cases.json")):
    print("%s: %s" % (case["name"], with_free(case["free"], outcome, *prepared(case))))
