"""The resident agent: one thread, one selectors loop, the core in the middle.

Rule: it performs and posts, it decides nothing. An exception ends the process, and the next start
finds in the state what it was.
"""

import os
import selectors
import signal
import sys
import time

from .. import loop
from ..core import actions
from ..core.events import Start, Stop
from ..core.watch import Watch
from ..errors import ConfigError, StateError, reason_of
from ..performers.bundles import LAYERS, Bundles
from ..performers.deeds import Deeds
from ..performers.drop import DropFolder
from ..performers.files import Files
from ..performers.telemetry import Telemetry
from ..version import __version__
from .applications import Applications
from .clock import Steps, known, now_ms
from .control import Control, group_id, role_of
from .crash import account, within_the_hour
from .credential import Credential, absent
from .errands import Errands
from .folder import open_folder, open_private
from .inbox import Inbox
from .journal import Journal
from .layers import Layers
from .outward import Outward
from .requests import Requests
from .rolls import Rolls
from .slots import Slots
from .store import open_store
from .storefiles import fill
from .systemd import Systemd

# Records of telemetry that wait at most, and files of the drop folder that are looked at.
_RECORDS, _DROPPED_AT_MOST = 10_000, 256
_STATE = ("assignment", "budgets", "clock", "identity", "trust")


class Agent:
    """One device's agent; `run()` returns when it was asked to stop.

    config   a checked `anchorwatch.config.Config`
    by_hand  started by a person: the first dial is not spread
    Raises   ConfigError, StateError: it cannot start
    """

    def __init__(self, config, by_hand: bool = False) -> None:
        self._config, self._by_hand = config, by_hand
        self._began_ms = now_ms()
        self._stop_by_ms: int | None = None
        self._hung_up = False
        self._crash: dict | None = None
        self._selector = selectors.DefaultSelector()
        self._inbox, self._errands = Inbox(self._selector), Errands(self._selector)
        self._steps = Steps(self._inbox.post)
        self._journal, self._systemd = Journal(_to_stderr, now_ms), Systemd(os.environ)
        self._watch = Watch(config, _rand_below)
        self._store, site = open_store(config, self._warner("state"))
        self._layers = Layers(config, site, self._warner("trust"))
        self._bundles = Bundles(open_private(config.state.dir), fill, self._layers.root_of_trust,
                                config.device.cloud, self._warner("trust"))
        self._telemetry = Telemetry(config.mqtt.module_id, os.urandom(4), _RECORDS)
        mine = config.credential
        self._credential = Credential(mine.kind, mine.cert_file, mine.key_file)
        self._slots = Slots(self._store, self._credential, self._warner("identity"))
        self._drop = DropFolder(config.trust.drop_dir, open_folder, _DROPPED_AT_MOST,
                                self._inbox.post, self._warner("trust"))
        inside = (self._selector, self._errands, self._inbox.post)
        self._outward = Outward(config, self._layers, self._bundles, self._slots,
                                self._telemetry.outbox, inside, self._warner("message"))
        self._rolls = Rolls(config, self._slots, self._credential, self._outward, inside[1:],
                            self._warner("identity"))
        self._files = Files(self._layers, self._drop, self._credential, self._errands.start,
                            self._inbox.post, self._warner("identity"),
                            self._watch.warnings.reread, self._rolls.look)
        self._links = self._outward.links
        self._control: Control | None = None
        self._applications = Applications(self._say, self._inbox.post)
        self._requests = Requests(self.status, self._telemetry.put, self._journal, self._layers,
                                  self._applications, self._inbox.post)

    def run(self) -> None:
        """begin() and keep()."""
        self.keep(self.begin())

    def begin(self) -> Start:
        """Lock and read the state, read what the device has, open the control socket.

        Raises  ConfigError, StateError (`locked`: another agent runs on this state)
        """
        if not self._store.lock():
            raise StateError("locked", "another agent runs on this state", self._config.state.dir,
                             "ask it through its socket, or stop it")
        start = self._start()
        self._listen()
        return start

    def keep(self, start: Start) -> None:
        """Keep watch until SIGTERM or stop(); what is raised here is a fault of ours."""
        self._systemd.ready(now_ms())
        try:
            loop.run(self._watch, self._performers(), self._next_event, now_ms, start)
        except Exception as error:
            self._remember(error)
            raise
        finally:
            self._end()

    def stop(self) -> None:
        """Send what is queued, for at most `mqtt.drain_s`, and end; SIGTERM does the same."""
        self._stop_by_ms = now_ms() + 1000 * self._config.mqtt.drain_s

    def status(self) -> dict:
        """The status page of contract section 4."""
        now = now_ms()
        page = self._watch.status(now)
        page["agent"].update(version=__version__, up_s=(now - self._began_ms) // 1000,
                             last_crash=self._crash)
        outbox = self._telemetry.outbox
        page["queue"] = {"waiting": outbox.waiting, "in_flight": self._links.in_flight,
                         "dropped": outbox.dropped}
        return page

    # What is made once.

    def _performers(self) -> dict:
        deeds = Deeds(self._links, self._telemetry, self._files, self._store, self._layers,
                      self._bundles, self._slots, self._inbox.post)
        perform = {actions.Tell: self._tell}
        for performer in (*self._outward.performers, self._rolls, deeds):
            perform.update(performer.perform)
        return perform

    def _start(self) -> Start:
        state = self._store.read()
        slots = self._slots.start(state)
        credential = self._read_credential(slots)
        self._crash = state.get("crash")
        contents = self._bundles.start(state.get("trust"), self._store.whole("trust"))
        self._layers.site_signed = self._bundles.signs("site")
        self._layers.learn([state.get("trust"), contents])
        layers = self._layers.read()
        time_known = known()
        if time_known is not None:
            self._inbox.post(time_known)
        self._drop.ask()
        mine = {name: state[name] for name in _STATE if name in state}
        mine.update(slots=slots, bundles=contents)
        mine["rooted"] = [layer for layer in LAYERS if self._bundles.signs(layer)]
        mine["crash"] = {"recent": len(within_the_hour(self._crash, int(time.time())))}
        return Start(self._by_hand, mine, layers, credential)

    def _read_credential(self, slots: dict) -> dict:
        """What the configuration names; a device with a certificate of its own goes on without."""
        try:
            return self._credential.read()
        except ConfigError as error:
            if not [name for name in slots if "fingerprint" in slots[name]]:
                raise
            self._warner("identity")(error.what, error.value, error.remedy)
            return absent()

    def _listen(self) -> None:
        config = self._config.control
        self._control = Control(self._selector, config.socket, role_of(group_id(config.group)),
                                self._requests.take, self._requests.gone)
        self._requests.control = self._control
        self._inbox.on_signal(signal.SIGTERM, self.stop)
        self._inbox.on_signal(signal.SIGINT, self.stop)
        self._inbox.on_signal(signal.SIGHUP, self._hang_up)

    def _end(self) -> None:
        self._systemd.stopping()
        self._links.stop()
        if self._control is not None:
            self._control.close()

    # The loop.

    def _next_event(self, until_ms: int | None):
        """The next event; None when the deadline came first."""
        while True:
            self._reread()
            event = self._inbox.take() or self._links.take()
            if event is not None:
                return event
            now = now_ms()
            if self._stop_by_ms is not None and self._drained(now):
                return Stop()
            if until_ms is not None and now >= until_ms:
                return None
            self._wait(until_ms, now)

    def _wait(self, until_ms: int | None, now: int) -> None:
        due = [until_ms, self._systemd.wake_at(), self._stop_by_ms]
        waits = [at_ms - now for at_ms in due if at_ms is not None]
        links_ms = self._links.next_timeout_ms(now)
        if links_ms is not None:
            waits.append(links_ms)
        for key, mask in self._selector.select(max(0, min(waits)) / 1000 if waits else None):
            key.data(mask)
        now = now_ms()
        self._links.turn(now)
        self._systemd.turn(now)
        self._steps.look()

    def _drained(self, now: int) -> bool:
        return not self._telemetry.outbox.waiting or now >= (self._stop_by_ms or 0)

    def _hang_up(self) -> None:
        self._hung_up = True

    def _reread(self) -> None:
        if self._hung_up:
            self._hung_up = False
            self._files.read_site()
            self._files.read_credential()
            self._rolls.look()

    def _tell(self, action) -> None:
        name, about, now = action.name, action.about, now_ms()
        self._drop.heard(name, about)
        if name == "answer":
            self._requests.answered(about)
            return
        self._journal.note(name, about)
        self._requests.told(now, name, about)
        self._applications.told(now, name, about)
        if name == "state":
            self._systemd.status(about["machines"]["connection"])

    def _warner(self, usual: str):
        """A part's own `warn`: its warnings are of one class, unless it says another."""

        def warn(what: str, value: str, remedy: str, kind: str = usual) -> None:
            self._warn({"class": kind, "what": what, "value": value, "remedy": remedy})

        return warn

    def _warn(self, about: dict) -> None:
        """Damage survived, or a file left out; before the socket listens, for log and status."""
        self._journal.note("warning", about)
        self._watch.warned(about, now_ms())
        if self._control is not None:
            self._requests.told(now_ms(), "warning", about)

    def _say(self, client, tree: dict) -> None:
        self._control.send(client, tree)

    def _remember(self, error: Exception) -> None:
        """The crash, for the status after the next start; the process ends whatever comes of it."""
        about = account(error, int(time.time()), self._crash)
        self._journal.note("crash", about)
        try:
            self._store.save("crash", about)
        except OSError as failed:
            self._journal.note("warning", {"what": "crash not written", "value": reason_of(failed)})


def _rand_below(n: int) -> int:
    return int.from_bytes(os.urandom(8), "big") % n


def _to_stderr(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        pass  # a log that cannot be written must not stop the watch
