"""The state on the disk: frames in two slots, the site layer's plain files, the agent's lock.

Rule: a save replaces the older of two slots by temp, fsync, rename, fsync of the folder; who was
told a generation finds it after a power cut, and whoever was not finds it or the one before.

Source: contract of the state directory; frame in wire/frame.py.
"""

import errno
import os

from ..errors import AgentError, StateError
from ..performers.deeds import SITE
from ..wire import frame
from .folder import Folder, make, open_folder, open_private
from .storefiles import BESIDE, FILE_AT_MOST, forget, replace, replace_secret, scrub

FRAMES = ("assignment", "budgets", "clock", "crash", "cursor", "identity", "slot-a", "slot-b",
          "trust")
_SECRET = ("slot-a", "slot-b")
_HEX = "0123456789abcdef"


class Store:
    """Frames in `folder`, the site layer's files in `site` (None: there is no site layer).

    warn  called with (what, value, remedy) when damage was found and survived
    """

    def __init__(self, folder: Folder, site: Folder | None, warn) -> None:
        self._folder, self._site, self._warn = folder, site, warn
        self._generations: dict[str, int] = {}
        self._damaged: set[str] = set()
        self._suspect: set[str] = set()
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

    def read(self, names=FRAMES) -> dict:
        """{name: tree} of what is there; damage is told to `warn`.

        Raises  StateError: written by a newer anchorwatch, or a symbolic link
        """
        trees = {}
        for name in names:
            tree = self._read_frame(name)
            if tree is not None:
                trees[name] = tree
        return trees

    def whole(self, name: str) -> bool:
        """Whether every slot of it that there is could be read."""
        return name not in self._damaged

    def newest(self, name: str):
        """The body as it is on the disk now, None without a whole one. It changes nothing and warns
        of nothing, so an errand may call it."""
        best, found = -1, None
        for file in ("%s.0" % _known(name), "%s.1" % name):
            try:
                generation, body = frame.decode(self._folder.own(file, FILE_AT_MOST) or b"")
                if generation > best:
                    best, found = generation, frame.load(body)
            except (OSError, AgentError):
                continue
        return found

    def save(self, name: str, body) -> int:
        """Write one state file; its generation (1 for plain files).

        Raises  OSError: the old state is as it was; see reason_of
                StateError: the body does not fit a frame
        """
        if name.startswith(SITE):
            replace(self._site_folder(), site_file(name), body.encode())
            return 1
        generation = self._generations.get(_known(name), 0) + 1
        slot, other = _slots(name, generation)
        try:
            write = replace_secret if name in _SECRET else replace
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
        newest, older = _slots(name, self._generations.get(_known(name), 0))
        for file in (newest + BESIDE, older + BESIDE, older, newest):
            scrub(self._folder, file)
        self._generations.pop(name, None)
        self._suspect.discard(name)

    def _read_frame(self, name: str):
        whole, torn = {}, []
        for slot in ("%s.0" % name, "%s.1" % name):
            try:
                data = self._folder.own(slot, FILE_AT_MOST)
                if data is not None:
                    generation, body = frame.decode(data)
                    whole[generation] = frame.load(body)
            except StateError as error:
                if error.verdict == "newer":
                    raise
                torn.append((slot, error.value))
            except OSError as error:
                torn.append((slot, _unreadable(error, os.path.join(self._folder.path, slot))))
        return self._newest(name, whole, torn)

    def _newest(self, name: str, whole: dict, torn: list):
        for slot, how in torn:
            remedy = "the other slot is used" if whole else "the agent begins anew without it"
            self._warn("state file is damaged", "%s (%s)" % (slot, how), remedy)
        if torn:
            self._damaged.add(name)
        if not whole:
            if torn:
                self._suspect.add(name)
            return None
        self._generations[name] = max(whole)
        return whole[max(whole)]

    def _settle(self, name: str, other: str) -> None:
        """What could not be read at the start may be read at the next: it must not win then."""
        self._end(name, other)
        self._folder.syncdir()

    def _end(self, name: str, file: str) -> None:
        """A file that must not win goes: with its bytes, if they are a key's."""
        if name in _SECRET:
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


def _slots(name: str, generation: int) -> tuple[str, str]:
    """The file of a generation, and the other one."""
    here = frame.slot(generation)
    return "%s.%d" % (name, here), "%s.%d" % (name, 1 - here)


def _known(name: str) -> str:
    if name not in FRAMES:
        raise ValueError("no such state: %s" % name)
    return name


def site_file(name: str) -> str:
    """`site/<sha256>.pem` or `site/distrust` as a name in the site folder, or ValueError."""
    file = name[len(SITE):]
    stem = file[:-4] if file.endswith(".pem") else ""
    if file != "distrust" and (len(stem) != 64 or [c for c in stem if c not in _HEX]):
        raise ValueError("no such state: %s" % name)
    return file


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
