"""Every power cut of a board's store, on MicroPython's own LittleFS and FAT.

    MICROPYPATH=agent:micropython:.frozen \
        micropython -X heapsize=8m tests/micropython/powercut_board.py [full]

A story says what was asked of the store and when it answered. From every image that a cut can leave
the store is started twice and written to once more; in full also from every image that a second cut
can leave in the first of these starts. Then nothing that was acknowledged may be lost,
nothing may be unreadable, a wiped key's bytes may be nowhere on the disk, and the store must take
the next save. Recipes that are known to be wrong are enumerated too and must be convicted.

Prints a line a story and disk; exit 1 if a right recipe fails or a wrong one passes.
"""

import gc
import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0] or ".")

import cutdisk
from board_stories import STORIES, WRONG

WRONGS = ("unreadable", "lost", "keys left", "stuck")
COLUMNS = ("story", "disk", "writes", "images", "of", "second") + WRONGS


class Ledger:
    """What was asked for and acknowledged: [(from, until, name, before, after)], in writes."""

    def __init__(self, disk):
        self._disk, self.rows, self.now = disk, [], {}
        self.secrets = []  # (until, bytes that are nowhere on the disk from then on)

    def did(self, name, after, act, *given):
        """Call `act(*given)`; from the return on it is acknowledged."""
        begin = len(self._disk.log)
        act(*given)
        self.rows.append((begin, len(self._disk.log), name, self.now.get(name), after))
        self.now[name] = after

    def gone(self, data):
        """From now on these bytes are on no disk."""
        self.secrets.append((len(self._disk.log), data))

    def allowed(self, done):
        """{name: values that it may have when so many writes were whole}."""
        found = {}
        for begin, until, name, before, after in self.rows:
            if until <= done:
                found[name] = [after]
            elif begin <= done:
                found[name] = [before, after]
        return found

    def forbidden(self, done):
        return [data for until, data in self.secrets if until <= done]


def judge(story, disk, allowed, image, second):
    """{column: count} of what is wrong with a start from this image.

    second  whether the power is cut again at each write of that start
    """
    wrong = {}
    before, there = bytearray(image) if second else b"", disk.again(image)
    try:
        there.mount()
        try:
            there.log = [] if second else None
            _check(wrong, story.start(), allowed)
            log, there.log = there.log, None
            _check(wrong, story.start(), allowed)
            if not story.goes_on():
                wrong["stuck"] = 1
        finally:
            there.unmount()
    except Exception as error:
        wrong["stuck"] = 1
        sys.print_exception(error)
    else:
        for image in cuts(disk, before, log or []):
            wrong["second"] = wrong.get("second", 0) + 1
            for column, count in judge(story, disk, allowed, image, False).items():
                wrong[column] = wrong.get(column, 0) + count
    return wrong


def _check(wrong, found, allowed):
    for name, values in allowed.items():
        if found.get(name) not in values:
            wrong["lost" if len(values) == 1 else "unreadable"] = 1


def cuts(disk, before, log):
    """Every image that a cut in this log can leave."""
    if [1 for at, _ in log if at is not None]:
        for _, whole, at, data in cutdisk.images(disk, before, log):
            image = bytearray(whole)
            image[at : at + len(data)] = data
            yield image


def enumerate_cuts(story, disk, most):
    """The row of one story on one disk; `most` images are judged, spread over all there are; None:
    all, and the power is cut a second time in each start."""
    disk.format()
    disk.mount()
    try:
        story.prepare()
        before = bytearray(disk.image)
        disk.log = []
        ledger = Ledger(disk)
        story.play(ledger)
    finally:
        disk.unmount()
    log, disk.log = disk.log, None
    row = {column: 0 for column in COLUMNS[2:]}
    row["writes"] = len([1 for at, _ in log if at is not None])
    total = sum(1 for _ in cutdisk.images(disk, before, log))
    step = -(-total // most) if most else 1
    for number, (done, whole, at, data) in enumerate(cutdisk.images(disk, before, log)):
        secrets = ledger.forbidden(done)
        if not secrets and number % step:
            continue
        image = bytearray(whole)
        image[at : at + len(data)] = data
        row["keys left"] += any(image.find(secret) >= 0 for secret in secrets)
        if number % step == 0:
            row["images"] += 1
            wrong = judge(story, disk, ledger.allowed(done), image, most is None)
            for column, count in wrong.items():
                row[column] += count
    row["of"] = total
    return row


def convicted(row):
    return any(row[column] for column in WRONGS)


def main(most):
    bad = 0
    print(" | ".join(COLUMNS))
    for stories, right in ((STORIES, True), (WRONG, False)):
        for made in stories:
            for disk in (cutdisk.lfs(), cutdisk.fat()):
                story = made()
                if disk.kind not in story.disks:
                    continue
                row = enumerate_cuts(story, disk, most)
                cells = [story.name, disk.kind] + [row[column] for column in COLUMNS[2:]]
                print(" | ".join([str(cell) for cell in cells]))
                bad += convicted(row) == right
                gc.collect()
    print("%d wrong" % bad)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(None if "full" in sys.argv[1:] else 60))
