"""The tenant CA service: a CA that renews itself, and certificates for devices from the active one.

A CA lives two years. Its successor is there 90 days before its end and becomes active 45 days after
it was made; the old one then is inactive, and what it issued stays valid. Nothing is registered
with a hub or with DPS: that is the operator's part. Time is an argument and may jump by years.
Source: "Azure Sphere tenant CA certificate management: certificate rotation" (seed 003).
"""

from collections.abc import Callable
from dataclasses import dataclass

from .csr import SigningRequest
from .identity import thumbprints
from .issuing import DAY_S, Authority, MakeKey, Terms, new_key
from .journal import Journal
from .records import iso
from .refusal import BadRequest

LIFE_S = 730 * DAY_S
RENEWED_BEFORE_END_S = 90 * DAY_S
ACTIVE_AFTER_S = 45 * DAY_S
PROOF_LIFE_S = DAY_S

ACTIVE, INACTIVE, REVOKED = "Active", "Inactive", "Revoked"
NEW, RETIRED, EXPIRED = "new", "retired", "expired"


@dataclass
class TenantCertificate:
    """One generation."""

    authority: Authority
    created_utc_s: int
    not_after: int
    status: str = INACTIVE

    @property
    def der(self) -> bytes:
        return self.authority.path[0]

    @property
    def thumbprint(self) -> str:
        """SHA-1, as the service prints it."""
        return thumbprints(self.der)[0]

    def reading(self, utc_s: int) -> str | None:
        """What Inactive means, read from notAfter as the documentation tells operators to."""
        if self.status != INACTIVE:
            return None
        if self.not_after <= utc_s:
            return EXPIRED
        return RETIRED if self.not_after - utc_s <= ACTIVE_AFTER_S else NEW

    def shown(self, utc_s: int) -> dict:
        """A row of the list of certificates."""
        sha1, sha256 = thumbprints(self.der)
        return {
            "thumbprint": sha1,
            "sha256": sha256,
            "status": self.status,
            "isActive": self.status == ACTIVE,
            "isRevoked": self.status == REVOKED,
            "startDate": iso(self.created_utc_s),
            "endDate": iso(self.not_after),
            "inactive": self.reading(utc_s),
        }


class TenantCa:
    """The CA certificates of one tenant.

    leaf_s  how long a device's certificate lives; an operator may change it
    """

    def __init__(
        self,
        tenant_id: str,
        now_ms: int,
        *,
        utc_s: Callable[[int], int],
        journal: Journal,
        make_key: MakeKey = new_key,
        leaf_s: int = 90 * DAY_S,
    ) -> None:
        self.tenant_id, self.leaf_s, self.journal = tenant_id, leaf_s, journal
        self._utc_s, self._make_key = utc_s, make_key
        self._generations: list[TenantCertificate] = []
        first = self._create(utc_s(now_ms), now_ms)
        self._activate(first, now_ms)

    def turn(self, now_ms: int) -> int | None:
        """Do what is due, in its order, also after a jump of years; the next deadline."""
        utc_s = self._utc_s(now_ms)
        while (due := self._next())[0] <= utc_s:
            at_utc_s, what = due
            if what == "create":
                self._create(at_utc_s, now_ms)
            else:
                self._activate(self._waiting(), now_ms)
        return now_ms + 1000 * (due[0] - utc_s)

    def certificates(self, now_ms: int) -> list[dict]:
        """All generations, oldest first."""
        self.turn(now_ms)
        return [made.shown(self._utc_s(now_ms)) for made in self._generations]

    def active(self, now_ms: int) -> TenantCertificate:
        """The one that issues."""
        self.turn(now_ms)
        return self._active()

    def newest(self, now_ms: int) -> TenantCertificate:
        """The one to register: the successor, once there is one."""
        self.turn(now_ms)
        return self._generations[-1]

    def get(self, thumbprint: str, now_ms: int) -> TenantCertificate:
        """By SHA-1 or SHA-256; "active" and "newest" are names too. Raises BadRequest."""
        if thumbprint in ("active", "newest"):
            return getattr(self, thumbprint)(now_ms)
        self.turn(now_ms)
        for made in self._generations:
            if thumbprint.upper() in thumbprints(made.der):
                return made
        raise BadRequest("no such tenant CA certificate", thumbprint, "GET /tenant lists them")

    def proof_of_possession(self, code: str, thumbprint: str, now_ms: int) -> bytes:
        """A leaf with CN = the verification code; any generation may make one, revoked or not."""
        made, utc_s = self.get(thumbprint, now_ms), self._utc_s(now_ms)
        key = self._make_key().public_key()
        return made.authority.leaf(Terms(code, key, utc_s, utc_s + PROOF_LIFE_S))

    def renew(self, now_ms: int) -> TenantCertificate:
        """Make the successor now, ahead of its time."""
        self.turn(now_ms)
        waiting = self._waiting()
        return waiting or self._create(self._utc_s(now_ms), now_ms)

    def activate(self, now_ms: int) -> TenantCertificate:
        """Let the successor issue now, ahead of its time."""
        made = self.renew(now_ms)
        self._activate(made, now_ms)
        return made

    def revoke(self, thumbprint: str, now_ms: int) -> TenantCertificate:
        """Never use it again; a revoked active one has its successor at once."""
        made = self.get(thumbprint, now_ms)
        if made is self._active():
            self.activate(now_ms)
        made.status = REVOKED
        self._row("tenant ca revoked", made, now_ms)
        return made

    def authority(self, now_ms: int) -> Authority:
        """The CA that signs at this moment."""
        return self.active(now_ms).authority

    def terms(self, request: SigningRequest, now_ms: int) -> Terms:
        """A leaf from now on, never longer than the CA itself."""
        utc_s, ends = self._utc_s(now_ms), self.active(now_ms).not_after
        until = min(utc_s + self.leaf_s, ends)
        return Terms(request.common_name, request.public_key, utc_s, until)

    def published(self, now_ms: int) -> list[bytes]:
        """Every generation that is neither revoked nor expired, oldest first."""
        self.turn(now_ms)
        utc_s = self._utc_s(now_ms)
        good = [g for g in self._generations if g.status != REVOKED and g.not_after > utc_s]
        return [made.der for made in good]

    def _active(self) -> TenantCertificate:
        return next(made for made in self._generations if made.status == ACTIVE)

    def _waiting(self) -> TenantCertificate | None:
        newest = self._generations[-1]
        return newest if newest.status == INACTIVE else None

    def _next(self) -> tuple[int, str]:
        """When what is to be done next."""
        waiting = self._waiting()
        if waiting:
            return waiting.created_utc_s + ACTIVE_AFTER_S, "activate"
        return self._active().not_after - RENEWED_BEFORE_END_S, "create"

    def _create(self, at_utc_s: int, now_ms: int) -> TenantCertificate:
        ends = at_utc_s + LIFE_S
        name = f"Tenant CA {self.tenant_id}"  # the same in every generation
        authority = Authority.new(name, at_utc_s, ends, make_key=self._make_key)
        made = TenantCertificate(authority, at_utc_s, ends)
        self._generations.append(made)
        self._row("tenant ca created", made, now_ms)
        return made

    def _activate(self, made: TenantCertificate, now_ms: int) -> None:
        for other in self._generations:
            if other.status == ACTIVE:
                other.status = INACTIVE
        made.status = ACTIVE
        self._row("tenant ca active", made, now_ms)

    def _row(self, what: str, made: TenantCertificate, now_ms: int) -> None:
        self.journal.add(
            now_ms, "tenant", what, None, thumbprint=made.thumbprint, not_after=iso(made.not_after)
        )
