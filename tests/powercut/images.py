"""Every image of a disk that a power cut may leave.

ordered     of each file any prefix of its unsynced 512-byte chunks, of each folder any prefix of
            its unsynced changes
any-subset  of each any subset; journals do not go so far, broken controllers do

The last chunk may also be torn in its middle, or be there in length only, as zeros.

Rule: what was synced is there; files and folders lose independently of each other. Where there are
more than `most` images of a cut, they are drawn by a seed.
"""

import random
from itertools import product
from math import prod

from tests.powercut.disk import CHUNK, FILE, FOLDER, TOP, image_of, renamed, written

_SUBSETS_OF = 8


def images(inodes, most, seed, subsets):
    """Different images after a cut now, at most `most`; subsets: any-subset, else ordered."""
    open_, chance = _unsynced(inodes), random.Random(seed)
    choices = [_remains(inodes[number], subsets, chance, most) for number in open_]
    seen = set()
    for picked in _products(choices, most, chance):
        image = image_of(inodes, _content(inodes, dict(zip(open_, picked))))
        key = frozenset(image.items())
        if key not in seen:
            seen.add(key)
            yield image


def drawn(inodes, most, subsets):
    """Whether `images` draws from what a cut may leave; else it gives every image there is."""
    counts = [len(_steps(inodes[number])) for number in _unsynced(inodes)]
    if subsets and [count for count in counts if _too_many(count, most)]:
        return True
    choices = [_remains(inodes[number], subsets, None, most) for number in _unsynced(inodes)]
    return prod(map(len, choices)) > most


def _unsynced(inodes):
    return [number for number in _reachable(inodes) if inodes[number].since]


def _content(inodes, left):
    return lambda number: left[number] if number in left else inodes[number].synced


def _reachable(inodes):
    """Numbers that some image may have a name for."""
    found, waiting = [], [TOP]
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        found.append(number)
        inode = inodes[number]
        if inode.kind == FOLDER:
            waiting += inode.synced.values()
            waiting += [n for change in inode.since for _, n in change if n is not None]
    return sorted(found)


def _products(choices, most, chance):
    if prod(map(len, choices)) <= most:
        return product(*choices)
    firsts = [tuple(choice[0] for choice in choices), tuple(choice[-1] for choice in choices)]
    drawn = [tuple(chance.choice(choice) for choice in choices) for _ in range(most - 2)]
    return firsts + drawn


def _remains(inode, subsets, chance, most):
    """What may be left of one file or folder, nothing new first, everything last."""
    apply = renamed if inode.kind == FOLDER else written
    steps, found = _steps(inode), []
    for kept in _kept(len(steps), subsets, chance, most):
        left = inode.synced
        for number in kept[:-1]:
            left = apply(left, steps[number])
        for last in _lasts(steps[kept[-1]], inode.kind) if kept else ():
            found.append(apply(left, last))
        if not kept:
            found.append(left)
    return found


def _kept(count, subsets, chance, most):
    """Ascending numbers of what is kept: prefixes, or subsets (some, if there are too many)."""
    if not subsets:
        return [tuple(range(n)) for n in range(count + 1)]
    if not _too_many(count, most):
        whole = range(2**count)
    else:
        prefixes = {2**n - 1 for n in range(count + 1)}
        holes = {2**count - 1 - 2**n for n in range(count)}
        drawn = {chance.randrange(2**count) for _ in range(most)}
        whole = sorted(prefixes | holes | drawn)
    return [tuple(n for n in range(count) if bits >> n & 1) for bits in whole]


def _too_many(count, most):
    return count > _SUBSETS_OF and 2**count > most


def _steps(inode):
    """What may be lost one by one: changes of names, or chunks."""
    return list(inode.since) if inode.kind == FOLDER else _chunks(inode.since)


def _chunks(writes):
    """The writes cut where the disk's chunks end."""
    found = []
    for offset, data in writes:
        if data is None:
            found.append((offset, None))
            continue
        while data:
            size = CHUNK - offset % CHUNK
            found.append((offset, data[:size]))
            offset, data = offset + len(data[:size]), data[size:]
    return found


def _lasts(step, kind):
    """The last that was kept: torn, as zeros, whole. A change of names is whole or not there."""
    if kind != FILE or step[1] is None:
        return [step]
    offset, data = step
    return [(offset, data[:len(data) // 2]), (offset, bytes(len(data))), step]
