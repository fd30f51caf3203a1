"""The emulated cloud from another process: starts it, speaks to its management port, ends it.

Blocking and small, for tests, scenarios and the demo; uses nothing of the cloud but its contract.
"""

import base64
import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO


class Refused(Exception):
    """The management port said no; its words are in `error`."""

    def __init__(self, status: int, error: dict) -> None:
        super().__init__(f"{status}: {error}")
        self.status, self.error = status, error


class RemoteCloud:
    """One running cloud; `ready` is its ready line. Use it in a `with` statement.

    log  a file for what it says on standard error; None: ours
    """

    def __init__(self, folder: Path, *arguments: str, log: IO | None = None) -> None:
        self.folder = Path(folder).resolve()
        command = [sys.executable, "-m", "hil.cloud", "--dir", str(self.folder), "--until-eof"]
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # a Ctrl-C is for its parent, which then ends it
            cwd=root,
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the cloud did not start: status {self._process.wait(10)}")
        self.ready: dict = json.loads(line)

    def __enter__(self) -> "RemoteCloud":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, as its parent's end would."""
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ask(self, method: str, path: str, body: dict | None = None, patience_s: int = 60) -> dict:
        """The answer's JSON; raises Refused."""
        connection = http.client.HTTPConnection(self.ready["manage"], timeout=patience_s)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Connection": "close"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise Refused(response.status, answer.get("error", answer))
        return answer

    def get(self, path: str) -> dict:
        return self.ask("GET", path)

    def post(self, path: str, body: dict | None = None) -> dict:
        return self.ask("POST", path, body or {})

    def publish(self, roots: dict, **more: object) -> dict:
        """The mirror's next release, such as publish({"g2": "active"}, distrust=["baltimore"]).

        What it may say more: hil/cloud/README.md, "The mirror". The answer is that of mirror().
        """
        return self.post("/mirror", {"release": {"roots": roots, **more}})

    def attack(self, name: str | None = None, **how: object) -> dict:
        """Have the mirror attack its clients; without a name, be honest again.

        how  file, every_ms, after, to, version: hil/cloud/README.md, "The mirror"
        """
        return self.post("/mirror", {"attack": name, **how})

    def rotate(self, who: str = "root") -> dict:
        """Hand a key of "root", "targets" or "online" over; what was released is signed again."""
        return self.post("/mirror", {"rotate": who})

    def mirror(self) -> dict:
        """Where the mirror is, which versions are out, what is wrong just now."""
        return self.get("/mirror")

    def bundle(self) -> dict[str, bytes]:
        """{file name: bytes} as the mirror serves them now, also when forged."""
        files = self.get("/mirror/files")["files"]
        return {name: base64.b64decode(data) for name, data in files.items()}

    def rows(self, what: str | None = None, since: int = 0, **fields: object) -> list[dict]:
        """Journal rows after `since`, of one kind and with these fields."""
        wanted = {**fields, **({"what": what} if what else {})}
        rows = self.get(f"/journal?since={since}")["rows"]
        return [row for row in rows if all(row.get(k) == v for k, v in wanted.items())]

    def wait_for(self, what: str, within_s: float = 20, since: int = 0, **fields: object) -> dict:
        """The first such row, once there is one; AssertionError when it does not come."""
        until = time.monotonic() + within_s
        pause = threading.Event()
        while not (rows := self.rows(what, since, **fields)):
            if time.monotonic() > until:
                tail = self.rows(since=since)[-12:]
                raise AssertionError(f"no row {what!r} {fields} within {within_s} s; last: {tail}")
            pause.wait(0.05)
        return rows[0]
