"""The bench's stage: one cloud, a slow network before its hub, and the devices to compare.

Rule: whatever was started here is ended by close(), in the reverse order.
"""

import base64
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import sdk
from .board import Process
from .cloud import Cloud
from .devices import OURS, PAHO, SDK, Foreign, Ours, paho_python
from .slow import SlowNetwork

CHAINS = ("baltimore-rsa", "g2-rsa")
# Without a root of trust no device polls the mirror: the figures are of the session alone.
CLOUD = ("--chain", CHAINS[0], "--factory", "baltimore,g2", "--vendor-root", "beside")
KIND = "symmetric-key"
SLOW_NUMBER = 9  # of the cloud's loopback network; its services have 2 to 7
QUICK = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "mqtt": {"in_flight": 100},
}


class Rig:
    """cloud, network, and device(NAME); use it in a `with` statement."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.cloud: Cloud | None = None
        self.network: SlowNetwork | None = None
        self.host = ""
        self._ending: list[Callable[[], object]] = [self._folder.cleanup]

    def __enter__(self) -> "Rig":
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        self.cloud = Cloud(Path(self._folder.name) / "cloud", *CLOUD)
        self._ending.append(self.cloud.stop)
        hub = self.cloud.ready["hub"]
        if hub["port"] != 8883:
            raise RuntimeError("port 8883 of a loopback address is needed: the SDK knows no other")
        self.host = hub["host"]
        slow = f"{self.cloud.ready['net']}.{SLOW_NUMBER}:8883"
        self.network = SlowNetwork(slow, f"{hub['address']}:{hub['port']}")
        self._ending.append(self.network.stop)
        self.cloud.post("/resolve", {f"{self.host}:8883": [slow]})

    def close(self) -> None:
        while self._ending:
            self._ending.pop()()

    def device(
        self, name: str, token_s: int = 3600, keepalive_s: int = 240, **more: dict
    ) -> object:
        """A device that is switched off; `more` are settings of ours alone. Raises sdk.NoSdk."""
        if name == OURS:
            return self._ours(keepalive_s, more)
        facts = self._facts(name, token_s, keepalive_s)
        names = {self.host: f"{self.cloud.ready['net']}.{SLOW_NUMBER}"}
        interpreter = {SDK: sdk.python, PAHO: paho_python}[name]()
        program = {SDK: "azure_sdk.py", PAHO: "plain_paho.py"}[name]
        device = Foreign(interpreter, program, facts, names)
        self._ending.append(device.stop)
        return device

    def _ours(self, keepalive_s: int, more: dict) -> Ours:
        board = Process(self.cloud.folder / KIND, self.cloud.ready["kinds"][KIND])
        board.configure({**QUICK, "mqtt": {**QUICK["mqtt"], "keepalive_s": keepalive_s}, **more})
        device = Ours(board)
        self._ending.append(device.stop)
        return device

    def _facts(self, name: str, token_s: int, keepalive_s: int) -> dict:
        device_id, key = f"bench-{name}", base64.b64encode(secrets.token_bytes(32)).decode()
        made = {"device_id": device_id, "auth": "sas", "primary_key": key}
        self.cloud.post("/devices", made)
        roots = "".join(self.cloud.root(root).decode() for root in ("baltimore", "g2"))
        return {
            "host": self.host, "device_id": device_id, "key": key, "roots": roots,
            "token_s": token_s, "keepalive_s": keepalive_s,
        }  # fmt: skip
