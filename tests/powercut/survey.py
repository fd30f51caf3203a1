"""One story cut everywhere: its images booted, the boots cut again, and what was found wrong.

Rule: a story is a name and four functions; nothing here knows what it does.

    prepare(calls, ledger)   what is on the disk before, whole
    play(calls, ledger)      the story; the ledger is told what is begun and what acknowledged
    after(calls, ledger)     what an agent does next on a disk that a cut has left
    boot(calls, ledger)      a start, and what it repairs by itself: Found
"""

import os
from collections import namedtuple

from tests.powercut.calls import Calls
from tests.powercut.disk import CHUNK, Disk, disk_of
from tests.powercut.images import drawn, images
from tests.powercut.ledger import Ledger
from tests.powercut.recorder import Recorder

Story = namedtuple("Story", "name prepare play after boot")
# texts {name: bytes}, what was read; damaged  something unreadable was met; wrong  [sentence]
Found = namedtuple("Found", "texts damaged wrong")
# most    images of one cut, ordered and any-subset each
# again   of all images of a story, how many are cut a second time
# second  images of one cut of the second kind, ordered and any-subset each
Effort = namedtuple("Effort", "most again second seed")

SEED = 20261122
# A whole agent takes a hundred times as long as a store to start. In full, every image of every
# first cut is tried (the most of one cut is 97 280), and of the store's second cuts too.
STORE, STORE_FULL = Effort(400, 60, 24, SEED), Effort(20_000, 1_000, 200, SEED)
AGENT, AGENT_FULL = Effort(16, 3, 3, SEED), Effort(200_000, 60, 16, SEED)


def full():
    """Whether the counts are those of the long ring."""
    return os.environ.get("ANCHORWATCH_COUNTS") == "full"


class Survey:
    """The counts of one story; `faults` are sentences, each with where it was seen."""

    def __init__(self, story, effort):
        self.story, self.effort = story, effort
        self.cuts = self.ordered = self.subsets = self.drawn = self.boots = 0
        self.second_cuts = self.second_images = 0
        self.unreadable = self.lost = self.wrong = 0
        self.faults = []
        self._seen, self._again = set(), []

    def run(self):
        """Count; the survey itself."""
        for number, cut in enumerate(recorded(self.story)):
            self.cuts += 1
            where = "cut %d, before %s" % (number, cut.call)
            ordered = list(self._images(cut, False, self.effort.most, number))
            subsets = list(self._images(cut, True, self.effort.most, number))
            self.ordered += len(ordered)
            self.subsets += len(subsets)
            self.drawn += sum(drawn(cut.inodes, self.effort.most, kind) for kind in (False, True))
            for image in ordered + subsets:
                self._first(image, cut.ledger, where)
        self._second_cuts()
        return self

    def _images(self, cut, subsets, most, number):
        return images(cut.inodes, most, self.effort.seed + number, subsets)

    def _first(self, image, ledger, where):
        if self._is_new(image, ledger):
            self._boot(image, ledger, where)
            self._again.append((image, ledger, where))

    def _second_cuts(self):
        """Cuts while a start repairs, and while the agent goes on; some, where they are many."""
        step = max(1, len(self._again) // self.effort.again)
        for image, ledger, where in self._again[::step]:
            for act in (self.story.boot, self.story.after):
                for cut in recorded_on(disk_of(image), ledger.copy(), act):
                    self._second(cut, where)

    def _second(self, cut, where):
        self.second_cuts += 1
        for subsets in (False, True):
            for image in self._images(cut, subsets, self.effort.second, self.second_cuts):
                self.second_images += 1
                if self._is_new(image, cut.ledger):
                    self._boot(image, cut.ledger, "%s, then before %s" % (where, cut.call))

    def _is_new(self, image, ledger):
        key = hash((frozenset(image.items()), ledger.key()))
        new = key not in self._seen
        self._seen.add(key)
        return new

    def _boot(self, image, promised, where):
        """Start twice: what is found is what was promised, and the second start has no more to
        write than the first has left to it."""
        self.boots += 1
        disk, ledger = disk_of(image), promised.copy()
        found = self.story.boot(Calls(disk), ledger)
        self._compare(found, promised, where)
        wrong, after, promises = list(found.wrong), disk.image(), ledger.key()
        again = self.story.boot(Calls(disk), ledger.copy())
        if ledger.broken(again.texts):
            wrong.append("the second start found something else")
        if promises == promised.key() and disk.image() != after:
            wrong.append("the second start wrote")
        wrong += [sentence for sentence in again.wrong if sentence not in wrong]
        self.wrong += bool(wrong)
        for sentence in wrong:
            self._fault(where, sentence)

    def _compare(self, found, ledger, where):
        broken = ledger.broken(found.texts)
        if broken:
            self.unreadable += found.damaged
            self.lost += not found.damaged
            self._fault(where, "%s is %s" % (broken[0], _shown(found.texts.get(broken[0]))))

    def _fault(self, where, sentence):
        if len(self.faults) < 20:
            self.faults.append("%s, %s: %s" % (self.story.name, where, sentence))


def recorded(story):
    """The cuts of a story, from its prepared disk."""
    disk, ledger = Disk(), Ledger()
    story.prepare(Calls(disk), ledger)
    return recorded_on(disk_of(disk.image()), ledger, story.play)


def recorded_on(disk, ledger, act):
    """The cuts of `act(calls, ledger)`, with the one after its end."""
    recorder = Recorder(ledger)
    recorder.disk = disk
    act(Calls(disk, recorder, piece=CHUNK), ledger)
    recorder.note("the end")
    return recorder.cuts


def _shown(text):
    return "not there" if text is None else "older or another: %r" % text[:40]
