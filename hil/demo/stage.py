"""The stage: both processes, the program on the device, and the eyes on all of them.

Rule: whatever was started here is ended in close(), in the reverse order, whatever has happened.
"""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from hil.bench.board import Process
from hil.bench.cloud import Cloud
from hil.bench.threads import Regular
from hil.bench.waiting import NotReached, until

from . import acts
from .application import Answerer, Sender
from .observers import Caller, JournalFollower, StatusReader
from .timeline import Timeline

KIND = "x509"
MESSAGES_PER_S = 20
EVERY_S = {"journal": 0.1, "status": 0.2, "call": 2.0}
DRAIN_S = 30
MARK = "made-by-the-demo"


class Stage:
    """open(), then the acts, then drain(), and close() in any case."""

    def __init__(self, folder: Path, timeline: Timeline) -> None:
        self._timeline = timeline
        self._folder = _emptied(folder / "cloud")
        self.cloud: Cloud | None = None
        self.device: Process | None = None
        self.broken: list[str] = []
        self._ending: list[Callable[[], object]] = []
        self._sending: Regular | None = None

    def open(self) -> None:
        """The cloud runs and the device is configured, but still off."""
        with open(self._folder / "cloud.log", "wb") as log:
            self.cloud = self._started(log)
        self._ending.append(self.cloud.stop)
        name = self.cloud.ready["kinds"][KIND]
        self.device = Process(self._folder / KIND, name, self._operator)
        self.device.configure({**acts.SETTINGS, **acts.ISSUER})
        self._introduce(name)
        follower = JournalFollower(self.cloud, self._timeline)
        self._ending.append(follower.look)  # what came since its last look
        self._repeat("journal", EVERY_S["journal"], follower.look)
        self._ending.append(self._switch_off)

    def on_air(self) -> None:
        """The agent runs: the program on the device begins, and so do the cloud's calls."""
        socket, timeline = self.device.socket, self._timeline
        answerer = Answerer(socket, timeline)
        answerer.start()
        self._ending.append(answerer.stop)
        self._repeat("status", EVERY_S["status"], StatusReader(self.device, timeline).look)
        sender = Sender(socket, timeline)
        self._ending.append(sender.close)
        self._sending = self._repeat("sender", 1 / MESSAGES_PER_S, sender.send)
        caller = Caller(self.cloud, self.device.name, timeline)
        self._repeat("caller", EVERY_S["call"], caller.look)

    def drain(self) -> None:
        """No more messages; wait until every one sent stands in the journal. Raises NotReached."""
        self._sending.stop()

        def look() -> tuple[object, object]:
            rows = self._timeline.rows()
            missing = {row["mid"] for row in rows if row["what"] == "sent"}
            missing -= {row["mid"] for row in rows if row["what"] == "telemetry"}
            return not missing, "%d messages are not at the hub" % len(missing)

        until("the queue is empty and the hub has every message", look, DRAIN_S)

    def check(self) -> None:
        """Raise NotReached when something beside the play has ended by itself."""
        if self.broken:
            raise NotReached("everything beside the play goes on", self.broken)

    def close(self) -> None:
        """End everything; a failure to end one thing does not keep the others from it."""
        while self._ending:
            end = self._ending.pop()
            try:
                end()
            except Exception as e:  # what is left must still be ended
                self.broken.append(f"{getattr(end, '__qualname__', end)}: {e}")

    def _introduce(self, name: str) -> None:
        """The EST server knows the device by a password, until it has a certificate of its own."""
        password = secrets.token_urlsafe(24)
        self.cloud.post("/est", {"secrets": {name: password}})
        self.device.put(acts.ISSUER["est"]["auth_file"], f"{name}:{password}\n".encode())

    def _started(self, log) -> Cloud:
        try:
            return Cloud(self._folder, *acts.CLOUD, log=log)
        except RuntimeError as e:
            lines = Path(log.name).read_text(errors="replace").splitlines()
            raise NotReached(str(e), lines[-3:]) from e

    def _switch_off(self) -> None:
        if self.device.pid is not None:
            self.device.stop()

    def _repeat(self, name: str, every_s: float, do: Callable[[], None]) -> Regular:
        regular = Regular(every_s, do, lambda e: self.broken.append(f"{name}: {e!r}"))
        regular.start()
        self._ending.append(regular.stop)
        return regular

    def _operator(self, what: str, **more: object) -> None:
        self._timeline.add("operator", what, **more)


def _emptied(folder: Path) -> Path:
    """A new folder; an older run's is removed, anything else is left alone."""
    if folder.exists():
        if not (folder / MARK).exists():
            raise FileExistsError(f"{folder} is not from an earlier run: remove it, or use --dir")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    return folder
