"""What a driver promises the core, and what the core owes a driver: a table of two links.

Rule: an event that this file offers is one that a true driver may say now; an action that a true
driver could not perform is an AssertionError.
"""

from anchorwatch.core import actions, events
from anchorwatch.core.record import show
from tests.timelines import replay

LINKS, NAMES = ("live", "next"), ("a", "b")
NOTHING, DIALING, VERIFIED, CONNECTING, CONNECTED = "-", "dialing", "verified", "connecting", "up"
SECRET = b"canary-secret"
SECRET_TEXTS = ("canary-secret", "Y2FuYXJ5LXNlY3JldA")      # as it is, and in base64


OF_SLOTS = (actions.NewKey, actions.MakeCsr, actions.Install, actions.Prove, actions.WipeKey)


class Promises:
    """The links as a driver knows them; `perform` takes every action of a Watch in order."""

    def __init__(self):
        self.links = {link: NOTHING for link in LINKS}
        self.dialed = {}
        self.asked = []             # actions that wait for one answer
        self.written, self.disk = {}, {}
        self.folders = {}           # number as text: what a verified bundle holds
        self.told = []
        self.connects = []
        self.slots = {}             # name: credential, or {"pending": True}
        self.proofs = {}            # frame: Prove that waits for its answer
        self.wiped = False          # the configured credential's key
        self.read = None            # the configured credential, once its files were changed

    def perform(self, action):
        """Note what a driver would do now."""
        for secret in SECRET_TEXTS:
            assert secret not in repr(action), "a secret shows in %s" % type(action).__name__
        getattr(self, "_" + type(action).__name__.lower(), self._ask)(action)

    def _ask(self, action):
        self.asked.append(action)

    def _tell(self, action):
        self.told.append(action)
        assert SECRET_TEXTS[0] not in show(action.about)

    def _newkey(self, action):
        self._unused(action.slot)
        self.slots[action.slot] = {"pending": True}
        self.asked.append(action)

    def _wipekey(self, action):
        self._unused(action.slot)
        self.asked.append(action)

    def _unused(self, slot):
        """No key goes while a link shows it."""
        shown = [k for k in LINKS if self.links[k] != NOTHING and self.dialed[k].slot == slot]
        assert not shown, "the key of slot %s goes, and link %s shows it" % (slot, shown)

    def _install(self, action):
        assert action.slot in self.slots, "a chain, or a request, without a key"
        self.asked.append(action)

    _makecsr = _install

    def _prove(self, action):
        held = self.slots.get(action.slot, {})
        assert "kind" in held, "a proof of a certificate that is not there"
        known = (held.get("assignment"), held.get("evidence"))
        assert known != (action.assignment, action.evidence), "a frame is written as it is"
        self.proofs["slot-" + action.slot] = action
        self.asked.append(action)

    def _forget(self, link):
        self.asked = [a for a in self.asked if getattr(a, "link", None) != link]

    def _dial(self, action):
        self._forget(action.link)
        self.links[action.link], self.dialed[action.link] = DIALING, action
        assert action.anchors, "a dial that no server can satisfy"
        if action.slot in NAMES:
            assert "kind" in self.slots.get(action.slot, {}), "no certificate in the slot dialled"
        assert not (action.slot == "onboarding" and self.wiped), "a dial with a key that is gone"

    def _connect(self, action):
        assert self.links[action.link] == VERIFIED, "CONNECT on a link that is not verified"
        assert self.dialed[action.link].slot is not None, "CONNECT on a probe"
        self.links[action.link] = CONNECTING
        self.connects.append(action)

    def _up(self, action):
        assert self.links[action.link] == CONNECTED, "%r on a link that is %s" % (
            action, self.links[action.link])

    def _subscribe(self, action):
        self._up(action)
        self.asked.append(action)

    _publish = _ping = _subscribe
    _feed = _up

    def _close(self, action):
        self.links[action.link] = NOTHING
        self._forget(action.link)

    def _swap(self, action):
        assert self.links["next"] == CONNECTED, "a swap to a link that is not connected"
        self.links["live"], self.links["next"] = CONNECTED, NOTHING
        self.dialed["live"] = self.dialed["next"]
        self._forget("live")
        self._forget("next")

    def _save(self, action):
        self.written[action.name] = replay.copied(action.body)
        self.asked.append(action)

    def _settime(self, action):
        pass

    def happened(self, event):
        """An event is given to the core: the links and the disk are as it says."""
        if isinstance(event, events.Saved) and event.name in self.written:
            self.disk[event.name] = self.written[event.name]
            self._proven(event.name)
        self._slots_after(event)
        if isinstance(event, events.Fetched) and event.bundle["folder"]:
            self.folders[str(event.bundle["folder"])] = event.bundle
        after = {events.Verified: VERIFIED, events.Connected: CONNECTED, events.Failed: NOTHING,
                 events.Refused: NOTHING, events.Disconnected: NOTHING}.get(type(event))
        if after is not None:
            self.links[event.link] = after
        if after == NOTHING:
            self._forget(event.link)

    def _proven(self, frame):
        proof = self.proofs.pop(frame, None)
        if proof is not None:
            told = {"assignment": proof.assignment, "evidence": proof.evidence}
            self.slots[proof.slot] = dict(self.slots[proof.slot], **replay.copied(told))

    def _slots_after(self, event):
        if isinstance(event, events.Installed):
            self.slots[event.slot] = event.credential
        if isinstance(event, events.CredentialRead):
            self.read, self.wiped = event.credential, False
        if isinstance(event, events.KeyMade):
            self.slots.setdefault(event.slot, {"pending": True})
        if isinstance(event, events.KeyFailed):
            self.slots.pop(event.slot, None)
        if isinstance(event, events.KeyWiped) and not event.reason:
            self.slots.pop(event.slot, None)
            self.wiped = self.wiped or event.slot == "onboarding"

    def found(self):
        """What a start finds: what was saved, the slots, and the bundles that it names."""
        state = replay.copied(self.disk)
        state["slots"] = replay.copied(self.slots)
        named = replay.named_folders(state.get("trust", {}))
        state["bundles"] = {n: replay.copied(self.folders[n]) for n in named}
        return state

    def in_turn(self):
        """The questions that may be answered now; those about slots in their order."""
        of_slots = [a for a in self.asked if isinstance(a, OF_SLOTS)]
        return [a for a in self.asked if a not in of_slots] + of_slots[:1]

    def cut(self):
        """The power is gone: links and questions with it."""
        self.links = {link: NOTHING for link in LINKS}
        self.dialed, self.asked, self.written, self.proofs = {}, [], {}, {}

    def answered(self, action):
        """One question less."""
        self.asked = [a for a in self.asked if a is not action]
