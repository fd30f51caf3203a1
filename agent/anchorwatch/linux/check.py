"""`anchorwatch check`: every file and every endpoint, tried once from this device.

Rule: probes only; nothing is written, no credential leaves, a running agent is not disturbed. Each
row is {"check", "ok", "what", "value", "remedy"}.
"""

import os
import time

from ..config import Config
from ..core.events import ClockSet, Start, TimeFailed, Verified
from ..core.remedies import remedy
from ..core.watch import Watch
from ..errors import AgentError, StateError
from .clock import Times, known, now_ms
from .credential import Credential
from .dial import Dialer
from .folder import open_folder
from .layers import Layers
from .resolve import Resolver
from .store import Store
from .toml import load

_FAR_S = 300
_DAY_S = 86_400


class Check:
    """One run over a configuration; `rows` fill up in the order of the checks."""

    def __init__(self, config) -> None:
        self._config = config
        self.rows: list[dict] = []
        self._watch = Watch(config, lambda n: 0)
        self._layers = Layers(config, self._site(), self._note_bad)
        credential = config.credential
        self._credential = Credential(credential.kind, credential.cert_file, credential.key_file)
        self._resolver = Resolver(config.resolve.lines, config.resolve.resolve_file or None)
        self._dialer = Dialer(self._resolver, self._layers.der_of, self._credential.files)

    def run(self) -> list[dict]:
        """All checks; what one needs of another that failed, it does without."""
        credential = self._try("credential", self._check_credential) or {"slot": "a"}
        state = self._try("state", self._check_state) or {}
        layers = self._try("trust", self._check_trust)
        self._watch.handle(Start(True, state, layers or {}, credential), now_ms())
        self._check_clock()
        for endpoint in self._watch.trust.endpoints:
            self._check_endpoint(endpoint)
        return self.rows

    def _note(self, check: str, ok: bool, what: str, value: object = "", remedy: str = "") -> None:
        self.rows.append({"check": check, "ok": ok, "what": what, "value": str(value),
                          "remedy": remedy})

    def _note_bad(self, what: str, value: str, remedy: str, kind: str = "") -> None:
        self._note("files", False, what, value, remedy)

    def _try(self, name: str, look):
        try:
            return look()
        except AgentError as error:
            self._note(name, False, error.what, error.value, error.remedy)
            return None

    def _site(self):
        path = self._config.trust.site_dir or os.path.join(self._config.state.dir, "site")
        if not os.path.isdir(path):
            return None
        return self._try("trust", lambda: open_folder(path))

    def _check_credential(self) -> dict:
        found = self._credential.read()
        ends = found["not_after"]
        if ends is None:
            self._note("credential", True, "symmetric key is readable")
        else:
            left = (ends - int(time.time())) // _DAY_S
            self._note("credential", left >= 0, "certificate of %s" % found["cn"],
                       "%d days left" % left, "" if left >= 0 else "replace it")
        return found

    def _check_state(self) -> dict:
        path = self._config.state.dir
        if not os.path.isdir(path):
            self._note("state", True, "not begun yet", path)
            return {}
        try:
            store = Store(open_folder(path), None, self._note_bad)
            state = store.read(("assignment", "clock", "trust"))
        except PermissionError as error:
            raise StateError("unwritable", "state cannot be read", path,
                             "run check as the agent's user") from error
        self._layers.learn(state.get("trust"))
        self._note("state", True, "readable", path)
        return state

    def _check_trust(self) -> dict:
        layers = self._layers.read()
        counts = ["%s %d" % (name, len(layers[name]["anchors"])) for name in sorted(layers)]
        self._note("trust", True, "anchors", ", ".join(counts))
        return layers

    def _check_clock(self) -> None:
        found: list = []
        if self._config.clock.sntp:
            Times(_Here(), self._dialer, self._resolver, self._config.clock.sntp,
                  found.append).ask_time(None)
        answer = found[0] if found else known()
        if isinstance(answer, TimeFailed):
            self._note("clock", False, "time server: " + answer.reason, self._config.clock.sntp,
                       "check [clock] sntp and the way to it")
        if not isinstance(answer, ClockSet):
            answer = ClockSet(int(time.time()), "rtc")
        off = int(time.time()) - answer.utc_s
        if found and isinstance(found[0], ClockSet):
            self._note("clock", abs(off) <= _FAR_S, "system's clock against the time server",
                       "%+d s" % off, "" if abs(off) <= _FAR_S else "set the system's clock")
        self._watch.handle(answer, now_ms())

    def _check_endpoint(self, endpoint: str) -> None:
        order = self._watch.device.dial("next", endpoint, True, now_ms())
        if not order.host:
            self._note(endpoint, True, "not assigned yet")
            return
        answer, sock = self._dialer.dial(order, self._dialer.patience())
        if sock is not None:
            sock.close()
        place = "%s:%d" % (order.host, order.port)
        if isinstance(answer, Verified):
            self._note(endpoint, True, "verified by %s" % answer.names[-1],
                       "%s at %s, %d ms" % (place, answer.address, answer.took_ms))
            return
        presented = answer.presented[-1] if answer.presented else "nothing"
        what = "%s: %s" % (answer.fault, answer.verdict)
        if answer.fault in ("trust", "clock"):
            what += ", presented under " + presented
        self._note(endpoint, False, what, place, remedy(answer.fault, answer.verdict))


class _Here:
    """Runs an errand at once."""

    def start(self, work, done) -> None:
        done(work())


def checked(path: str) -> list[dict]:
    """The rows for a configuration file; ConfigError when it cannot be used at all."""
    tree, folder = load(path)
    return Check(Config(tree, folder)).run()
