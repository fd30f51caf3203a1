"""Runs on the unix MicroPython: makes or reads a LittleFS image that is a file of the host.

    micropython littlefs.py write IMAGE KIB PAIRS  KIB > 0: a new disk; PAIRS: lines `name TAB file`
    micropython littlefs.py read IMAGE FOLDER      every file of the disk into FOLDER, which exists

Rule: MicroPython's own file system writes what MicroPython will read; nothing of it is done anew.
"""

import os
import sys

import vfs

BLOCK = 4096


class File:
    """A block device: one file, erased flash is all ones."""

    def __init__(self, path):
        self._file = open(path, "r+b")
        self._count = self._file.seek(0, 2) // BLOCK

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * BLOCK + offset)
        self._file.write(buffer)

    def ioctl(self, operation, argument):
        if operation == 4:
            return self._count
        if operation == 5:
            return BLOCK
        if operation == 6:
            self.writeblocks(argument, b"\xff" * BLOCK)
        if operation in (2, 3):
            self._file.flush()
        return 0


def copy(source, target):
    """One file, in pieces."""
    with open(source, "rb") as old, open(target, "wb") as new:
        while True:
            piece = old.read(BLOCK)
            if not piece:
                return
            new.write(piece)


def write(image, kib, pairs):
    """Put the named files on the disk."""
    if int(kib):
        with open(image, "wb") as file:
            for _ in range(int(kib) * 1024 // BLOCK):
                file.write(b"\xff" * BLOCK)
        vfs.VfsLfs2.mkfs(File(image))
    with open(pairs) as lines:
        todo = [line.rstrip("\n").split("\t") for line in lines]
    vfs.mount(vfs.VfsLfs2(File(image)), "/disk")
    made = set()
    for name, source in todo:
        parts = name.split("/")
        for depth in range(1, len(parts)):
            folder = "/disk/" + "/".join(parts[:depth])
            if folder not in made:
                made.add(folder)
                make(folder)
        copy(source, "/disk/" + name)
    vfs.umount("/disk")


def make(folder):
    """A folder that may be there."""
    try:
        os.mkdir(folder)
    except OSError:
        pass


def tree(disk, folder):
    """Copies what is in a folder of the disk."""
    for name, kind, *_ in os.ilistdir(disk):
        if kind == 0x4000:
            make(folder + "/" + name)
            tree(disk + "/" + name, folder + "/" + name)
        else:
            copy(disk + "/" + name, folder + "/" + name)


def read(image, folder):
    """Take every file off the disk; the image itself is not changed."""
    vfs.mount(vfs.VfsLfs2(File(image)), "/disk")
    tree("/disk", folder)


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
