"""The resident agent: one select.poll loop, the core in the middle.

Rule: it performs and posts, it decides nothing. An exception ends it, and the next start finds in
the state what it was.

    agent = Agent(config)

    @agent.method("blink")
    def blink(payload):
        return 200, {}

    agent.send(b"21.5")
    agent.run()
"""

import gc
import os
import sys
import time

from anchorwatch.core import actions
from anchorwatch.core.events import Start, Stop
from anchorwatch.core.watch import Watch
from anchorwatch.errors import ConfigError, StateError, reason_of
from anchorwatch.loop import run
from anchorwatch.performers.bundles import LAYERS, Bundles
from anchorwatch.performers.deeds import Deeds
from anchorwatch.performers.drop import DropFolder
from anchorwatch.performers.files import Files
from anchorwatch.performers.telemetry import Telemetry
from anchorwatch.version import __version__

from . import port as ports
from .applications import Applications
from .clock import known, steady
from .crash import account, settle, within_the_hour
from .credential import Credential, absent
from .errands import Errands, at_once
from .firmware import Firmware
from .folder import Folder, fill, make
from .journal import line_of
from .layers import Layers
from .outward import Outward
from .rolls import Rolls
from .selector import Selector
from .slots import Slots
from .store import open_store

# Records of telemetry that wait at most, and files of the drop folder that are looked at.
_RECORDS, _DROPPED_AT_MOST = 100, 64
_STATE = ("assignment", "budgets", "clock", "identity", "trust")


class Agent(Firmware):
    """One device's agent; `run()` returns when it was asked to stop.

    config   a checked `anchorwatch.config.Config`
    by_hand  started by a person: the first dial is not spread
    port     see port.py; what the device has of `board` and `hooks` without it
    write    takes the log's lines
    Raises   ConfigError, StateError: it cannot start
    """

    def __init__(self, config, by_hand=False, port=None, write=print):
        if config.mqtt.proxy:
            raise ConfigError("[mqtt] proxy is not for boards", config.mqtt.proxy, "remove it")
        self._config, self._by_hand, self._write = config, by_hand, write
        self.port = port or ports.here()
        self._now_ms = steady()
        self._began_ms = self._now_ms()
        self._stop_by_ms = self._perform = self._crash = None
        self._inbox, self._answers, self._asked = [], {}, 0
        self.selector = Selector()
        self._errands = Errands(self.selector)
        self._watch = Watch(config, _rand_below)
        self._store, site = open_store(config, self._warner("state"), self.port.feed)
        self._layers = Layers(config, site, self._warner("trust"))
        self._bundles = Bundles(make(config.state.dir), fill, self._layers.root_of_trust,
                                config.device.cloud, self._warner("trust"))
        self._telemetry = Telemetry(config.mqtt.module_id, os.urandom(4), _RECORDS)
        mine = config.credential
        self._credential = Credential(mine.kind, mine.cert_file, mine.key_file,
                                      self.port.element, self.port.feed)
        self._slots = Slots(self._store, self._credential, self._warner("identity"))
        self._drop = DropFolder(config.trust.drop_dir, Folder, _DROPPED_AT_MOST, self.post,
                                self._warner("trust"))
        inside = (self.selector, self._errands, self.post, self._now_ms)
        self._outward = Outward(config, self._layers, self._bundles, self._slots,
                                self._telemetry.outbox, inside, self.port, self._warner("message"))
        self._rolls = Rolls(config, self._slots, self._credential, self.post,
                            self._warner("identity"), self.port.feed)
        self._files = Files(self._layers, self._drop, self._credential, at_once, self.post,
                            self._warner("identity"), self._watch.warnings.reread, self._rolls.look)
        self._links = self._outward.links
        self._applications = Applications(self.post, self._warner("message"))

    def run(self):
        """begin() and keep()."""
        self.keep(self.begin())

    def status(self):
        """The status page of contract section 4."""
        now = self._now_ms()
        page = self._watch.status(now)
        page["agent"].update({"version": __version__, "up_s": (now - self._began_ms) // 1000,
                              "last_crash": self._crash})
        outbox = self._telemetry.outbox
        page["queue"] = {"waiting": outbox.waiting, "in_flight": self._links.in_flight,
                         "dropped": outbox.dropped}
        gc.collect()
        page["heap"] = {"free": gc.mem_free(), "used": gc.mem_alloc()}
        return page

    # What is done once.

    def begin(self):
        """Read the state and what the device has. Raises ConfigError, StateError."""
        if not self._store.lock():
            raise StateError("locked", "another agent runs on this state", self._config.state.dir)
        state = self._store.read()
        slots = self._slots.start(state)
        credential = self._read_credential(slots)
        self._crash = state.get("crash")
        contents = self._bundles.start(state.get("trust"), self._store.whole("trust"))
        self._layers.site_signed = self._bundles.signs("site")
        self._layers.learn([state.get("trust"), contents])
        layers = self._layers.read()
        time_known = known(self.port)
        if time_known is not None:
            self.post(time_known)
        self._drop.ask()
        mine = {name: state[name] for name in _STATE if name in state}
        mine.update({"slots": slots, "bundles": contents})
        mine["rooted"] = [layer for layer in LAYERS if self._bundles.signs(layer)]
        if not self.port.facts["second_session"]:
            mine["second_session"] = False
        mine["crash"] = {"recent": len(within_the_hour(self._crash, int(time.time())))}
        return Start(self._by_hand, mine, layers, credential)

    def keep(self, start):
        """Keep watch until stop(); what is raised here is a fault of ours."""
        try:
            run(self._watch, self._performers(), self._next_event, self._now_ms, start)
        except Exception as error:
            self._remember(error)
            raise
        finally:
            self._links.stop()

    def _performers(self):
        deeds = Deeds(self._links, self._telemetry, self._files, self._store, self._layers,
                      self._bundles, self._slots, self.post)
        # Collected less often than at the start, and still so that long pieces are left.
        gc.threshold((gc.mem_free() + gc.mem_alloc()) // 16)
        perform = {actions.Tell: self._tell}
        for performer in self._outward.performers + (self._rolls, deeds):
            perform.update(performer.perform)
        return perform

    def _read_credential(self, slots):
        """What the configuration names; a device with a certificate of its own goes on without."""
        try:
            return self._credential.read()
        except ConfigError as error:
            if not [name for name in slots if "fingerprint" in slots[name]]:
                raise
            self._warner("identity")(error.what, error.value, error.remedy)
            return absent()

    # The loop.

    def post(self, event):
        """Queue an event for the core."""
        self._inbox.append(event)

    def _next_event(self, until_ms):
        """The next event; None when the deadline came first."""
        while True:
            event, now = self._take(), self._now_ms()
            if event is not None or (until_ms is not None and now >= until_ms):
                return event
            self._wait(until_ms, now)

    def _take(self):
        """What waits for the core; None for nothing."""
        event = self._inbox.pop(0) if self._inbox else self._links.take()
        if event is None and self._stop_by_ms is not None and self._drained(self._now_ms()):
            return Stop()
        return event

    def _wait(self, until_ms, now):
        self._links.turn(now)  # the firmware may have sent something
        due = [until_ms, self._stop_by_ms, self._errands.wake_at, self._links.wake_at]
        due = [at_ms for at_ms in due if at_ms is not None] + [now + self.port.longest_ms]
        self.port.feed()
        self.selector.wait(max(0, min(due) - now))
        now = self._now_ms()
        self._errands.turn(now)
        self._links.turn(now)
        self._crash = settle(self._store, self._crash, now - self._began_ms)

    def _drained(self, now):
        return not self._telemetry.outbox.waiting or now >= self._stop_by_ms

    def _tell(self, action):
        name, about = action.name, action.about
        self._drop.heard(name, about)
        if name == "answer":
            answered = self._answers.pop(about["ask_id"], None)
            if answered is not None:
                answered(about)
            return
        self._write(line_of(name, about))
        self._applications.told(name, about)

    def _warner(self, usual):
        """A part's own `warn`: its warnings are of one class, unless it says another."""

        def warn(what, value, remedy, kind=usual):
            about = {"class": kind, "what": what, "value": value, "remedy": remedy}
            self._write(line_of("warning", about))
            self._watch.warned(about, self._now_ms())

        return warn

    def _remember(self, error):
        """The crash, for the status after the next start; the agent ends whatever comes of it."""
        sys.print_exception(error)
        try:
            self._store.save("crash", account(error, int(time.time()), self._crash))
        except MemoryError:
            self._write("warning what=crash-not-written value=memory")
        except OSError as failed:
            self._write("warning what=crash-not-written value=" + reason_of(failed))


def _rand_below(n):
    return int.from_bytes(os.urandom(8), "big") % n
