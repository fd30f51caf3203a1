"""Replays timelines: a story's events in, transcript out; the same on CPython and MicroPython.

    python tests/timelines/replay.py FILE...            prints the transcripts
    python tests/timelines/replay.py --rewrite FILE...  writes them back; review the diff

A story: comment lines (the first is the claim; `# covers: TAG, TAG` names rows of the design), then

    config: TREE        laid over BASE
    rand: least | half | most
    auto: no            the disk does not answer by itself: the story says Saved or SaveFailed
    given: online       a device with a session, its twin at rest; `online key` has a symmetric key
    TIME  EXPRESSION    an event; TIME is in ms, `+N` after the line before, `wake` at the deadline
    TIME  restart       a new Watch; SAVED holds what was saved

Lines that begin with -> or == are produced.
"""

import sys

from anchorwatch.config import Config
from anchorwatch.core import actions, events
from anchorwatch.core.record import show
from anchorwatch.core.watch import Watch

BASE = {
    "device": {"id_scope": "0ne00000001", "registration_id": "dev-7"},
    "credential": {"kind": "x509", "cert_file": "/c.pem", "key_file": "/k.pem"},
    "dps": {"host": "dps.example", "spread_s": 20},
    "hub": {"allowed_suffixes": [".hubs.example"]},
    "fleet": {"devices": 1, "connects_per_s": 1},
    "cloud": {"allow": ["reverify", "reprovision"]},
}
T0 = 1_800_000_000
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
    return {"kind": "x509", "slot": "a", "fingerprint": fingerprint, "not_before": 0,
            "not_after": 4102444800, "cn": "dev-7"}


def key():
    """A symmetric key credential."""
    return {"kind": "symmetric_key", "slot": "a", "fingerprint": "key-1", "not_before": None,
            "not_after": None, "cn": None}


def start(state=None, roots=None, credential=None, by_hand=True, crashes=0):
    """Start with what is not said left usual."""
    roots = roots or layers("baltimore", "g2")
    found = dict(state or {})
    if crashes:
        found["crash"] = {"recent": crashes}
    return events.Start(by_hand, found, roots, credential or x509())


def verified(link, anchor="g2", address="127.0.0.2", addresses=None, host=HUB, took_ms=20):
    """Verified with a chain under `anchor`."""
    tls = {"version": "1.2", "suite": "ECDHE-RSA-AES128-GCM-SHA256",
           "fragment": {"asked": None, "negotiated": None, "reason": ""}}
    return events.Verified(link, host, address, addresses or [address], anchor, ["leaf", anchor],
                           "leaf-key", "key-ca-" + anchor, ["CN=" + host, NAMES[anchor]], 0,
                           4102444800, tls, took_ms)


def failed(link, fault, verdict, presented=None, chain=None):
    """Failed, with the names presented."""
    return events.Failed(link, fault, verdict, presented or [], chain or [], None)


def assigned(hub="hub.hubs.example", rid=2, substatus="initialAssignment"):
    """DPS: assigned."""
    body = ('{"operationId":"4.op","status":"assigned","registrationState":{"assignedHub":"%s",'
            '"deviceId":"dev-7","substatus":"%s"}}' % (hub, substatus))
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
        session = [start(kept(accepted="key-1"), credential=key()), events.ClockSet(T0, "kernel")]
        session += [events.Woke(), verified("live"), events.Signed("hub live", b"sig")]
    else:
        session = [start(kept()), events.Woke(), verified("live")]
    return session + [events.Connected("live", True), document(1, 1), patched(2)]


def kept(hub="hub.hubs.example", accepted="cert-1"):
    """State of a device that has been assigned before."""
    return {"assignment": {"hub": hub, "device_id": "dev-7", "accepted": accepted, "previous": ""}}


def environment():
    """Names an event line may use."""
    known = (entry, layers, x509, key, start, kept, verified, failed, assigned, dps, document,
             patched, twin_status, pushed, call, status_of)
    names = {word.__name__: word for word in known}
    names.update({"SAVED": {}, "T0": T0})
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
        shown, pending = [], [event]
        while pending:
            for action in self.watch.handle(pending.pop(0), now):
                if not isinstance(action, actions.Tell) or action.name != "state":
                    shown.append("        -> " + repr(action))
                if isinstance(action, actions.Save):
                    self.names["SAVED"][action.name] = action.body
                    if self.auto:
                        pending.append(events.Saved(action.name, 1))
        return shown + ["        == " + self._state()]

    def _state(self):
        watch = self.watch
        states = watch.states()
        shown = [name for name in sorted(states) if name not in ("clock", "trust")]
        words = ["%s %s" % (name, show(states[name])) for name in shown]
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
