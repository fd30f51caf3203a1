"""The machines that are asleep at first: without DPS nobody registers, without a bundle nothing is
committed.

Rule: `tests/core/test_asleep.py` holds what is said of each against a new one of its kind.
"""

from .asleep import Asleep, nothing
from .device import Device
from .shapes import Any_, Free, Watch
from .token import Tokens


def registration(device: Device, tokens: Tokens) -> Any_:
    """Registration at DPS."""

    def make() -> Any_:
        from .registration import Registration

        return Registration(device, tokens)

    quiet = {"state": "idle", "wake_at": None, "busy": False, "link": "", "evidence_ms": -1}
    return Asleep(make, (), quiet)


def commit(device: Device, free: Free) -> Any_:
    """The way of a bundle into force."""

    def make() -> Any_:
        from .commit import Commit

        return Commit(device, free)

    quiet = {"state": "settled", "wake_at": None, "probing": False, "waits_for": 0,
             "takes_turn": nothing, "timed": nothing, "alone": nothing}  # fmt: skip
    return Asleep(make, ("Presented",), quiet)


def bundles(watch: Watch) -> Any_:
    """The channels of bundles."""

    def make() -> Any_:
        from .bundles import Bundles

        return Bundles(watch.device, watch.commit)

    quiet = {"state": "resting", "wake_at": None, "rooted": (), "stranded": nothing,
             "awaits": nothing}  # fmt: skip
    return Asleep(make, (), quiet)


def roots(watch: Watch) -> Any_:
    """Commands on the root store, and what they wrote."""

    def make() -> Any_:
        from .roots import Roots

        return Roots(watch.device, watch.commit, watch.bundles)

    return Asleep(make, (), {"saved": nothing, "save_failed": nothing})


def commands(watch: Watch) -> Any_:
    """Commands of people, the cloud and neighbours."""

    def make() -> Any_:
        from .asked import Commands

        return Commands(watch)

    return Asleep(make, (), {})
