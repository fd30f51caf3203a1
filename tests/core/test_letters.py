"""A letter from the cloud is told once, however often the session moves."""

import pytest

from anchorwatch.core.letters import LATE_MS, MOST, Letters


def letter(mid="1", payload=b"x"):
    return {"$.mid": mid}, payload


@pytest.fixture
def letters():
    made = Letters()
    made.began(0, moved=False)
    return made


@pytest.mark.parametrize("moved", [True, False])
def test_letter_of_the_session_before_is_not_told_again(letters, moved):
    assert not letters.again(*letter(), 10)
    letters.began(20, moved)
    assert letters.again(*letter(), 30)


def test_letter_that_is_never_acknowledged_in_time_is_told_once_over_many_moves(letters):
    assert not letters.again(*letter(), 10)
    for session in range(1, 9):
        letters.began(1_000 * session, moved=True)
        assert letters.again(*letter(), 1_000 * session + 5)


def test_last_word_of_the_old_link_and_its_copy_on_the_new_one_are_told_once(letters):
    letters.began(1_000, moved=True)
    assert not letters.again(*letter(), 1_010)
    assert letters.again(*letter(), 1_020)


def test_same_letter_twice_in_one_session_is_told_twice(letters):
    letters.began(1_000, moved=True)
    later = 1_000 + LATE_MS
    assert not letters.again(*letter(), later) and not letters.again(*letter(), later)


def test_another_payload_under_a_used_id_is_another_letter(letters):
    assert not letters.again(*letter(payload=b"on"), 10)
    letters.began(20, moved=True)
    assert not letters.again(*letter(payload=b"off"), 30)


@pytest.mark.parametrize("properties", [{}, {"$.mid": None}, {"$.mid": ""}])
def test_letter_without_an_id_is_always_told(letters, properties):
    assert not letters.again(properties, b"x", 10)
    letters.began(20, moved=True)
    assert not letters.again(properties, b"x", 30)


def test_as_many_are_remembered_as_wait_at_a_hub(letters):
    for n in range(MOST + 1):
        letters.again(*letter(str(n)), 10)
    letters.began(20, moved=False)
    assert not letters.again(*letter("0"), 30)
    assert all(letters.again(*letter(str(n)), 30) for n in range(1, MOST + 1))
