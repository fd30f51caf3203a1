"""Runs before main.py: puts the disk in its place.

Rule: the disk is the file that the word disk=FILE of the command line names; LittleFS unless
fat=BLOCK says FAT, with sectors of so many bytes.
"""

import mps2
import vfs

if mps2.word("disk"):
    if mps2.word("fat"):
        vfs.mount(vfs.VfsFat(mps2.Disk(mps2.word("disk"), int(mps2.word("fat")))), "/")
    else:
        vfs.mount(vfs.VfsLfs2(mps2.Disk(mps2.word("disk"))), "/")
