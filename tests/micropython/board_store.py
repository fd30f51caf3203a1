"""The store of a board: frames in two slots, and the site layer's files."""

import hashlib

from anchorwatch_board.folder import make
from anchorwatch_board.store import Store

from anchorwatch.errors import StateError, reason_of
from anchorwatch.wire import frame


class Rig:
    """A store on a folder of its own, and what it warned of."""

    def __init__(self, path):
        self.folder, self.site = make(path + "/state"), make(path + "/site")
        self.again()

    def again(self):
        """A new start on the same folders."""
        self.warnings = []
        self.store = Store(self.folder, self.site, lambda *told: self.warnings.append(told))
        return self


def raises(kind, call, *given):
    """The error of the call; there must be one."""
    try:
        call(*given)
    except kind as error:
        return error
    raise AssertionError("nothing was raised")


def test_a_saved_tree_is_read_at_the_next_start(path):
    rig = Rig(path)
    assert rig.store.save("assignment", {"hub": "hub.example"}) == 1
    assert rig.again().store.read() == {"assignment": {"hub": "hub.example"}}
    assert rig.warnings == []


def test_two_saves_lie_in_two_slots_and_the_newer_wins(path):
    rig = Rig(path)
    for number in range(1, 6):
        assert rig.store.save("clock", {"n": number}) == number
        body = frame.decode(rig.folder.read("clock.%d" % (number & 1), 4096))
        assert body == (number, b'{"n":%d}' % number)
    assert rig.again().store.read()["clock"] == {"n": 5}
    assert rig.store.save("clock", {"n": 6}) == 6


def test_a_save_changes_no_length_of_a_file(path):
    rig = Rig(path)
    rig.store.save("clock", {"text": "x" * 300})
    sizes = [rig.folder.size("clock.%d" % n) for n in (0, 1)]
    for number in range(5):
        rig.store.save("clock", {"text": "x" * 100 * number})
    assert sizes == [1024, 1024] == [rig.folder.size("clock.%d" % n) for n in (0, 1)]


def test_a_body_longer_than_its_room_is_kept_whole(path):
    rig = Rig(path)
    for text in ("x" * 3000, "y" * 5000, "z"):
        rig.store.save("clock", {"text": text})
        assert rig.again().store.read()["clock"] == {"text": text}


def test_flipped_bytes_of_the_newest_slot_lead_to_the_other_slot_and_a_warning(path):
    rig = Rig(path)
    rig.store.save("trust", {"n": 1})
    rig.store.save("trust", {"n": 2})
    whole = rig.folder.read("trust.0", 100)
    for at in range(12 + 7 + 32):
        spoiled = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        rig.folder.over("trust.0", spoiled)
        assert rig.again().store.read() == {"trust": {"n": 1}}, at
        assert [(what, remedy) for what, _, remedy in rig.warnings] == [
            ("state file is damaged", "the other slot is used")
        ]
        assert not rig.store.whole("trust")


def test_reading_takes_no_more_of_the_heap_than_there_is_to_read(path):
    rig = Rig(path)
    rig.folder.write("small", b"x")
    assert rig.folder.read("small", 1 << 30) == b"x"
    rig.store.save("clock", {"n": 1})
    rig.folder.over("clock.1", rig.folder.read("clock.1", 8) + b"\xff\xff\xff\xff")
    assert rig.again().store.read() == {} and len(rig.warnings) == 1


def test_damaged_newest_slot_is_the_one_written_next(path):
    rig = Rig(path)
    rig.store.save("trust", {"n": 1})
    rig.store.save("trust", {"n": 2})
    rig.folder.over("trust.0", b"rot")
    rig.again().store.read()
    assert rig.store.save("trust", {"n": 3}) == 2
    assert rig.again().store.read() == {"trust": {"n": 3}} and rig.warnings == []


def test_both_slots_damaged_begins_anew_and_says_so(path):
    rig = Rig(path)
    for number in (1, 2):
        rig.store.save("budgets", {"n": number})
    for slot in ("budgets.0", "budgets.1"):
        rig.folder.over(slot, b"rot")
    assert rig.again().store.read() == {} and len(rig.warnings) == 2
    assert rig.store.save("budgets", {"n": 3}) == 1
    assert rig.again().store.read() == {"budgets": {"n": 3}}
    assert rig.warnings == []


def test_state_of_a_newer_anchorwatch_is_refused(path):
    rig = Rig(path)
    rig.store.save("clock", {"n": 1})
    newer = bytearray(frame.encode(2, b"{}"))
    newer[3] = 9
    newer[-32:] = hashlib.sha256(bytes(newer[:-32])).digest()
    rig.folder.over("clock.0" if rig.folder.size("clock.0") else "clock.1", bytes(newer))
    assert raises(StateError, rig.again().store.read).verdict == "newer"


def test_wiped_state_is_gone_from_both_slots_and_its_room_stays(path):
    rig = Rig(path)
    for number in (1, 2):
        rig.store.save("slot-a", {"key": "secret", "n": number})
    rig.store.wipe("slot-a")
    for slot in ("slot-a.0", "slot-a.1"):
        assert rig.folder.read(slot, 10_000) == bytes(6144)
    assert rig.again().store.read() == {} and rig.store.newest("slot-a") is None
    assert rig.store.save("slot-a", {"key": "new"}) == 1


def test_shorter_frame_of_a_key_leaves_nothing_of_a_longer_one(path):
    rig = Rig(path)
    for key in ("k" * 2000, "k" * 2000, "x", "x"):
        rig.store.save("slot-b", {"key": key})
    for slot in ("slot-b.0", "slot-b.1"):
        assert b"kk" not in rig.folder.read(slot, 10_000)


def test_newest_is_read_without_a_word_and_follows_the_flash(path):
    rig = Rig(path)
    assert rig.store.newest("slot-a") is None
    rig.store.save("slot-a", {"n": 1})
    rig.again()
    assert rig.store.newest("slot-a") == {"n": 1} and rig.warnings == []


def test_names_outside_the_contract_are_never_written(path):
    rig = Rig(path)
    large = "site/" + "AB" * 32 + ".pem"
    for name in ("", "clock.0", "../clock", "site/../x", "site/x.pem", large):
        raises(ValueError, rig.store.save, name, "x")
        raises(ValueError, rig.store.wipe, name)
    assert rig.folder.names() == [] and rig.site.names() == []


def test_site_files_are_plain_text_in_the_site_folder(path):
    rig = Rig(path)
    name = "ab" * 32 + ".pem"
    rig.store.save("site/" + name, "pem text\n")
    rig.store.save("site/" + name, "other text\n")
    assert rig.site.names() == [name] and rig.site.read(name, 100) == b"other text\n"
    rig.store.wipe("site/" + name)
    assert rig.site.names() == []


def test_site_file_without_a_site_folder_is_a_failed_save(path):
    rig = Rig(path)
    store = Store(rig.folder, None, print)
    error = raises(OSError, store.save, "site/distrust", "x")
    assert reason_of(error) == "read-only"
