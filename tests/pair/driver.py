"""The driver's part: what a watch asks for, done on the cloud's clock and answered as events.

Rule: it performs and reports as contract section 1 says; it decides nothing.
"""

import copy
import json

from anchorwatch.core import actions, events
from anchorwatch.core.endpoints import has_own_roots
from anchorwatch.wire import hub as hub_wire
from anchorwatch.wire import sas
from hil.cloud.enrollment import Presented
from tests.pair.cloud import SCOPE
from tests.pair.keyring import Keyring
from tests.pair.link import Link

LEAVING_MS = 2_000


class Driver(Keyring):
    """The performers of a Pair, which holds the watch, the links and what was told."""

    def hear(self, event: object) -> None:
        """Give an event to the watch and perform what it answers."""
        for action in self.watch.handle(event, self.cloud.now_ms):
            self.perform(action)
        self.cloud.alarm(self)

    def perform(self, action: object) -> None:
        """Do one thing that the watch asks for."""
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
        self.most_links = max(self.most_links, len(self.links))
        front = self.cloud.fronts.get(order.host)
        if front is not None and front.silent:
            return
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
        if front is None or not front.up or order.port in front.blocked:
            verdict = "no-address" if front is None else "refused"
            link = Link(self, next(iter(self.cloud.fronts)), [], "")
            return link, events.Failed(order.link, "network", verdict, [], [], None)
        end, addresses = front.next_end()
        link = Link(self, order.host, self.chain_of(order.slot), end.address)
        names = ["CN=" + order.host, "CN=" + end.root]
        wrong = judged(end, self.with_own_roots(order), self.cloud.roots_end)
        if wrong:
            return link, events.Failed(order.link, *wrong, names, end.chain, end.address)
        link.end = end
        tls = {"version": "1.2", "suite": "ECDHE-RSA-AES256-GCM-SHA384", "fragment": {}}
        return link, events.Verified(
            order.link, order.host, end.address, addresses, end.root, end.chain,
            "key-" + end.leaf, end.issuer, names, end.not_before, end.not_after, tls,
            4 * self.one_way_ms,
        )  # fmt: skip

    def _glance(self, order: actions.Glance) -> None:
        """The chain in clear; where the line is dead, a Failed of the link."""
        end = self.cloud.fronts[order.host].next_end()[0]
        seen = (["CN=" + order.host, "CN=" + end.root], end.chain, end.address)
        fault, verdict = judged(end, order, self.cloud.roots_end) or ("", "ok")
        self.later(4 * self.one_way_ms, events.Glanced(order.endpoint, fault, verdict, *seen))

    def with_own_roots(self, order: actions.Dial) -> actions.Dial:
        """The order that a driver makes of one to an endpoint with a file of roots of its own."""
        own = self.own_roots if has_own_roots(self.config, order.endpoint) else None
        changed = copy.copy(order)
        changed.anchors = order.anchors if own is None else own
        return changed

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
        if order.name == "trust":
            self.folders.saved(self.saved["trust"])
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
        utc_s = self.cloud.utc_s(self.cloud.now_ms) + self.cloud.date_offset_s
        event: object = events.ClockSet(utc_s, "date")
        end = front.next_end()[0]
        if not (front.up and self.cloud.https) or judged(end, order, self.cloud.roots_end):
            event = events.TimeFailed("date", "refused")
        elif not end.not_before <= utc_s <= end.not_after:
            event = events.TimeFailed("date", "outside-certificate")
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

    def _fetch(self, order: actions.Fetch) -> None:
        watch = self.watch
        at_ms = self.cloud.now_ms + 4 * self.one_way_ms
        self.cloud.at(at_ms, lambda: self._bring(order) if self.watch is watch else None)

    def _bring(self, order: actions.Fetch) -> None:
        """Folders are written when all is there: a power cut before leaves nothing."""
        offer = self.cloud.offered(order.url, order.files)
        full, stamp = self.disk("bundle"), self.cloud.stamp
        self.hear(self.folders.fetched(order, offer, stamp, self.saved.get("trust"), full))

    def _tell(self, order: actions.Tell) -> None:
        self.told.append((self.cloud.now_ms, order.name, order.about))
        if order.name == "method":
            about = order.about
            reply = {"rid": about["rid"], "status": 200, "payload": about["payload"]}
            self.later(self.method_ms, events.Asked("reply", reply, "app"))

    def _nothing(self, order: object) -> None:
        """SetTime is for boards."""


def judged(end: object, order: object, roots_end: dict) -> tuple[str, str] | None:
    """(fault, verdict) of a front end's chain at the time and with the anchors of a dial.

    roots_end  {root: when it ends}; only the TLS library looks at that, where it checks dates
    """
    if end.refuses:
        return end.refuses
    if end.root not in order.anchors:
        return "trust", "unknown-issuer"
    limit = order.limits.get(end.root, {})
    if limit.get("issuers") is not None and end.issuer not in limit["issuers"]:
        return "trust", "on-hold"
    if limit.get("leaf_not_before_max") is not None:
        if end.not_before > limit["leaf_not_before_max"]:
            return "trust", "sunset"
    return dated(end, order, roots_end.get(end.root))


def dated(end: object, order: object, root_ends_s: int | None) -> tuple[str, str] | None:
    """The same for dates alone."""
    library = order.profile["check_time"]
    fault = "trust" if library else "clock"
    if library and root_ends_s is not None and order.judge_utc_s > root_ends_s:
        return fault, "expired"
    if order.judge_utc_s > end.not_after:
        return fault, "expired"
    return (fault, "not-yet-valid") if order.judge_utc_s < end.not_before else None


PERFORM = {
    actions.Dial: Driver._dial,
    actions.Glance: Driver._glance,
    actions.Connect: Driver._connect,
    actions.Subscribe: Driver._subscribe,
    actions.Publish: Driver._publish,
    actions.Close: Driver._close,
    actions.Swap: Driver._swap,
    actions.Ping: Driver._ping,
    actions.Feed: Driver._feed,
    actions.Hold: Driver._hold,
    actions.Save: Driver._save,
    actions.Wipe: Driver._nothing,
    actions.Sign: Driver._sign,
    actions.AskTime: Driver._ask_time,
    actions.AskDate: Driver._ask_date,
    actions.SetTime: Driver._nothing,
    actions.LookUp: Driver._look_up,
    actions.Fetch: Driver._fetch,
    actions.Tell: Driver._tell,
    actions.NewKey: Driver._new_key,
    actions.MakeCsr: Driver._make_csr,
    actions.Enroll: Driver._enroll,
    actions.Install: Driver._install,
    actions.Prove: Driver._prove,
    actions.WipeKey: Driver._wipe_key,
}
