"""Devices of one emulated cloud that take signed bundles, and what is seen of them from outside.

Rule: what is asserted is seen in the journal, in the twin, in the status or on the disk.
"""

import base64
import secrets
import shutil

from hil.bench.board import Process
from hil.bench.waiting import until

KIND = "symmetric-key"
CLOUD = ("--chain", "g3-ecc", "--factory", "g3,baltimore")
SETTINGS = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "reverify": {"confirm_s": 1, "swap_every_s": 0},
    "dps": {"spread_s": 0},
    "cloud": {"allow": ["reverify", "importBundle"]},
}
CALL_S = 40


def made(cloud, name, with_dps=False, settings=None):
    """A configured device that is off, known to its hub or to DPS."""
    folder = cloud.folder / name
    (folder / "site").mkdir(parents=True)
    text = (cloud.folder / KIND / "anchorwatch.toml").read_text()
    (folder / "anchorwatch.toml").write_text(text.replace(cloud.ready["kinds"][KIND], name))
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    (folder / "device.key").write_text(key)
    (folder / "device.key").chmod(0o600)
    board = Process(folder, name)
    board.configure({**SETTINGS, **(settings or {})})
    if with_dps:
        cloud.post("/enrollments", {"enrollment_id": name, "primary": key, "hub": "hub"})
    else:
        cloud.post("/devices", {"device_id": name, "auth": "sas", "primary_key": key})
        board.configure({"hub": {"host": cloud.ready["hub"]["host"]}})
        _forget_dps(board)
    return board


def _forget_dps(board):
    lines = board.config.read_text().splitlines()
    start = lines.index("[dps]")
    end = next(n for n in range(start + 1, len(lines)) if lines[n].startswith("["))
    board.put(board.config.name, "\n".join(lines[:start] + lines[end:]).encode())


def ended(board):
    """Switched off; its folder goes, so that the next of its name is new."""
    if board.pid is not None:
        board.cut()
    shutil.rmtree(board.folder)


def called(cloud, board, **payload):
    """(status, payload) of the direct method importBundle."""
    call = {"name": "importBundle", "payload": payload, "timeout_s": CALL_S}
    answer = cloud.post(f"/devices/{board.name}/method", call)
    return answer["status"], answer.get("payload")


def wished(cloud, board, **bundle):
    """A bundle in the device's desired properties."""
    patch = {"desired": {"anchorwatch": {"bundle": bundle}}}
    cloud.post(f"/devices/{board.name}/twin", patch)


def reported(cloud, board):
    return cloud.reported(board.name).get("anchorwatch", {})


def acknowledged(cloud, board, code):
    """Wait for what the device says of the desired bundle."""

    def look():
        said = reported(cloud, board).get("bundle", {})
        return said.get("ac") == code and said, said

    return until(f"the desired bundle is acknowledged with {code}", look, 20)


def bundle(status):
    """What the status says of the vendor's bundle."""
    return status["trust"]["bundles"].get("vendor", {"stage": "none", "version": 0})


def settled(board, version, within_s=30):
    """Wait until a bundle is committed and every machine rests."""

    def sought(status):
        found, machines = bundle(status), status["machines"]
        done = found["stage"] == "committed" and found["version"] == version
        rests = machines["trust"] == "settled" and machines["reverify"] == "resting"
        return done and rests and status["agent"]["state"] == "online"

    return board.see(f"bundle {version} is committed", sought, within_s)


def disk(board):
    """{path: bytes} of the bundles and of the frames that name them."""
    state = board.folder / "state"
    files = [file for file in (state / "bundle").rglob("*") if file.is_file()]
    files += list(state.glob("trust.*"))
    return {str(file.relative_to(state)): file.read_bytes() for file in files}


class Memory:
    """How much more of it a process has held at its worst than when this began.

    Its own is what it has written: a library's page becomes private when another process ends.
    """

    def __init__(self, board):
        self._folder = "/proc/%d/" % board.pid
        with open(self._folder + "clear_refs", "w") as file:
            file.write("5")  # the peak begins anew
        self._before = self._kib("status", "VmRSS")
        self._own_before = self.own_kib()

    def own_kib(self):
        return self._kib("smaps_rollup", "Private_Dirty")

    def more_kib(self):
        """(resident at its peak, its own now), each more than before."""
        peak = self._kib("status", "VmHWM") - self._before
        return peak, self.own_kib() - self._own_before

    def _kib(self, name, field):
        with open(self._folder + name) as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))
