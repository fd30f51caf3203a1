"""The disk of the board `qemu-mps2`: a file of the host, which a power cut leaves as it is.

Rule: what is on the disk is read by the next boot, or by MicroPython's file system on the host.
"""

import pytest

from hil.bench import disk, qemu
from tests.micropython import guest

pytestmark = [pytest.mark.micropython, pytest.mark.lane_firmware]


def test_file_that_was_closed_is_there_after_the_power_was_cut(tmp_path):
    main = """
import os
if "kept" in os.listdir("/"):
    print(open("/kept").read())
    raise SystemExit
with open("/kept", "w") as file:
    file.write("words " * 1000)
print("closed")
while True:
    pass
"""
    image = guest.new_disk(tmp_path, main)
    with qemu.Guest(image, guest.firmware()) as board:
        assert board.stdout.readline() == b"closed\n"
        board.cut()
    assert disk.read(image)["kept"] == b"words " * 1000
    assert guest.again(image) == (0, "words " * 1000 + "\n")


def test_power_that_fails_in_any_write_leaves_the_old_file_or_the_new_one(tmp_path):
    main = "with open('/state', 'w') as file:\n    file.write('new' * 300)\nprint('closed')"
    image = guest.new_disk(tmp_path, main, {"state": b"old" * 300})
    untouched, cuts, kept = image.read_bytes(), 0, set()
    while True:
        image.write_bytes(untouched)
        status, text = guest.again(image, cut=cuts + 1)
        kept.add(disk.read(image)["state"][:3])
        if status == 0:
            break
        assert (status, text) == (qemu.CUT, "")
        cuts += 1
    assert cuts > 5
    assert kept == {b"old", b"new"}


def test_disk_with_fat_is_made_on_the_board_and_started_from(tmp_path):
    main = """
import mps2, vfs
device = mps2.Disk("fat.img", 512)
vfs.VfsFat.mkfs(device)
vfs.mount(vfs.VfsFat(device), "/fat")
with open("/fat/main.py", "w") as file:
    file.write("import os\\nprint('from FAT', os.listdir('/'))")
"""
    image = guest.new_disk(tmp_path, main)
    fat = tmp_path / "fat.img"
    fat.write_bytes(bytes(256 * 1024))
    assert guest.again(image) == (0, "")
    assert guest.again(fat, fat=512) == (0, "from FAT ['main.py']\n")


def test_disk_that_is_not_there_is_named(tmp_path):
    status, text = guest.again(tmp_path / "none.img")
    assert status == qemu.MAIN_RAISED
    assert "none.img" in text


def test_word_that_the_command_line_cannot_carry_is_refused(tmp_path):
    with pytest.raises(ValueError, match="disk=of two words.img"):
        guest.again(tmp_path / "of two words.img")
