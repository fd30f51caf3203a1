"""`anchorwatch check`: every file and every endpoint, tried once from this device.

Rule: probes only; nothing is written, no credential leaves, a running agent is not disturbed. The
rows are described in findings.py, the steps of an endpoint in steps.py.
"""

import os
import time

from ..config import Config
from ..core import records
from ..core.actions import AskTime, Dial
from ..core.events import ClockSet, Start, TimeFailed
from ..core.slots import NAMES
from ..core.transports import WEBSOCKET
from ..core.watch import Watch
from ..errors import AgentError, ConfigError, StateError
from ..performers.bundles import ROOTED, Bundles
from .clock import Times, known, now_ms
from .credential import Credential, absent
from .dial import Dialer
from .findings import Findings
from .folder import open_folder
from .layers import Layers
from .resolve import Resolver
from .slots import Slots
from .steps import DAY_S, STEPS, Steps
from .store import Store
from .storefiles import fill
from .toml import load

_FAR_S = 300
_OF_ITS_OWN = "; the device has one of its own"


class Check:
    """One run over a configuration; `found` fills up in the order of the checks."""

    def __init__(self, config) -> None:
        self._config = config
        self.found = Findings()
        self.watch = Watch(config, lambda n: 0)
        self.layers = Layers(config, self._site(), self._note_bad)
        credential = config.credential
        self._credential = Credential(credential.kind, credential.cert_file, credential.key_file)
        self._slots = Slots(None, self._credential, self._note_bad)
        self._resolver = Resolver(config.resolve.lines, config.resolve.resolve_file or None)

    def run(self) -> list[dict]:
        """All checks; what one needs of another that failed, it does without."""
        credential = self._try("credential", self._check_credential) or absent()
        self.begin(credential)
        if self.found.ok("files") is None:
            self.found.good("", "files", "nothing to complain of")
        dialer = Dialer(self._resolver, self.layers.der_of, self._slots.files,
                        proxy_auth_file=self._config.mqtt.proxy_auth_file,
                        release=self._slots.release)
        steps = Steps(dialer, self.layers.der_of, self.watch.trust, self.found, self._other_way)
        steps.sure_of_time = self._check_clock(dialer)
        for endpoint in self.watch.trust.endpoints:
            order = self.watch.device.dial("next", endpoint, True, now_ms())
            if order.host:
                steps.check(order)
                continue
            for step in STEPS:
                self.found.untried(endpoint, step, "not assigned yet")
        return self.found.rows

    def begin(self, credential: dict) -> None:
        """Read state and layers, as a start does."""
        state = self._try("state", self._check_state) or {}
        layers = self._try("trust", self._check_trust)
        self.watch.handle(Start(True, state, layers or {}, credential), now_ms())

    def _other_way(self, order: Dial) -> tuple[Dial | None, bool]:
        """See Steps."""
        if order.transport == WEBSOCKET:
            return None, False
        port = getattr(self._config, order.endpoint).https_port
        fields = {name: getattr(order, name) for name in Dial.fields}
        other = Dial(**dict(fields, transport=WEBSOCKET, port=port))
        return other, self._config.mqtt.transport == "auto"

    def _note_bad(self, what: str, value: str, remedy: str, kind: str = "") -> None:
        self.found.bad("", "files", what, value, fault=kind, remedy=remedy)

    def _try(self, name: str, look):
        try:
            return look()
        except AgentError as error:
            self.found.bad("", name, error.what, error.value, remedy=error.remedy)
            return None

    def _site(self):
        path = self._config.trust.site_dir or os.path.join(self._config.state.dir, "site")
        if not os.path.isdir(path):
            return None
        return self._try("trust", lambda: open_folder(path))

    def _check_credential(self) -> dict:
        try:
            read = self._credential.read()
        except ConfigError as error:
            if not self._issued():
                raise
            self.found.untried("", "credential", error.what + _OF_ITS_OWN)
            return absent()
        ends = read["not_after"]
        if ends is None:
            self.found.good("", "credential", "symmetric key is readable")
        elif ends < time.time() and self._issued():
            self.found.untried("", "credential", "configured certificate has ended" + _OF_ITS_OWN)
        else:
            self._check_dates(read, "certificate of %s" % read["cn"],
                              "put a new certificate and its key into [credential]")
        return read

    def _issued(self) -> bool:
        """Whether a slot holds a certificate."""
        try:
            folder = open_folder(self._config.state.dir)
        except AgentError:
            return False
        slots = Slots(Store(folder, None, self._note_bad), self._credential, self._note_bad)
        held = [slots.held(name) for name in NAMES]
        return bool([one for one in held if one and one["chain"]])

    def _check_dates(self, read: dict, what: str, remedy: str) -> None:
        ends = read["not_after"]
        left = "%d days left" % ((ends - int(time.time())) // DAY_S)
        if ends < time.time():
            self.found.bad("", "credential", what, left, verdict="expired", remedy=remedy)
        else:
            self.found.good("", "credential", what, left)

    def _check_state(self) -> dict:
        path = self._config.state.dir
        if not os.path.isdir(path):
            self.found.good("", "state", "not begun yet", path)
            return {}
        try:
            folder = open_folder(path)
            store = Store(folder, None, self._note_bad)
            state = store.read(("assignment", "clock", "identity", "slot-a", "slot-b", "trust"))
            self._slots = Slots(store, self._credential, self._note_bad)
            state["slots"] = self._slots.start(state)
            state["bundles"] = self._bundles(folder, state.get("trust", {}).get("bundles", {}))
        except PermissionError as error:
            raise StateError("unwritable", "state cannot be read", path,
                             "run check as the agent's user") from error
        self.layers.learn([state.get("trust"), state["bundles"]])
        self.found.good("", "state", "readable", path)
        active = state["slots"].get(state.get("identity", {}).get("active"), {})
        if active.get("not_after"):
            what = "certificate of %s in slot %s" % (active["cn"], active["slot"])
            self._check_dates(active, what, "see `anchorwatch identity show`")
        return state

    def _bundles(self, folder, bundles: dict) -> dict:
        """What the frame names, read and left as it is: the sweep is the running agent's."""
        kept = Bundles(folder, fill, lambda layer: None, self._config.device.cloud, self._note_bad)
        newest = {str(one["folder"]): one for one in bundles.values()}
        found = {}
        for number in records.folders(bundles):
            record = newest.get(number, {"stage": "", "digest": ""})
            if record["stage"] != ROOTED:
                content = kept.read(int(number), record["digest"])
                found.update({} if content is None else {number: content})
        return found

    def _check_trust(self) -> dict:
        layers = self.layers.read()
        counts = ["%s %d" % (name, len(layers[name]["anchors"])) for name in sorted(layers)]
        self.found.good("", "trust", "anchors", ", ".join(counts))
        return layers

    def _check_clock(self, dialer: Dialer) -> bool:
        """True when the time server agrees: then a date that fails is not the clock's fault."""
        server, heard = self._config.clock.sntp, []
        if server:
            times = Times(_Here(), dialer, self._resolver, server, heard.append)
            times.perform[AskTime](AskTime())
        here = int(time.time())
        answer = heard[0] if heard else known() or ClockSet(here, "rtc")
        if isinstance(answer, TimeFailed):
            self.found.fault("", "clock", "network", answer.reason, server,
                             "check [clock] sntp and the way to it")
            answer = ClockSet(here, "rtc")
        elif heard:
            self._compare(here - answer.utc_s)
        else:
            self._compare_with_floor(here)
        self.watch.handle(answer, now_ms())
        return bool(heard) and self.found.ok("clock") is True

    def _compare(self, off_s: int) -> None:
        what, value = "system's clock against the time server", "%+d s" % off_s
        if abs(off_s) <= _FAR_S:
            self.found.good("", "clock", what, value)
        else:
            self.found.bad("", "clock", what, value, fault="clock", verdict="far-off",
                           remedy="set the system's clock")

    def _compare_with_floor(self, here: int) -> None:
        behind_s = self.watch.clock.floor_utc_s - here
        if behind_s > 0:
            self.found.bad("", "clock", "system's clock is before what is known to have passed",
                           "%d days" % (behind_s // DAY_S), fault="clock", verdict="behind",
                           remedy="set the system's clock, or name a time server in [clock] sntp")
        else:
            self.found.good("", "clock", "system's clock is not known to be wrong",
                            "no [clock] sntp to compare it with")


class _Here:
    """Runs an errand at once."""

    def start(self, work, done) -> None:
        done(work())


def checked(path: str) -> list[dict]:
    """The rows for a configuration file; ConfigError when it cannot be used at all."""
    tree, folder = load(path)
    return Check(Config(tree, folder)).run()
