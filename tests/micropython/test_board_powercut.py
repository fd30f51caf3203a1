"""The power of a board is cut at every write of its store, on MicroPython's own file systems."""

import pytest

from tests.micropython import boards

SCRIPT = boards.HERE / "powercut_board.py"

pytestmark = pytest.mark.micropython


def enumerated(*words):
    """{(story, disk): {column: text}} of what the script prints."""
    done = boards.run("-X", "heapsize=8m", SCRIPT, *words, longest_s=7200)
    print(done.stdout)
    head, *rows = [line.split(" | ") for line in done.stdout.splitlines()[:-1]]
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return {(row[0], row[1]): dict(zip(head[2:], row[2:])) for row in rows}


def check(found):
    right = {key: row for key, row in found.items() if not key[0].startswith("wrong: ")}
    assert {disk for _, disk in right} == {"VfsLfs2", "VfsFat"} and len(right) >= 10
    for key, row in right.items():
        faults = [row[name] for name in ("unreadable", "lost", "keys left", "stuck")]
        assert faults == ["0"] * 4 and int(row["images"]) > 40, key
    return {key: row for key, row in found.items() if key not in right}


def test_no_power_cut_costs_a_board_what_it_has_acknowledged():
    wrong = check(enumerated())
    assert int(wrong["wrong: one slot, in place", "VfsFat"]["unreadable"]) > 0
    for disk in ("VfsLfs2", "VfsFat"):
        assert int(wrong["wrong: acknowledged before it is flushed", disk]["lost"]) > 0
    assert int(wrong["wrong: a key overwritten and no more", "VfsLfs2"]["keys left"]) > 0


@pytest.mark.long
def test_no_power_cut_of_all_that_there_are_costs_a_board_anything():
    found = enumerated("full")
    check(found)
    assert all(row["images"] == row["of"] for row in found.values())
