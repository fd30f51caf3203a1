"""The model disk answers as Linux does, and its images are what they should be."""

import os
import random

import pytest

from tests.powercut.calls import Calls
from tests.powercut.disk import Disk, disk_of
from tests.powercut.images import images

NAMES = ("a", "b", "c")
NEW = os.O_WRONLY | os.O_CREAT


class Machine:
    """The same calls on the real folder `top` or on the model."""

    def __init__(self, module, top):
        self.os, self.top = module, top
        self.at = module.open(top, os.O_RDONLY | os.O_DIRECTORY)

    def do(self, what, one, other, data):
        """One call; what it answered, or the errno."""
        try:
            return getattr(self, "_" + what)(one, other, data)
        except OSError as error:
            return error.errno

    def _write(self, name, other, data):
        descriptor = self.os.open(name, NEW, 0o600, dir_fd=self.at)
        try:
            return self.os.write(descriptor, data)
        finally:
            self.os.fsync(descriptor)
            self.os.close(descriptor)

    def _create(self, name, other, data):
        self.os.close(self.os.open(name, NEW | os.O_EXCL, 0o600, dir_fd=self.at))

    def _truncate(self, name, other, data):
        self.os.close(self.os.open(name, NEW | os.O_TRUNC, 0o600, dir_fd=self.at))

    def _read(self, name, other, data):
        descriptor = self.os.open(name, os.O_RDONLY, dir_fd=self.at)
        with self.os.fdopen(descriptor, "rb") as file:
            return file.read(100)

    def _rename(self, name, other, data):
        self.os.rename(name, other, src_dir_fd=self.at, dst_dir_fd=self.at)

    def _unlink(self, name, other, data):
        self.os.unlink(name, dir_fd=self.at)

    def _mkdir(self, name, other, data):
        self.os.mkdir(name, 0o700, dir_fd=self.at)

    def _rmdir(self, name, other, data):
        self.os.rmdir(name, dir_fd=self.at)

    def _list(self, name, other, data):
        return sorted(self.os.listdir(self.at))

    def _size(self, name, other, data):
        found = self.os.stat(name, dir_fd=self.at, follow_symlinks=False)
        return found.st_mode, found.st_size if found.st_mode & 0o100000 else 0

    def _inside(self, name, other, data):
        at = self.os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.at)
        try:
            self.os.close(self.os.open(other, NEW, 0o600, dir_fd=at))
            return sorted(self.os.listdir(at))
        finally:
            self.os.close(at)


DEEDS = ("write", "create", "truncate", "read", "rename", "unlink", "mkdir", "rmdir", "list",
         "size", "inside")


@pytest.mark.parametrize("seed", range(20))
def test_model_answers_every_call_as_linux_does(tmp_path, seed):
    chance = random.Random(seed)
    real, model = Machine(os, str(tmp_path)), Machine(Calls(Disk()), "/")
    for _ in range(150):
        deed = (chance.choice(DEEDS), chance.choice(NAMES), chance.choice(NAMES),
                b"x" * chance.randrange(9))
        assert model.do(*deed) == real.do(*deed), deed
    os.close(real.at)


def _written(*deeds):
    """The files in every image, ordered and any-subset, after these writes of a synced file."""
    disk = Disk()
    calls = Calls(disk)
    descriptor = calls.open("/f", NEW)
    calls.write(descriptor, b"o" * 1024)
    calls.fsync(descriptor)
    disk = disk_of(disk.image())
    calls = Calls(disk)
    descriptor = calls.open("/f", os.O_WRONLY)
    for data in deeds:
        calls.write(descriptor, data)
    return [{image["/f"][3] for image in images(disk.inodes, 1000, 1, subsets)}
            for subsets in (False, True)]


def test_unsynced_write_may_be_missing_torn_zeroed_or_there():
    ordered, subsets = _written(b"n" * 1024)
    old, new, none = b"o" * 512, b"n" * 512, bytes(512)
    torn = b"n" * 256 + b"o" * 256
    assert ordered == {old + old, torn + old, none + old, new + old,
                       new + torn, new + none, new + new}
    assert subsets == ordered | {old + torn, old + none, old + new}


def test_synced_write_is_in_every_image():
    disk = Disk()
    calls = Calls(disk)
    descriptor = calls.open("/f", NEW)
    calls.write(descriptor, b"data")
    calls.fsync(descriptor)
    found = [image.get("/f") for image in images(disk.inodes, 1000, 1, True)]
    assert [each and each[3] for each in found] == [None, b"data"]      # the name was not synced


def test_write_after_a_failed_sync_is_never_safe_again():
    disk = Disk()
    calls = Calls(disk)
    descriptor = calls.open("/f", NEW)
    calls.fsync(calls.open("/", os.O_RDONLY | os.O_DIRECTORY))
    calls.write(descriptor, b"data")
    calls.spoil(descriptor)
    calls.fsync(descriptor)
    assert {image["/f"][3] for image in images(disk.inodes, 1000, 1, False)} == {
        b"", b"da", bytes(4), b"data"}


def test_names_are_lost_in_any_number_and_a_rename_happens_as_one():
    disk = Disk()
    calls = Calls(disk)
    for name in ("/a", "/b"):
        calls.close(calls.open(name, NEW))
    calls.rename("/a", "/c")
    found = {tuple(sorted(path for path in image if path))
             for image in images(disk.inodes, 1000, 1, False)}
    assert found == {(), ("/a",), ("/a", "/b"), ("/b", "/c")}
    found = {tuple(sorted(path for path in image if path))
             for image in images(disk.inodes, 1000, 1, True)}
    assert found == {(), ("/a",), ("/b",), ("/a", "/b"), ("/c",), ("/b", "/c")}


def test_folder_is_in_no_image_before_the_one_above_is_synced():
    disk = Disk()
    calls = Calls(disk)
    calls.mkdir("/d", 0o700)
    inside = calls.open("/d", os.O_RDONLY | os.O_DIRECTORY)
    calls.close(calls.open("f", NEW, 0o600, dir_fd=inside))
    calls.fsync(inside)
    found = [sorted(image) for image in images(disk.inodes, 1000, 1, True)]
    assert found == [[""], ["", "/d", "/d/f"]]
