"""Enrollments of the provisioning service: which device may register, how, and with which hub.

Chooses and judges; assigns nothing. An individual enrollment is asked before any group, the group
of the nearest authority before a higher one; the first match decides, even when it is disabled.
Source: "X.509 certificate attestation", "Symmetric key attestation", "How to disenroll a device".
"""

from dataclasses import dataclass, field, fields

from . import identity, sas
from .cacertificates import CaCertificates
from .refusal import BadRequest, NotProven
from .registry import check_id, check_key, check_types
from .session import Session

INDIVIDUAL, GROUP = "individual", "group"
X509, SYMMETRIC_KEY = "x509", "symmetric_key"
MIGRATE, RESET, NEVER = "migrate", "reset", "never"
THUMBPRINT, CA = "thumbprint", "ca"
UNAUTHORIZED = 401002


@dataclass
class Presented:
    """What a client shows of itself: over MQTT its session's, over HTTPS the request's."""

    registration_id: str
    id_scope: str
    token: str | None = field(default=None, repr=False)
    chain: list[bytes] = field(default_factory=list, repr=False)
    api_version: str = ""

    @classmethod
    def by(
        cls, session: Session, registration_id: str, id_scope: str, api_version: str = ""
    ) -> "Presented":
        """What the client of an MQTT session shows."""
        token = session.password.decode("ascii", "replace") if session.password else None
        return cls(registration_id, id_scope, token, session.chain, api_version)


@dataclass
class Enrollment:
    """One individual enrollment or enrollment group.

    enrollment_id  of an individual: the registration id
    primary        base64 key; or DER: of an individual the leaf, of a group the authority
    primary_ca     of a group, in its place or beside it: the name of a CA certificate uploaded to
                   DPS, which counts from its verification on
    hub            the host that devices are assigned to, as they are told it
    hub_auth       of X.509: how the hub knows the device, by the leaf's thumbprint or by its CA
    policy         of the namespace: requests in registrations are answered by its CA
    operational    the group takes certificates of its policy as well; not documented
    """

    enrollment_id: str
    kind: str = INDIVIDUAL
    attestation: str = SYMMETRIC_KEY
    primary: str | bytes = field(default="", repr=False)
    secondary: str | bytes = field(default="", repr=False)
    primary_ca: str = ""
    secondary_ca: str = ""
    hub: str = ""
    device_id: str | None = None
    enabled: bool = True
    reprovision: str = MIGRATE
    hub_auth: str = THUMBPRINT
    policy: str = ""
    operational: bool = False
    initial_desired: dict = field(default_factory=dict)
    payload: object = None

    def __post_init__(self) -> None:
        check_types(self, "enrollment")
        check_id(self.enrollment_id)
        if not self.hub:
            raise BadRequest("the enrollment names no hub", self.enrollment_id, "add hub")
        _one_of("kind", self.kind, (INDIVIDUAL, GROUP))
        _one_of("attestation", self.attestation, (X509, SYMMETRIC_KEY))
        _one_of("reprovision", self.reprovision, (MIGRATE, RESET, NEVER))
        _one_of("hub_auth", self.hub_auth, (THUMBPRINT, CA))
        if self.device_id is not None:
            check_id(self.device_id)
            if self.kind == GROUP:
                raise BadRequest("a group gives no device id", self.device_id, "leave it out")
        for name in ("primary", "secondary"):
            self._check_secret(name, getattr(self, name))

    def _check_secret(self, name: str, value: str | bytes) -> None:
        if self.attestation == SYMMETRIC_KEY:
            check_key(name, value)
        elif value:
            try:
                identity.loaded(value)
            except (NotProven, TypeError):
                raise BadRequest("not a certificate", name, "give it as DER bytes") from None

    def shown(self) -> dict:
        """As JSON for the management side, without keys; a certificate as its SHA-256."""
        hidden = {"primary", "secondary"}
        shown = {k: v for k, v in vars(self).items() if k not in hidden}
        if self.attestation == X509:
            for name in sorted(hidden):
                value = getattr(self, name)
                shown[name] = identity.thumbprints(value)[1] if value else None
        return shown

    def secrets(self) -> list:
        """Primary and secondary, those that are there."""
        return [s for s in (self.primary, self.secondary) if s]

    def references(self) -> list[str]:
        """The names of its uploaded CA certificates."""
        return [name for name in (self.primary_ca, self.secondary_ca) if name]

    def keys_of(self, registration_id: str) -> list[str]:
        """The symmetric keys of one device: the enrollment's own, or derived from a group's."""
        if self.kind == INDIVIDUAL:
            return self.secrets()
        return [sas.derived_key(key, registration_id) for key in self.secrets()]


def _one_of(what: str, value: object, allowed: tuple) -> None:
    if value not in allowed:
        raise BadRequest(f"unknown {what}", value, f"one of {', '.join(allowed)}")


def from_json(made_of: dict) -> Enrollment:
    """The enrollment in a management request, certificates already DER; raises BadRequest."""
    known = [f.name for f in fields(Enrollment)]
    for name in made_of:
        if name not in known:
            raise BadRequest("an enrollment has no such field", name, f"it has {known}")
    if "enrollment_id" not in made_of:
        raise BadRequest("the enrollment has no id", sorted(made_of), "add enrollment_id")
    return Enrollment(**made_of)


class Enrollments:
    """All enrollments of one service.

    certificates  the CA certificates that were uploaded, which groups may refer to by name
    credential    DER of the namespace's root, b"" without one
    """

    def __init__(self, certificates: CaCertificates, credential: bytes = b"") -> None:
        self._by_id: dict[str, Enrollment] = {}
        self._certificates, self._credential = certificates, credential

    def put(self, made: Enrollment) -> None:
        """Create or replace."""
        self._by_id[made.enrollment_id.lower()] = made

    def get(self, enrollment_id: str) -> Enrollment:
        """The enrollment; raises BadRequest."""
        found = self._by_id.get(enrollment_id.lower())
        if found is None:
            raise BadRequest("no such enrollment", enrollment_id, "create it first")
        return found

    def remove(self, enrollment_id: str) -> None:
        """Delete; raises BadRequest when there is none."""
        self.get(enrollment_id)
        del self._by_id[enrollment_id.lower()]

    def all(self) -> list[Enrollment]:
        """Every enrollment, by id."""
        return [self._by_id[k] for k in sorted(self._by_id)]

    def prove(self, shown: Presented, utc_s: int) -> Enrollment:
        """The enrollment that this client is entitled to, disabled or not; raises NotProven."""
        own = self._by_id.get(shown.registration_id.lower())
        if own is not None and own.kind == INDIVIDUAL:
            _prove_individual(own, shown, utc_s)
            return own
        groups = [e for e in self.all() if e.kind == GROUP]
        if shown.chain:
            return self._group_by_chain([g for g in groups if g.attestation == X509], shown, utc_s)
        return _group_by_key([g for g in groups if g.attestation != X509], shown, utc_s)

    def _group_by_chain(self, groups: list[Enrollment], shown: Presented, utc_s: int) -> Enrollment:
        _check_name(shown)
        accepted = [(der, group) for group in groups for der in self._authorities(group)]
        try:
            nearest = identity.nearest_authority(shown.chain, [der for der, _ in accepted], utc_s)
        except NotProven as e:
            raise NotProven(self._reason(e, shown, utc_s), e.code) from None
        return next(group for der, group in accepted if der == nearest)

    def _authorities(self, group: Enrollment) -> list[bytes]:
        """What a chain may reach: its own, and of those it refers to the verified ones."""
        trusted = self._certificates.trusted
        named = [trusted[name] for name in group.references() if name in trusted]
        issued = [self._credential] if group.operational and self._credential else []
        return [*group.secrets(), *named, *issued]

    def _reason(self, refused: NotProven, shown: Presented, utc_s: int) -> str:
        """The refusal's reason, or that only the verification is missing."""
        try:
            identity.nearest_authority(shown.chain, self._certificates.unverified(), utc_s)
        except NotProven:
            return refused.reason
        return "the chain reaches no registered CA: the one it reaches is not verified"


def _prove_individual(own: Enrollment, shown: Presented, utc_s: int) -> None:
    if own.attestation == SYMMETRIC_KEY:
        _check_token(shown, own.keys_of(shown.registration_id), utc_s)
        return
    _check_name(shown)
    if shown.chain[0] not in own.secrets():
        raise NotProven("the certificate is not the enrolled one", UNAUTHORIZED)
    identity.check_dates(identity.loaded(shown.chain[0]), utc_s)


def _group_by_key(groups: list[Enrollment], shown: Presented, utc_s: int) -> Enrollment:
    if not shown.token:
        raise NotProven("neither token nor client certificate", UNAUTHORIZED)
    for group in groups:
        token = sas.Token(shown.token)
        if any(token.signed_by(key) for key in group.keys_of(shown.registration_id)):
            _check_token(shown, group.keys_of(shown.registration_id), utc_s)
            return group
    raise NotProven("no enrollment's key made this token", UNAUTHORIZED)


def _check_token(shown: Presented, keys: list[str], utc_s: int) -> None:
    if not shown.token:
        raise NotProven("no token", UNAUTHORIZED)
    resource = f"{shown.id_scope}/registrations/{shown.registration_id}"
    sas.check(shown.token, keys=keys, resource=resource, policy="registration", utc_s=utc_s)


def _check_name(shown: Presented) -> None:
    if not shown.chain:
        raise NotProven("no client certificate", UNAUTHORIZED)
    name = identity.common_name(shown.chain[0])
    if name.lower() != shown.registration_id.lower():
        raise NotProven(f"CN is {name!r}, not the registration id", UNAUTHORIZED)
