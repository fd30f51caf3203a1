"""The emulated cloud as a process, and the words of its operator: its management port.

Rule: knows the port's paths and nothing behind them.
Source: contract section 6; hil/cloud/README.md.
"""

import base64
import hashlib
import http.client
import json
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from .waiting import until

READY_S, STOP_S, ANSWER_S = 120, 10, 60


class CloudError(Exception):
    """The cloud did not start, or said no: what, value, remedy."""


class CloudProcess:
    """`python -m hil.cloud` over a folder; `ready` is the line it says when it runs."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self._options = folder, options
        self.ready: dict = {}
        self._running: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""
        return self._running.pid if self._running else None

    def start(self) -> None:
        """Start and wait for its line; making keys takes some seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "cloud.log", "ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "hil.cloud", "--dir", str(self.folder), *self._options,
                 "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, cwd=Path(__file__).parents[2],
            )  # fmt: skip
        said, _, _ = select.select([self._running.stdout], [], [], READY_S)
        line = self._running.stdout.readline() if said else b""
        if not line:
            self._running.kill()
            code = self._running.wait()
            raise CloudError(f"the cloud ended at once, exit code {code}: {self._last_words()}")
        self.ready = json.loads(line)

    def stop(self) -> int | None:
        """End it; its exit code."""
        if self._running is None:
            return None
        ending, self._running = self._running, None
        ending.send_signal(signal.SIGTERM)
        try:
            return ending.wait(STOP_S)
        except subprocess.TimeoutExpired:
            ending.kill()
            return ending.wait()
        finally:
            ending.stdin.close()
            ending.stdout.close()

    def get(self, path: str) -> dict:
        return self._call("GET", path, None)

    def post(self, path: str, **body: object) -> dict:
        return self._call("POST", path, body)

    def delete(self, path: str) -> dict:
        return self._call("DELETE", path, None)

    def journal(self, since: int = 0) -> dict:
        """{"now_ms", "rows"}: what happened after row number `since`."""
        return self.get(f"/journal?since={since}")

    def mark(self) -> int:
        """The number of the newest row, for see(since=)."""
        rows = self.journal()["rows"]
        return rows[-1]["n"] if rows else 0

    def see(
        self,
        waited_for: str,
        sought: Callable[[dict], bool],
        since: int = 0,
        within_s: float = 30,
    ) -> dict:
        """Wait for a row of the journal after number `since`; the first that fits."""
        read = since
        seen: list[dict] = []

        def look() -> tuple[object, object]:
            nonlocal read
            for row in self.journal(read)["rows"]:
                read = row["n"]
                if sought(row):
                    return row, None
                if row["what"] != "telemetry":
                    seen.append(row)
            return None, seen[-5:]

        return until(waited_for, look, within_s)

    def reported(self, device_id: str, service: str = "hub") -> dict:
        """The reported properties of a device's twin at a hub."""
        return self.get(f"/devices/{quote(device_id)}/twin?hub={service}")["reported"]

    def root(self, name: str) -> bytes:
        """A root certificate of this cloud, as PEM: what its operator publishes."""
        return (self.folder / "roots" / f"{name}.pem").read_bytes()

    def anchor(self, name: str) -> str:
        """The SHA-256 of a root certificate."""
        lines = self.root(name).decode().splitlines()
        der = base64.b64decode("".join(line for line in lines if "-----" not in line))
        return hashlib.sha256(der).hexdigest()

    def _call(self, method: str, path: str, body: dict | None) -> dict:
        host, _, port = self.ready["manage"].rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=ANSWER_S)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            error = "%(what)s: %(value)s: %(remedy)s" % answer["error"]
            raise CloudError(f"{method} {path}: {error}")
        return answer

    def _last_words(self) -> str:
        lines = (self.folder / "cloud.log").read_text(errors="replace").splitlines()
        return " / ".join(lines[-3:])
