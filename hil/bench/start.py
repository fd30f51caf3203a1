"""From nothing to a session: the processor's time until the hub has the device's CONNECT.

Ours knows its hub from an earlier run, as the others know theirs from their connection string. The
hub then says nothing, so that what a device does with its session is not counted by chance.
"""

import os
from collections.abc import Callable

from . import gaps, sdk
from .devices import OURS, PAHO, SDK
from .rig import Rig
from .waiting import until

SHARE = 0.6
HOW = (
    "user + system time of the process, its ended threads included (wait4), from its start until"
    " the hub has its CONNECT, which it leaves unanswered; median of {n}"
)


def run(count: int, note: Callable[[str], None]) -> dict:
    """The figures; each device is started `count` times."""
    with Rig() as rig:
        devices = _devices(rig, note)
        times: dict = {name: [] for name in devices}
        for _ in range(count):  # in turns: what else the machine does hits all alike
            for name, device in devices.items():
                times[name].append(_spent_ms(rig, device))
    for name, of in times.items():
        note(f"{name}: {min(of):.0f} to {max(of):.0f} ms of processor time")
    return figures({name: gaps.median(of) for name, of in times.items()}, count)


def _devices(rig: Rig, note: Callable[[str], None]) -> dict:
    """Those there are, started once: modules are compiled then, and ours knows its hub."""
    devices = {}
    for name in (OURS, SDK, PAHO):
        try:
            device = rig.device(name)
        except sdk.NoSdk as e:
            note(f"{name}: not measured: {e}")
            continue
        device.start(serves=False)
        device.stop()
        devices[name] = device
    return devices


def _spent_ms(rig: Rig, device: object) -> float:
    mark = rig.cloud.mark()
    fault = {"name": "SILENT_CONNECT", "service": "hub", "device": device.device_id, "count": 1}
    rig.cloud.post("/faults", fault)

    def look() -> tuple[object, object]:
        rows = rig.cloud.rows("fault", mark, device=device.device_id)
        return bool(rows), process.poll()

    process = device.launched()
    try:
        until("the hub has its CONNECT", look, 30, every_s=0.01)
    finally:
        process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    return 1000 * (usage.ru_utime + usage.ru_stime)


def figures(spent: dict, count: int) -> dict:
    """One figure; the limit is a share of what the SDK takes, so without it nothing holds."""
    theirs = spent.get(SDK)
    return {
        "start to connected: processor": {
            **{name: _rounded(spent.get(name)) for name in (OURS, SDK, PAHO)},
            "limit": _rounded(SHARE * (theirs or 0)), "unit": "ms",
            "how": HOW.format(n=count) + f"; the limit is {SHARE} of the SDK's",
        }  # fmt: skip
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
