"""A whole agent on a model disk: the real watch, store, bundles, layers, deeds; no network.

Rule: it starts as the daemon's `_start` does, which is what it calls. The network is a table: what
an endpoint presents is the anchor that is written there.
"""

from collections import deque
from contextlib import contextmanager
from types import SimpleNamespace

from anchorwatch.core import actions, events
from anchorwatch.core.watch import Watch
from anchorwatch.linux import daemon
from anchorwatch.linux.fetch import Fetcher
from anchorwatch.linux.folder import open_private
from anchorwatch.linux.layers import Layers
from anchorwatch.linux.slots import Slots
from anchorwatch.linux.store import open_store
from anchorwatch.linux.storefiles import fill
from anchorwatch.performers.bundles import LAYERS, Bundles
from anchorwatch.performers.deeds import Deeds
from tests.core.signed import NOW_S
from tests.powercut.calls import on
from tests.powercut.ledger import text_of
from tests.powercut.quick import config, reading
from tests.powercut.stories import STATE
from tests.timelines.replay import x509

DAY_MS = 86_400_000
TLS = {"version": "1.2", "suite": "ECDHE-RSA-AES128-GCM-SHA256",
       "fragment": {"asked": None, "negotiated": None, "reason": ""}}
_FACTORY = {}


class QuickLayers(Layers):
    """The factory layer is a folder of the package, on no model disk: read once."""

    def _factory(self):
        folder = self._config.trust.factory_dir
        if folder not in _FACTORY:
            _FACTORY[folder] = super()._factory()
        self.learn(_FACTORY[folder])
        return list(_FACTORY[folder])


class Device:
    """One run of the agent, from its start to the cut.

    factory  path of the factory layer; presents  {endpoint: anchor or None for a dead line}
    """

    settings = {}       # sections laid over those of every device

    def __init__(self, calls, ledger, factory, presents):
        self.ledger, self.presents = ledger, presents
        self.now_ms, self.told, self.warnings = 0, [], []
        self._queue, self._asks = deque(), 0
        self.texts = site_texts(calls.disk.image())
        self._by_hand, self._inbox = True, SimpleNamespace(post=self.post)
        settings = {"state": {"dir": STATE}, "trust": {"factory_dir": factory}, **self.settings}
        self.config = config(settings)
        self.watch = self._watch = Watch(self.config, lambda n: n // 2)
        self._open(calls)

    def _open(self, calls):
        self._store, self._site = open_store(self.config, self._warn)
        self._layers = QuickLayers(self.config, self._site, self._warn)
        self._bundles = Bundles(open_private(STATE), fill, self._layers.root_of_trust, "global",
                                self._warn)
        errands = SimpleNamespace(start=lambda work, done: done(work()))
        self._fetcher = Fetcher("global", errands, None, self._bundles, self._layers.learn,
                                self.post, lambda: self.now_ms)
        self._drop = SimpleNamespace(ask=_nothing)
        self._credential, self._slots = self._own()
        self._perform = self._performers()

    def _own(self):
        credential = SimpleNamespace(read=x509, sign=lambda data: b"signed", changed=lambda: False)
        return credential, Slots(self._store, credential, self._warn)

    _read_credential = daemon.Agent._read_credential

    def _noting(self, read):
        """The store's read; what it found is noted before the core may change it."""
        def noted():
            found = read()
            self.texts.update({name: text_of(tree) for name, tree in found.items()})
            return found
        return noted

    def start(self):
        """Read and begin, as the daemon does; what the core was given."""
        self._store.lock()
        self._store.read = self._noting(self._store.read)
        self.given = daemon.Agent._start(self)
        signed = [layer for layer in LAYERS if self._bundles.signs(layer)]
        self.given.state.setdefault("rooted", signed)
        self.hear(self.given)
        return self.given

    def _performers(self):
        links = SimpleNamespace(dial=self._dial, connect=self._connect, swap=_nothing,
                                feed=_nothing)
        telemetry = SimpleNamespace(connecting=_nothing, swapped=_nothing, feeding=_nothing)
        files = SimpleNamespace(look=_nothing)
        deeds = Deeds(links, telemetry, files, self._store, self._layers, self._bundles,
                      self._slots, self.post)
        perform = {actions.Close: self._close, **_ANSWERS, **self._fetcher.perform, **deeds.perform}
        perform[actions.Tell] = self._tell
        return perform

    def post(self, event):
        """An answer of the driver."""
        if isinstance(event, events.Saved):
            self.ledger.acknowledge(event.name)
        self._queue.append(event)

    def hear(self, event):
        """Give an event to the watch and perform what it answers."""
        for action in self.watch.handle(event, self.now_ms):
            if isinstance(action, (actions.Save, actions.Wipe)):
                self.ledger.begin(action.name, getattr(action, "body", None))
            perform = self._perform[type(action)]
            answer = perform(action)
            if answer is not None:
                self._queue.append(answer)

    def settle(self):
        """Hear what has been posted."""
        while self._queue:
            self.hear(self._queue.popleft())

    def run(self, done, at_most_ms=DAY_MS):
        """Let time pass until done(self), at most so long; whether it came to that."""
        until_ms = self.now_ms + at_most_ms
        self.settle()
        while not done(self):
            due = self.watch.wake_at
            if due is None or due > until_ms:
                self.now_ms = until_ms
                return False
            self.now_ms = max(self.now_ms, due)
            self.hear(events.Woke())
            self.settle()
        return True

    def ask(self, what, **arguments):
        """A command of the operator; its answer, if it came."""
        self._asks += 1
        ask_id = str(self._asks)
        self.hear(events.Asked(what, {"by": "operator", **arguments}, ask_id))
        self.settle()
        return next((t.about for t in self.told
                     if t.name == "answer" and t.about["ask_id"] == ask_id), None)

    def record(self):
        """The record of the vendor's bundle."""
        return self.watch.trust.bundles.get("vendor") or {"stage": "", "version": 0}

    def bare(self):
        """Endpoints in use to which nothing is offered that TLS could be given."""
        trust, der = self.watch.trust, self._layers.der_of
        return [endpoint for endpoint in trust.endpoints
                if not [anchor for anchor in trust.offered(endpoint) if der(anchor)]]

    def cut_off(self):
        """Endpoints that present what is not offered to them."""
        return [endpoint for endpoint in self.presents
                if self.presents[endpoint]
                and self.presents[endpoint] not in self.watch.trust.offered(endpoint)]

    def missing(self):
        """Numbers of the folders that the frame names and the core was not given."""
        named = set()
        for record in self.given.state.get("trust", {}).get("bundles", {}).values():
            if record["stage"] != "rooted":
                named |= {record[key] for key in ("folder", "in_force", "previous", "spare")}
        return sorted(n for n in named - {0} if str(n) not in self.given.state.get("bundles", {}))

    def _warn(self, *parts):
        self.warnings.append(parts)

    def _warner(self, usual):
        return self._warn

    def _tell(self, action):
        self.told.append(action)

    def _dial(self, order):
        self._close(order)
        presented = self.presents[order.endpoint]
        if presented is None:
            event = events.Failed(order.link, "network", "refused", [], [], None)
        elif presented not in order.anchors:
            event = events.Failed(order.link, "trust", "unknown-issuer", ["CN=" + presented],
                                  ["leaf", presented], "127.0.0.2")
        else:
            event = events.Verified(
                order.link, order.host, "127.0.0.2", ["127.0.0.2"], presented,
                ["leaf", presented], "leaf-key", "issuer-key", ["CN=" + order.host, "CN=root"],
                0, 4102444800, TLS, 20)
        self._queue.append(event)

    def _close(self, order):
        """What was on a link is forgotten, as the real links forget it."""
        self._queue = deque(event for event in self._queue
                            if getattr(event, "link", "") != order.link)

    def _connect(self, order):
        self._queue.append(events.Connected(order.link, True))


def site_texts(image):
    """{"site/NAME": bytes} of an image."""
    above = STATE + "/site/"
    return {"site/" + path[len(above):]: image[path][3] for path in image
            if path.startswith(above) and not path.endswith(".tmp")}


def _nothing(*arguments):
    """What needs no answer."""


_ANSWERS = {
    actions.Ping: lambda order: events.Ponged(order.link),
    actions.Subscribe: lambda order: events.Subscribed(order.link, [1] * len(order.filters)),
    actions.Publish: lambda order: events.Acked(order.link, order.mid) if order.qos else None,
    actions.Hold: lambda order: events.Held(0),
    actions.AskTime: lambda order: events.TimeFailed("sntp", "silent"),
    actions.AskDate: lambda order: events.TimeFailed("date", "refused"),
    actions.LookUp: lambda order: events.LookUpFailed("network", "refused"),
}


def clock():
    """What the kernel says of the time."""
    return events.ClockSet(NOW_S + 3600, "kernel")


@contextmanager
def agent(calls, ledger, factory, presents, kind=Device):
    """A device that has started, while the state layer works on the model disk."""
    real, daemon.known = daemon.known, clock
    try:
        with on(calls), reading():
            device = kind(calls, ledger, factory, presents)
            device.start()
            yield device
    finally:
        daemon.known = real
