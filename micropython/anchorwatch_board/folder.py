"""One folder of the board's file system, and the operations between which a power cut can fall.

Rule: whatever the agent writes goes through `Folder`. What was written is on the flash when the
call returns: LittleFS commits a file when it is flushed, FAT writes sector and directory entry.

Source: measured on MicroPython's own LittleFS and FAT, micropython/README.md, "Power cuts".
"""

import os

from anchorwatch.performers.bundles import remove

_NO_ENTRY, _FULL = 2, 28
_FOLDER = 0x4000
_PIECE = 512
# A file system that does not say what it is has its free blocks overwritten up to this size.
_FREE_AT_MOST = 16_777_216
_ERASER, _BAD = "eraser", ".bad"


def quiet() -> None:
    """What feeds a watchdog where there is none."""


def read(path: str, at_most: int) -> bytes:
    """The first `at_most` bytes of a file. A board takes from its heap what it is asked to read,
    whether or not there is so much: so no more is asked for. Raises OSError."""
    with open(path, "rb") as file:
        return file.read(min(os.stat(path)[6], at_most))


class Folder:
    """path  without a slash at its end. Every operation takes a name and raises OSError."""

    def __init__(self, path: str) -> None:
        self.path = path if path[:1] == "/" else os.getcwd().rstrip("/") + "/" + path

    def names(self) -> list:
        """Sorted names in the folder."""
        return sorted(os.listdir(self.path))

    def read(self, name: str, at_most: int) -> bytes | None:
        """The first `at_most` bytes of a file; None without one."""
        try:
            return read(self._of(name), at_most)
        except OSError as error:
            if error.errno == _NO_ENTRY:
                return None
            raise

    own = read

    def stamp(self, name: str) -> tuple | None:
        """Changes when the file's size or time does; None when there is none."""
        try:
            found = os.stat(self._of(name))
        except OSError:
            return None
        return (found[6], found[8])

    def size(self, name: str) -> int | None:
        """Bytes of a file; None without one."""
        found = self.stamp(name)
        return None if found is None else found[0]

    def inside(self, name: str) -> "Folder | None":
        """A folder in this one; None without one."""
        try:
            found = os.stat(self._of(name))
        except OSError:
            return None
        return Folder(self._of(name)) if found[0] & _FOLDER else None

    def mkdir(self, name: str) -> None:
        """A new folder."""
        os.mkdir(self._of(name))

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self._of(name))

    def unlink(self, name: str) -> None:
        """Remove a name; nothing when there is none."""
        try:
            os.remove(self._of(name))
        except OSError as error:
            if error.errno != _NO_ENTRY:
                raise

    def shut(self) -> None:
        """Nothing is held open."""

    def syncdir(self) -> None:
        """The folder's names are on the flash."""
        _sync()

    def rename(self, old: str, new: str) -> None:
        """Give a file the name of another, which is gone."""
        os.rename(self._of(old), self._of(new))
        _sync()

    def write(self, name: str, data: bytes) -> None:
        """A file with these bytes, whatever was there."""
        self._put(name, "wb", data, 0)

    def over(self, name: str, data: bytes, zeros: int = 0) -> None:
        """Write over the beginning of an existing file, and `zeros` zeros behind it."""
        self._put(name, "r+b", data, zeros)

    def blank(self, name: str, size: int) -> None:
        """A file of `size` zeros."""
        self._put(name, "wb", b"", size)

    def erase_free(self, pause=quiet) -> None:
        """Overwrite the blocks that nobody uses, where a file system has moved bytes instead of
        overwriting them."""
        if not self._moves():
            return
        try:
            with open(self._of(_ERASER), "wb") as file:
                while file.write(bytes(_PIECE)) == _PIECE:
                    pause()
        except OSError as error:
            if error.errno != _FULL:
                raise
        finally:
            self.tidy()

    def tidy(self) -> None:
        """Remove what an interrupted erase_free left, if it did."""
        self.unlink(_ERASER)

    def _moves(self) -> bool:
        """Whether what is overwritten here stays in a block of its own until that is used again."""
        import vfs

        try:
            mounted = [(point, fs) for fs, point in vfs.mount() if _below(self.path, point)]
        except TypeError:  # older firmware does not tell what is mounted
            block, _, _, free = os.statvfs(self.path)[:4]
            return block * free <= _FREE_AT_MOST
        return bool(mounted) and type(max(mounted)[1]).__name__.startswith("VfsLfs")

    def _put(self, name: str, mode: str, data: bytes, zeros: int) -> None:
        with open(self._of(name), mode) as file:
            if file.write(data) != len(data):
                raise OSError(_FULL)
            while zeros > 0:
                if file.write(bytes(min(zeros, _PIECE))) != min(zeros, _PIECE):
                    raise OSError(_FULL)
                zeros -= _PIECE
            file.flush()
        _sync()

    def _of(self, name: str) -> str:
        return self.path + "/" + name


def make(path: str) -> Folder:
    """A folder and those above it, made if they are missing. What a cut has left of a folder whose
    making it interrupted steps aside. Raises OSError."""
    above, _, _ = path.rpartition("/")
    try:
        os.stat(path)
    except OSError:
        if above:
            make(above)
        os.mkdir(path)
        _sync()
    try:
        os.listdir(path)
    except (OSError, ValueError):
        os.rename(path, path + _BAD)
        os.mkdir(path)
        _sync()
    return Folder(path)


def fill(home: Folder, name: str, files: dict) -> None:
    """A new folder with these files. A cut may leave a part of them: nothing names it then.

    Raises  OSError: nothing has changed
    """
    home.mkdir(name)
    try:
        folder = Folder(home.path + "/" + name)
        for file in sorted(files):
            folder.write(file, files[file])
    except OSError:
        try:
            remove(home, name)
        except OSError:
            pass  # the next sweep tries again
        raise


def _below(path: str, point: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def _sync() -> None:
    """Where the port has it: a card that holds writes back."""
    if hasattr(os, "sync"):
        os.sync()
