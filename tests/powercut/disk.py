"""A disk in memory that knows which of its bytes and names a power cut would keep.

A file keeps the bytes that were synced; of the writes since, any may be missing. A folder keeps
the names it had when it was synced; of the changes since, any may be missing. A file's sync says
nothing of its name, a folder's sync nothing of what is below it.

Rule: records are values and are replaced, never changed: a copy of `inodes` is a snapshot.

Source: facts of crash consistency; fsync(2).
"""

from collections import namedtuple

FILE, FOLDER, LINK = "file", "folder", "link"
TOP = 1
CHUNK = 512     # what a disk writes as one

# kind    FILE, FOLDER or LINK
# synced  FILE: bytes; FOLDER: {name: number}; LINK: where it points
# since   FILE: ((offset, bytes) or (size, None) for a cut to size, ...);
#         FOLDER: (((name, number or None), ...) for what happens as one, ...)
# failed  a sync failed: what was not written then is never written, whatever a later sync says
Inode = namedtuple("Inode", "kind synced since mode owner failed")


def made(kind, synced, mode, owner=0):
    """A record with nothing unsynced."""
    return Inode(kind, synced, (), mode, owner, False)


def written(data, change):
    """The bytes of a file after one write, or after a cut to a size."""
    offset, piece = change
    if piece is None:
        return data[:offset] + bytes(offset - len(data[:offset]))
    data += bytes(max(0, offset - len(data)))
    return data[:offset] + piece + data[offset + len(piece):]


def renamed(entries, change):
    """The names of a folder after one change."""
    after = dict(entries)
    for name, number in change:
        if number is None:
            after.pop(name, None)
        else:
            after[name] = number
    return after


class Disk:
    """Inodes by number; TOP is the root folder."""

    def __init__(self, inodes=None):
        self.inodes = dict(inodes or {TOP: made(FOLDER, {}, 0o755)})
        self._next = max(self.inodes) + 1

    def new(self, kind, synced, mode, owner):
        """An inode that no name leads to yet."""
        number, self._next = self._next, self._next + 1
        empty = {} if kind == FOLDER else b""
        self.inodes[number] = made(kind, synced if kind == LINK else empty, mode, owner)
        return number

    def seen(self, number):
        """What a running program finds: everything written, synced or not."""
        inode = self.inodes[number]
        found = inode.synced
        for change in inode.since:
            found = (renamed if inode.kind == FOLDER else written)(found, change)
        return found

    def change(self, number, change):
        """One change that is not synced yet."""
        inode = self.inodes[number]
        self.inodes[number] = inode._replace(since=(*inode.since, change))

    def sync(self, number):
        """What was changed is kept, unless a sync of it has failed before."""
        inode = self.inodes[number]
        if not inode.failed:
            self.inodes[number] = inode._replace(synced=self.seen(number), since=())

    def fail(self, number):
        """A sync that fails: Linux drops bytes that it could not write, and forgets that it did."""
        inode = self.inodes[number]
        self.inodes[number] = inode._replace(failed=inode.kind == FILE)

    def paths(self):
        """[(path, number)] as a running program finds them."""
        found = [("", TOP)]
        for path, number in found:
            if self.inodes[number].kind == FOLDER:
                found += [("%s/%s" % (path, name), n) for name, n in self.seen(number).items()]
        return found

    def image(self):
        """{path: (kind, mode, owner, content)} as a running program finds it."""
        return image_of(self.inodes, self.seen)


def image_of(inodes, content):
    """{path: (kind, mode, owner, bytes or target or None)} of what content(number) says."""
    found, waiting = {}, [("", TOP)]
    while waiting:
        path, number = waiting.pop()
        kind, mode, owner, has = inodes[number][0], *inodes[number][3:5], content(number)
        found[path] = (kind, mode, owner, None if kind == FOLDER else has)
        if kind == FOLDER:
            waiting += [("%s/%s" % (path, name), has[name]) for name in has]
    return found


def disk_of(image):
    """A disk that holds exactly this, all of it synced."""
    disk = Disk()
    numbers = {}
    for path in sorted(image):
        kind, mode, owner, content = image[path]
        number = disk.new(kind, content, mode, owner) if path else TOP
        numbers[path] = number
        folder = kind == FOLDER
        disk.inodes[number] = made(kind, {} if folder else content, mode, owner)
        if path:
            above, _, name = path.rpartition("/")
            disk.inodes[numbers[above]].synced[name] = number
    return disk
