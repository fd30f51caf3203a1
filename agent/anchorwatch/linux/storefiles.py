"""Small files written so that a power cut leaves the old or the new bytes, and removed with theirs;
and folders of them, written whole.

Rule: what a name stands for is never half there; the bytes of a secret are at every moment under a
name, where wiping finds them.

Source: rename(2), fsync(2); facts of crash consistency.
"""

import errno

from ..performers.bundles import NEW, remove
from ..wire import frame
from .folder import Folder

BESIDE = ".tmp"
FILE_AT_MOST = frame.BODY_AT_MOST + 1024


def replace(folder: Folder, name: str, data: bytes, named: bool = False) -> None:
    """Write a file so that its name stands for the old or for the new bytes, at every moment.

    named  no byte is written before the file has a name on the disk
    """
    beside = name + BESIDE
    forget(folder, beside)
    try:
        _write_new(folder, beside, data, named)
        folder.rename(beside, name)
    except OSError:
        forget(folder, beside)
        raise
    folder.syncdir()


def replace_secret(folder: Folder, name: str, data: bytes) -> None:
    """`replace` of the older slot of a key: at every moment a name leads to each of its bytes, so
    that wiping finds them. What was there steps aside first, to be torn under no name that counts.
    """
    beside = name + BESIDE
    scrub(folder, beside)
    if folder.stamp(name) is not None:
        folder.rename(name, beside)
        folder.syncdir()
        scrub(folder, beside)
    replace(folder, name, data, named=True)


def fill(home: Folder, name: str, files: dict[str, bytes]) -> None:
    """A new folder, whole or not there: it is filled under another name, and only then called so.

    Raises  OSError: nothing has changed
    """
    remove(home, NEW)
    try:
        home.mkdir(NEW)
        _put(home, files)
        home.rename(NEW, name)
        home.syncdir()
    except OSError:
        _forget(home, name)
        _forget(home, NEW)
        raise


def _put(home: Folder, files: dict[str, bytes]) -> None:
    folder = home.inside(NEW)
    if folder is None:
        raise OSError("folder is gone")
    try:
        for name in sorted(files):
            _write_new(folder, name, files[name], named=False)
        folder.syncdir()
    finally:
        folder.shut()


def _forget(home: Folder, name: str) -> None:
    try:
        remove(home, name)
    except OSError:
        pass  # the next sweep tries again


def _write_new(folder: Folder, name: str, data: bytes, named: bool) -> None:
    descriptor = folder.create(name)
    try:
        if named:
            folder.syncdir()
        _write_all(folder, descriptor, data)
        folder.fsync(descriptor)
    finally:
        folder.close(descriptor)


def _write_all(folder: Folder, descriptor: int, data: bytes) -> None:
    while data:
        data = data[folder.write(descriptor, data):]


def scrub(folder: Folder, name: str) -> None:
    """Overwrite, then remove; what is no file (a link, a pipe) is only removed."""
    size = _size(folder, name)
    if size is None:
        return
    if size:
        descriptor = folder.reopen(name)
        try:
            _blank(folder, descriptor, size)
        finally:
            folder.close(descriptor)
    folder.unlink(name)
    folder.syncdir()


def _size(folder: Folder, name: str) -> int | None:
    try:
        data = folder.read(name, FILE_AT_MOST)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EINVAL, errno.ENXIO):
            raise
        return 0
    return None if data is None else len(data)


def _blank(folder: Folder, descriptor: int, size: int) -> None:
    _write_all(folder, descriptor, bytes(size))
    folder.fsync(descriptor)


def forget(folder: Folder, name: str) -> None:
    """What a cut or an error left beside a file: at least its name must go."""
    try:
        scrub(folder, name)
    except OSError:
        _drop(folder, name)


def _drop(folder: Folder, name: str) -> None:
    try:
        folder.unlink(name)
    except OSError:
        pass
