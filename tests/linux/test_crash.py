"""Power cuts, enumerated: every cut of two successive saves, every image the disk may then hold.

The model disk keeps what a power cut keeps: file bytes that were synced, any prefix of those that
were not (the last piece possibly torn, zeroed, or there without the ones before), and any prefix of
the names changed since the folder was synced.
"""

import hashlib
from itertools import product

from anchorwatch.linux.store import Store

SHA = "cd" * 32


class Cut(BaseException):
    """The power is gone."""


class ModelFolder:
    """A folder in memory that knows what of it is on the disk; `cut_at` operations happen."""

    path = "/model"

    def __init__(self, files=None, cut_at=None):
        self.inodes = []                                # each: [synced bytes, [unsynced writes]]
        self.entries = {}
        for name, data in (files or {}).items():
            self.entries[name] = self._inode(data)
        self.durable = dict(self.entries)
        self.pending = []                               # entries as they were after each change
        self.left = cut_at
        self.count = 0

    def _inode(self, data):
        self.inodes.append([data, []])
        return len(self.inodes) - 1

    def _step(self):
        self.count += 1
        if self.left is not None:
            if self.left == 0:
                raise Cut
            self.left -= 1

    def _renamed(self):
        self.pending.append(dict(self.entries))

    def now(self, number):
        synced, writes = self.inodes[number]
        return synced + b"".join(writes)

    def read(self, name, at_most):
        return self.now(self.entries[name])[:at_most] if name in self.entries else None

    def create(self, name):
        assert name not in self.entries
        self._step()
        self.entries[name] = self._inode(b"")
        self._renamed()
        return [self.entries[name], 0]

    def reopen(self, name):
        self._step()
        return [self.entries[name], 0]

    def write(self, descriptor, data):
        self._step()
        piece = data[:64]                               # several writes, so that cuts fall between
        number, at = descriptor
        synced, writes = self.inodes[number]
        if at < len(synced):                            # over old bytes: the worst is taken at once
            self.inodes[number][0] = synced[:at] + piece + synced[at + len(piece):]
        else:
            writes.append(piece)
        descriptor[1] += len(piece)
        return len(piece)

    def fsync(self, descriptor):
        self._step()
        self.inodes[descriptor[0]] = [self.now(descriptor[0]), []]

    def close(self, descriptor):
        pass

    def rename(self, old, new):
        self._step()
        self.entries[new] = self.entries.pop(old)
        self._renamed()

    def unlink(self, name):
        if name in self.entries:
            self._step()
            del self.entries[name]
            self._renamed()

    def syncdir(self):
        self._step()
        self.durable, self.pending = dict(self.entries), []

    def images(self):
        """Every {name: bytes} that may be found after a cut now."""
        for entries in [self.durable] + self.pending:
            names = sorted(entries)
            for contents in product(*[self.remains(entries[name]) for name in names]):
                yield dict(zip(names, contents))

    def remains(self, number):
        """What may be left of one file: prefixes, a torn last piece, a hole."""
        synced, writes = self.inodes[number]
        found = {synced}
        for kept in range(len(writes)):
            before = b"".join(writes[:kept])
            piece = writes[kept]
            found |= {synced + before + piece, synced + before + piece[:len(piece) // 2],
                      synced + before + bytes(len(piece)), synced + bytes(len(before)) + piece}
        return found


def _recover(image, names):
    store = Store(ModelFolder(image), ModelFolder(), lambda *parts: None)
    return store.read(names)


def _cuts(start, story):
    """Run `story(store, said)` with a cut after each number of operations; (folder, said) each."""
    cut_at = 0
    while True:
        folder, said = ModelFolder(start, cut_at), []
        store = Store(folder, ModelFolder(), lambda *parts: None)
        try:
            store.read()
            story(store, said)
        except Cut:
            yield folder, said
            cut_at += 1
            continue
        yield folder, said
        return


def _two_saves(store, said):
    for number in (2, 3):
        store.save("trust", {"n": number, "filler": "x" * 120})
        said.append(number)


def _start():
    folder = ModelFolder()
    Store(folder, None, None).save("trust", {"n": 1})
    return {name: folder.now(number) for name, number in folder.entries.items()}


def _allowed(said):
    """Before or after: what was said last, or the save that was under way."""
    last = said[-1] if said else 1
    return {last, min(last + 1, 3)}


def test_power_cut_leaves_the_state_before_or_after_and_after_once_saved_was_said():
    cuts = images = 0
    for folder, said in _cuts(_start(), _two_saves):
        cuts += 1
        for image in folder.images():
            images += 1
            found = _recover(image, ("trust",))["trust"]["n"]
            assert found in _allowed(said), (cuts, said)
    assert cuts >= 15 and images > 60


def test_power_cut_during_the_save_after_a_power_cut_is_survived_too():
    seen = set()
    for folder, _ in _cuts(_start(), _two_saves):
        for image in folder.images():
            text = hashlib.sha256(repr(sorted(image.items())).encode()).digest()
            if text in seen:
                continue
            seen.add(text)
            _second_cut(image, _recover(image, ("trust",))["trust"]["n"])
    assert len(seen) > 20


def _second_cut(image, before):
    def save_four(store, said):
        store.save("trust", {"n": 4})
        said.append(4)

    for folder, said in _cuts(image, save_four):
        for again in folder.images():
            found = _recover(again, ("trust",))["trust"]["n"]
            assert found == 4 if said else found in (before, 4)


def test_power_cut_during_a_wipe_never_brings_an_older_state_back():
    folder = ModelFolder()
    store = Store(folder, None, None)
    for number in (1, 2):
        store.save("trust", {"n": number})
    start = {name: folder.now(number) for name, number in folder.entries.items()}

    def wipe(store, said):
        store.wipe("trust")
        said.append("wiped")

    for cut, said in _cuts(start, wipe):
        for image in cut.images():
            found = _recover(image, ("trust",)).get("trust", {"n": None})["n"]
            assert found is None if said else found in (2, None)


def test_power_cut_while_a_site_file_is_replaced_leaves_the_old_or_the_new_text():
    name = "site/%s.pem" % SHA
    file = SHA + ".pem"
    cut_at = 0
    done = False
    while not done:
        site = ModelFolder({file: b"old"}, cut_at)
        try:
            Store(ModelFolder(), site, None).save(name, "new " * 40)
            done = True
        except Cut:
            cut_at += 1
        for image in site.images():
            assert image[file] == (b"new " * 40 if done else image[file])
            assert image[file] in (b"old", b"new " * 40)
    assert cut_at >= 6


def test_model_disk_convicts_a_save_without_the_syncs(monkeypatch):
    """The enumeration can fail: without fsync of the file, or of the folder, it finds the loss."""
    for forgotten in ("fsync", "syncdir"):
        with monkeypatch.context() as patch:
            patch.setattr(ModelFolder, forgotten, lambda self, *arguments: self._step())
            bad = 0
            for folder, said in _cuts(_start(), _two_saves):
                for image in folder.images():
                    found = _recover(image, ("trust",)).get("trust", {"n": 0})["n"]
                    bad += found not in _allowed(said)
            assert bad, forgotten
