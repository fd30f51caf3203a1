"""One story again and again, each time with another call failing; then cut, then tried again.

Rule: an error of the disk is answered or refused in our own words, never a crash; what was
acknowledged stays; a start and the story itself succeed once the disk does.
"""

import random
from collections import namedtuple

from anchorwatch.errors import AgentError
from tests.powercut.calls import Calls
from tests.powercut.disk import CHUNK, Disk, disk_of
from tests.powercut.errors import Injector
from tests.powercut.images import images
from tests.powercut.ledger import Ledger
from tests.powercut.recorder import Recorder

# number  the errno; lasting  the disk is gone; done  the call had its effect all the same
Strike = namedtuple("Strike", "number lasting done")


class Stopped(AssertionError):
    """A story that did not come to its end: with a broken disk it need not."""


class Strikes:
    """Counts of one story; `faults` are sentences."""

    def __init__(self, story, most, seed):
        disk, ledger = Disk(), Ledger()
        story.prepare(Calls(disk), ledger)
        self.story, self.image, self.ledger = story, disk.image(), ledger
        self._most, self._chance = most, random.Random(seed)
        self.calls = self.struck = self.images = self.refused = 0
        self.faults = []

    def run(self, strikes):
        """Each of these at every call, or at some drawn by the seed; itself."""
        for strike in strikes:
            counter = Injector(0, strike.number)
            self._play(counter)
            numbers = range(1, 1 - counter.left)
            self.calls += len(numbers)
            if len(numbers) > self._most:
                numbers = sorted(self._chance.sample(numbers, self._most))
            for at in numbers:
                self._strike(at, strike)
        return self

    def _strike(self, at, strike):
        injector = Injector(at, *strike)
        where = "%s, call %d, %r" % (self.story.name, at, strike)
        try:
            disk, ledger, recorder = self._play(injector)
        except (OSError, KeyError, ValueError, TypeError) as error:
            self.faults.append("%s: %s crashed with %r" % (where, injector.struck, error))
            return
        self.struck += bool(injector.struck)
        self._look(disk.image(), ledger, where)
        cut = recorder.cuts[-1]
        for subsets in (False, True):
            for image in images(cut.inodes, 3, at, subsets):
                self._look(image, cut.ledger, where + ", cut")
        self._again(disk, ledger, where)

    def _play(self, injector):
        disk, ledger = disk_of(self.image), self.ledger.copy()
        recorder = injector.inner = Recorder(ledger)
        recorder.disk = disk
        injector.calls = calls = Calls(disk, injector, piece=CHUNK)
        try:
            self.story.play(calls, ledger)
        except (AgentError, Stopped):
            if not injector.struck:
                raise
            self.refused += 1
        recorder.note("the end")
        return disk, ledger, recorder

    def _look(self, image, ledger, where):
        self.images += 1
        found = self.story.boot(Calls(disk_of(image)), ledger.copy())
        for name in ledger.broken(found.texts):
            self.faults.append("%s: %s is %r" % (where, name, found.texts.get(name)))
        self.faults += ["%s: %s" % (where, sentence) for sentence in found.wrong]

    def _again(self, disk, ledger, where):
        try:
            self.story.after(Calls(disk, piece=CHUNK), ledger)
        except (AgentError, Stopped, OSError) as error:
            self.faults.append("%s: afterwards %r" % (where, error))
            return
        self._look(disk.image(), ledger, where + ", afterwards")
