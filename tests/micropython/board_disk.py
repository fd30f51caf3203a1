"""A board's store on disks that are full or broken."""

import gc

import cutdisk
from anchorwatch_board.folder import make
from anchorwatch_board.store import Store

from anchorwatch.errors import reason_of

STATE = cutdisk.POINT + "/state"
DISKS = (cutdisk.lfs, cutdisk.fat)


class Broken(cutdisk.Disk):
    """Write number `bad` is refused, and those after it until `good`."""

    def __init__(self, disk):
        super().__init__(disk.kind, disk.blocks, disk.size, disk.unit, disk.in_order)
        self.bad = self.good = self.count = 0

    def breaks(self, bad, good):
        self.count, self.bad, self.good = 0, bad, good

    # These two may be called out of a collection, where nothing can be allocated.

    def readblocks(self, number, buffer, offset=0):
        at, n = number * self.size + offset, 0
        while n < len(buffer):
            buffer[n] = self.image[at + n]
            n += 1

    def writeblocks(self, number, buffer, offset=0):
        self.count += 1
        if self.bad <= self.count < self.good:
            return -5
        at, n = number * self.size + offset, 0
        while n < len(buffer):
            self.image[at + n] = buffer[n]
            n += 1
        return 0


class Mounted:
    """with Mounted(disk) as a store that has read what is there."""

    def __init__(self, disk):
        self.disk = disk

    def __enter__(self):
        self.disk.mount()
        self.warnings = []
        store = Store(make(STATE), None, lambda *told: self.warnings.append(told))
        self.read = store.read()
        return store

    def __exit__(self, *error):
        self.disk.unmount()


def refused(store, name, body):
    """Why a save was refused, "" where it was not."""
    try:
        store.save(name, body)
    except OSError as error:
        return reason_of(error)
    return ""


def test_full_disk_refuses_what_does_not_fit_and_keeps_what_was_there(path):
    for kind in DISKS:
        disk = kind()
        disk.format()
        with Mounted(disk) as store:
            store.save("clock", {"n": 1})
            store.save("clock", {"n": 2})
            assert refused(store, "trust", {"text": "x" * 120_000}) == "full", disk.kind
            assert refused(store, "clock", {"n": 3}) == "", disk.kind
        with Mounted(disk) as store:
            assert store.read() == {"clock": {"n": 3}}, disk.kind


def test_write_that_is_refused_once_leaves_the_old_state_and_the_next_save_succeeds(path):
    for kind in DISKS:
        bad = refusals = 0
        while True:
            bad += 1
            disk = Broken(kind())
            disk.format()
            with Mounted(disk) as store:
                for number in (1, 2, 3):
                    store.save("clock", {"n": number, "text": "x" * 600})
                disk.breaks(bad, bad + 1)
                reason = refused(store, "clock", {"n": 4, "text": "y" * 600})
                untouched = disk.count < bad
                disk.breaks(0, 0)
            with Mounted(disk) as store:
                found = store.read()["clock"]["n"]
                assert found == (3 if reason else 4), (disk.kind, bad, reason, found)
                store.save("clock", {"n": 5})
                assert store.newest("clock") == {"n": 5}
            if untouched:
                break
            refusals += reason == "io"
        assert bad > 2 and (refusals or disk.kind == "VfsLfs2"), (disk.kind, bad, refusals)


def test_disk_that_takes_nothing_any_more_costs_no_state(path):
    for kind in DISKS:
        for bad in range(1, 12):
            disk = Broken(kind())
            disk.format()
            with Mounted(disk) as store:
                for number in (1, 2):
                    store.save("clock", {"n": number, "text": "x" * 600})
                disk.breaks(bad, 1_000)
                reason = refused(store, "clock", {"n": 3})
                disk.breaks(0, 0)
            with Mounted(disk) as store:
                assert store.read()["clock"]["n"] in ((2, 3) if reason else (3,)), (disk.kind, bad)


def test_file_that_a_broken_disk_left_open_never_writes_over_a_later_save(path):
    for kind in DISKS:
        for bad in range(1, 12):
            disk = Broken(kind())
            disk.format()
            with Mounted(disk) as store:
                for number in (1, 2):
                    store.save("clock", {"n": number, "text": "x" * 600})
                disk.breaks(bad, 1_000)
                refused(store, "clock", {"n": 3, "text": "y" * 600})
                disk.breaks(0, 0)
                store.save("clock", {"n": 4, "text": "z" * 3000})
                gc.collect()
                assert store.newest("clock")["n"] == 4, (disk.kind, bad)
            with Mounted(disk) as store:
                assert store.read()["clock"]["n"] == 4, (disk.kind, bad)
