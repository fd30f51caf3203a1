"""What a board says and keeps when its heap is all but full."""

import gc

from anchorwatch_board import crash
from anchorwatch_board.memory import Reserve
from board_store import Rig

from anchorwatch.core.actions import Save
from anchorwatch.core.errands import Fetch
from anchorwatch.core.events import Saved, SaveFailed
from anchorwatch.errors import LinkError
from anchorwatch.performers.deeds import Deeds
from anchorwatch.performers.delivering import failed

PIECE = 96  # what a bytearray of two thirds of its size takes, with its head
FREE = tuple(range(16_000, 400, -400))


def with_free(free, call):
    """What `call()` returns, or the MemoryError it ends in, with about so many bytes free."""
    gc.collect()
    pieces = [None] * (gc.mem_free() // PIECE)
    try:
        for at in range((gc.mem_free() - free) // PIECE):
            pieces[at] = bytearray(PIECE - 32)
        return call()
    except MemoryError as error:
        return error
    finally:
        for at in range(len(pieces)):
            pieces[at] = None
        gc.collect()


def crashed():
    """An error as the loop's end sees it."""
    try:
        return {}["a name that nobody has"]
    except KeyError as error:
        return error


def test_crash_is_told_with_as_many_words_as_there_is_room_for(path):
    error, free = crashed(), range(6_000, 700, -100)
    found = [with_free(n, lambda: crash.account(error, 1_800_000_000, None)) for n in free]
    whole, brief = found[0], [body for body in found if not body["where"]]
    assert whole["what"] == "KeyError: a name that nobody has" and "crashed" in whole["where"][0]
    assert [body["what"][:8] for body in found] == ["KeyError"] * len(found) and brief


def test_state_that_is_not_written_for_want_of_memory_blames_no_disk(path):
    rig, posted = Rig(path), []
    layers = type("", (), {"learn": lambda self, body: None})()
    deeds = Deeds(None, None, None, rig.store, layers, None, None, posted.append)
    rig.store.save("clock", {"n": 0})
    for free in FREE:
        with_free(free, lambda: deeds.perform[Save](Save("clock", {"text": "x" * 900})))
    failed = [event for event in posted if isinstance(event, SaveFailed)]
    assert failed == [SaveFailed("clock", "memory")] * len(failed) and failed
    assert [event for event in posted if isinstance(event, Saved)]
    assert rig.again().store.read()["clock"]["text"] == "x" * 900


def test_bundle_that_a_dial_found_no_memory_for_blames_no_network(path):
    order = Fetch("vendor", "https://mirror.example/", {}, None, 0, 9_000, False)
    found = [failed(order, LinkError(fault, "a-word")) for fault in ("memory", "network", "policy")]
    assert [event.reason for event in found] == ["memory", "network", "policy"]
    assert found[0].value == "a-word: https://mirror.example/"


def test_room_for_a_session_is_kept_from_what_is_small_and_stays(path):
    def session():
        reserve.give()
        return len(bytearray(8_000))

    found = []
    for size in (8_000, 0):
        reserve = Reserve(size)
        found.append(with_free(2_000, session))
    assert found[0] == 8_000 and isinstance(found[1], MemoryError)


def test_reserve_without_room_is_none_and_comes_later(path):
    made = []
    with_free(6_000, lambda: made.append(Reserve(8_000)))
    assert made[0].held == 0
    gc.collect()
    made[0].keep()
    assert made[0].held == 8_000
    made[0].give()
    assert made[0].held == 0
