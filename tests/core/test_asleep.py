"""Machines that wait to be made: what stands for them says what they would say."""

import subprocess
import sys

import pytest

from anchorwatch.config import Config
from anchorwatch.core import events, trustmeanings
from anchorwatch.core.asleep import Asleep
from anchorwatch.core.watch import Watch
from tests.timelines import replay

KINDS = {"Presented": trustmeanings.Presented("hub", "a" * 64, [])}
NOW = 5_000
FIRST_START = """
import sys
from anchorwatch.config import Config
from anchorwatch.core.events import Start, Verified, Woke
from anchorwatch.core.watch import Watch

watch = Watch(Config(%r), lambda n: 0)
credential = {"kind": "symmetric_key", "slot": "a", "fingerprint": "f", "not_before": None,
              "not_after": None, "cn": None}
watch.handle(Start(False, {}, {"factory": {"anchors": [], "distrust": []}}, credential), 1)
watch.handle(Woke(), 40_000)
watch.status(41_000)
print(" ".join(sorted(name.rpartition(".")[2] for name in sys.modules if "anchorwatch" in name)))
"""
HUB_ALONE = {
    "device": {"device_id": "d"},
    "hub": {"host": "h.azure-devices.net"},
    "credential": {"kind": "symmetric_key", "key_file": "k"},
}


def sleepers():
    """[(name, what stands for it)] of a new watch, with its parts."""
    watch = Watch(Config(replay.BASE), replay.RANDS["least"])
    found = {name: value for name, value in vars(watch).items() if isinstance(value, Asleep)}
    return sorted(found.items())


NAMES = [name for name, _ in sleepers()]


def test_what_sleeps_is_known():
    assert NAMES == ["bundles", "commit", "registration", "roots"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_a_sleeping_machine_is_true_of_a_new_one(name):
    asleep = dict(sleepers())[name]
    quiet, machine = asleep._quiet, asleep.awake()
    for word in quiet:
        said, true = quiet[word], getattr(machine, word)
        if not callable(said):
            assert (word, said or None) == (word, true or None)
        elif word in ("saved", "save_failed"):
            assert true(events.Saved("trust", 1), NOW) == said()
        elif word == "awaits":
            assert bool(true(events.FetchFailed("vendor", "file:x", "silent", ""))) == bool(said())
        else:
            assert (true(NOW) or []) == said(NOW)
    assert machine.wake_at is None if hasattr(machine, "wake_at") else True


@pytest.mark.parametrize("name", NAMES)
def test_what_a_sleeping_machine_lets_pass_leaves_a_new_one_as_it_was(name):
    asleep = dict(sleepers())[name]
    for kind in asleep._deaf:
        assert asleep.handle(KINDS[kind], NOW) == []
        assert asleep._machine is None
        machine = asleep.awake()
        before = dict(vars(machine))
        assert machine.handle(KINDS[kind], NOW) == []
        assert vars(machine) == before


def test_a_device_of_one_hub_loads_nothing_of_registration_and_bundles():
    ran = subprocess.run([sys.executable, "-c", FIRST_START % HUB_ALONE], capture_output=True,
                         text=True, timeout=60, check=True)  # fmt: skip
    loaded = ran.stdout.split()
    assert "watch" in loaded
    assert [name for name in loaded if name in (
        "asked", "bundlemeanings", "bundles", "commit", "dps", "probing", "readiness",
        "registration", "rollback", "rollcommands", "roots", "stages")] == []  # fmt: skip


def test_a_machine_is_made_once():
    made = []
    asleep = Asleep(lambda: made.append(1) or sys, (), {"platform": "none"})
    assert (asleep.platform, made) == ("none", [])
    assert asleep.awake() is sys and asleep.awake() is sys
    assert (asleep.platform, made) == (sys.platform, [1])
