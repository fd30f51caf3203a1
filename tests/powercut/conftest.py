"""The counts of the power cuts at the end of the run, also of those that workers (-n) made."""

from tests.powercut import table

OURS, NAIVE = "power cut", "power cut, naive"
TOLD = {OURS: [], NAIVE: []}


def pytest_runtest_logreport(report):
    """Heard in the process that writes the summary."""
    if report.when == "call":
        for name, value in report.user_properties:
            if name in TOLD:
                TOLD[name].append(tuple(value))


def pytest_terminal_summary(terminalreporter):
    """One line a story; what must be caught apart from what must hold."""
    for title, rows in ((OURS, TOLD[OURS]), (NAIVE, TOLD[NAIVE])):
        if rows:
            terminalreporter.section(title)
        for line in table.lines(rows) if rows else ():
            terminalreporter.write_line(line)
