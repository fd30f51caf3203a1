"""Devices under test. The first: `process`, the agent as a process on this machine.

Rule: a device speaks the words of hil/README.md and no others; a scenario knows nothing more of it.
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from . import toml
from .control import Denied, Line, Unanswered
from .waiting import NotReached, until

START_S, STOP_S, COMMAND_S = 20, 15, 30
TRY_LATER = 3
FAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
            "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")  # fmt: skip


class BoardError(Exception):
    """The device cannot do what was asked of it: what, why, what to do."""


def no_note(what: str, **more: object) -> None:
    """For who keeps no timeline."""


class Device:
    """What scenarios say with the words of a device: it has status(), and these come of it."""

    look_every_s = 0.1

    def status(self) -> dict:
        """The whole status, schema 1."""
        raise NotImplementedError

    def state(self) -> str:
        """The word of the agent's connection table."""
        return self.status()["agent"]["state"]

    def see(
        self, waited_for: str, sought: Callable[[dict], object], within_s: float = 30
    ) -> object:
        """Wait until the status shows what is sought."""

        def look() -> tuple[object, object]:
            status = self.status()
            return sought(status), self.seen(status)

        return until(waited_for, look, within_s, every_s=self.look_every_s)

    def reach(self, state: str, within_s: float = 30) -> None:
        """Wait for a word of the connection table."""
        self.see(f"state {state}", lambda s: s["agent"]["state"] == state, within_s)

    def seen(self, status: dict) -> object:
        """What a complaint shows of a status."""
        return brief(status)


class Process(Device):
    """`anchorwatch run` over one folder of configuration and credential files.

    folder  holds anchorwatch.toml; everything the device has stands in it
    name    its device id
    note    called with (what, **fields) for each of the operator's deeds
    """

    def __init__(self, folder: Path, name: str, note: Callable[..., None] = no_note) -> None:
        self.folder, self.name, self._note = folder, name, note
        self.config = folder / "anchorwatch.toml"
        self.socket = folder / "control.sock"
        self._running: subprocess.Popen | None = None
        self._surroundings = dict(os.environ)

    @property
    def pid(self) -> int | None:
        """The agent's process id; None while it does not run."""
        return self._running.pid if self._running else None

    # The words of the protocol.

    def put(self, name: str, data: bytes) -> None:
        """A file of the device, in the place of an older one, whole at every moment."""
        file = self.folder / name
        beside = file.with_name(file.name + ".new")
        mode = 0o600 if file.suffix == ".key" else 0o644
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as out:
            out.write(data)
        os.replace(beside, file)
        self._note("file", name=name)

    def start(self) -> None:
        """Switch the device on; returns when its status can be read."""
        if self._running:
            raise BoardError(f"the device runs already (process {self._running.pid}): stop it")
        with open(self.folder / "agent.log", "ab") as log:
            self._running = subprocess.Popen(
                [*command(), "--config", str(self.config), "run"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder, env=self._surroundings,
                start_new_session=True,
            )  # fmt: skip
        until("the agent answers on its control socket", self._answers, START_S)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        return self._end(signal.SIGTERM)

    def cut(self) -> None:
        """Power gone: it gets no time to write anything."""
        self._end(signal.SIGKILL)

    def restore(self) -> None:
        """Power back, after cut."""
        self.start()

    def status(self) -> dict:
        """The whole status, schema 1."""
        with Line(self.socket) as line:
            return line.ask("status")

    def clock(self, offset_s: int) -> None:
        """The wall clock that the device has from its next start, off by so many seconds."""
        library = next((file for file in FAKETIME if os.path.exists(file)), None)
        if library is None:
            raise BoardError("a process has this machine's clock: install Debian's libfaketime")
        self._surroundings.update(
            LD_PRELOAD=library, FAKETIME="%+d" % offset_s, DONT_FAKE_MONOTONIC="1"
        )

    def ask(self, *words: str, within_s: float = 20) -> str:
        """What the operator types on the device; "try later" is tried again, for so long.

        Raises  BoardError: it was refused
        """
        self._note("command", words=shlex.join(["anchorwatch", *words]))

        def asked() -> tuple[object, object]:
            done = self._command(*words)
            said = (done.stdout + done.stderr).strip()
            if done.returncode not in (0, TRY_LATER):
                raise BoardError(f"{shlex.join(words)}: exit code {done.returncode}: {said}")
            return (said if done.returncode == 0 else None), said

        return str(until(f"{shlex.join(words)} is taken", asked, within_s, every_s=0.5))

    # What scenarios say with them.

    def configure(self, settings: dict[str, dict]) -> None:
        """Change {"section": {"key": value}} in the configuration, before start."""
        text = toml.changed(self.config.read_text(encoding="utf-8"), settings)
        self.put(self.config.name, text.encode())

    def _command(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*command(), "--config", str(self.config), *words], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, cwd=self.folder, timeout=COMMAND_S, check=False,
        )  # fmt: skip

    def _answers(self) -> tuple[object, object]:
        code = self._running.poll()
        if code is not None:
            self._running = None
            raise BoardError(f"the agent ended at once, exit code {code}: {self._last_words()}")
        try:
            return self.state(), None
        except (Unanswered, Denied, FileNotFoundError) as e:
            return None, str(e)

    def _last_words(self) -> str:
        lines = (self.folder / "agent.log").read_text(errors="replace").splitlines()
        return " / ".join(lines[-3:])

    def _end(self, number: int) -> int:
        if self._running is None:
            raise BoardError("the device does not run: start it")
        ending, self._running = self._running, None
        ending.send_signal(number)
        try:
            return ending.wait(STOP_S)
        except subprocess.TimeoutExpired:
            ending.kill()
            ending.wait()
            raise NotReached(f"the agent ends {STOP_S} s after SIGTERM", None) from None


def command() -> list[str]:
    """The agent of this Python: its console command, or the module behind it."""
    beside = Path(sys.executable).with_name("anchorwatch")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "anchorwatch.linux.cli"]


def brief(status: dict) -> dict:
    """What a reader of a complaint needs of a status."""
    hub = status["endpoints"].get("hub", {})
    return {
        "state": status["agent"]["state"],
        "machines": status["machines"],
        "hub": {key: hub.get(key) for key in ("host", "address", "anchor")},
        "fault": status["fault"],
        "gap": status["gap"],
        "queue": status["queue"],
    }
