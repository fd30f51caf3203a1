"""A refused device for the ladder's tables: one of four enrollments, what an operator does to it,
and what may be counted afterwards.

Rule: it speaks to the services as an operator does; what the device did is read from their journal
and from what it told.
"""

from dataclasses import replace

from anchorwatch.core import actions
from hil.cloud.enrollment import CA, GROUP, INDIVIDUAL, THUMBPRINT, X509, Enrollment
from tests.pair import credentials
from tests.pair.cloud import DAY, HOUR, HUB, MINUTE, Cloud
from tests.pair.pair import Pair
from tests.pair.world import SNTP

DEVICE = credentials.DEVICE
TRAVEL_MS = 5_000  # between the decision to ask DPS and the question's arrival
FREE = (429, 500, 502, 503, 504)  # answers to a registration that count in no budget
AN_HOUR, A_DAY = 3, 10


class World:
    """A device, online, whose certificate is of an authority that DPS, or the hub, or both know.

    kind  "individual" or "group"; knows  "thumbprint" or "ca": how the hub knows the device
    """

    def __init__(self, kind: str, knows: str, config: dict | None = None) -> None:
        self.kind, self.knows, self.cloud = kind, knows, Cloud(1)
        self.authority = credentials.Issuer("Device CA", ca=True)
        self.mine = self.issue(self.authority)
        self.enroll(Enrollment(
            DEVICE if kind == "individual" else "group", INDIVIDUAL if kind == "individual"
            else GROUP, X509, self.anchor(self.mine), hub=HUB,
            hub_auth=CA if knows == "ca" else THUMBPRINT))  # fmt: skip
        self.at_hubs("Device CA", self.authority.der)
        self.pair = Pair(self.cloud, self.mine, {**SNTP, **(config or {})})
        self.pair.run_until("online")
        self.cloud.run_for(1_000)
        self.began_ms = self.cloud.now_ms

    def issue(self, authority: credentials.Issuer) -> credentials.Credential:
        """A certificate for the device."""
        return credentials.Credential([credentials.Issuer(DEVICE, authority).der, authority.der])

    def anchor(self, made: credentials.Credential) -> bytes:
        """What the enrollment holds of it: the leaf, or what issued it."""
        return made.chain[0] if self.kind == "individual" else made.chain[1]

    def at_hubs(self, name: str, der: bytes | None) -> None:
        """The operator registers a CA at the hubs, or takes it away."""
        for hub in (self.cloud.hub, self.cloud.hub2):
            hub.registry.authorities.pop(name, None)
            if der is not None and self.knows == "ca":
                hub.registry.authorities[name] = der

    def enroll(self, made: Enrollment) -> None:
        """Create or replace the enrollment."""
        self.cloud.dps.enrollments.put(made)
        self.enrolled = made

    def change(self, **fields: object) -> None:
        """Replace fields of the enrollment."""
        self.enroll(replace(self.enrolled, **fields))

    def delete_at_hub(self) -> None:
        """The device is gone from its hub."""
        self.cloud.hub.delete_device(DEVICE, self.cloud.now_ms)

    def refuse(self, minutes: int | None = None) -> None:
        """The hub says 5 to every CONNECT, for so long or until `relent`."""
        self.cloud.faults.add("CONNACK", service="hub", count=None, code=5)
        self.cloud.hub.drop(DEVICE, "upgrade", self.cloud.now_ms)
        if minutes is not None:
            self.cloud.at(self.cloud.now_ms + minutes * MINUTE, self.relent)

    def relent(self) -> None:
        """The hub takes everybody again."""
        self.cloud.faults.clear("CONNACK")

    def booting(self, span_ms: int, every_ms: int = 20 * MINUTE) -> None:
        """Let time pass, with a power cut every so often."""
        until_ms = self.cloud.now_ms + span_ms
        while self.cloud.now_ms < until_ms:
            self.cloud.run_for(min(every_ms, until_ms - self.cloud.now_ms))
            self.pair.restart()

    def pass_time(self, span_ms: int, boots: bool) -> None:
        """With power cuts or without."""
        (self.booting if boots else self.cloud.run_for)(span_ms)

    def rungs(self, since_ms: int | None = None) -> list[str]:
        """The ladder's rungs that were climbed, each once, in the order of the first time."""
        told = [(t, about["machines"]["ladder"]) for t, name, about in self.pair.told
                if name == "state"]  # fmt: skip
        since_ms = self.began_ms if since_ms is None else since_ms
        seen = [rung[:1] for t, rung in told if t > since_ms and rung[:1].isdigit()]
        return list(dict.fromkeys(seen))

    def registered(self, since_ms: int | None = None) -> list[int]:
        """When DPS was asked for an assignment and did not put it off."""
        since_ms = self.began_ms if since_ms is None else since_ms
        rows = [r for r in self.cloud.journal.of("register") if r["status"] not in FREE]
        return [r["t_ms"] for r in rows if r["t_ms"] > since_ms]

    def connects(self, since_ms: int | None = None) -> int:
        """CONNECTs that the hubs answered."""
        since_ms = self.began_ms if since_ms is None else since_ms
        rows = self.cloud.journal.of("connected") + self.cloud.journal.of("connect refused")
        return len([r for r in rows if r["service"] != "dps" and r["t_ms"] > since_ms])

    def back_within(self, at_most_ms: int) -> int:
        """Until it is online again."""
        self.cloud.run_for(1_000)  # an end of its session reaches it
        return self.pair.run_until("online", at_most_ms)

    def kept(self) -> None:
        """What holds at the end of every row: nothing was wiped, no budget broken."""
        within_budget(self.registered())
        assert self.pair.count(actions.WipeKey) == self.pair.count(actions.Wipe) == 0
        assert self.pair.saved["assignment"]["hub"] and self.pair.credential.chain


def within_budget(asked: list[int], an_hour: int = AN_HOUR, a_day: int = A_DAY) -> None:
    """No hour with more than three, no day with more than ten."""
    for at_ms in asked:
        assert len([t for t in asked if at_ms <= t < at_ms + HOUR - TRAVEL_MS]) <= an_hour, asked
        assert len([t for t in asked if at_ms <= t < at_ms + DAY - TRAVEL_MS]) <= a_day, asked
