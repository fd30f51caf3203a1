"""The devices that are compared: ours, azure-iot-device, plain paho. One set of words for all.

Rule: begin(), rest() and heard are the same for each; how it comes to a fresh session is its own.
"""

import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import hil.cloud

from .board import Process, command
from .control import Line
from .threads import Regular

OURS, SDK, PAHO = "ours", "azure-iot-device", "paho"
PROGRAMS = Path(__file__).parent / "foreign"
SITE = Path(hil.cloud.__file__).parent / "foreign"
METHOD = "blink"
EMPTY = base64.b64encode(b"{}").decode()
READY_S, END_S = 30, 30


class Heard:
    """What a device has received; `swaps` counts the moves it announced."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.desired = 0
        self.unsent: list[str] = []
        self.on_move = lambda: None

    def take(self, what: str, line: dict) -> None:
        if what == "c2d":
            self.letters.append(line["text"])
        elif what == "desired":
            self.desired = max(self.desired, line["version"])
        elif what == "unsent":
            self.unsent.append(line["mid"])


class Ours:
    """`anchorwatch run`, and a program on its control socket."""

    def __init__(self, board: Process) -> None:
        self.board, self.heard, self.device_id = board, Heard(), board.name
        self.sent = 0
        self._lines: list[Line] = []
        self._flow: Regular | None = None
        self.broken: list[str] = []

    @property
    def pid(self) -> int:
        return self.board.pid

    def start(self, serves: bool = True) -> None:
        """Switch on and wait for its session."""
        self.board.start()
        self.board.reach("online", 60)
        if serves:
            line = self._line()
            line.say("watch")
            line.say("serve", methods=[METHOD], c2d=True, desired=True)
            threading.Thread(target=self._listen, args=(line,), daemon=True).start()

    def launched(self) -> subprocess.Popen:
        """Its bare process, which whoever asked for it ends."""
        return subprocess.Popen(
            [*command(), "--config", str(self.board.config), "run"], cwd=self.board.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def begin(self, per_s: int, prefix: str) -> None:
        line = self._line()

        def send() -> None:
            line.ask("send", mid="%s-%d" % (prefix, self.sent), payload=EMPTY)
            self.sent += 1

        self._flow = Regular(1 / per_s, send, lambda e: self.broken.append(repr(e)))
        self._flow.start()

    def rest(self) -> int:
        """No more messages; how many the agent has taken."""
        self._flow.stop()
        return self.sent

    def stop(self) -> None:
        for line in self._lines:
            line.close()
        if self.board.pid is not None:
            self.board.stop()

    def _line(self) -> Line:
        line = Line(self.board.socket)
        self._lines.append(line)
        return line

    def _listen(self, line: Line) -> None:
        for event in line.events():
            name = event["event"]
            if name == "method":
                line.say("reply", rid=event["rid"], status=200, payload={})
            elif name == "c2d":
                text = base64.b64decode(event["payload"]).decode()
                self.heard.take("c2d", {"text": text})
            elif name == "swap" and "why" in event:
                self.heard.on_move()
            else:
                self.heard.take(name, event)


class Foreign:
    """A program of foreign/ in its own interpreter; it finds the cloud by its sitecustomize."""

    def __init__(self, interpreter: str, program: str, facts: dict, names: dict) -> None:
        self.heard, self.device_id = Heard(), facts["device_id"]
        self._command = [interpreter, str(PROGRAMS / program)]
        self._facts, self._names = facts, names
        self._process: subprocess.Popen | None = None
        self._said: dict[str, threading.Event] = {}
        self._last: dict[str, dict] = {}
        self.broken: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, serves: bool = True) -> None:
        """Start and wait for its session."""
        self._process = self.launched(serves)
        threading.Thread(target=self._listen, daemon=True).start()
        self._wait("ready", READY_S)

    def launched(self, serves: bool = False) -> subprocess.Popen:
        """Its bare process, which has its facts; whoever asked for it ends it."""
        environment = {
            **os.environ, "PYTHONPATH": str(SITE), "HIL_CLOUD_NAMES": json.dumps(self._names),
        }  # fmt: skip
        process = subprocess.Popen(
            self._command, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        process.stdin.write(json.dumps({**self._facts, "serves": serves}) + "\n")
        process.stdin.flush()
        return process

    def begin(self, per_s: int, prefix: str) -> None:
        self._say({"do": "flow", "per_s": per_s, "prefix": prefix})

    def rest(self) -> int:
        """No more messages; how many the program gave to its library."""
        return self._answered("rest", "rested")["sent"]

    def reconnect(self) -> None:
        """Leave and come back, as the library does it."""
        self._answered("reconnect", "reconnected")

    def stop(self) -> None:
        if self._process is None:
            return
        ending, self._process = self._process, None
        try:
            ending.stdin.write('{"do": "end"}\n')
            ending.stdin.close()
            ending.wait(END_S)
        except (OSError, subprocess.TimeoutExpired):
            ending.kill()
            ending.wait()

    def _answered(self, do: str, what: str) -> dict:
        self._event(what).clear()
        self._say({"do": do})
        return self._wait(what, END_S)

    def _say(self, order: dict) -> None:
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _event(self, what: str) -> threading.Event:
        return self._said.setdefault(what, threading.Event())

    def _wait(self, what: str, within_s: float) -> dict:
        if not self._event(what).wait(within_s):
            status = self._process.poll()
            raise TimeoutError(f"{self._command[1]} did not say {what!r}; its status: {status}")
        return self._last[what]

    def _listen(self) -> None:
        for text in self._process.stdout:
            line = json.loads(text)
            what = line.pop("what")
            self.heard.take(what, line)
            self._last[what] = line
            self._event(what).set()


def paho_python() -> str:
    """The interpreter that runs this: it has paho 2."""
    return sys.executable
