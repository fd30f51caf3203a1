"""Files of the workspace and of what is published.

Rule: a file is whole or absent: written beside, synced, renamed. A private key is made once, for
its owner alone, and never written over.
"""

import os
import stat

from ..errors import AgentError, ConfigError

AT_MOST = 1_048_576


class DiskError(AgentError):
    """Something could not be written; what was there before still is."""


def read(path: str, at_most: int = AT_MOST) -> bytes:
    """A file that somebody named. ConfigError if it cannot be read or is too long."""
    try:
        with open(path, "rb") as file:
            data = file.read(at_most + 1)
    except OSError as error:
        raise ConfigError("file cannot be read", "%s (%s)" % (path, error.strerror),
                          "correct its name or its owner") from error
    if len(data) > at_most:
        raise ConfigError("file is longer than %d bytes" % at_most, path, "name the right file")
    return data


def write(path: str, data: bytes) -> bool:
    """Put `data` under a name in one step; False when it is there already."""
    try:
        if _same(path, data):
            return False
        _write_beside(path, data)
        os.replace(path + ".new", path)
        _sync_folder(os.path.dirname(path) or ".")
    except OSError as error:
        raise _failed(path, error) from error
    return True


def write_once(path: str, data: bytes, mode: int) -> None:
    """Make a file that must not exist yet, with its mode from the first moment."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(os.path.dirname(path) or ".")
    except FileExistsError as error:
        raise ConfigError("file exists already", path, "keep it, and choose another") from error
    except OSError as error:
        raise _failed(path, error) from error


def make_folder(path: str, mode: int = 0o755) -> None:
    """Make a folder if it is missing."""
    try:
        os.makedirs(path, mode, exist_ok=True)
    except OSError as error:
        raise _failed(path, error) from error


def names(path: str) -> list[str]:
    """Sorted names in a folder; none when it is missing."""
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError("folder cannot be read", "%s (%s)" % (path, error.strerror),
                          "name a folder that you may read") from error


def rename(old: str, new: str) -> None:
    """Give a folder its name; an empty folder of that name gives way."""
    try:
        os.rename(old, new)
        _sync_folder(os.path.dirname(os.path.abspath(new)))
    except OSError as error:
        raise _failed(new, error) from error


def remove(path: str) -> None:
    """Take a name away; nothing when there is none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _failed(path, error) from error


def open_to_others(path: str) -> bool:
    """Whether anybody but its owner may read or write a file."""
    return bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)


def _same(path: str, data: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(data) + 1) == data
    except FileNotFoundError:
        return False


def _write_beside(path: str, data: bytes) -> None:
    with open(path + ".new", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(path: str, error: OSError) -> DiskError:
    return DiskError("cannot be written", "%s (%s)" % (path, error.strerror),
                     "make room or correct the owner, then repeat")
