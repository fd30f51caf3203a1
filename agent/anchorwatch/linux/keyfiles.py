"""Reads the files of a credential.

Rule: bounded, regular files only; a secret that others could read is refused.
"""

import os
import stat

from ..errors import ConfigError

_AT_MOST = 262_144


def read_certificate(path: str) -> bytes:
    """The bytes of a certificate file; ConfigError when it cannot be read."""
    return _read(path, "device certificate", secret=False)


def read_secret(path: str) -> bytes:
    """The bytes of a key file; ConfigError too when others than its owner and group may read it."""
    return _read(path, "key file", secret=True)


def read_proxy_auth(path: str) -> bytes:
    """The bytes of the file with a proxy's user and password; guarded like a key."""
    return _read(path, "file of the proxy's credentials", secret=True)


def read_est_auth(path: str) -> bytes:
    """The bytes of the file with an EST server's user and password; guarded like a key."""
    return _read(path, "file of the EST credentials", secret=True)


def read_anchors(path: str) -> bytes:
    """The bytes of a file of roots."""
    return _read(path, "file of roots", secret=False)


def stamp(path: str) -> tuple[int, ...]:
    """Changes when the file does; empty while it cannot be seen."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _read(path: str, what: str, secret: bool) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ConfigError(what + " is not a file", path, "name the file itself")
            if secret:
                _check_owner(found, path, what)
            data = file.read(_AT_MOST + 1)
    except OSError as error:
        raise ConfigError(what + " cannot be read", "%s (%s)" % (path, error.strerror),
                          "check its path, and that the agent's user may read it") from error
    if len(data) > _AT_MOST:
        raise ConfigError(what + " is too large", path, "name the file itself")
    return data


def _check_owner(found: os.stat_result, path: str, what: str) -> None:
    """Its owner is we or root; its group may read it at most; nobody else anything."""
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o037:
        raise ConfigError(what + " can be read or written by others", "%s, mode %o" % (path, mode),
                          "chmod 600 it; and take what it holds for known")
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigError(what + " belongs to another user", "%s, user %d" % (path, found.st_uid),
                          "make the agent's user or root its owner")
