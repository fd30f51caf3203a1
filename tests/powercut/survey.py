"""One story cut everywhere: its images booted, the boots cut again, and what was found wrong.

Rule: a story is a name and four functions; nothing here knows what it does.

    prepare(calls, ledger)   what is on the disk before, whole
    play(calls, ledger)      the story; the ledger is told what is begun and what acknowledged
    after(calls, ledger)     what an agent does next on a disk that a cut has left
    boot(calls, ledger)      a start, and what it repairs by itself: Found
"""

import os
import random
from collections import namedtuple

from tests.powercut.calls import Calls
from tests.powercut.disk import CHUNK, Disk, disk_of
from tests.powercut.images import drawn, images
from tests.powercut.ledger import Ledger
from tests.powercut.recorder import Recorder

Story = namedtuple("Story", "name prepare play after boot")
# texts {name: bytes}, what was read; damaged  something unreadable was met; wrong  [sentence]
Found = namedtuple("Found", "texts damaged wrong")
# most     images of one cut, ordered and any-subset each
# repairs  how many kinds of starts that write something are cut themselves, or ALL such starts
# second   images of one cut of a start, ordered and any-subset each
# again    on how many of all images the agent goes on, and is cut then
# later    images of one of these cuts, ordered and any-subset each
Effort = namedtuple("Effort", "most repairs second again later seed")

SEED, ALL = 20261122, 200_000
# A bundle is written into this folder, which is named anew when it is whole.
HALF_WRITTEN = "/bundle/new/"
# A whole agent takes a hundred times as long as a store to start. In full, every image of every
# cut is tried, and every image of every cut of a start on one of them; what an agent does in the
# hours after is cut on some, since a bundle more is as many images again on each.
STORE, STORE_FULL = Effort(400, 60, 24, 60, 24, SEED), Effort(ALL, ALL, ALL, ALL, ALL, SEED)
AGENT, AGENT_FULL = Effort(16, 6, 3, 2, 2, SEED), Effort(ALL, ALL, ALL, 60, 16, SEED)


def full():
    """Whether the counts are those of the long ring."""
    return os.environ.get("ANCHORWATCH_COUNTS") == "full"


class Sample:
    """At most so many of what is offered, all with the same chance; `kept`."""

    def __init__(self, most, seed):
        self.kept, self._most, self._offered = [], most, 0
        self._chance = random.Random(seed)

    def offer(self, *what):
        """One more."""
        self._offered += 1
        if len(self.kept) < self._most:
            self.kept.append(what)
            return
        at = self._chance.randrange(self._offered)
        if at < self._most:
            self.kept[at] = what


class Survey:
    """The counts of one story; `faults` are sentences, each with where it was seen."""

    def __init__(self, story, effort):
        self.story, self.effort = story, effort
        self.cuts = self.ordered = self.subsets = self.drawn = self.boots = 0
        self.repairs = self.second_cuts = self.second_images = self.second_drawn = 0
        self.later_cuts = self.later_images = self.later_drawn = 0
        self.unreadable = self.lost = self.wrong = 0
        self.faults = []
        self._seen, self._readers = set(), set()
        self._kinds, self._again = {}, Sample(effort.again, SEED)

    def run(self):
        """Count; the survey itself."""
        for number, cut in enumerate(recorded(self.story)):
            self.cuts += 1
            where = "cut %d, before %s" % (number, cut.call)
            for subsets in (False, True):
                self.drawn += drawn(cut.inodes, self.effort.most, subsets)
                for image in self._images(cut, subsets, self.effort.most, number):
                    self.ordered += not subsets
                    self.subsets += subsets
                    self._first(image, cut.ledger, where)
        longest = sorted(self._kinds, key=len, reverse=True)
        for calls in longest[:self.effort.repairs]:
            self._repaired(*self._kinds[calls])
        for started in self._again.kept:
            self._went_on(*started)
        return self

    def _images(self, cut, subsets, most, number):
        return images(cut.inodes, most, self.effort.seed + number, subsets)

    def _first(self, image, ledger, where):
        """A start that writes is cut itself: each, or one of those that make the same calls."""
        cuts = self._tried(image, ledger, where)
        if cuts is None:
            return
        self._again.offer(image, ledger, where)
        if len(cuts) < 2:
            return
        self.repairs += 1
        if self.effort.repairs == ALL:
            self._repaired(cuts, where)
        else:
            self._kinds.setdefault(tuple(cut.call for cut in cuts), (cuts, where))

    def _repaired(self, cuts, where):
        """The cuts of one start; before its first write there is what it was started on."""
        for cut in cuts[1:]:
            count, chosen = self._second(cut, where, self.effort.second)
            self.second_cuts += 1
            self.second_images += count
            self.second_drawn += chosen

    def _went_on(self, image, ledger, where):
        """The cuts while the agent goes on."""
        for cut in recorded_on(disk_of(image), ledger.copy(), self.story.after)[1:]:
            count, chosen = self._second(cut, where, self.effort.later)
            self.later_cuts += 1
            self.later_images += count
            self.later_drawn += chosen

    def _second(self, cut, where, most):
        """How many images of a second cut there were, and how often they were drawn."""
        count = chosen = 0
        for subsets in (False, True):
            chosen += drawn(cut.inodes, most, subsets)
            for image in self._images(cut, subsets, most, self.second_cuts + self.later_cuts):
                count += 1
                self._tried(image, cut.ledger, "%s, then before %s" % (where, cut.call))
        return count, chosen

    def _tried(self, image, ledger, where):
        """The cuts of a start on this; None where a start has shown already what it would do.

        Two images are one to a start that reads nothing of the files in which they differ.
        """
        key = hash((frozenset(map(_outline, image.items())), ledger.key()))
        if key in self._readers:
            key = hash((frozenset(image.items()), ledger.key()))
        if key in self._seen:
            return None
        self._seen.add(key)
        cuts, read = self._boot(image, ledger, where)
        if read:
            self._readers.add(key)
            self._seen.add(hash((frozenset(image.items()), ledger.key())))
        return cuts

    def _boot(self, image, promised, where):
        """Start twice: what is found is what was promised, and the second start has no more to
        write than the first has left to it. A start that wrote nothing would be the same again.
        The cuts of the first, and whether it read a file of which `_outline` says the length."""
        self.boots += 1
        disk, ledger, kept = disk_of(image), promised.copy(), []
        beside = {number for path, number in disk.paths() if _unfinished(path)}

        def start(calls, ledger):
            kept.extend((calls, self.story.boot(calls, ledger)))

        cuts = recorded_on(disk, ledger, start)
        calls, found = kept
        self._compare(found, promised, where)
        wrong = list(found.wrong)
        if len(cuts) > 1:
            wrong += self._second_start(disk, ledger, promised, wrong)
        self.wrong += bool(wrong)
        for sentence in wrong:
            self._fault(where, sentence)
        return cuts, bool(beside & calls.was_read)

    def _second_start(self, disk, ledger, promised, known):
        wrong, after, promises = [], disk.image(), ledger.key()
        again = self.story.boot(Calls(disk), ledger.copy())
        if ledger.broken(again.texts):
            wrong.append("the second start found something else")
        if promises == promised.key() and disk.image() != after:
            wrong.append("the second start wrote")
        return wrong + [sentence for sentence in again.wrong if sentence not in known]

    def _compare(self, found, ledger, where):
        broken = ledger.broken(found.texts)
        if broken:
            self.unreadable += found.damaged
            self.lost += not found.damaged
            self._fault(where, "%s is %s" % (broken[0], _shown(found.texts.get(broken[0]))))

    def _fault(self, where, sentence):
        if len(self.faults) < 20:
            self.faults.append("%s, %s: %s" % (self.story.name, where, sentence))


def _unfinished(path):
    """Whether a cut may leave anything under a name that no start needs. Of a slot's frame each
    byte counts, as it may be a key's."""
    return HALF_WRITTEN in path or path.endswith(".tmp") and "/slot-" not in path


def _outline(entry):
    """What of an image a start sees that reads no such file."""
    path, (kind, mode, owner, content) = entry
    return path, kind, mode, owner, len(content) if content and _unfinished(path) else content


class Guilty(Exception):
    """A fault that is looked for was seen."""


def convicted(story, effort, word="", kind=Survey):
    """Whether a story shows a fault with this word; it ends with the first."""
    class Trial(kind):
        """Stops where the fault is."""

        def _fault(self, where, sentence):
            if word in sentence:
                raise Guilty

    try:
        Trial(story, effort).run()
    except Guilty:
        return True
    return False


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
