"""The commands of trust where no agent runs: the core itself, on the files alone.

Rule: only what is local is performed: files, answers, and a bundle that is fetched. Nobody is
dialled, so a bundle that changes what an endpoint is offered stays a candidate until the agent
starts. Where an agent holds the lock nothing is read or written.

Source: contract section 3 (the lock), design section 7 and section 12.
"""

import os
from collections import deque

from ..config import Config
from ..core import actions, records
from ..core.events import Asked, Saved, SaveFailed, Start
from ..core.watch import Watch
from ..errors import AgentError, StateError, reason_of
from ..performers.bundles import LAYERS, Bundles
from ..performers.deeds import Deeds
from . import orders, rooting
from .caller import Refusal
from .clock import known, now_ms
from .credential import absent
from .fetch import Fetcher
from .folder import open_private
from .layers import Layers
from .resolve import Resolver
from .shortrecords import ShortRecords
from .slots import Slots
from .store import open_store
from .storefiles import fill

LATER = 3
_STATE = ("assignment", "clock", "identity", "slot-a", "slot-b", "trust")
_CHANGES = ("roots_add", "roots_distrust", "roots_import", "roots_revert", "clock_reset")
_WHO = dict(absent(), kind="x509")
_NO_ROOM = "make room, then repeat"
_ASK_ID = "offline"


class Later(AgentError):
    """Not now: an agent has the files, or the disk takes nothing."""

    code = LATER


def of_state(path: str) -> Config:
    """What holds where only the state's folder is known: both endpoints are in use, the package's
    own roots are the factory layer."""
    return Config({
        "device": {"id_scope": "0ne00000000", "registration_id": "device"},
        "credential": {"kind": "symmetric_key", "key_file": "none"},
        "dps": {}, "state": {"dir": os.path.abspath(path)},
    })


class Offline:
    """The files of one device; use it in `with`.

    warn     called with (what, value, remedy) for damage that is survived
    who      the configured credential, where somebody has read it
    changes  False: nothing is meant to be written, so no lock file is made either
    Raises   Later: an agent runs here; StateError, ConfigError: the files cannot be used
    """

    def __init__(self, config: Config, warn, changes: bool = True,
                 who: dict | None = None) -> None:
        self._config, self._who = config, who or _WHO
        self._warn = warn
        self._events: deque = deque()
        self._answer: dict | None = None
        self._failed: SaveFailed | None = None
        self._asked = False  # what comes before that is the start, which writes nothing
        self._store, site = open_store(config, self._told)
        self._lock(changes)
        self._watch = Watch(config, lambda n: n - 1)
        self._layers = Layers(config, site, self._told)
        self._bundles = Bundles(open_private(config.state.dir), fill, self._layers.root_of_trust,
                                config.device.cloud, self._told)
        self._performers = self._perform()

    def __enter__(self) -> "Offline":
        try:
            self._begin()
        except BaseException:
            self._store.unlock()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._store.unlock()

    def ask(self, do: str, given: dict | None = None) -> dict:
        """What the control socket would answer.

        Raises  Refusal, ConfigError; Later: it could not be written, and all is as it was
        """
        self._asked = True
        made = orders.arguments(do, given or {}, self._layers)
        self._turn(Asked(do, dict(made, by="operator"), _ASK_ID))
        answer = self._answer or {"ok": False, "code": 1, "what": "no answer", "value": do,
                                  "remedy": "start the agent, then ask it"}
        if not answer["ok"]:
            self._give_up()
            raise Refusal(answer["code"], answer["what"], answer["value"], answer["remedy"])
        done: dict = answer["is"]
        if do == "roots_import" and done.get("changed"):
            return self._imported(done, made["layer"])
        if self._failed is not None:
            raise Later("not written: " + self._failed.reason, self._failed.name, _NO_ROOM)
        return done

    def _imported(self, done: dict, layer: str) -> dict:
        """Kept; in force at once where it changes nothing for any endpoint, if that was written."""
        stage = self._watch.trust.bundles[layer]["stage"]
        told = done if self._failed is not None else dict(done, stage=stage)
        return dict(told, offline=True)

    def clock(self) -> dict:
        """The clock of the status; the standing is that of no agent: none."""
        found: dict = self._watch.status(now_ms())["clock"]
        return found

    def root(self, layer: str, data: bytes, sha256: str) -> dict:
        """Give a layer of signed bundles its root of trust, named by its SHA-256.

        Raises  TrustError: not that root, not signed, or another root is there; Later: not written
        """
        trust = self._watch.trust
        root = rooting.checked(data, sha256)
        held, before = self._bundles.held(layer), trust.bundles.get(layer)
        lineage = held.lineage if held else before["lineage"] if before else []
        if held is not None and not rooting.is_news(data, sha256, held):
            return {"changed": False, "version": root.version}
        if held is None and lineage:
            rooting.check_known(sha256, lineage)
        if before is None:
            trust.check(layer, records.empty())
        files = dict(self._bundles.stored(layer), **{rooting.FILE: data})
        self._keep(layer, before, files, [one for one in lineage if one != sha256] + [sha256])
        return {"changed": True, "version": root.version}

    def _keep(self, layer: str, before: dict | None, files: dict, lineage: list[str]) -> None:
        """The folder, then the frame that names it."""
        trust = self._watch.trust
        try:
            number = self._bundles.write(layer, files)
            trust.bundles[layer] = rooting.record(before, number, lineage)
            about = {"layer": layer, "stage": records.none()["stage"], "version": 0}
            trust.remember(dict(about, why="root of trust " + lineage[-1]), None)
            body = trust.body()
            self._store.save("trust", body)
        except (OSError, StateError) as error:
            self._give_up()
            reason = reason_of(error) if isinstance(error, OSError) else "full"
            raise Later("not written: " + reason, "trust", _NO_ROOM) from error
        self._bundles.saved(body)

    # The start, and what follows from an event.

    def _lock(self, changes: bool) -> None:
        path = self._config.state.dir
        if not changes and not os.path.lexists(os.path.join(path, "lock")):
            return
        if not self._store.lock():
            raise Later("an agent or a command holds these files", path, "ask the daemon: use its "
                        "socket, or stop it first; another command is over in a moment")

    def _perform(self) -> dict:
        config = self._config
        resolver = Resolver(config.resolve.lines, config.resolve.resolve_file or None)
        deeds = Deeds(None, None, None, self._store, self._layers, self._bundles, None, self._post)
        fetcher = Fetcher(config.device.cloud, _Here(), resolver, self._bundles,
                          self._layers.learn, self._post, proxy=config.mqtt.proxy,
                          proxy_auth_file=config.mqtt.proxy_auth_file,
                          profile=vars(config.tls.mirror),
                          records=ShortRecords(config.state.dir))
        return {actions.Save: deeds.perform[actions.Save], actions.Tell: self._tell,
                actions.Wipe: deeds.perform[actions.Wipe],
                actions.Fetch: fetcher.perform[actions.Fetch]}

    def _begin(self) -> None:
        state = self._store.read(_STATE)
        slots = Slots(self._store, None, self._told).start(state)
        contents = self._bundles.start(state.get("trust"))
        self._layers.site_signed = self._bundles.signs("site")
        self._layers.learn([state.get("trust"), contents])
        bundles = state.get("trust", {}).get("bundles", {})
        boots = {layer: bundles[layer]["boots"] for layer in bundles}
        rooted = [layer for layer in LAYERS if self._bundles.signs(layer)]
        mine = dict(state, bundles=contents, rooted=rooted, slots=slots)
        self._turn(Start(False, mine, self._layers.read(), dict(self._who)))
        for layer in boots:  # a command is no boot of the device
            self._watch.trust.bundles[layer]["boots"] = boots[layer]
        time_known = known()
        if time_known is not None:
            self._turn(time_known)

    def _turn(self, event) -> None:
        self._events.append(event)
        while self._events:
            for action in self._watch.handle(self._events.popleft(), now_ms()):
                if isinstance(action, actions.Save) and not self._asked:
                    self._post(Saved(action.name, 0))
                elif type(action) in self._performers:
                    self._performers[type(action)](action)

    def _post(self, event) -> None:
        if isinstance(event, SaveFailed):
            self._failed = event
        self._events.append(event)

    def _tell(self, action) -> None:
        about = action.about
        if action.name == "answer" and about["ask_id"] == _ASK_ID:
            self._answer = about
        elif action.name == "warning" and not self._asked:
            self._told(about["what"], about["value"], about["remedy"])

    def _told(self, what: str, value: str, remedy: str, kind: str = "") -> None:
        self._warn(what, value, remedy)

    def _give_up(self) -> None:
        """No frame names what was written."""
        for layer in LAYERS:
            self._bundles.forget(layer)


class _Here:
    """Runs an errand at once."""

    def start(self, work, done) -> None:
        done(work())


def changes(do: str, given: dict) -> bool:
    """True for a command that is meant to write."""
    return do in _CHANGES and not given.get("dry_run")
