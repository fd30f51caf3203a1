"""All that issues certificates to the devices of one cloud: a namespace, a tenant CA, EST.

Puts them together; each is a file of its own. No I/O; time is an argument, and may jump by years.
"""

from collections.abc import Callable

from .cacertificates import CaCertificate, CaCertificates
from .est import EstServer
from .faults import Faults
from .issuing import Issues, MakeKey, Standing, new_key, two_tier
from .journal import Journal
from .namespace import Namespace
from .refusal import BadRequest
from .tenantca import TenantCa

TENANT, DEFAULT_POLICY = "tenant", "default"
OWN = "est"


class Issuers:
    """The issuers of one cloud.

    own  what EST issues from where no label is given: a CA that never changes
    """

    def __init__(
        self,
        anchor: bytes,
        now_ms: int,
        *,
        utc_s: Callable[[int], int],
        make_id: Callable[[], str],
        journal: Journal,
        faults: Faults,
        make_key: MakeKey = new_key,
    ) -> None:
        self.namespace = Namespace(
            "yard", now_ms, utc_s=utc_s, make_id=make_id, journal=journal, make_key=make_key
        )
        self.namespace.put_policy(DEFAULT_POLICY, now_ms)
        self.tenant = TenantCa(make_id(), now_ms, utc_s=utc_s, journal=journal, make_key=make_key)
        self.own = Standing(two_tier("EST Device CA", utc_s(now_ms), make_key=make_key), utc_s)
        self.est = EstServer(
            {"": self.own, TENANT: self.tenant}, anchor, utc_s=utc_s, journal=journal,
            faults=faults,
        )  # fmt: skip

    def named(self, name: str) -> Issues:
        """EST's own ("est"), "tenant", or a policy of the namespace; raises BadRequest."""
        if name == OWN:
            return self.own
        if name == TENANT:
            return self.tenant
        if name not in self.namespace.policies:
            known = ", ".join([OWN, TENANT, *sorted(self.namespace.policies)])
            raise BadRequest("no such issuer", name, f"one of {known}")
        return self.namespace.policies[name]

    def register_tenant(
        self, with_: CaCertificates, name: str, now_ms: int, thumbprint: str = "newest"
    ) -> CaCertificate:
        """What an operator does with a new tenant CA: upload, code, proof of possession, verify."""
        made = self.tenant.get(thumbprint, now_ms)
        with_.upload(name, made.der)
        code = with_.generate_code(name)
        return with_.verify(name, self.tenant.proof_of_possession(code, made.thumbprint, now_ms))

    def turn(self, now_ms: int) -> int | None:
        """Renew and activate what is due; the next deadline."""
        return self.tenant.turn(now_ms)
