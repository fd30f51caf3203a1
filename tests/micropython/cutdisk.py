"""A disk in memory whose power can be cut: a block device of MicroPython that remembers its writes.

Rule: what a cut may leave is counted, never drawn. A write may be whole, missing, or torn at half a
unit or between two; FAT's medium may also have kept back one write until the next sync, while
LittleFS is promised that what it programs stays in order.

Source: MicroPython's block device protocol; design section 11.
"""

import vfs

ERASED = 0xFF
POINT = "/cut"


class Disk:
    """`blocks` of `size` bytes; `unit` is what is written whole or not at all, at best."""

    def __init__(self, kind, blocks, size, unit, in_order, image=None):
        self.kind, self.blocks, self.size, self.unit = kind, blocks, size, unit
        self.in_order = in_order
        self.image = bytearray(blocks * size) if image is None else image
        self.log = None  # [(offset, bytes)], (None, None) for a sync; None: nothing is remembered

    # MicroPython's block device.

    def readblocks(self, number, buffer, offset=0):
        at = number * self.size + offset
        buffer[:] = self.image[at : at + len(buffer)]

    def writeblocks(self, number, buffer, offset=0):
        self._write(number * self.size + offset, bytes(buffer))

    def ioctl(self, what, argument):
        if what == 4:
            return self.blocks
        if what == 5:
            return self.size
        if what == 3 and self.log is not None:
            self.log.append((None, None))
        if what == 6 and self.kind != "VfsFat":
            self._write(argument * self.size, bytes([ERASED]) * self.size)
        return 0

    def _write(self, at, data):
        self.image[at : at + len(data)] = data
        if self.log is not None:
            self.log.append((at, data))

    # What the enumeration does with it.

    def format(self):
        getattr(vfs, self.kind).mkfs(self)

    def mount(self):
        vfs.mount(getattr(vfs, self.kind)(self), POINT)

    def unmount(self):
        vfs.umount(POINT)

    def again(self, image):
        """The same disk with other bytes in it."""
        return Disk(self.kind, self.blocks, self.size, self.unit, self.in_order, image)


def lfs(blocks=48, size=2048):
    """Flash: erased by blocks, programmed in order by 32 bytes."""
    return Disk("VfsLfs2", blocks, size, 32, True)


def fat(blocks=256, size=512):
    """A card: sectors that are written over, in any order between two syncs."""
    return Disk("VfsFat", blocks, size, size, False)


def images(disk, before, log):
    """(writes that are whole, image, at, data) of every cut: the bytes at `at` are `data` instead.
    The image is not to be kept; `before` is the one that the log begins with."""
    image, window = bytearray(before), []
    for done, (at, data) in enumerate(log):
        yield done, image, 0, b""
        if at is None:
            window = []
            continue
        old = bytes(image[at : at + len(data)])
        for torn in _torn(disk.unit, old, data):
            yield done, image, at, torn
        window.append((at, old, data))
        image[at : at + len(data)] = data
        if not disk.in_order:
            for where, kept in _late(window):
                yield done + 1, image, where, kept
    yield len(log), image, 0, b""


def _torn(unit, old, new):
    """What a write may leave behind that is neither old nor new."""
    count = len(new) // unit
    for n in range(1, count) if count <= 8 else (1, count // 2, count - 1):
        yield new[: n * unit] + old[n * unit :]
    half = unit // 2
    yield new[:half] + old[half:]
    yield new[: len(new) - half] + old[len(new) - half :]
    if count == 1:
        yield old[:half] + new[half:]


def _late(window):
    """The last of a window is there and one before it is not, unless it was written over since."""
    for n, (at, old, data) in enumerate(window[:-1]):
        later = window[n + 1 :]
        if not any(a < at + len(data) and at < a + len(d) for a, _, d in later):
            yield at, old
