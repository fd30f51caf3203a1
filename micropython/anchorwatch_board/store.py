"""The state on the board's flash: frames in two slots that are written in place.

Rule: a save writes over the older of two slots, whose file is as long as it needs to be already. A
slot of zeros is empty.

Source: contract of the state directory; performers/store.py; micropython/README.md, "Power cuts".
"""

import gc

from anchorwatch.errors import StateError, reason_of
from anchorwatch.performers import store
from anchorwatch.performers.store import SECRET, SITE, known, site_file, slots
from anchorwatch.wire import frame

from . import sitefiles
from .folder import Folder, make, quiet

# Bytes that a slot's file has from the beginning: a save within them changes no directory and no
# chain of clusters. Enough for what the names usually hold; a longer body makes its file longer.
_ROOM = {"identity": 2048, "slot-a": 6144, "slot-b": 6144, "trust": 12_288}
_ROOM_OF_OTHERS = 1024
_HEAD, _HASH = 12, 32
_NO_SITE, _NO_MEMORY = 30, 12


class Store(store.Store):
    """Frames in `folder`, the site layer's files in `site` (None: there is no site layer).

    warn   called with (what, value, remedy) when damage was found and survived
    pause  called in the middle of long work: it feeds a watchdog
    """

    def __init__(self, folder: Folder, site: Folder | None, warn, pause=quiet) -> None:
        super().__init__(self._stored, lambda error, file: reason_of(error), warn)
        self._folder, self._site, self._pause = folder, site, pause

    def lock(self) -> bool:
        """One agent runs on a board."""
        return True

    def unlock(self) -> None:
        """Nothing is held."""

    def save(self, name: str, body) -> int:
        """Write one state file; its generation (1 for plain files).

        Raises  OSError: the old state is as it was; see reason_of. Without memory too: what is
                written needs long pieces of the heap
                StateError: the body does not fit a frame
        """
        gc.collect()
        try:
            return self._save(name, body)
        except MemoryError:
            gc.collect()
            raise OSError(_NO_MEMORY)

    def _save(self, name: str, body) -> int:
        if name.startswith(SITE):
            sitefiles.write(self._site_folder(), site_file(name), body.encode())
            return 1
        generation = self._generations.get(known(name), 0) + 1
        slot, other = slots(name, generation)
        data = frame.encode(generation, frame.dump(body))
        try:
            rest = self._prepare(name, (other, slot)) - len(data)
            self._folder.over(slot, data, rest if name in SECRET else 0)
            if name in self._suspect:
                self._blank(other)
        except OSError:
            # A file that could not be closed writes once more when it is collected: now.
            gc.collect()
            self._take_back(slot, generation)
            raise
        self._suspect.discard(name)
        self._generations[name] = generation
        return generation

    def wipe(self, name: str) -> None:
        """Overwrite; the older slot first: a cut never brings an old one back. Of a key no byte is
        left in a block that nobody uses."""
        if name.startswith(SITE):
            sitefiles.wipe(self._site_folder(), site_file(name))
            return
        newest, older = slots(name, self._generations.get(known(name), 0))
        held = [file for file in (older, newest) if self._blank(file)]
        self._generations.pop(name, None)
        self._suspect.discard(name)
        if held and name in SECRET:
            self._folder.erase_free(self._pause)

    def _stored(self, file: str):
        """The frame at the beginning of a slot, as far as it goes; None for one of zeros."""
        head = self._folder.read(file, _HEAD) or b""
        if not head.strip(b"\0"):
            return None
        length = int.from_bytes(head[_HEAD - 4:], "big")
        size = _HEAD + min(length, frame.BODY_AT_MOST) + _HASH
        return self._folder.read(file, size)

    def _prepare(self, name: str, slots: tuple) -> int:
        """Make the files of the slots, if they are missing; the size of the last one."""
        size = 0
        for file in slots:
            found = self._folder.size(file)
            size = found or _ROOM.get(name, _ROOM_OF_OTHERS)
            if not found:
                self._folder.blank(file, size)
        return size

    def _blank(self, file: str) -> bool:
        """Overwrite a slot with zeros; whether anything but zeros was in it."""
        size = self._folder.size(file)
        if not size:
            return False
        held = bool((self._folder.read(file, _HEAD) or b"").strip(b"\0"))
        self._folder.over(file, b"", size)
        return held

    def _take_back(self, slot: str, generation: int) -> None:
        """The slot may be whole although the save failed: then it must not win."""
        try:
            if frame.decode(self._stored(slot) or b"")[0] == generation:
                self._folder.over(slot, bytes(_HEAD))
        except (OSError, StateError):
            pass

    def _site_folder(self) -> Folder:
        if self._site is None:
            raise OSError(_NO_SITE)
        return self._site


def open_store(config, warn, pause=quiet) -> tuple:
    """(the store of a configuration, the site layer's folder).

    Raises  StateError: the state's folder cannot be used; a bad site folder is only told to `warn`
    """
    path = config.state.dir
    try:
        folder = make(path)
        folder.tidy()
    except OSError as error:
        raise StateError("unwritable", "folder cannot be made", "%s (%s)" % (
            path, reason_of(error)), "mount its file system, or correct state.dir")
    site_dir = config.trust.site_dir or path + "/site"
    try:
        site = make(site_dir)
        sitefiles.recover(site)
    except OSError as error:
        warn("trust.site_dir cannot be used", "%s (%s)" % (site_dir, reason_of(error)), "make it",
             "config")
        site = None
    return Store(folder, site, warn, pause), site
