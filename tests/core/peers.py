"""Peers for a Watch: one that says anything at any time, and one that behaves.

Rule: both keep the driver's promises; what a network, a server or a disk can choose is theirs.
"""

from anchorwatch.core import actions, events
from tests.core import promises
from tests.timelines import replay

FAULTS = ("network", "trust", "policy", "clock", "memory", "identity", "nobody knows this")
REASONS = ("closed", "silent", "network", "protocol", "asked")
TEXTS = (
    b"", b"{}", b"null", b"[]", b"{", b"\xff\x00", b'{"status":"assigning"}',
    b'{"operationId":"4.op","status":"assigning"}',
    b'{"operationId":"4.op","status":"disabled","registrationState":{}}',
    b'{"status":"assigned","registrationState":{"assignedHub":"h2.hubs.example","deviceId":"d"}}',
    b'{"status":"assigned","registrationState":{"assignedHub":"evil.example","deviceId":"d"}}',
    b'{"status":"assigned","registrationState":{"assignedHub":7,"deviceId":null}}',
    b'{"desired":{"$version":3},"reported":{"$version":9}}',
    b'{"desired":{"$version":9,"anchorwatch":{"reverifyIntervalS":1}},"reported":{"$version":1}}',
    b'{"anchorwatch":{"reverifyIntervalS":900}}', b'{"anchorwatch":{"reverifyIntervalS":true}}',
    b'{"anchorwatch":[1]}', b'{"errorCode":401002}', b"1" * 300, b"[" * 300,
    b'{"anchorwatch":{"bundle":{"version":2,"url":"http://mirror.example/b/x"}}}',
    b'{"anchorwatch":{"bundle":{"version":[],"url":7,"files":{"a.der":"?"}}}}',
    b'{"url":"http://mirror.example/b"}', b'{"files":{"timestamp.json":"{}"},"layer":{}}',
)  # fmt: skip
TOPICS = (
    "$dps/registrations/res/%(status)d/?$rid=%(rid)d",
    "$dps/registrations/res/%(status)d/?$rid=%(rid)d&retry-after=%(wait)d",
    "$dps/registrations/res/x/?$rid=", "$dps/registrations/res/200",
    "$iothub/twin/res/%(status)d/?$rid=%(rid)d",
    "$iothub/twin/res/204/?$rid=%(rid)d&$version=%(wait)d",
    "$iothub/twin/PATCH/properties/desired/?$version=%(version)d",
    "$iothub/twin/PATCH/properties/desired/?$version=-1",
    "$iothub/methods/POST/blink/?$rid=%(rid)d", "$iothub/methods/POST/reverify/?$rid=%(rid)d",
    "$iothub/methods/POST/reprovision/?$rid=%(rid)d", "$iothub/methods/POST//?$rid=#",
    "$iothub/methods/POST/importBundle/?$rid=%(rid)d",
    "devices/dev-7/messages/devicebound/%%24.mid=1&a", "devices/other/messages/devicebound/",
    "", "$iothub/", "\x00\u20ac",
)  # fmt: skip
STATUSES = (200, 202, 204, 400, 401, 404, 409, 429, 500, 503, 999, 0)
ANCHORS = ("g2", "baltimore", "msrsa2017", "unknown")
LEAF_ENDS_S = replay.T0 + 2 * 365 * 86_400
CHAINS = ([], ["leaf", "ca"], ["other", "ca"], ["portal"])
VERDICTS = ("by-chance", "no-anchor", "unknown-issuer", "sunset", "on-hold", "expired", "refused",
            "proxy-credentials")  # fmt: skip
REASONS_OF_FETCH = ("network", "silent", "full", "no-root", "signed by another vendor")


class Wild:
    """Says what a driver may say, with content by chance. `rand` is a random.Random."""

    def __init__(self, line, rand):
        self._line, self._rand = line, rand

    def event(self, now):
        """One event that could come now."""
        line, pick = self._line, self._rand.choice
        could = [self._message]
        for link in promises.LINKS:
            could += {
                promises.DIALING: [self._dialed] * 3,
                promises.CONNECTING: [self._connack] * 3,
                promises.VERIFIED: [self._gone],
                promises.CONNECTED: [self._gone, self._message] * 2,
            }.get(line.links[link], [])
        could += [self._answer] * min(6, 2 * len(line.asked)) + [self._wish]
        return pick(could)(now)

    def _link(self, *states):
        fits = [k for k in promises.LINKS if self._line.links[k] in states]
        return self._rand.choice(fits or ["live"])

    def _dialed(self, now):
        link, rand = self._link(promises.DIALING), self._rand
        if past_its_leaf(self._line.dialed[link]):
            return events.Failed(link, "clock", "expired", [], ["leaf", "ca"], None)
        if rand.random() < 0.4:
            shown = rand.choice([[], ["CN=x"], ["CN=leaf", "CN=\u20ac\x07"]])
            verdict, chain = rand.choice(VERDICTS), list(rand.choice(CHAINS))
            return events.Failed(link, rand.choice(FAULTS), verdict, shown, chain, None)
        host, anchors = self._line.dialed[link].host, self._line.dialed[link].anchors
        addresses = rand.sample(["127.0.0.2", "127.0.0.3", "127.0.0.4"], rand.randrange(4))
        leaf = rand.choice(["leaf", "other"])
        return replay.verified(link, rand.choice(anchors), rand.choice(["127.0.0.2", "127.0.0.9"]),
                               addresses, host, rand.randrange(9_000), leaf)

    def _connack(self, now):
        link = self._link(promises.CONNECTING)
        return self._rand.choice([
            events.Connected(link, True), events.Connected(link, False), self._gone(now, link),
            events.Refused(link, self._rand.choice([1, 2, 3, 4, 5, 6, 255])),
        ])  # fmt: skip

    def _gone(self, now, link=None):
        states = (promises.VERIFIED, promises.CONNECTING, promises.CONNECTED)
        if link is None and not [k for k in promises.LINKS if self._line.links[k] in states]:
            return self._message(now)
        return events.Disconnected(link or self._link(*states), self._rand.choice(REASONS))

    def _message(self, now):
        rand = self._rand
        values = {"status": rand.choice(STATUSES), "rid": rand.randrange(1, 12),
                  "wait": rand.choice([0, 1, 60, 3600]), "version": rand.randrange(12)}
        link = self._link(promises.CONNECTED)
        return events.Message(link, rand.choice(TOPICS) % values, rand.choice(TEXTS))

    def _answer(self, now):
        rand = self._rand
        asked = rand.choice(self._line.in_turn()) if self._line.asked else None
        self._line.answered(asked)
        if isinstance(asked, actions.Fetch):
            return fetched(asked, self._line.folders, rand)
        return answer(asked, now, rand) or self._message(now)

    def _of_issuer(self, now):
        """A word on certificates that nobody waits for, or a command about them."""
        rand = self._rand
        slot, what = rand.choice("ab"), rand.choice(["roll", "roll", "identity_show",
                                                     "identity_csr", "identity_install"])
        reason, before = rand.choice(["expiry", "breach", "?", None]), rand.choice([None, 1, 2**40])
        about = {"reason": reason, "issued_before": before, "chain": [b"leaf"]}
        return rand.choice([enrolled(slot, rand), events.KeyWiped(slot, "late"),
                            events.InstallRefused(slot, "late", ""),
                            events.Asked(what, about, "c7"), events.Asked(what, about, "r:1")])

    def _wish(self, now):
        rand = self._rand
        what = rand.choice(["reverify", "reprovision", "told", "status", "roots_list", "nonsense",
                            "roots_explain", "roots_add", "roots_distrust", "reply", "read",
                            "roots_import", "roots_import", "roots_revert", "roots_history",
                            "clock_reset"])
        if rand.random() < 0.2:
            return self._of_issuer(now)
        if what == "read":
            return rand.choice([events.CredentialRead(replay.x509(rand.choice(["c1", "c2"]))),
                                events.LayerRead("site", [replay.entry("unknown")], []),
                                events.LayerRead("site", [], [rand.choice(ANCHORS)]),
                                events.LayerRead("factory", [], [])])
        word = rand.choice(["unauthorized", "connected", "?"])
        arguments = {"swap": rand.random() < 0.5, "word": word,
                     "sha256": rand.choice(ANCHORS), "entry": replay.entry(rand.choice(ANCHORS)),
                     "pem": "PEM", "rid": str(rand.randrange(12)), "status": 200, "payload": {},
                     "layer": rand.choice(["vendor", "vendor", "site"]), "url": "file:/drop",
                     "by": rand.choice(["operator", "drop", "cloud"]),
                     "now": rand.random() < 0.2, "dry_run": rand.random() < 0.2}
        return events.Asked(what, arguments, "c%d" % rand.randrange(1000))


def past_its_leaf(dial):
    """No chain is good at a time after its leaf."""
    return dial.judge_utc_s > LEAF_ENDS_S


def fetched(action, folders, rand):
    """An answer to Fetch: a newer bundle, the same one, the same under newer metadata, or none."""
    if rand.random() < 0.3:
        reason = rand.choice(REASONS_OF_FETCH)
        return events.FetchFailed(action.layer, action.url, reason, "")
    mine = [folders[n] for n in sorted(folders) if folders[n]["layer"] == action.layer]
    number = 0 if action.dry_run else 1 + max([0] + [int(n) for n in folders])
    if mine and rand.random() < 0.3:
        again = dict(mine[-1], folder=rand.choice([0, number]))
        return events.Fetched(action.layer, action.url, again)
    version = 1 + max([0] + [one["version"] for one in mine])
    return events.Fetched(action.layer, action.url, made(action.layer, version, number, rand))


def made(layer, version, folder, rand):
    """A bundle by chance, also one that distrusts everything."""
    states = ("active", "active", "staged", "sunset", "retired")
    limits = ({}, {}, {"scope": ["hub"]}, {"leaf_not_before_max": replay.T0}, {"suffixes": ["x.y"]},
              {"active_from": replay.T0 + 86_400})
    names = rand.sample(ANCHORS, rand.randrange(5))
    anchors = {n: dict(rand.choice(limits), state=rand.choice(states)) for n in names}
    hard = rand.sample(ANCHORS, rand.choice([0, 0, 0, 1, 1, 2, 4]))
    distrust = [replay.hard(name, rand.choice([0, 86_400, 1_209_600])) for name in hard]
    about = {"issued_s": replay.T0 + rand.choice([-90_000, 0, 90_000, 400_000_000]),
             "floor_reset_s": rand.choice([None, None, None, replay.T0]), "layer": layer,
             "digest": "%s-%d" % (layer, version)}
    return replay.bundle(version, anchors, distrust, folder, **about)


def answer(action, now, rand):
    """An answer to what was asked, good or bad by chance; None for what nobody answers."""
    good = rand.random() < 0.6
    kind = type(action)
    if kind is actions.Sign:
        return events.Signed(action.purpose, promises.SECRET)
    if kind in (actions.Save, actions.Prove):
        return written(action) if good else events.SaveFailed(written(action).name, "full")
    if kind is actions.Hold:
        return events.Held(rand.randrange(3))
    if kind is actions.Ping:
        return events.Ponged(action.link) if good else None
    if kind is actions.Publish:
        return events.Acked(action.link, action.mid)
    if kind in ISSUING:
        return issuing(action, good, now, rand)
    if kind is actions.Subscribe:
        granted = rand.choice([[], [1], [128], [1] * len(action.filters)])
        return events.Subscribed(action.link, granted)
    return _outside(kind, good, now, rand)


def written(action):
    """Save or Prove: its frame is on the disk."""
    return events.Saved(getattr(action, "name", "") or "slot-" + action.slot, 1)


def _outside(kind, good, now, rand):
    if kind is actions.AskTime or kind is actions.AskDate:
        source = "sntp" if kind is actions.AskTime else "date"
        utc_s = replay.T0 + now // 1000 + rand.choice([0, 0, 1, -400, 1000, -2_000_000_000])
        return events.ClockSet(utc_s, source) if good else events.TimeFailed(source, "timeout")
    if kind is actions.LookUp:
        text = rand.choice(TEXTS)
        failed = events.LookUpFailed(rand.choice(FAULTS), "by-chance")
        status = rand.choice(STATUSES)
        return events.LookedUp(status, rand.choice([None, 5]), text) if good else failed
    return None


ISSUING = (actions.NewKey, actions.MakeCsr, actions.Enroll, actions.Install, actions.WipeKey)
CAS = ("ca-1", "ca-1", "ca-2")


def issuing(action, good, now, rand):
    """An answer of the driver, or of an issuer, about a slot."""
    slot, kind = action.slot, type(action)
    if kind is actions.WipeKey:
        return events.KeyWiped(slot, "" if good else "io")
    if kind is actions.Enroll:
        return enrolled(slot, rand) if rand.random() < 0.9 else None
    if not good and rand.random() < 0.5:
        refused = {actions.Install: events.InstallRefused}.get(kind, events.KeyFailed)
        return refused(slot, rand.choice(["wrong-key", "full", "expired", "no-key"]), "\u20ac")
    if kind is actions.NewKey:
        return events.KeyMade(slot)
    if kind is actions.MakeCsr:
        return events.CsrMade(slot, "csr-%d" % now)
    return events.Installed(slot, certificate(slot, now, rand.choice(CAS), rand.choice([1, 2, 90])))


def enrolled(slot, rand):
    """What an issuer may say, asked or not."""
    fault, wait_s = rand.choice(FAULTS), rand.choice([0, 0, 1, 3600, 10**9])
    return rand.choice([
        events.Issued(slot, [b"leaf"]), events.Issued(slot, []),
        events.IssueLater(slot, wait_s, "202"),
        events.IssueRefused(slot, fault, "by-chance", "", [], [], wait_s),
    ])  # fmt: skip


def certificate(slot, now, ca="ca-1", life_days=2):
    """One that begins now."""
    made = replay.issued(slot, "cert-%s-%d" % (slot, now), ca, 0, life_days)
    for end in ("not_before", "not_after"):
        made[end] += now // 1000
    return made


class Kind:
    """A hub, a DPS and a disk that do as documented, at once."""

    def __init__(self, line, hub="hub.hubs.example"):
        self._line, self._hub = line, hub

    def events(self, action, now):
        """What follows an action."""
        does = getattr(self, "_" + type(action).__name__.lower(), None)
        return does(action, now) if does else []

    def _dial(self, action, now):
        if past_its_leaf(action):
            return [events.Failed(action.link, "clock", "expired", [], ["leaf", "ca"], None)]
        anchor = "g2" if "g2" in action.anchors else action.anchors[0]
        return [replay.verified(action.link, anchor, host=action.host)]

    def _fetch(self, action, now):
        return [events.FetchFailed(action.layer, action.url, "network", "")]

    def _connect(self, action, now):
        return [events.Connected(action.link, False)]

    def _subscribe(self, action, now):
        return [events.Subscribed(action.link, [1] * len(action.filters))]

    def _publish(self, action, now):
        out = [events.Acked(action.link, action.mid)]
        rid = action.topic.partition("$rid=")[2].partition("&")[0]
        if action.topic.startswith("$dps/"):
            chain = '["bGVhZg=="]' if b'"csr"' in action.payload else ""
            told = replay.assigned(self._hub, int(rid), chain=chain)
            out.append(events.Message(action.link, *told))
        if action.topic.startswith("$iothub/credentials/"):
            out.append(replay.from_hub(rid, 200, b'["bGVhZg=="]'))
        if action.topic.startswith("$iothub/twin/GET"):
            out.append(replay.document(1, int(rid)))
        if action.topic.startswith("$iothub/twin/PATCH"):
            out.append(replay.patched(int(rid)))
        return out

    def _sign(self, action, now):
        return [events.Signed(action.purpose, promises.SECRET)]

    def _save(self, action, now):
        return [written(action)]

    _prove = _save

    def _newkey(self, action, now):
        return [events.KeyMade(action.slot)]

    def _makecsr(self, action, now):
        return [events.CsrMade(action.slot, "csr")]

    def _enroll(self, action, now):
        return [events.Issued(action.slot, [b"leaf"])]

    def _install(self, action, now):
        return [events.Installed(action.slot, certificate(action.slot, now, life_days=90))]

    def _wipekey(self, action, now):
        return [events.KeyWiped(action.slot, "")]

    def _hold(self, action, now):
        return [events.Held(0)]

    def _ping(self, action, now):
        return [events.Ponged(action.link)]

    def _asktime(self, action, now):
        return [events.ClockSet(replay.T0 + now // 1000, "sntp")]

    def _askdate(self, action, now):
        return [events.ClockSet(replay.T0 + now // 1000, "date")]

    def _lookup(self, action, now):
        return [replay.status_of(self._hub)]
