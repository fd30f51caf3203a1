"""The twin's arithmetic against a slower second writing of it, and the faults as data."""

import json
import random
from pathlib import Path

import pytest

from hil.cloud.faults import KINDS, Faults
from hil.cloud.refusal import BadRequest
from hil.cloud.twin import Section, merged

SEED = 20261122


def paths(value, under=()):
    """{("a", "b"): 1} for {"a": {"b": 1}}; an object without members is a leaf."""
    if not isinstance(value, dict) or not value:
        return {under: value}
    found = {}
    for name, inner in value.items():
        found.update(paths(inner, (*under, name)))
    return found


def some(rand, depth=3):
    """A random object of few names, so that patches meet what is there."""
    made = {}
    for name in rand.sample("abcd", rand.randint(0, 3)):
        kind = rand.randint(0, 3 if depth else 1)
        made[name] = [None, rand.randint(0, 9), [1, {"x": None}]][kind] if kind < 3 else None
        if depth and kind > 1:
            made[name] = some(rand, depth - 1)
    return made


def without_nulls(value):
    if not isinstance(value, dict):
        return value
    return {k: without_nulls(v) for k, v in value.items() if v is not None}


def test_merge_keeps_what_the_patch_does_not_name_and_holds_no_null():
    rand = random.Random(SEED)
    for _ in range(2000):
        old, patch = without_nulls(some(rand)), some(rand)
        before = json.dumps([old, patch])
        new = merged(old, patch)
        assert json.dumps([old, patch]) == before, SEED
        assert without_nulls(new) == new, SEED
        for name in old.keys() | patch.keys():
            if name not in patch:
                assert new[name] == old[name], SEED
            elif patch[name] is None:
                assert name not in new, SEED
            elif not isinstance(patch[name], dict):
                assert new[name] == patch[name], SEED
        assert merged(new, patch) == new, SEED  # a patch applied twice changes nothing more


def test_named_leaves_arrive():
    rand = random.Random(SEED)
    for _ in range(2000):
        old, patch = without_nulls(some(rand)), some(rand)
        arrived = paths(merged(old, patch))
        for path, value in paths(patch).items():
            if value is not None and value != {}:
                assert arrived[path] == value, SEED


def test_every_patch_counts_one_version():
    section = Section()
    assert [section.patch({"a": 1}), section.patch({}), section.patch({"a": None})] == [2, 3, 4]
    assert section.shown() == {"$version": 4}


def test_faults_go_first_in_order_and_are_counted_down():
    faults = Faults()
    faults.add("BUSY", device="dev-1", retry_after_s=1)
    faults.add("SERVER_ERROR", count=2)
    assert faults.take("dps", "register", "dev-2").name == "SERVER_ERROR"
    assert faults.take("dps", "register", "dev-1").name == "BUSY"
    assert faults.take("dps", "connect", "dev-1") is None
    assert faults.take("dps", "poll", "dev-1").name == "SERVER_ERROR"
    assert faults.take("dps", "poll", "dev-1") is None


def test_fault_without_a_count_stays_until_it_is_cleared():
    faults = Faults()
    faults.add("CONNACK", count=None, service="hub2")
    faults.add("BUSY")
    assert faults.take("hub", "connect", "dev-1") is None
    assert [faults.take("hub2", "connect", "dev-1")["code"] for _ in range(3)] == [5, 5, 5]
    faults.clear("CONNACK")
    assert [f.name for f in faults.waiting()] == ["BUSY"]
    faults.clear()
    assert faults.waiting() == []


def test_fault_may_be_bound_to_one_point():
    faults = Faults()
    faults.add("BUSY", at="lookup")
    assert faults.take("dps", "register", "dev-1") is None
    assert faults.take("dps", "lookup", "dev-1")["retry_after_s"] == 7


BAD_FAULTS = {
    "no such fault": (("BUZY", {}), "BUSY"),
    "no such parameter": (("BUSY", {"minutes": 1}), "retry_after_s"),
    "a missing parameter": (("ASSIGNED_ELSEWHERE", {}), "host"),
    "a service it cannot happen in": (("FAILED", {"service": "hub"}), "dps"),
    "a point it cannot happen at": (("CONNACK", {"at": "poll"}), "connect"),
    "a code that is a text": (("CONNACK", {"code": "5"}), "int"),
    "a code that accepts": (("CONNACK", {"code": 0}), "1 to 5"),
    "a status that is true": (("SERVER_ERROR", {"status": True}), "int"),
    "a host that is none": (("ASSIGNED_ELSEWHERE", {"host": None}), "str"),
    "a count of nothing": (("BUSY", {"count": 0}), "from 1"),
}


@pytest.mark.parametrize(("given", "hint"), BAD_FAULTS.values(), ids=BAD_FAULTS)
def test_impossible_fault_is_refused_with_a_hint(given, hint):
    faults = Faults()
    with pytest.raises(BadRequest, match=hint):
        faults.add(given[0], **given[1])
    assert faults.waiting() == []


def drawn(seed, permille=200):
    rand = random.Random(seed)
    faults = Faults()
    faults.soak(rand.randrange, permille, ["BUSY", "CLOSE_BEFORE_CONNACK", "DROP_SESSION"])
    points = ["connect", "register", "publish", "poll"] * 250
    return [(p, f and f.name) for p in points for f in [faults.take("dps", p, "dev-1")]]


def test_soak_draws_the_same_faults_from_the_same_seed_and_only_where_they_fit():
    assert drawn(1) == drawn(1) != drawn(2)
    hit = [(point, name) for point, name in drawn(1) if name]
    assert 120 < len(hit) < 280
    assert all(point in KINDS[name][1] for point, name in hit)
    assert not [name for _, name in drawn(1, 0) if name]


def test_readme_lists_every_fault_and_no_other():
    readme = (Path(__file__).parents[2] / "hil/cloud/README.md").read_text()
    table = readme.partition("## Faults")[2]
    listed = [row.split("`")[1] for row in table.splitlines() if row.startswith("| `")]
    assert sorted(listed) == sorted(KINDS)
