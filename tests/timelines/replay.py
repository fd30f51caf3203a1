"""Replays timelines: a story's events in, transcript out; the same on CPython and MicroPython.

    python tests/timelines/replay.py FILE...            prints the transcripts
    python tests/timelines/replay.py --rewrite FILE...  writes them back; review the diff

A story: comment lines (the first is the claim; `# covers: TAG, TAG` names rows of the design), then

    config: TREE        laid over BASE
    rand: least | half | most
    auto: no            the disk does not answer by itself: the story says Saved or SaveFailed
    given: online       a device with a session, its twin at rest; `online key` has a symmetric key,
                        `online rooted` the vendor's root of trust, `online bundle` a bundle too,
                        `online slots` an issued certificate in slot a and the time, `online due`
                        one that is to be renewed, `online alone` has room for one session
    TIME  EXPRESSION    an event; TIME is in ms, `+N` after the line before, `wake` at the deadline
    TIME  restart       a new Watch; SAVED holds what was saved, disk() is the state for Start, with
                        the bundles whose folders the frame `trust` names, and the slots

Lines that begin with -> or == are produced.
"""

import sys

from anchorwatch.config import Config
from anchorwatch.core import actions, bundles, events, records, rolls, slots, stages
from anchorwatch.core.record import show
from anchorwatch.core.watch import Watch

BASE = {
    "device": {"id_scope": "0ne00000001", "registration_id": "dev-7"},
    "credential": {"kind": "x509", "cert_file": "/c.pem", "key_file": "/k.pem"},
    "dps": {"host": "dps.example", "spread_s": 20},
    "hub": {"allowed_suffixes": [".hubs.example"]},
    "fleet": {"devices": 1, "connects_per_s": 1},
    "cloud": {"allow": ["reverify", "reprovision", "importBundle"]},
}
MIRROR = "http://mirror.example/b"
T0, DAY_S = 1_800_000_000, 86_400
HUB = "hub.hubs.example"
NAMES = {
    "g2": "CN=G2",
    "baltimore": "CN=Baltimore",
    "msrsa2017": "CN=MS RSA 2017",
    "unknown": "CN=Unknown",
}
RANDS = {"least": lambda n: 0, "half": lambda n: n // 2, "most": lambda n: n - 1}


def entry(name):
    """An anchor as the driver describes it."""
    return {"sha256": name, "spki_sha256": "key-" + name, "name": NAMES.get(name, "CN=" + name),
            "not_before": 0, "not_after": 4102444800, "key": "rsa-2048", "der": "MII="}


def layers(*factory, **others):
    """Layers with these factory anchors; site=[names], distrust=[names]."""
    added, distrust = others.get("site", []), others.get("distrust", [])
    site = {"anchors": [entry(n) for n in added], "distrust": distrust}
    return {"factory": {"anchors": [entry(n) for n in factory], "distrust": []}, "site": site}


def x509(fingerprint="cert-1"):
    """A certificate credential."""
    return {"kind": "x509", "slot": "onboarding", "fingerprint": fingerprint, "not_before": 0,
            "not_after": 4102444800, "cn": "dev-7"}


def issued(slot, fingerprint="", ca="ca-1", age_days=10, life_days=90):
    """The certificate in a slot, as the driver describes it."""
    fingerprint, begins = fingerprint or "cert-" + slot, T0 - age_days * DAY_S
    told = {"kind": "x509", "slot": slot, "fingerprint": fingerprint, "not_before": begins}
    told.update({"not_after": begins + life_days * DAY_S, "cn": "dev-7", "key": "ec-p256"})
    told["issuer"] = {"cn": ca, "sha1": "sha1-" + ca, "sha256": "sha256-" + ca}
    told["issuer"]["not_after"] = T0 + 730 * DAY_S
    told["sha1"] = "sha1-" + fingerprint
    return told


def slotted(*found, **frame):
    """State of a device that rolled; found: credentials in slots, or names of slots with a key
    alone; frame: what the frame `identity` says, the first one is active unless told; accepted:
    the certificate that the hub accepted last; proven: the active one's frame says so."""
    named = {one: {"pending": True} for one in found if isinstance(one, str)}
    named.update({one["slot"]: one for one in found if not isinstance(one, str)})
    about = slots.fresh()
    about["active"] = found[0]["slot"] if found and not isinstance(found[0], str) else "onboarding"
    accepted = frame.pop("accepted", None)
    proven = frame.pop("proven", True)
    about.update(frame)
    served = named.get(about["active"], {})
    if proven and "fingerprint" in served:
        named[about["active"]] = accepted_since(served, served["not_before"])
    serves = named.get(about["active"], {}).get("fingerprint", "cert-1")
    state = kept(accepted=accepted or serves)
    state.update({"slots": named, "identity": about})
    return state


def accepted_since(credential, utc_s, hub=HUB, refused=False):
    """The same, of which its frame says that the hub accepted it."""
    evidence = {"accepted": {"hub": utc_s}, "refused_by_dps": refused}
    return dict(credential, assignment={"hub": hub, "device_id": "dev-7"}, evidence=evidence)


def from_hub(rid, status, body):
    """The hub's certificate service answers."""
    topic = "$iothub/credentials/res/%d/?$rid=%s" % (status, rid)
    return events.Message("live", topic, body)


def key():
    """A symmetric key credential."""
    return {"kind": "symmetric_key", "slot": "onboarding", "fingerprint": "key-1",
            "not_before": None, "not_after": None, "cn": None}


def start(state=None, roots=None, credential=None, by_hand=True, crashes=0):
    """Start with what is not said left usual."""
    roots = roots or layers("baltimore", "g2")
    found = dict(state or {})
    if crashes:
        found["crash"] = {"recent": crashes}
    return events.Start(by_hand, found, roots, credential or x509())


def verified(link, anchor="g2", address="127.0.0.2", addresses=None, host=HUB, took_ms=20,
             leaf="leaf"):
    """Verified with a chain under `anchor`."""
    tls = {"version": "1.2", "suite": "ECDHE-RSA-AES128-GCM-SHA256",
           "fragment": {"asked": None, "negotiated": None, "reason": ""}}
    return events.Verified(link, host, address, addresses or [address], anchor, [leaf, anchor],
                           "leaf-key", "key-ca-" + anchor, ["CN=" + host, NAMES[anchor]], 0,
                           4102444800, tls, took_ms)


def failed(link, fault, verdict, presented=None, chain=None):
    """Failed, with the names presented."""
    return events.Failed(link, fault, verdict, presented or [], chain or [], None)


def bundle(version, anchors=None, distrust=(), folder=None, **content):
    """What a verified bundle holds. anchors: {name: state, or what limits it}; distrust: names, or
    rows; folder: as the version unless said, 0 for nothing new."""
    anchors = {"g2": "active"} if anchors is None else anchors
    told = {"folder": version if folder is None else folder, "version": version}
    told.update({"digest": "digest-%d" % version, "issued_s": T0 + version, "expires_s": 2 * T0})
    told["anchors"] = [limited(name, anchors[name]) for name in sorted(anchors)]
    told["distrust"] = [hard(row) if isinstance(row, str) else row for row in distrust]
    told.update({"announcements": [], "policy": {}, "floor_reset_s": None})
    told.update(content)
    return told


def limited(name, state):
    """An anchor of a bundle."""
    about = {"state": state} if isinstance(state, str) else state
    found = entry(name)
    found.update({"scope": [], "suffixes": [], "clouds": ["global"], "state": "active"})
    found.update({"active_from": None, "leaf_not_before_max": None, "enforce_expiry": True})
    found.update(about)
    return found


def hard(name, hold_s=1209600):
    """A row of hard distrust."""
    return {"hash": name, "of": "certificate", "kind": "hard", "after": None, "hold_s": hold_s,
            "reason": ""}


def fetched(version, anchors=None, distrust=(), layer="vendor", url=MIRROR, **content):
    """Fetched with a bundle."""
    return events.Fetched(layer, url, bundle(version, anchors, distrust, **content))


def missed(reason="network", value="", layer="vendor", url=MIRROR):
    """FetchFailed."""
    return events.FetchFailed(layer, url, reason, value)


def rooted(*bundles, **about):
    """State of a device with the vendor's root of trust; bundles: those on the disk, the last one
    committed unless `stage` and the record's other names say otherwise; proven: {endpoint: name}.
    """
    state = {"rooted": ["vendor"], "bundles": {str(b["folder"]): b for b in bundles}, "trust": {}}
    state.update(kept())
    if "proven" in about:
        state["trust"] = proven(about.pop("proven"))
    record = records.none()
    if bundles:
        last = bundles[-1]
        record.update({"stage": "committed", "folder": last["folder"], "in_force": last["folder"]})
        record.update({"version": last["version"], "digest": last["digest"]})
    if about.get("stage") == "reverted":
        record["spare"] = record["folder"]
    record.update(about)
    state["trust"]["bundles"] = {"vendor": record}
    return state


def proven(anchors):
    """Evidence: {endpoint: name} of what is proven there."""
    used = [anchors[e] for e in sorted(anchors)]
    seen = {}
    for endpoint in sorted(anchors):
        name = anchors[endpoint]
        days = {"accepted": True, "days": [], "last": 0, "issuers": {"key-ca-" + name: 0}}
        seen[endpoint] = {name: days}
    return {"seen": seen, "proven": anchors, "kept": {name: entry(name) for name in used}}


def named_folders(frame):
    """The folders that a frame `trust` names."""
    return records.folders(frame.get("bundles", {}))


def copied(value):
    """A tree like `value`, of which no part is in it: what a disk keeps."""
    if isinstance(value, dict):
        return {name: copied(value[name]) for name in value}
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value]
    return value


def assigned(hub="hub.hubs.example", rid=2, substatus="initialAssignment", chain=""):
    """DPS: assigned; chain: the certificates that it issued, as JSON."""
    issued = ',"issuedCertificateChain":' + chain if chain else ""
    body = ('{"operationId":"4.op","status":"assigned","registrationState":{"assignedHub":"%s",'
            '"deviceId":"dev-7","substatus":"%s"%s}}' % (hub, substatus, issued))
    return ("$dps/registrations/res/200/?$rid=%d" % rid, body.encode())


def dps(link, status, body, rid, retry_after=""):
    """A reply of DPS."""
    topic = "$dps/registrations/res/%d/?$rid=%d%s" % (status, rid, retry_after)
    return events.Message(link, topic, body)


def document(desired, rid, body="{}"):
    """The hub's answer to a GET of the twin: version and body of the desired properties."""
    inner = body[1:-1] + "," if body != "{}" else ""
    text = '{"desired":{%s"$version":%d},"reported":{"$version":1}}' % (inner, desired)
    return events.Message("live", "$iothub/twin/res/200/?$rid=%d" % rid, text.encode())


def patched(rid, version=2):
    """The hub took reported properties."""
    return events.Message("live", "$iothub/twin/res/204/?$rid=%d&$version=%d" % (rid, version), b"")


def twin_status(rid, status):
    """The hub refuses a twin request."""
    return events.Message("live", "$iothub/twin/res/%d/?$rid=%d" % (status, rid), b"")


def pushed(version, body=b"{}"):
    """Desired properties, pushed."""
    topic = "$iothub/twin/PATCH/properties/desired/?$version=%d" % version
    return events.Message("live", topic, body)


def call(name, rid, payload=b"{}"):
    """A direct method is called."""
    return events.Message("live", "$iothub/methods/POST/%s/?$rid=%s" % (name, rid), payload)


def status_of(hub, status="assigned"):
    """DPS answers the look-up."""
    text = '{"status":"%s","assignedHub":"%s","deviceId":"dev-7"}' % (status, hub)
    return events.LookedUp(200, None, text.encode())


def online(words):
    """What happened before a story about a device that is online."""
    if "key" in words:
        session = [start(room(kept(accepted="key-1"), words), credential=key())]
        session += [events.ClockSet(T0, "kernel")]
        session += [events.Woke(), verified("live"), events.Signed("hub live", b"sig")]
    else:
        state = kept()
        if "slots" in words or "due" in words:
            state = slotted(issued("a", age_days=72 if "due" in words else 10))
        if "rooted" in words:
            state = rooted(proven={"hub": "g2", "dps": "g2"})
        if "bundle" in words:
            state = rooted(bundle(1), proven={"hub": "g2", "dps": "g2"})
        session = [start(room(state, words)), events.Woke(), verified("live")]
    session += [events.Connected("live", True), document(1, 1), patched(2)]
    if "slots" in words or "due" in words:
        session.append(events.Subscribed("live", [1] * 4))
    return session + ([events.ClockSet(T0, "date"), patched(3)] if "slots" in words else [])


def room(state, words):
    """`alone`: for one session only."""
    return dict(state, second_session=False) if "alone" in words else state


def glanced(endpoint="hub", fault="", verdict="ok", presented=None, chain=None):
    """Glanced, with the names presented."""
    return events.Glanced(endpoint, fault, verdict, presented or [], chain or [], "127.0.0.2")


def kept(hub="hub.hubs.example", accepted="cert-1"):
    """State of a device that has been assigned before."""
    return {"assignment": {"hub": hub, "device_id": "dev-7", "accepted": accepted, "previous": ""}}


def environment():
    """Names an event line may use."""
    known = (entry, layers, x509, key, start, kept, verified, failed, assigned, dps, document,
             patched, twin_status, pushed, call, status_of, bundle, fetched, missed, rooted, hard,
             glanced,
             proven, limited, issued, slotted, accepted_since, from_hub)
    names = {word.__name__: word for word in known}
    names.update({"SAVED": {}, "T0": T0, "DAY_S": DAY_S, "MIRROR": MIRROR})
    for module in (events,):
        for name in dir(module):
            names[name] = getattr(module, name)
    return names


def merged(base, over):
    """`over` laid on `base`, one section deep; a section None is left out."""
    tree = {}
    for name in sorted(set(base) | set(over)):
        if over.get(name, base.get(name)) is None:
            continue
        section = dict(base.get(name) or {})
        section.update(over.get(name) or {})
        tree[name] = section
    return tree


class Replay:
    """One story on one Watch after another."""

    def __init__(self):
        self.names = environment()
        self.config, self.rand, self.auto = dict(BASE), RANDS["half"], True
        self.watch, self.now = None, 0
        self.folders, self.rooted, self.written, self.slots = {}, [], {}, {}
        self.proofs = {}
        self.names["disk"] = self._disk

    def _disk(self):
        """What a start finds after what was saved."""
        saved = self.names["SAVED"]
        state = {"assignment": kept()["assignment"], "rooted": self.rooted}
        if self.slots:
            state["slots"] = copied(self.slots)
        state.update(copied(saved))
        named = named_folders(saved.get("trust", {}))
        state["bundles"] = {n: copied(self.folders[n]) for n in named if n in self.folders}
        return state

    def _arrived(self, event):
        """Note what lies on the disk with an event."""
        if isinstance(event, events.Fetched):
            self.folders[str(event.bundle["folder"])] = event.bundle
        if isinstance(event, events.Start):
            self.rooted = event.state.get("rooted", [])
            self.folders.update(event.state.get("bundles", {}))
            self.written["trust"] = copied(event.state.get("trust", {}))
            self._keep("trust")
        if isinstance(event, events.Saved):
            self._keep(event.name)
        self._slots_after(event)

    def _slots_after(self, done):
        """What the driver's slots hold after an event, or an action."""
        if isinstance(done, events.Start):
            self.slots = dict(done.state.get("slots", {}))
            self.names["SAVED"].update(copied({"identity": done.state.get("identity", {})}))
        if isinstance(done, actions.NewKey):
            self.slots[done.slot] = {"pending": True}
        if isinstance(done, events.Installed):
            self.slots[done.slot] = done.credential
        if isinstance(done, events.KeyWiped) and not done.reason:
            self.slots.pop(done.slot, None)

    def _keep(self, name):
        """A save is on the disk, or a slot's frame that was written again."""
        if name in self.written:
            self.names["SAVED"][name] = self.written.pop(name)
        if name in self.proofs:
            proof = self.proofs.pop(name)
            about = {"assignment": proof.assignment, "evidence": proof.evidence}
            self.slots[proof.slot] = dict(self.slots[proof.slot], **copied(about))

    def text(self, lines):
        """The transcript of a story's lines."""
        out = []
        for line in lines:
            bare = line.strip()
            if bare[:2] in ("->", "=="):
                continue
            out.append(line.rstrip())
            if bare and not bare.startswith("#"):
                out += self._line(bare)
        return "\n".join(out) + "\n"

    def _line(self, bare):
        word, _, rest = bare.partition(":")
        if word == "config":
            self.config = merged(BASE, eval(rest.strip(), {}))
            return []
        if word == "rand":
            self.rand = RANDS[rest.strip()]
            return []
        if word == "auto":
            self.auto = rest.strip() != "no"
            return []
        if word == "given":
            for event in online(rest):
                self._event(0, event)
            return ["        == " + self._state()]
        at, _, expression = bare.partition(" ")
        if expression.strip() == "restart":
            self.watch = None
            return []
        self._move(at)
        return self._event(self.now, eval(expression.strip(), self.names))

    def _move(self, at):
        """Time goes on, never back."""
        if at == "wake":
            then = max(self.now, self.watch.wake_at)
        else:
            then = self.now + int(at[1:]) if at[0] == "+" else int(at)
        if then < self.now:
            raise ValueError("%s is before %d" % (at, self.now))
        self.now = then

    def _event(self, now, event):
        if self.watch is None:
            self.watch = Watch(Config(self.config), self.rand)
        self._arrived(event)
        shown, pending = [], [event]
        while pending:
            for action in self.watch.handle(pending.pop(0), now):
                if not isinstance(action, actions.Tell) or action.name != "state":
                    shown.append("        -> " + repr(action))
                self._slots_after(action)
                pending += self._written(action)
        return shown + ["        == " + self._state()]

    def _written(self, action):
        """What a disk answers that answers by itself."""
        if isinstance(action, actions.Prove):
            name = "slot-" + action.slot
            self.proofs[name] = action
        elif isinstance(action, actions.Save):
            name = action.name
            self.written[name] = copied(action.body)
        else:
            return []
        if self.auto:
            self._keep(name)
        return [events.Saved(name, 1)] if self.auto else []

    def _state(self):
        watch = self.watch
        states = watch.states()
        shown = [name for name in sorted(states) if name not in ("clock", "trust", "roll")]
        words = ["%s %s" % (name, show(states[name])) for name in shown]
        for name, machine, at_rest in (
            ("bundles", watch.bundles, bundles.RESTING), ("commit", watch.commit, stages.SETTLED),
            ("roll", watch.identity, rolls.RESTING),
        ):  # fmt: skip
            words += [] if machine.state == at_rest else ["%s %s" % (name, show(machine.state))]
        return ", ".join(words) + "; wakes at %s" % watch.wake_at


def main(arguments):
    """Print or rewrite each story."""
    rewrite = "--rewrite" in arguments
    for name in [a for a in arguments if not a.startswith("--")]:
        with open(name) as file:
            lines = file.read().split("\n")
        while lines and not lines[-1]:
            lines.pop()
        text = Replay().text(lines)
        if not rewrite:
            sys.stdout.write(text)
            continue
        with open(name, "w") as file:
            file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
