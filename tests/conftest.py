"""What every test shares: where the data is, and what a skip means.

Rule: a test that cannot run says why at the end of the run, loudly. With CI=true a skip is a
failure, except for two reasons: no hardware here, or ../shared/data not beside the clone.
"""

import gc
import os
import pathlib

import pytest

from tests import order

ROOT = pathlib.Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
NO_HARDWARE = "hardware:"
NO_DATA = "../shared/data"

# A test that leaves descriptors open shows in the one that runs out of them, an hour later.
OPEN_AT_MOST = 300
OPEN = pathlib.Path("/proc/self/fd")

# Reports of skips, in the order they came.
SKIPPED = []


@pytest.fixture(scope="session")
def shared_data():
    """The folder of roots and test vectors that are not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("%s is not beside this clone" % NO_DATA)
    return SHARED_DATA


def pytest_collection_modifyitems(items):
    order.long_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return order.ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def _is_skip(report):
    return report.skipped and not hasattr(report, "wasxfail")


def _reason(report):
    _, _, text = report.longrepr
    return text.removeprefix("Skipped: ")


def _no_skip_in_ci(report):
    if os.environ.get("CI") == "true" and _is_skip(report):
        reason = _reason(report)
        if not reason.startswith(NO_HARDWARE) and NO_DATA not in reason:
            report.outcome = "failed"
            report.longrepr = "skipped, and CI=true allows no skip for this: %s" % reason
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _no_skip_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _no_skip_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    result = yield
    if OPEN.is_dir() and len(os.listdir(OPEN)) > OPEN_AT_MOST:
        gc.collect()
        left = len(os.listdir(OPEN))
        assert left <= OPEN_AT_MOST, "%d descriptors are open: a test before left its own" % left
    return result


def pytest_runtest_logreport(report):
    """Heard in the process that writes the summary, also when workers (-n) ran the test."""
    if _is_skip(report):
        SKIPPED.append(report)


def pytest_collectreport(report):
    if _is_skip(report):
        SKIPPED.append(report)


def pytest_terminal_summary(terminalreporter):
    """Say what did not run, one line a reason."""
    files = {}
    for report in SKIPPED:
        files.setdefault(_reason(report), []).append(report.nodeid.partition("::")[0])
    if files:
        terminalreporter.section("DID NOT RUN", sep="!", yellow=True, bold=True)
    for reason in sorted(files):
        names = ", ".join(sorted(set(files[reason])))
        terminalreporter.write_line("%d x %s (%s)" % (len(files[reason]), reason, names))
