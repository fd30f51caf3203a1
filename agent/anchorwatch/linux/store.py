"""The state on the disk: frames in two slots, the site layer's plain files, the agent's lock.

Rule: a save replaces the older of two slots by temp, fsync, rename, fsync of the folder.

Source: contract of the state directory; performers/store.py.
"""

import errno
import os

from ..errors import StateError
from ..performers import store
from ..performers.store import FRAMES, SECRET, SITE, known, site_file, slots
from ..wire import frame
from .folder import Folder, make, open_folder, open_private
from .storefiles import BESIDE, FILE_AT_MOST, forget, replace, replace_secret, scrub

__all__ = ["FRAMES", "Store", "open_store"]


class Store(store.Store):
    """Frames in `folder`, the site layer's files in `site` (None: there is no site layer).

    warn  called with (what, value, remedy) when damage was found and survived
    """

    def __init__(self, folder: Folder, site: Folder | None, warn) -> None:
        super().__init__(lambda file: folder.own(file, FILE_AT_MOST),
                         lambda error, file: _unreadable(error, os.path.join(folder.path, file)),
                         warn)
        self._folder, self._site = folder, site
        self._lock: int | None = None

    def lock(self) -> bool:
        """Say that an agent runs on this folder; False when one already does.

        A disk that takes no lock file is warned of: its device must connect all the same.
        Raises  StateError: the lock file is a symbolic link
        """
        try:
            self._lock = self._folder.lock("lock")
        except OSError as error:
            why = _unreadable(error, os.path.join(self._folder.path, "lock"))
            self._warn("state cannot be locked", "%s (%s)" % (self._folder.path, why),
                       "repair the disk, and start no second agent")
            return True
        return self._lock is not None

    def unlock(self) -> None:
        """Let another process have the folder; nothing when the lock is not held."""
        if self._lock is not None:
            self._folder.close(self._lock)
            self._lock = None

    def save(self, name: str, body) -> int:
        """Write one state file; its generation (1 for plain files).

        Raises  OSError: the old state is as it was; see reason_of
                StateError: the body does not fit a frame
        """
        if name.startswith(SITE):
            replace(self._site_folder(), site_file(name), body.encode())
            return 1
        generation = self._generations.get(known(name), 0) + 1
        slot, other = slots(name, generation)
        try:
            write = replace_secret if name in SECRET else replace
            write(self._folder, slot, frame.encode(generation, frame.dump(body)))
            if name in self._suspect:
                self._settle(name, other)
        except OSError:
            self._take_back(name, slot, generation)
            raise
        self._suspect.discard(name)
        self._generations[name] = generation
        return generation

    def wipe(self, name: str) -> None:
        """Overwrite and remove; the older slot first: a cut never brings an old one back."""
        if name.startswith(SITE):
            scrub(self._site_folder(), site_file(name))
            return
        newest, older = slots(name, self._generations.get(known(name), 0))
        for file in (newest + BESIDE, older + BESIDE, older, newest):
            scrub(self._folder, file)
        self._generations.pop(name, None)
        self._suspect.discard(name)

    def _settle(self, name: str, other: str) -> None:
        """What could not be read at the start may be read at the next: it must not win then."""
        self._end(name, other)
        self._folder.syncdir()

    def _end(self, name: str, file: str) -> None:
        """A file that must not win goes: with its bytes, if they are a key's."""
        if name in SECRET:
            forget(self._folder, file)
        else:
            self._folder.unlink(file)

    def _take_back(self, name: str, slot: str, generation: int) -> None:
        """The rename may have happened although the save failed: then the new slot must not win."""
        try:
            data = self._folder.read(slot, FILE_AT_MOST)
            if data is not None and frame.decode(data)[0] == generation:
                self._end(name, slot)
        except (OSError, StateError):
            pass

    def _site_folder(self) -> Folder:
        if self._site is None:
            raise OSError(errno.EROFS, "no site folder")
        return self._site


def _unreadable(error: OSError, path: str) -> str:
    if error.errno == errno.ELOOP:
        raise StateError("unwritable", "state file is a symbolic link", path, "remove the link")
    return error.strerror or "unreadable"


def open_store(config, warn) -> tuple[Store, Folder | None]:
    """The store of a configuration, and the site layer's folder.

    Raises  StateError: the state's folder cannot be used; a bad site folder is only told to `warn`
    """
    folder = open_private(config.state.dir)
    site_dir = config.trust.site_dir or os.path.join(config.state.dir, "site")
    try:
        make(site_dir, 0o755)
        site = open_folder(site_dir)
    except StateError as error:
        warn(error.what, error.value, error.remedy, "config")
        site = None
    except OSError as error:
        warn("trust.site_dir cannot be made", "%s (%s)" % (site_dir, error.strerror), "make it",
             "config")
        site = None
    return Store(folder, site, warn), site
