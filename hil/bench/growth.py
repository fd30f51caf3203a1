"""Two hundred new sessions: does anything grow?

All but two are commanded moves, two come after the line was cut: three cuts in five minutes are
"contended", and that waits as it should. Memory is read on the way, since a slope says more than
two ends.
"""

from collections.abc import Callable
from statistics import median

from . import processes
from .board import Process
from .devices import OURS, PAHO, SDK
from .journal import Journal
from .rig import Rig
from .waiting import until

READINGS = 10
WARM_UP = 0.75  # of the count, before: the ring of the log and the tables of libraries fill
SLOPE_LIMIT_KIB = 1.0  # a reconnect; 200 of them are then less than the noise of one reading
RISE_LIMIT_KIB = 1024  # one step of the allocator and what is noise
HOW = "over {n} new sessions, by `reverify --swap`, two of them after the line was cut; {more}"


def run(count: int, note: Callable[[str], None]) -> dict:
    """The figures over `count` sessions."""
    with Rig() as rig:
        device = rig.device(OURS)
        device.start(serves=False)
        journal = Journal(rig.cloud)
        readings = []
        for number in range(-int(WARM_UP * count), count):
            if number >= 0 and number % max(1, count // READINGS) == 0:
                readings.append(_reading(number, device, note))
            _one(rig, device, journal, number, number in (count // 4, 3 * count // 4))
        readings.append(_reading(count, device, note))
    return figures(readings, count)


def _one(rig: Rig, device: object, journal: Journal, number: int, cut: bool) -> None:
    before = journal.sessions(device.device_id)
    if cut:
        rig.network.cut()
    else:
        device.board.ask("reverify", "--swap")

    def look() -> tuple[object, object]:
        now = journal.sessions(device.device_id)
        return now > before and _rests(device.board), now

    until(f"session {number + 1}", look, 60, every_s=0.05)


def _rests(board: Process) -> bool:
    machines = board.status()["machines"]
    return machines["connection"] == "online" and machines["reverify"] == "resting"


def _reading(number: int, device: object, note: Callable[[str], None]) -> dict:
    pid = device.pid
    reading = {
        "after": number, "uss_kib": processes.uss_kib(pid), "files": processes.files(pid),
        "threads": processes.threads(pid),
    }  # fmt: skip
    note("after {after}: {uss_kib} KiB, {files} files, {threads} threads".format(**reading))
    return reading


def figures(readings: list[dict], count: int) -> dict:
    """The slope of memory, and what files and threads have become more."""
    rows = (
        ("memory slope", slope(readings), SLOPE_LIMIT_KIB, "KiB a session",
         "median of the steps between %d readings, after a warm-up" % len(readings)),
        ("memory risen", readings[-1]["uss_kib"] - readings[0]["uss_kib"], RISE_LIMIT_KIB, "KiB",
         "last reading less the first"),
        ("open files more", _more(readings, "files"), 0, "", "/proc/PID/fd"),
        ("threads more", _more(readings, "threads"), 0, "", "/proc/PID/task"),
    )  # fmt: skip
    return {
        f"growth: {name}": {
            OURS: round(value, 2), SDK: None, PAHO: None, "limit": limit, "unit": unit,
            "how": HOW.format(n=count, more=how),
        }  # fmt: skip
        for name, value, limit, unit, how in rows
    }


def _more(readings: list[dict], word: str) -> int:
    """The least of the second half over the least of the first: a caller may just be connected."""
    values, half = [reading[word] for reading in readings], len(readings) // 2
    return min(values[half:]) - min(values[:half])


def slope(readings: list[dict]) -> float:
    """KiB for each session: the median of the steps between readings.

    The allocator takes and gives back some 0.6 MB at a time, once in hundreds of sessions; one such
    step within the run would be its whole slope, so it is judged by the rise in all.
    """
    pairs = list(zip(readings, readings[1:], strict=False))
    return median([(b["uss_kib"] - a["uss_kib"]) / (b["after"] - a["after"]) for a, b in pairs])
