"""Ways to write a small file twice, good and naive; the enumeration must tell them apart.

Rule: the naive ones are here to be convicted. They are written on the calls themselves, as somebody
in a hurry would.
"""

import os

from anchorwatch.errors import StateError
from anchorwatch.wire import frame
from tests.powercut.survey import Found, Story

_NEW = os.O_WRONLY | os.O_CREAT
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
BESIDE = ("state.tmp",)


def _body(number):
    return {"n": number, "filler": "x" * 1200}


def _put(calls, path, data, flags, sync=True):
    descriptor = calls.open(path, flags, 0o600)
    while data:
        data = data[calls.write(descriptor, data):]
    if sync:
        calls.fsync(descriptor)
    calls.close(descriptor)


def _sync_folder(calls):
    descriptor = calls.open("/", _FOLDER)
    calls.fsync(descriptor)
    calls.close(descriptor)


def temp_and_syncs(calls, data, number):
    """Beside, fsync, rename, fsync of the folder: what is right."""
    _put(calls, "/state.tmp", data, _NEW | os.O_TRUNC)
    calls.rename("/state.tmp", "/state")
    _sync_folder(calls)


def without_folder_sync(calls, data, number):
    """The name is left to the journal."""
    _put(calls, "/state.tmp", data, _NEW | os.O_TRUNC)
    calls.rename("/state.tmp", "/state")


def without_file_sync(calls, data, number):
    """The bytes are left to the page cache."""
    _put(calls, "/state.tmp", data, _NEW | os.O_TRUNC, sync=False)
    calls.rename("/state.tmp", "/state")
    _sync_folder(calls)


def in_place(calls, data, number):
    """Truncate and write; synced, but too late."""
    _put(calls, "/state", data, _NEW | os.O_TRUNC)


def slots_in_place(calls, data, number):
    """Two slots in turn, in place, hashed: what boards do."""
    _put(calls, "/state.%d" % (number & 1), data, _NEW)


def _play(write):
    def play(calls, ledger):
        for number in (2, 3):
            ledger.begin("state", _body(number))
            write(calls, frame.encode(number, frame.dump(_body(number))), number)
            ledger.acknowledge("state")
    return play


def _prepare(write):
    def prepare(calls, ledger):
        for number in (0, 1):
            write(calls, frame.encode(number, frame.dump(_body(number))), number)
        ledger.begin("state", _body(1))
        ledger.acknowledge("state")
    return prepare


def _boot(calls, ledger):
    """The highest valid generation of whatever is there under a final name."""
    whole, damaged = {}, False
    for name in [name for name in calls.listdir("/") if name not in BESIDE]:
        descriptor = calls.open("/" + name, os.O_RDONLY)
        try:
            generation, body = frame.decode(calls.read(descriptor, 1 << 20))
            whole[generation] = body
        except StateError:
            damaged = True
        calls.close(descriptor)
    return Found({"state": whole[max(whole)]} if whole else {}, damaged and not whole, [])


def _nothing_more(calls, ledger):
    """One cut is enough to convict."""


def _boot_that_repairs(calls, ledger):
    """What was found is written anew where a cut has left something beside it: in place."""
    found = _boot(calls, ledger)
    if found.texts and BESIDE[0] in calls.listdir("/"):
        in_place(calls, frame.encode(9, found.texts["state"]), 9)
        calls.unlink("/" + BESIDE[0])
    return found


def _story(write):
    name = write.__name__.replace("_", " ")
    return Story(name, _prepare(write), _play(write), _nothing_more, _boot)


GOOD = tuple(_story(write) for write in (temp_and_syncs, slots_in_place))
# Its writing is right; only a cut of the start after a cut shows what its start does.
REPAIRS = _story(temp_and_syncs)._replace(name="repairs in place", boot=_boot_that_repairs)
# (story, what it must be convicted of)
NAIVE = (
    (_story(without_folder_sync), "lost"),
    (_story(without_file_sync), "unreadable"),
    (_story(in_place), "unreadable"),
    (REPAIRS, "unreadable"),
)
