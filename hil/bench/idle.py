"""Connected and idle: memory, threads and wake-ups, all three at the same time.

A fourth process holds the same interpreter, ssl and paho meanwhile, as other programs on a gateway
would: what they share is nobody's own.
"""

import subprocess
import sys
import time
from collections.abc import Callable

from . import processes, sdk
from .devices import OURS, PAHO, SDK
from .rig import Rig

KEEPALIVE_S = 20
SETTLE_S = 8
USS_LIMIT_MB = 12.5
NEIGHBOUR = "import ssl, time, paho.mqtt.client; time.sleep(600)"
HOW = {
    "memory": "USS (Private_* of smaps_rollup) after {s} s idle; a second process holds the"
              " interpreter, ssl and paho",
    "threads": "threads after {s} s idle",
    "switches": "voluntary context switches of all threads in {s} s, keepalive %d s"
                % KEEPALIVE_S,
    "wake-ups": "the same for one keepalive interval, less the PINGRESP that is answered in it:"
                " how often it woke by itself",
}  # fmt: skip


def run(seconds: int, note: Callable[[str], None]) -> dict:
    """The figures after so many idle seconds."""
    neighbour = subprocess.Popen([sys.executable, "-c", NEIGHBOUR])
    try:
        with Rig() as rig:
            return figures(_observed(rig, seconds, note), seconds)
    finally:
        neighbour.kill()
        neighbour.wait()


def _observed(rig: Rig, seconds: int, note: Callable[[str], None]) -> dict:
    devices = {}
    for name in (OURS, SDK, PAHO):
        try:
            devices[name] = rig.device(name, keepalive_s=KEEPALIVE_S)
        except sdk.NoSdk as e:
            note(f"{name}: not measured: {e}")
            continue
        devices[name].start(serves=False)
    time.sleep(SETTLE_S)
    before = {name: processes.switches(device.pid) for name, device in devices.items()}
    note(f"three devices are connected; idle for {seconds} s")
    time.sleep(seconds)
    seen = {}
    for name, device in devices.items():
        switches = processes.switches(device.pid) - before[name]
        seen[name] = {
            "memory": processes.uss_kib(device.pid) / 1024,
            "threads": processes.threads(device.pid),
            "switches": switches,
            "wake-ups": max(0, switches * KEEPALIVE_S / seconds - 1),
        }
        note(f"{name}: " + ", ".join(f"{k} {v:.4g}" for k, v in seen[name].items()))
    return seen


def figures(seen: dict, seconds: int) -> dict:
    """One figure a word."""
    limits = {"memory": USS_LIMIT_MB, "threads": 1, "switches": None, "wake-ups": 1}
    units = {"memory": "MB", "threads": "", "switches": "", "wake-ups": "per keepalive"}
    return {
        f"idle: {word}": {
            **{name: _rounded(seen.get(name, {}).get(word)) for name in (OURS, SDK, PAHO)},
            "limit": limits[word], "unit": units[word], "how": HOW[word].format(s=seconds),
        }  # fmt: skip
        for word in HOW
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
