"""A key in a token ends with its slot: the operator's program destroys it there.

Rule: the token is a folder, its programs are shell scripts; the key's name is in the reference.
"""

import pytest

from anchorwatch.core import actions
from anchorwatch.core.events import KeyMade, KeyWiped
from tests.linux.identities import Device

REFERENCE = "-----BEGIN PKCS#11 PROVIDER URI-----\n{name}\n-----END PKCS#11 PROVIDER URI-----\n"
MAKE = """#!/bin/sh
name=key-$(ls token | wc -l); : > token/$name
printf -- '%s' "{reference}" | sed "s/NAME/$name/"
"""
WIPE = """#!/bin/sh
echo "$AW_SLOT $*" >> asked; name=$(grep key-); rm -f "token/$name"
"""
BROKEN = "#!/bin/sh\necho no such token >&2; exit 1\n"


def device(folder, wipe=WIPE):
    """With a token that is made new keys in, and a program that ends them; none for ""."""
    (folder / "token").mkdir()
    made = program(folder, "make", MAKE.format(reference=REFERENCE.format(name="NAME")))
    ends = program(folder, "wipe", wipe) if wipe else ()
    return Device(folder, key_command=made, wipe_command=ends)


def program(folder, name, text):
    (folder / name).write_text(text.replace("#!/bin/sh\n", "#!/bin/sh\ncd '%s'\n" % folder))
    (folder / name).chmod(0o755)
    return (str(folder / name),)


def in_token(folder):
    return sorted(file.name for file in (folder / "token").iterdir())


def wiped(board, slot="a"):
    return board.one(actions.WipeKey(slot))


def test_wiped_slot_has_its_key_destroyed_in_the_token_before_anybody_is_told(tmp_path):
    board = device(tmp_path)
    assert board.key("a") == KeyMade("a") and in_token(tmp_path) == ["key-0"]
    assert wiped(board) == KeyWiped("a", "")
    assert in_token(tmp_path) == [] and board.open() == {} and board.warned == []
    assert (tmp_path / "asked").read_text() == "a \n"  # no word of the key is an argument


def test_key_that_cannot_be_destroyed_keeps_its_reference_until_it_can(tmp_path):
    board = device(tmp_path, BROKEN)
    board.key("a")
    assert wiped(board) == KeyWiped("a", "in-token")
    assert board.open() == {"a": {"pending": True}} and in_token(tmp_path) == ["key-0"]
    said = [value for what, value, _ in board.warned if what == "key is not destroyed in its token"]
    assert len(said) == 1 and "no such token" in said[0] and "slot a" in said[0]
    program(tmp_path, "wipe", WIPE)
    assert wiped(board) == KeyWiped("a", "")
    assert in_token(tmp_path) == [] and board.open() == {}


def test_without_a_program_the_reference_goes_and_the_key_is_told_of(tmp_path):
    board = device(tmp_path, "")
    board.key("a")
    assert wiped(board) == KeyWiped("a", "") and in_token(tmp_path) == ["key-0"]
    assert board.open() == {} and "still in its token" in board.warned[-1][0]


@pytest.mark.parametrize("wipe, left", [(WIPE, ["key-0"]), (BROKEN, ["key-0", "key-1"])])
def test_slot_that_gets_a_new_key_gives_up_the_one_in_the_token(tmp_path, wipe, left):
    board = device(tmp_path, wipe)
    board.key("a")
    assert board.key("a") == KeyMade("a")
    assert in_token(tmp_path) == left and bool(board.warned) == (wipe == BROKEN)


def test_key_of_the_devices_own_needs_no_program(tmp_path):
    board = Device(tmp_path, wipe_command=program(tmp_path, "wipe", BROKEN))
    board.key("a")
    assert wiped(board) == KeyWiped("a", "") and board.warned == []
