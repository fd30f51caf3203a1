"""A watch joined to the emulated services in memory: the driver's part, on the cloud's clock.

Rule: it performs actions and reports events as contract section 1 says; it decides nothing.
"""

import copy
import json

from anchorwatch.config import Config
from anchorwatch.core import actions, events
from anchorwatch.core.watch import Watch
from anchorwatch.wire import hub as hub_wire
from anchorwatch.wire import sas
from hil.cloud.enrollment import Presented
from tests.pair.cloud import SCOPE, Cloud
from tests.pair.link import Link
from tests.pair.telemetry import Feeder
from tests.timelines.replay import BASE, layers, merged

LEAVING_MS = 2_000


class Pair:
    """One device. `told` holds (t_ms, name, about) of every Tell; `disk(name)` may say why a file
    is not written; `methods` is what the application answers."""

    def __init__(
        self, cloud: Cloud, credential: object, config: dict | None = None, *,
        roots: tuple = ("baltimore", "g2"), one_way_ms: int = 10, by_hand: bool = True,
        saved: dict | None = None, phase: int | None = None,
    ) -> None:  # fmt: skip
        self.cloud, self.credential, self.one_way_ms = cloud, credential, one_way_ms
        self.config = Config(merged(BASE, {**kind_of(credential), **(config or {})}))
        self.close_lag_ms = self.method_ms = 0
        self.layers = layers(*roots)
        self.links: dict[str, Link] = {}
        self.leaving: Link | None = None
        self.saved: dict = dict(saved or {})
        self.saves: list[tuple[int, str]] = []
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
        told = self.credential.told()
        self.hear(events.Start(self.by_hand, state, copy.deepcopy(self.layers), told))

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
        due = self.watch.wake_at is not None and self.watch.wake_at <= self.cloud.now_ms
        if due:
            self.hear(events.Woke())
        return due

    def hear(self, event: object) -> None:
        """Give an event to the watch and perform what it answers."""
        for action in self.watch.handle(event, self.cloud.now_ms):
            if not isinstance(action, (actions.Publish, actions.Tell)):
                self.performed.append((self.cloud.now_ms, action))
            PERFORM[type(action)](self, action)

    def heard(self, link: Link, event: object) -> None:
        """Something arrived on a link; a link being left still brings messages."""
        name = self._name_of(link)
        if link is self.leaving and isinstance(event, events.Message):
            name = "live"
        if name:
            event.link = name
            self.hear(event)

    def gone(self, link: Link) -> None:
        """A connection ended that we did not close."""
        self.feeder.lost(link)
        self.links = {n: held for n, held in self.links.items() if held is not link}

    def later(self, after_ms: int, event: object) -> None:
        """Let the watch hear this after so many ms, unless it was restarted meanwhile."""
        watch = self.watch
        at_ms = self.cloud.now_ms + after_ms
        self.cloud.at(at_ms, lambda: self.hear(event) if self.watch is watch else None)

    def send(self, count: int = 1) -> None:
        """Queue telemetry with running message ids."""
        for _ in range(count):
            self.feeder.put(self._topic)

    def _topic(self, mid: str) -> str:
        return hub_wire.telemetry_topic(self.watch.device.device_id, {}, {"message_id": mid})

    def _name_of(self, link: Link) -> str | None:
        return next((n for n, held in self.links.items() if held is link), None)

    def _drop(self, name: str) -> None:
        link = self.links.pop(name, None)
        if link is not None:
            self.feeder.lost(link)
            link.leave()

    def _dial(self, order: actions.Dial) -> None:
        self._drop(order.link)
        link, event = self._dialled(order)
        self.links[order.link] = link
        took_ms = 4 * self.one_way_ms  # TCP, then TLS 1.2, as far as its client waits
        self.cloud.at(self.cloud.now_ms + took_ms, lambda: self._answer(link, event))

    def _answer(self, link: Link, event: object) -> None:
        if link.at_device and self._name_of(link):
            if isinstance(event, events.Failed):
                self.links.pop(event.link)
                link.at_device = False
            self.hear(event)

    def _dialled(self, order: actions.Dial) -> tuple[Link, object]:
        front = self.cloud.fronts.get(order.host)
        if front is None or not front.up:
            verdict = "no-address" if front is None else "refused"
            link = Link(self, next(iter(self.cloud.fronts)), False, "")
            return link, events.Failed(order.link, "network", verdict, [], None)
        end, addresses = front.next_end()
        link = Link(self, order.host, order.slot is not None, end.address)
        names = ["CN=" + order.host, "CN=" + end.root]
        wrong = judged(end, order)
        if wrong:
            return link, events.Failed(order.link, *wrong, names, end.address)
        tls = {"version": "1.2", "suite": "ECDHE-RSA-AES256-GCM-SHA384", "fragment": {}}
        return link, events.Verified(
            order.link, order.host, end.address, addresses, end.root, [end.leaf, end.root],
            "key-" + end.leaf, names, end.not_before, end.not_after, tls, 4 * self.one_way_ms,
        )  # fmt: skip

    def _connect(self, order: actions.Connect) -> None:
        if order.link in self.links:
            self.links[order.link].connect(order)

    def _subscribe(self, order: actions.Subscribe) -> None:
        if order.link in self.links:
            self.links[order.link].subscribe(order.filters)

    def _publish(self, order: actions.Publish) -> None:
        if order.link in self.links:
            link = self.links[order.link]
            link.publish(order.topic, order.payload, order.qos, order.mid, self._core_acked)

    def _core_acked(self, link: Link, mid: str) -> None:
        self.heard(link, events.Acked(None, mid))

    def _close(self, order: actions.Close) -> None:
        self._drop(order.link)

    def _swap(self, order: actions.Swap) -> None:
        former = self.links.pop("live", None)
        self.links["live"] = self.links.pop("next")
        self.leaving = former
        if former is not None:
            self.cloud.at(self.cloud.now_ms + LEAVING_MS, lambda: self._leave(former))

    def _leave(self, former: Link) -> None:
        if former.at_device:
            former.leave()
        if self.leaving is former:
            self.leaving = None

    def _ping(self, order: actions.Ping) -> None:
        if order.link in self.links:
            self.links[order.link].ping()

    def _feed(self, order: actions.Feed) -> None:
        if order.link in self.links:
            self.feeder.feed(self.links[order.link])

    def _hold(self, order: actions.Hold) -> None:
        watch = self.watch

        def held(in_flight: int) -> None:
            if self.watch is watch:
                self.later(0, events.Held(in_flight))

        self.feeder.hold(held)
        self.cloud.at(order.until_ms, self.feeder.give_up)

    def _save(self, order: actions.Save) -> None:
        reason = self.disk(order.name)
        self.saves.append((self.cloud.now_ms, order.name))
        if reason:
            self.later(0, events.SaveFailed(order.name, reason))
            return
        self.saved[order.name] = json.loads(json.dumps(order.body))
        self.later(0, events.Saved(order.name, len(self.saves)))

    def _sign(self, order: actions.Sign) -> None:
        key = sas.key_bytes(self.credential.key)
        self.later(0, events.Signed(order.purpose, sas.hmac_sha256(key, order.data)))

    def _ask_time(self, order: actions.AskTime) -> None:
        offset_s = self.cloud.sntp_offset_s
        utc_s = self.cloud.utc_s(self.cloud.now_ms) + (offset_s or 0)
        known = events.ClockSet(utc_s, "sntp")
        silent = events.TimeFailed("sntp", "silent")
        self.later(2 * self.one_way_ms, silent if offset_s is None else known)

    def _ask_date(self, order: actions.AskDate) -> None:
        front = self.cloud.fronts[order.host]
        event: object = events.ClockSet(self.cloud.utc_s(self.cloud.now_ms), "date")
        if not (front.up and self.cloud.https) or judged(front.next_end()[0], order):
            event = events.TimeFailed("date", "refused")
        self.later(6 * self.one_way_ms, event)

    def _look_up(self, order: actions.LookUp) -> None:
        front = self.cloud.fronts[order.host]
        if not front.up:
            self.later(2 * self.one_way_ms, events.LookUpFailed("network", "refused"))
            return
        registration_id = self.config.device.registration_id
        shown = Presented(registration_id, SCOPE, order.authorization, self.credential.chain)
        status, headers, body = self.cloud.dps.lookup(registration_id, shown, self.cloud.now_ms)
        after_s = headers.get("Retry-After")
        answer = events.LookedUp(status, None if after_s is None else int(after_s), body)
        self.later(6 * self.one_way_ms, answer)

    def _tell(self, order: actions.Tell) -> None:
        self.told.append((self.cloud.now_ms, order.name, order.about))
        if order.name == "method":
            about = order.about
            reply = {"rid": about["rid"], "status": 200, "payload": about["payload"]}
            self.later(self.method_ms, events.Asked("reply", reply, "app"))

    def _nothing(self, order: object) -> None:
        """SetTime is for boards."""


def kind_of(credential: object) -> dict:
    """The [credential] section for this one."""
    if credential.key:
        return {"credential": {"kind": "symmetric_key", "cert_file": "", "key_file": "/device.key"}}
    return {}


def judged(end: object, order: object) -> tuple[str, str] | None:
    """(fault, verdict) of a front end's chain at the time and with the anchors of a dial."""
    if end.root not in order.anchors:
        return "trust", "unknown-issuer"
    dated = "trust" if order.profile["check_time"] else "clock"
    if order.judge_utc_s > end.not_after:
        return dated, "expired"
    return (dated, "not-yet-valid") if order.judge_utc_s < end.not_before else None


PERFORM = {
    actions.Dial: Pair._dial,
    actions.Connect: Pair._connect,
    actions.Subscribe: Pair._subscribe,
    actions.Publish: Pair._publish,
    actions.Close: Pair._close,
    actions.Swap: Pair._swap,
    actions.Ping: Pair._ping,
    actions.Feed: Pair._feed,
    actions.Hold: Pair._hold,
    actions.Save: Pair._save,
    actions.Wipe: Pair._nothing,
    actions.Sign: Pair._sign,
    actions.AskTime: Pair._ask_time,
    actions.AskDate: Pair._ask_date,
    actions.SetTime: Pair._nothing,
    actions.LookUp: Pair._look_up,
    actions.Tell: Pair._tell,
}
