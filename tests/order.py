"""In which order files are begun, and which tests need not wait for those of their file.

Rule: it decides when and beside what a test runs, never whether. What is long begins first, so that
nobody waits for the last one at the end.
"""

from xdist.scheduler import LoadFileScheduling

# A minute or more, with all their tests, in one of the lanes.
LONG = (
    "micropython/test_board_agent.py",
    "micropython/test_reconnects.py",
    "micropython/test_qemu_mps2_portable.py",
    "hil/test_board_scenarios.py",
    "linux/test_rolls_gone_end_to_end.py",
    "linux/test_reverify_end_to_end.py",
    "linux/test_rolls_end_to_end.py",
    "linux/test_rolls_refused_end_to_end.py",
    "linux/test_rolls_cut_end_to_end.py",
    "linux/test_end_to_end.py",
    "pair/test_ten_years.py",
    "pair/test_mass_roll.py",
    "pair/test_fleet_looks.py",
    "pair/test_trust_property.py",
    "pair/test_bundles.py",
    "powercut/test_roll_cuts.py",
    "linux/test_bundles_end_to_end.py",
    "foreign/test_azure_iot_device.py",
    "core/test_invariants.py",
    "pair/test_rolling.py",
    "pair/test_ladder_table.py",
)
# Files whose tests share nothing: each is as good in a process of its own.
APART = (
    "micropython/test_reconnects.py",
    "micropython/test_qemu_mps2_portable.py",
    "linux/test_reverify_end_to_end.py",
    "pair/test_fleet_looks.py",
    "pair/test_ten_years.py",
    "pair/test_trust_property.py",
)


def file_of(nodeid):
    """tests/pair/test_looks.py::test_x -> pair/test_looks.py"""
    return nodeid.partition("::")[0].removeprefix("tests/")


def long_first(items):
    """Sort the tests in place; within a file they stay as they are."""
    rank = {file: number for number, file in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(file_of(item.nodeid), len(LONG)))


class ByFile(LoadFileScheduling):
    """As `--dist loadfile`, but that the tests of APART are handed out one by one."""

    def _split_scope(self, nodeid):
        return nodeid if file_of(nodeid) in APART else super()._split_scope(nodeid)
