"""A watch joined to the emulated services in memory, and the words that tests say to it.

Rule: nothing here knows how an action is performed; that is driver.py.
"""

import copy
import json

from anchorwatch.config import Config
from anchorwatch.core import events
from anchorwatch.core.watch import Watch
from tests.pair.bundles import Folders
from tests.pair.cloud import Cloud
from tests.pair.driver import Driver
from tests.pair.link import Link
from tests.pair.telemetry import Feeder
from tests.timelines.replay import BASE, entry, layers, merged


class Pair(Driver):
    """One device. `told` holds (t_ms, name, about) of every Tell; `disk(name)` may say why a file
    is not written; `methods` is what the application answers."""

    def __init__(
        self, cloud: Cloud, credential: object, config: dict | None = None, *,
        roots: tuple = ("baltimore", "g2"), one_way_ms: int = 10, by_hand: bool = True,
        saved: dict | None = None, phase: int | None = None, rooted: tuple = (),
    ) -> None:  # fmt: skip
        self.cloud, self.credential, self.one_way_ms = cloud, credential, one_way_ms
        self.config = Config(merged(BASE, {**kind_of(credential), **(config or {})}))
        self.close_lag_ms = self.method_ms = 0
        self.layers = layers(*roots)
        self.own_roots: list[str] = []  # in est.anchors_file, if that is set
        self.links: dict[str, Link] = {}
        self.leaving: Link | None = None
        self.most_links = 0  # at once, since it was made
        self.saved: dict = dict(saved or {})
        self.saves: list[tuple[int, str]] = []
        self.folders, self.slots = Folders(rooted), {}
        self.disk = lambda name: None
        self.told: list[tuple[int, str, dict]] = []
        self.performed: list[tuple[int, object]] = []  # all but Publish
        self.feeder = Feeder(self.config.mqtt.in_flight)
        self._asks = 0
        self.by_hand, self.phase = by_hand, phase
        cloud.pairs.append(self)
        self.start()

    def start(self) -> None:
        """A new watch with what the device has on its disk."""
        self.watch = Watch(self.config, self.cloud.random.randrange)
        if self.phase is not None:
            self.watch.device.phase = self.phase
        state = {n: copy.deepcopy(b) for n, b in self.saved.items() if not n.startswith("site/")}
        state["bundles"] = self.folders.start(self.saved.get("trust"))
        state["slots"] = self.found_slots()
        state["rooted"] = list(self.folders.rooted)
        told = self.credential.told()
        self.hear(events.Start(self.by_hand, state, self._layers(), told))

    def _layers(self) -> dict:
        """The layers as they lie on the disk: what commands wrote into the site's folder is
        there."""
        found = copy.deepcopy(self.layers)
        for name in sorted(self.saved):
            if name.startswith("site/") and name.endswith(".pem"):
                found["site"]["anchors"].append(entry(name[len("site/") : -len(".pem")]))
        found["site"]["distrust"] += self.saved.get("site/distrust", "").splitlines()
        return found

    def restart(self) -> None:
        """Power cut and boot."""
        for link in list(self.links.values()):
            link.at_device = False
            link.broken("network")
        self.links, self.leaving = {}, None
        self.feeder.lost()
        self.start()

    @property
    def state(self) -> str:
        """The session's state word."""
        return self.watch.connection.state

    @property
    def fault(self) -> dict | None:
        """The fault in the status."""
        return self.status()["fault"]

    def status(self) -> dict:
        """The status page; what is in it must be JSON."""
        return json.loads(json.dumps(self.watch.status(self.cloud.now_ms)))

    def run_until(self, wanted: object, at_most_ms: int = 60_000) -> int:
        """Until a machine is in the state of this word, or a function says so; the ms it took."""
        done = wanted if callable(wanted) else lambda: wanted in self.watch.states().values()
        return self.cloud.run_until(done, at_most_ms)

    def ask(self, what: str, **arguments: object) -> dict:
        """A command; its answer, or {} when that comes later."""
        self._asks += 1
        ask_id = str(self._asks)
        self.hear(events.Asked(what, {"by": "operator", **arguments}, ask_id))
        answers = [about for about in self.tells("answer") if about["ask_id"] == ask_id]
        return answers[0] if answers else {}

    def install(self, credential: object) -> None:
        """Another credential is put on the device."""
        self.credential = credential
        self.hear(events.CredentialRead(credential.told()))

    def tells(self, name: str) -> list[dict]:
        """What was told under this name."""
        return [about for _, told, about in self.told if told == name]

    def count(self, kind: type, since_ms: int = 0, **fields: object) -> int:
        """How many actions of a kind were performed."""
        found = [a for t, a in self.performed if t >= since_ms and isinstance(a, kind)]
        return len([a for a in found if all(getattr(a, f) == v for f, v in fields.items())])

    def wake(self) -> bool:
        """Let the watch wake if it is due."""
        due_ms = self.watch.wake_at
        due = due_ms is not None and due_ms <= self.cloud.now_ms
        if due:
            self.hear(events.Woke())
        return due

    def send(self, count: int = 1) -> None:
        """Queue telemetry with running message ids."""
        for _ in range(count):
            self.feeder.put(self._topic)


def kind_of(credential: object) -> dict:
    """The [credential] section for this one."""
    if credential.key:
        return {"credential": {"kind": "symmetric_key", "cert_file": "", "key_file": "/device.key"}}
    return {}
