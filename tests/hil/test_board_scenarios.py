"""The scenarios on boards: SCENARIO[DEVICE], those of one cloud and device in the order of a day.

Rule: what a scenario asserts is all that counts here. One that fails takes the stage with it: the
next one, if it needs the day before it, says so. Without its program a device is skipped. Days have
nothing in common and mostly wait, so a few are played at once.
"""

import importlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from hil.bench import mps2, unix
from hil.bench.board import Process
from hil.bench.cloud import Cloud
from hil.bench.disk import NoProgram
from hil.demo import acts

pytestmark = [pytest.mark.tls]

SHORT = {"hub": {"max_fragment": "require", "max_fragment_bytes": 512}}
LONGER = {"hub": {"max_fragment": "require", "max_fragment_bytes": 4096}}
SPOKEN = ("first_boot", "bundle_imported", "speaks_both_ways", "bundle_rolled_back")
DAYS = {
    # day: (kind of the cloud's device, settings, scenarios). Every day begins switched off.
    "key": ("symmetric-key", {}, SPOKEN),
    # The twin with a bundle in it comes in records of 16 KB, unless both agree on shorter ones.
    "key-4k": ("symmetric-key", {"tls": LONGER}, SPOKEN),
    "clock": ("x509-group", {}, ("wrong_clock_at_start",)),
    "short": ("x509-group", {"tls": SHORT}, ("first_boot", "short_records")),
    # More than fits into an incoming buffer of 4 KB.
    "longest": ("x509-group", {"tls": SHORT}, ("longest_chain", "short_records")),
    "certificate": ("x509-managed", {}, ("first_boot", "certificate_rolls")),
    "roots": ("x509", {}, (
        "first_boot", "root_changes_at_failover", "certificate_replaced", "hub_and_dps_down",
        "hub_moves", "stranded_heals_itself")),
    "glance": ("x509", {}, (
        "first_boot", "gap_seen_at_a_glance", "registration_with_a_bundle")),
    "moves": ("x509", {}, (
        "first_boot", "root_changes", "root_reverts", "root_unknown", "address_changes",
        "hub_reverts_after_commit")),
}  # fmt: skip
# Those that need no second session.
WITH_ONE = ("key", "clock", "short", "longest", "certificate", "roots", "glance")
WITH_TWO = (*WITH_ONE, "moves")
AT_ONCE = 3


class OneSession(mps2.Mps2):
    """The same part told that it has no room for a second session."""

    def __init__(self, folder, name):
        super().__init__(folder, name, heap=160 * 1024)
        self.put("words", b"one-session")


DEVICES = {
    # device: (how it is made, its days, those of every run): each scenario is in one of them
    # The clock's day needs libfaketime, under which a child process fails now and then: by hand.
    "process": (Process, ("key", "clock", "short", "certificate", "glance"), ()),
    "wheel": (unix.Unix, tuple(day for day in WITH_TWO if day not in ("short", "longest")),
              ("key",)),
    "unix": (lambda *about: unix.Unix(*about, unix.built("unix"), "2m"), WITH_TWO, ()),
    "unix-small-heap": (lambda *about: unix.Unix(*about, unix.built("unix-small-heap"), "320k"),
                        WITH_ONE, ("roots", "key", "certificate", "glance")),
    "unix-small-heap-4k": (lambda *about: unix.Unix(
        *about, unix.built("unix-small-heap", "micropython-4k"), "256k"), ("short", "key-4k"), ()),
    "qemu-mps2": (lambda *about: mps2.Mps2(*about, heap=256 * 1024), WITH_TWO,
                  ("moves", "clock", "longest")),
    "qemu-mps2-one-session": (OneSession, WITH_ONE, ()),
}  # fmt: skip
OF_SEVERAL = ("first_boot", "short_records")  # days
HERE = ("process", "wheel")  # what needs no `make firmware`


def cases():
    """One for each scenario of each day of each device."""
    for device, (_, days, always) in DEVICES.items():
        for day in days:
            marks = [] if device in HERE else [pytest.mark.lane_firmware]
            marks += [] if device == "process" else [pytest.mark.micropython]
            marks += [pytest.mark.once] if day in always else [pytest.mark.long]
            for scenario in DAYS[day][2]:
                name = f"{scenario}[{device}]" + (f"-{day}" if scenario in OF_SEVERAL else "")
                yield pytest.param(device, day, scenario, marks=marks, id=name)


class Stage:
    """A cloud and a device from its first scenario on; `broken` names the one that failed."""

    def __init__(self, folder, device, day):
        kind, settings, _ = DAYS[day]
        self.about, self.broken = (device, day), ""
        self.cloud = Cloud(folder / "cloud", *acts.CLOUD)
        self.device = None
        try:
            place = self.cloud.folder / kind
            self.device = DEVICES[device][0](place, self.cloud.ready["kinds"][kind])
            if device == "process":
                settings = {f"tls.{name}": one for name, one in settings.get("tls", {}).items()}
            self.device.configure({**acts.SETTINGS, **settings})
        except BaseException:
            self.cloud.stop()
            raise

    def play(self, scenario):
        """Play it, unless one before it failed."""
        if self.broken:
            raise AssertionError(f"{self.broken} failed before it on the same stage")
        try:
            importlib.import_module("hil.scenarios." + scenario).play(self.cloud, self.device)
        except Exception:
            self.broken = scenario
            raise

    def close(self):
        """Switch the device off and end the cloud."""
        try:
            if getattr(self.device, "running", False) or getattr(self.device, "pid", None):
                self.device.cut()
        finally:
            self.cloud.stop()


def played(device, day, scenarios, folder):
    """[None, or what went wrong] of a day's scenarios."""
    try:
        stage = Stage(folder, device, day)
    except Exception as missing:
        return [missing] * len(scenarios)
    outcomes = []
    try:
        for scenario in scenarios:
            try:
                outcomes.append(stage.play(scenario))
            except Exception as failed:
                outcomes.append(failed)
    finally:
        stage.close()
    return outcomes


@pytest.fixture(scope="module")
def days(request, tmp_path_factory):
    """{(device, day): (its scenarios in this run, what comes of them)}; the longest begin."""
    wanted = {}
    for item in request.session.items:
        if item.path == request.path:
            given = item.callspec.params
            wanted.setdefault((given["device"], given["day"]), []).append(given["scenario"])
    longest_first = sorted(wanted.items(), key=lambda item: -len(item[1]))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {one: (names, pool.submit(played, *one, names, tmp_path_factory.mktemp(one[1])))
               for one, names in longest_first}  # fmt: skip
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("device, day, scenario", list(cases()))
def test_scenario(days, device, day, scenario):
    names, future = days[device, day]
    outcome = future.result()[names.index(scenario)]
    if isinstance(outcome, NoProgram):
        pytest.skip(str(outcome))
    if outcome is not None:
        raise outcome
