"""A whole agent that rolls, on a model disk: the driver's own slots, key and certificate handling.

Rule: only what leaves the process is a table: the child that makes a key, the issuer, hub and DPS.
An errand takes time, so that what else goes on comes in between.
"""

import functools
import posixpath
from contextlib import contextmanager
from types import SimpleNamespace

from anchorwatch.core import actions, events
from anchorwatch.core.slots import NAMES
from anchorwatch.linux import credential, slotkeys
from anchorwatch.linux.rolls import Rolls
from anchorwatch.performers import slotkeys as shared
from anchorwatch.wire import frame
from tests.powercut import roll_cloud
from tests.powercut.device import DAY_MS, Device, agent
from tests.powercut.roll_slots import KEY_FILE, FileCredential, NotedSlots, matched, text_in
from tests.powercut.stories import STATE
from tests.timelines.replay import assigned, document, patched

ERRAND_MS, ISSUE_MS = 40, 400
_UNAUTHORIZED = 5
_SETTINGS = {"identity": {"issuer": "command", "command": ["/issue"]}}
_JUDGED = {}


class RollDevice(Device):
    """`wrong`: what it did that it must not; `unusable`: what it tried that cannot be, which only a
    broken disk excuses. first_key: number of the first key that it makes."""

    settings = _SETTINGS

    def __init__(self, calls, ledger, factory, presents, cloud, first_key):
        self.cloud, self.wrong, self.unusable = cloud, [], []
        self._calls, self._next_key = calls, first_key
        self._links, self._errands, self._going = {}, [], []
        super().__init__(calls, ledger, factory, presents)

    def _own(self):
        age = self.cloud.ages.get(0, roll_cloud.YOUNG)
        configured = FileCredential(self._calls, age, self._wiping)
        return configured, NotedSlots(self._store, configured, self._warn, self.ledger,
                                      self._wiping)

    def _performers(self):
        inside = (SimpleNamespace(start=functools.partial(self._later, ERRAND_MS)), self.post)
        rolls = Rolls(self.config, self._slots, self._credential, None, inside, self._warn)
        perform = {**super()._performers(), **rolls.perform}
        perform.update({actions.Enroll: self._enroll, actions.Swap: self._swap,
                        actions.Publish: self._publish})
        return perform

    def new_key(self, slot, kind, command):
        """What the child answers: the next key."""
        self._next_key += 1
        return roll_cloud.pem(self._next_key - 1)

    # What the ledger is told.

    def post(self, event):
        """An answer of the driver."""
        slot = getattr(event, "slot", "")
        if isinstance(event, events.Saved):
            self._slots.done.pop(event.name[5:], None)      # "slot-a" was proven
        if isinstance(event, (events.KeyMade, events.CsrMade, events.Installed, events.KeyWiped)):
            if self._slots.done.pop(slot, False):
                self.ledger.acknowledge("slot-" + slot)
            gone = [] if getattr(event, "reason", "") else self._going
            for name in gone if not isinstance(event, (events.CsrMade, events.Installed)) else []:
                self.ledger.acknowledge(name)
            self._going = []
        super().post(event)

    def _wiping(self, path):
        """From the answer on, no part of the keys that are there may be anywhere."""
        found = set()
        above = posixpath.join(STATE, path)
        for name, (_, _, _, data) in self._calls.disk.image().items():
            if name.startswith(above) and data:
                found |= roll_cloud.numbers_in(data)
        self._going = ["gone/%d" % number for number in sorted(found)]
        for name in self._going:
            self.ledger.begin(name, None)

    # Time.

    def _later(self, wait_ms, work, done):
        self._errands.append((self.now_ms + wait_ms, work, done))

    def run(self, done, at_most_ms=DAY_MS):
        """As a device's, with its errands."""
        until_ms = self.now_ms + at_most_ms
        self.settle()
        while not done(self):
            due = [at for at, *_ in self._errands]
            due += [] if self.watch.wake_at is None else [self.watch.wake_at]
            if not due or min(due) > until_ms:
                self.now_ms = until_ms
                return False
            self.now_ms = max(self.now_ms, min(due))
            self._pass()
        return True

    def _pass(self):
        for errand in [one for one in self._errands if one[0] <= self.now_ms]:
            self._errands.remove(errand)
            errand[2](errand[1]())
            self.settle()
        if self.watch.wake_at is not None and self.watch.wake_at <= self.now_ms:
            self.hear(events.Woke())
            self.settle()

    # The network.

    def _enroll(self, order):
        self.ledger.begin("asked the issuer", None)     # with its time, so a frame was written
        self._later(ISSUE_MS, lambda: self.cloud.issue(order.csr),
                    lambda issued: self.post(events.Issued(order.slot, issued)))

    def _dial(self, order):
        number = None if order.slot is None else self._shown(order.slot)
        self._links[order.link] = (order.endpoint, number)
        super()._dial(order)
        if order.slot is not None and number is None:
            self._close(order)
            self._queue.append(events.Failed(order.link, "identity", "credential-unreadable", [],
                                             [], None))

    def _shown(self, slot):
        """The key's number of what a dial shows; None where TLS could not use it."""
        if slot in NAMES:
            body = self._slots.held(slot)
            found = None if body is None or not body["chain"] else matched(body)
        else:
            found = roll_cloud.number_of(text_in(self._calls, KEY_FILE))
        kept = self.promised()
        closed = {roll_cloud.number_of(one) for one in [*kept["closed"], kept["breached"]] if one}
        if found is None:
            self.unusable.append("dialled with what TLS cannot use: %s" % slot)
        elif found in closed:
            self.wrong.append("the breached key %d was shown" % found)
        return found

    def promised(self):
        """The frame `identity` that was acknowledged last."""
        text = self.ledger.said.get("identity")
        return frame.load(text) if text else {"closed": [], "breached": "", "active": "onboarding"}

    def shown_number(self):
        """The key of the certificate that serves."""
        found = self.watch.identity.slots.of("live").get("fingerprint", "")
        return roll_cloud.number_of(found)

    def _connect(self, order):
        endpoint, number = self._links[order.link]
        self._queue.append(
            events.Connected(order.link, True) if self.cloud.takes(endpoint, number)
            else events.Refused(order.link, _UNAUTHORIZED))

    def _swap(self, order):
        self._links["live"] = self._links.pop("next")

    def _publish(self, order):
        """The hub keeps a twin; DPS assigns to whom it lets in."""
        if order.qos:
            self._queue.append(events.Acked(order.link, order.mid))
        if order.topic.startswith("$dps/registrations/PUT"):
            self.cloud.assigned.add(self._links[order.link][1])
        answers = {"$iothub/twin/GET": lambda rid: document(1, rid),
                   "$iothub/twin/PATCH": patched,
                   "$dps/registrations/PUT": lambda rid: events.Message("", *assigned(rid=rid))}
        for topic, answer in answers.items():
            if order.topic.startswith(topic):
                told = answer(int(order.topic.partition("$rid=")[2]))
                self._queue.append(events.Message(order.link, told.topic, told.payload))


def _quick_judged(judged):
    """Whether TLS takes a pair is the same for the same pair."""
    def quick(order, csr, key, other):
        pair = (tuple(order.chain), order.cn, order.judge_utc_s // 60, key, csr)
        if pair not in _JUDGED:
            _JUDGED[pair] = judged(order, csr, key, other)
        return _JUDGED[pair]
    return quick


@contextmanager
def rolling(calls, ledger, factory, presents, cloud, first_key):
    """A device that rolls, started."""
    made = []
    cloud.assigned.clear()      # what a hub has heard, another front end of it may not have

    def device(*given):
        made.append(RollDevice(*given, cloud, first_key))
        return made[0]

    kept = slotkeys.new, slotkeys.request, shared._judged, credential.os
    slotkeys.new = lambda *order: made[0].new_key(*order)
    slotkeys.request = lambda key, cn: roll_cloud.request(roll_cloud.number_of(key), cn)
    shared._judged = _quick_judged(shared._judged)
    credential.os = calls
    try:
        with agent(calls, ledger, factory, presents, device) as running:
            yield running
    finally:
        slotkeys.new, slotkeys.request, shared._judged, credential.os = kept
