"""One folder and the operations on it between which a power cut can fall.

Rule: whatever the agent writes to a disk goes through `Folder`, by names, never by paths: a folder
that was swapped for a link after the start is not followed. Tests put another one in its place.
"""

import errno
import fcntl
import os
import stat

from ..errors import StateError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SHUT = -2  # no descriptor; with -1 `os.listdir` takes the working directory


class Folder:
    """An open folder. Every operation takes a name inside it and raises OSError; as with an open
    file, the last who knows it closes it."""

    def __init__(self, descriptor: int, path: str) -> None:
        self.path = path
        self._at = descriptor

    def __del__(self, close=os.close) -> None:
        # Its own way to close: who changes `os`, or ends the interpreter, came after it was opened.
        if self._at != _SHUT:
            try:
                close(self._at)
            except OSError:
                pass

    def names(self) -> list[str]:
        """Sorted names in the folder."""
        return sorted(os.listdir(self._at))

    def read(self, name: str, at_most: int) -> bytes | None:
        """The first `at_most` bytes of a file; None without one; ELOOP for a symbolic link, EINVAL
        for what is no file: a pipe, a device."""
        return self._read(name, at_most, _regular)

    def own(self, name: str, at_most: int) -> bytes | None:
        """`read`, but EPERM for a file that somebody else but root owns or may write."""
        return self._read(name, at_most, _private)

    def _read(self, name: str, at_most: int, check) -> bytes | None:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=self._at)
        except FileNotFoundError:
            return None
        try:
            check(os.fstat(descriptor))
            file = os.fdopen(descriptor, "rb")
        except OSError:
            os.close(descriptor)
            raise
        with file:
            return file.read(at_most)

    def stamp(self, name: str) -> tuple[int, ...] | None:
        """Changes when the file does; None when there is none."""
        try:
            found = os.stat(name, dir_fd=self._at, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_size, found.st_mtime_ns)

    def create(self, name: str) -> int:
        """A new file of the owner's, open for writing; EEXIST when the name is taken."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o600, dir_fd=self._at)

    def reopen(self, name: str) -> int:
        """An existing file, open for writing over it."""
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, dir_fd=self._at)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write some of `data`; how many bytes."""
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        """The file's bytes are on the disk."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a file."""
        os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        """Give a file the name of another, gone in the same moment; or a folder a new name."""
        os.rename(old, new, src_dir_fd=self._at, dst_dir_fd=self._at)

    def unlink(self, name: str) -> None:
        """Remove a name; nothing when there is none."""
        try:
            os.unlink(name, dir_fd=self._at)
        except FileNotFoundError:
            pass

    def inside(self, name: str) -> "Folder | None":
        """A folder in this one, open; None without one.

        Raises  OSError: ELOOP or ENOTDIR for a link, EPERM for one that others own or may write
        """
        try:
            descriptor = os.open(name, _FOLDER, dir_fd=self._at)
        except FileNotFoundError:
            return None
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            os.close(descriptor)
            raise OSError(errno.EPERM, "folder of others: owner %d, mode %o"
                          % (found.st_uid, stat.S_IMODE(found.st_mode)))
        return type(self)(descriptor, os.path.join(self.path, name))

    def mkdir(self, name: str) -> None:
        """A new folder of the owner's; EEXIST when the name is taken."""
        os.mkdir(name, 0o700, dir_fd=self._at)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder; nothing when there is none."""
        try:
            os.rmdir(name, dir_fd=self._at)
        except FileNotFoundError:
            pass

    def shut(self) -> None:
        """Close this folder, which is not used any more; it is closed whatever the disk says."""
        descriptor, self._at = self._at, _SHUT
        try:
            if descriptor != _SHUT:
                os.close(descriptor)
        except OSError:
            pass

    def lock(self, name: str) -> int | None:
        """Hold a lock file as long as this process lives; None when another process does."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self._at)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def syncdir(self) -> None:
        """The folder's names are on the disk."""
        os.fsync(self._at)


def _regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")


def _private(found: os.stat_result) -> None:
    _regular(found)
    if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
        shown = (found.st_uid, stat.S_IMODE(found.st_mode))
        raise OSError(errno.EPERM, "others may write it: owner %d, mode %o" % shown)


def open_folder(path: str) -> Folder:
    """An existing folder that only its owner, root or we may write."""
    descriptor, found = _open(path)
    if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
        os.close(descriptor)
        shown = "%s, owner %d, mode %o" % (path, found.st_uid, stat.S_IMODE(found.st_mode))
        raise StateError("unwritable", "folder can be written by others", shown,
                         "make the agent's user its owner and remove write permission for others")
    return Folder(descriptor, path)


def open_source(path: str) -> Folder:
    """An existing folder, whoever owns it: for files that carry their own signatures."""
    return Folder(_open(path)[0], path)


def open_private(path: str) -> Folder:
    """The state's folder: made if it is missing, ours alone, mode 0700."""
    if not os.path.lexists(path):
        _make_private(path)
    descriptor, found = _open(path)
    if found.st_uid != os.geteuid():
        os.close(descriptor)
        raise StateError("unwritable", "state folder belongs to another user",
                         "%s, owner %d" % (path, found.st_uid), "run as its owner, or change it")
    if found.st_mode & 0o077:
        _close_to_others(descriptor, path)
    return Folder(descriptor, path)


def _close_to_others(descriptor: int, path: str) -> None:
    try:
        os.fchmod(descriptor, 0o700)
    except OSError as error:
        os.close(descriptor)
        raise StateError("unwritable", "state folder is open to others",
                         "%s (%s)" % (path, error.strerror), "give it mode 0700") from error


def make(path: str, mode: int) -> None:
    """A folder and those above it, if they are missing: their names are on the disk before anything
    is put into them.

    Raises  OSError: it cannot be made
    """
    if os.path.lexists(path):
        return
    above = os.path.dirname(path) or "."
    make(above, 0o755)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    descriptor = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_private(path: str) -> None:
    try:
        make(path, 0o700)
    except OSError as error:
        raise StateError("unwritable", "folder cannot be made", "%s (%s)" % (path, error.strerror),
                         "make it, or correct state.dir") from error


def _open(path: str) -> tuple[int, os.stat_result]:
    try:
        descriptor = os.open(path, _FOLDER)
        try:
            return descriptor, os.fstat(descriptor)
        except OSError:
            os.close(descriptor)
            raise
    except OSError as error:
        linked = os.path.islink(path)
        shown = "%s (%s)" % (path, "symbolic link" if linked else error.strerror)
        remedy = "name the folder itself" if linked else "correct its path or owner"
        raise StateError("unwritable", "folder cannot be opened", shown, remedy) from error
