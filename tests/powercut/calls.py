"""The calls of `os` and `fcntl` that the state layer makes, on a model disk, and errors in them.

Rule: a call that is not modelled is an AttributeError, so that no state can pass beside the model.
`Calls.meddler` is asked before and after each call: it may take a snapshot, or raise.
"""

import errno
import os
import posixpath
from contextlib import contextmanager
from types import SimpleNamespace

from anchorwatch.linux import folder as folder_module
from anchorwatch.linux import store as store_module
from tests.powercut.disk import FILE, FOLDER, LINK, TOP

_PURE = ("join", "dirname", "basename", "split", "normpath", "isabs", "abspath")
_TYPES = {FILE: 0o100000, FOLDER: 0o040000, LINK: 0o120000}


def refusal(number):
    """The OSError of an errno."""
    return OSError(number, os.strerror(number))


def _call(do):
    def called(self, *arguments, **named):
        self.meddler.before(do.__name__, arguments)
        result = do(self, *arguments, **named)
        self.meddler.after(do.__name__)
        return result
    return called


class Nothing:
    """Meddles with nothing."""

    def before(self, name, arguments):
        """Before a call."""

    def after(self, name):
        """After it has happened."""


class Opened:
    """An open file: where it is, and where in it."""

    def __init__(self, number, flags):
        self.number, self.flags, self.at = number, flags, 0


class Calls:
    """Stands for the module `os` of one process on `disk`."""

    def __init__(self, disk, meddler=None, uid=0, piece=1 << 20):
        self.disk, self.meddler, self.uid, self.piece = disk, meddler or Nothing(), uid, piece
        self._open, self._next = {}, 1000
        self._locked = {}
        self.was_read = set()       # numbers of the files of which anything was read
        self.path = _Paths(self)

    def __getattr__(self, name):
        raise AttributeError("the model disk has no os.%s" % name)

    fspath = staticmethod(os.fspath)

    # Files.

    @_call
    def open(self, path, flags, mode=0o777, dir_fd=None):
        """open(2)"""
        above, name, number = self._find(path, dir_fd)
        if number is None:
            if not flags & os.O_CREAT:
                raise refusal(errno.ENOENT)
            number = self.disk.new(FILE, b"", mode, self.uid)
            self.disk.change(above, ((name, number),))
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            raise refusal(errno.EEXIST)
        kind = self.disk.inodes[number].kind
        if kind == LINK:
            raise refusal(errno.ELOOP)
        self._may_open(kind, flags)
        if flags & os.O_TRUNC and kind == FILE and self.disk.seen(number):
            self.disk.change(number, (0, None))
        return self._hold(Opened(number, flags))

    def _may_open(self, kind, flags):
        if kind != FOLDER and flags & os.O_DIRECTORY:
            raise refusal(errno.ENOTDIR)
        if kind == FOLDER and flags & (os.O_WRONLY | os.O_RDWR):
            raise refusal(errno.EISDIR)

    def _hold(self, opened):
        self._next += 1
        self._open[self._next] = opened
        return self._next

    def held(self):
        """How many descriptors are open."""
        return len(self._open)

    @_call
    def read(self, descriptor, at_most):
        """read(2)"""
        opened = self._open[descriptor]
        self.was_read.add(opened.number)
        data = self.disk.seen(opened.number)[opened.at:opened.at + at_most]
        opened.at += len(data)
        return data

    @_call
    def write(self, descriptor, data):
        """write(2), at most `piece` bytes at a time"""
        opened = self._open[descriptor]
        if not opened.flags & (os.O_WRONLY | os.O_RDWR):
            raise refusal(errno.EBADF)
        data = bytes(data[:self.piece])
        self.disk.change(opened.number, (opened.at, data))
        opened.at += len(data)
        return len(data)

    @_call
    def fsync(self, descriptor):
        """fsync(2)"""
        self.disk.sync(self._open[descriptor].number)

    @_call
    def close(self, descriptor):
        """close(2)"""
        self._locked = {n: d for n, d in self._locked.items() if d != descriptor}
        del self._open[descriptor]

    def spoil(self, descriptor):
        """What a failed fsync does to what it could not write."""
        self.disk.fail(self._open[descriptor].number)

    def let_go(self, descriptor):
        """Close after a close that failed: Linux has closed it all the same."""
        self._open.pop(descriptor, None)

    def fdopen(self, descriptor, mode):
        """A reader of an open descriptor; Python refuses folders"""
        if self.disk.inodes[self._open[descriptor].number].kind == FOLDER:
            raise refusal(errno.EISDIR)
        return _File(self, descriptor)

    # Names.

    @_call
    def rename(self, old, new, src_dir_fd=None, dst_dir_fd=None):
        """rename(2) within one folder"""
        above, name, number = self._find(old, src_dir_fd)
        to, other, there = self._find(new, dst_dir_fd)
        if number is None:
            raise refusal(errno.ENOENT)
        assert above == to, "the model renames within one folder"
        if there != number:
            self._may_replace(number, there)
            self.disk.change(above, ((name, None), (other, number)))

    def _may_replace(self, number, there):
        if there is None:
            return
        kind, other = self.disk.inodes[number].kind, self.disk.inodes[there].kind
        if kind != other:
            raise refusal(errno.EISDIR if other == FOLDER else errno.ENOTDIR)
        if other == FOLDER and self.disk.seen(there):
            raise refusal(errno.ENOTEMPTY)

    replace = rename

    @_call
    def unlink(self, path, dir_fd=None):
        """unlink(2)"""
        above, name, number = self._find(path, dir_fd)
        if number is None:
            raise refusal(errno.ENOENT)
        if self.disk.inodes[number].kind == FOLDER:
            raise refusal(errno.EISDIR)
        self.disk.change(above, ((name, None),))

    remove = unlink

    @_call
    def mkdir(self, path, mode=0o777, dir_fd=None):
        """mkdir(2)"""
        above, name, number = self._find(path, dir_fd)
        if number is not None:
            raise refusal(errno.EEXIST)
        self.disk.change(above, ((name, self.disk.new(FOLDER, {}, mode & ~0o022, self.uid)),))

    @_call
    def rmdir(self, path, dir_fd=None):
        """rmdir(2)"""
        above, name, number = self._find(path, dir_fd)
        if number is None:
            raise refusal(errno.ENOENT)
        if self.disk.inodes[number].kind != FOLDER:
            raise refusal(errno.ENOTDIR)
        if self.disk.seen(number):
            raise refusal(errno.ENOTEMPTY)
        self.disk.change(above, ((name, None),))

    def makedirs(self, path, mode=0o777, exist_ok=False):
        """os.makedirs, whose calls are mkdir's"""
        above = posixpath.dirname(path)
        if above and not self.path.exists(above):
            self.makedirs(above, exist_ok=True)
        try:
            self.mkdir(path, mode)
        except FileExistsError:
            if not exist_ok:
                raise

    @_call
    def listdir(self, where):
        """The names in a folder, in no order that a caller may rely on"""
        number = self._open[where].number if isinstance(where, int) else self._at(where)
        if self.disk.inodes[number].kind != FOLDER:
            raise refusal(errno.ENOTDIR)
        return sorted(self.disk.seen(number), reverse=True)

    # What is known of a file.

    @_call
    def stat(self, path, dir_fd=None, follow_symlinks=True):
        """stat(2); links are not followed"""
        number = self._find(path, dir_fd)[2]
        if number is None:
            raise refusal(errno.ENOENT)
        return self._stat(number)

    def lstat(self, path, dir_fd=None):
        """lstat(2)"""
        return self.stat(path, dir_fd=dir_fd, follow_symlinks=False)

    @_call
    def fstat(self, descriptor):
        """fstat(2)"""
        return self._stat(self._open[descriptor].number)

    @_call
    def fchmod(self, descriptor, mode):
        """fchmod(2); on the disk at once, since no recipe waits for it"""
        number = self._open[descriptor].number
        self.disk.inodes[number] = self.disk.inodes[number]._replace(mode=mode)

    def geteuid(self):
        """Who runs"""
        return self.uid

    def flock(self, descriptor, how):
        """flock(2), exclusive"""
        number = self._open[descriptor].number
        if self._locked.setdefault(number, descriptor) != descriptor:
            raise BlockingIOError(errno.EWOULDBLOCK, "locked")

    def _stat(self, number):
        inode = self.disk.inodes[number]
        size = len(self.disk.seen(number))
        return SimpleNamespace(st_uid=inode.owner, st_mode=_TYPES[inode.kind] | inode.mode,
                               st_ino=number, st_size=size, st_nlink=1, st_mtime_ns=0)

    def _find(self, path, dir_fd):
        """(number of the folder, name in it, number of what is there or None)"""
        above, _, name = path.rpartition("/")
        start = self._open[dir_fd].number if dir_fd is not None else TOP
        number = self._at(above, start)
        if self.disk.inodes[number].kind != FOLDER:
            raise refusal(errno.ENOTDIR)
        return number, name, self.disk.seen(number).get(name) if name else number

    def _at(self, path, start=TOP):
        number = start
        for name in [part for part in path.split("/") if part]:
            if self.disk.inodes[number].kind != FOLDER:
                raise refusal(errno.ENOTDIR)
            number = self.disk.seen(number).get(name)
            if number is None:
                raise refusal(errno.ENOENT)
        return number


for _name in dir(os):
    if _name.startswith("O_"):
        setattr(Calls, _name, getattr(os, _name))


class _Paths:
    """Stands for `os.path`."""

    def __init__(self, calls):
        self._calls = calls

    def __getattr__(self, name):
        if name in _PURE:
            return getattr(posixpath, name)
        raise AttributeError("the model disk has no os.path.%s" % name)

    def lexists(self, path):
        """Whether a name is there"""
        return self._kind(path) is not None

    exists = lexists

    def isdir(self, path):
        """Whether it is a folder"""
        return self._kind(path) == FOLDER

    def islink(self, path):
        """Whether it is a symbolic link"""
        return self._kind(path) == LINK

    def isfile(self, path):
        """Whether it is a file"""
        return self._kind(path) == FILE

    def _kind(self, path):
        try:
            number = self._calls._find(path, None)[2]
        except OSError:
            return None
        return None if number is None else self._calls.disk.inodes[number].kind


class _File:
    """What os.fdopen gives."""

    def __init__(self, calls, descriptor):
        self._calls, self._descriptor = calls, descriptor

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._calls.close(self._descriptor)

    def read(self, at_most=1 << 30):
        """All that is asked for, as a buffered reader gives"""
        return self._calls.read(self._descriptor, at_most)


class _Folder(folder_module.Folder):
    """Of a process that a cut may end: nobody closes what it had open."""

    def __del__(self):
        pass


_MODULES = [folder_module, store_module]


@contextmanager
def on(calls):
    """The state layer works on the model disk."""
    fcntl = SimpleNamespace(flock=calls.flock, LOCK_EX=2, LOCK_NB=4, LOCK_UN=8, LOCK_SH=1)
    kept = [(module, name, getattr(module, name)) for module in _MODULES
            for name in ("os", "fcntl") if hasattr(module, name)]
    kept.append((folder_module, "Folder", folder_module.Folder))
    new = {"os": calls, "fcntl": fcntl, "Folder": _Folder}
    for module, name, _ in kept:
        setattr(module, name, new[name])
    try:
        yield calls
    finally:
        for module, name, real in kept:
            setattr(module, name, real)
