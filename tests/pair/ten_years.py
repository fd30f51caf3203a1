"""Ten years of one device: a CA every two years, a certificate every 90 days, an operator who is
late, outages and power cuts; as a timeline.

Rule: what the services would accept is asked of them at the end of every day; the device is then
online, or nothing that it holds would have been let in and its status says why.
`python -m tests.pair.ten_years [SEED]` prints the timeline.
"""

import random
import sys

from cryptography import x509

from hil.cloud.enrollment import CA, GROUP, X509, Enrollment
from tests.pair import credentials
from tests.pair.cloud import DAY, HOUR, HUB, Cloud
from tests.pair.pair import Pair
from tests.pair.registrations import Registrations
from tests.pair.world import SNTP

YEARS, LATE_DAYS, FORGOTTEN = 10, 40, 3
CONFIG = {
    **SNTP, "identity": {"issuer": "est", "first": "at_once"}, "est": {"host": "est.example"},
    "reverify": {"interval_s": 86_400},
}  # fmt: skip


class TenYears:
    """`lines` is the timeline; `dark` the days without a session, each with why."""

    def __init__(self, seed: int, fallback: bool) -> None:
        """fallback: hub and DPS take the maker's certificate as well."""
        self.chance = random.Random(seed)
        self.cloud = Cloud(seed)
        maker = credentials.Issuer("Maker CA", ca=True)
        mine = credentials.Credential([credentials.Issuer("dev-7", maker).der, maker.der])
        if fallback:
            self.cloud.dps.enrollments.put(
                Enrollment("maker", GROUP, X509, maker.der, hub=HUB, hub_auth=CA))  # fmt: skip
            self.cloud.hub.registry.authorities["maker"] = maker.der
        self._register(1)
        self.pair = Pair(self.cloud, mine, CONFIG)
        self.registrations = Registrations(self.pair)
        self.lines: list[str] = []
        self.dark: list[tuple[int, str]] = []
        self._generations, self._late, self._told = 1, {}, 0
        self._was = ("", "")

    def play(self) -> "TenYears":
        """All of it."""
        plan = self._plan()
        for day in range(YEARS * 365):
            for what in plan.get(day, []):
                what()
            self._operator(day)
            self.cloud.run_for(DAY)
            self._evening(day)
        return self

    def _plan(self) -> dict:
        """Two outages of DPS and two power cuts a year."""
        plan: dict = {}
        for year in range(YEARS):
            for _ in range(2):
                day, lasts = year * 365 + self.chance.randrange(360), self.chance.randrange(1, 6)
                plan.setdefault(day, []).append(lambda d=lasts: self._outage(d))
                plan.setdefault(year * 365 + self.chance.randrange(365), []).append(self._cut)
        return plan

    def _outage(self, days: int) -> None:
        self._line("DPS is away for %d days" % days)
        self.cloud.down("dps.example")
        self.cloud.at(self.cloud.now_ms + days * DAY, lambda: self.cloud.up("dps.example"))

    def _cut(self) -> None:
        self.cloud.run_for(self.chance.randrange(HOUR))
        self._line("power cut")
        self.pair.restart()

    def _operator(self, day: int) -> None:
        """Registers each new CA late, counted from when it issues; one of them never."""
        made = [row for row in self.cloud.issuers.tenant.certificates(self.cloud.now_ms)]
        active = [n for n, row in enumerate(made, 1) if row["isActive"]][0]
        if active > self._generations:
            self._generations = active
            self._line("tenant CA %d issues: %s" % (active, made[active - 1]["thumbprint"][:8]))
            self._late[day + LATE_DAYS] = active
        number = self._late.pop(day, None)
        if number == FORGOTTEN:
            self._line("nobody registers tenant CA %d" % number)
        elif number:
            self._register(number)
            self._line("tenant CA %d is registered" % number)

    def _register(self, number: int) -> None:
        name = "tenant-%d" % number
        now_ms, issuers = self.cloud.now_ms, self.cloud.issuers
        for service in (self.cloud.hub, self.cloud.dps):
            issuers.register_tenant(service.certificates, name, now_ms, "active")
        self.cloud.dps.enrollments.put(
            Enrollment(name, GROUP, X509, primary_ca=name, hub=HUB, hub_auth=CA))  # fmt: skip

    def _evening(self, day: int) -> None:
        identity = self.pair.status()["identity"]
        serves = self.pair.state == "online"
        now = ("online" if serves else "offline", "%s %s" % (identity["active"],
                                                              identity["why"] or ""))  # fmt: skip
        if now != self._was:
            self._was = now
            self._line("%s by slot %s" % now)
        if not serves:
            self.dark.append((day, "%s; would serve: %s" % (identity["why"], self.acceptable())))

    def acceptable(self) -> list[str]:
        """Slots whose certificate the hub would take now."""
        utc_s, hub = self.cloud.utc_s(self.cloud.now_ms), self.cloud.hub
        chains = {name: held["chain"] for name, held in self.pair.slots.items() if held["chain"]}
        chains["onboarding"] = self.pair.credential.chain
        known = [x509.load_der_x509_certificate(der).public_key()
                 for der in hub.registry.authorities.values()]  # fmt: skip
        good = []
        for name, chain in chains.items():
            above = x509.load_der_x509_certificate(chain[1])
            leaf = x509.load_der_x509_certificate(chain[0])
            within = leaf.not_valid_after_utc.timestamp() > utc_s
            if within and above.public_key() in known:
                good.append(name)
        return good

    def _line(self, text: str) -> None:
        self.lines.append("day %4d  %s" % (self.cloud.now_ms // DAY, text))


if __name__ == "__main__":
    made = TenYears(int(sys.argv[1]) if sys.argv[1:] else 1, "fallback" in sys.argv).play()
    print("\n".join(made.lines))
    print("%d days without a session" % len(made.dark))
