"""What an operator of the EST server decides, who its clients are, and one call of theirs.

Holds values; the server judges by them.
"""

from dataclasses import dataclass, field

from . import estwire, identity
from .faults import Fault
from .http1 import Request
from .refusal import BadRequest

EITHER, CERTIFICATE, BASIC, BOTH = "either", "certificate", "basic", "both"
NEEDS = (EITHER, CERTIFICATE, BASIC, BOTH)


@dataclass
class Rules:
    """What an operator has decided.

    needs       how a client proves itself to enroll
    key         the kind of key that csrattrs asks for and enrollments must have, None for any
    with_chain  an enrollment's answer holds the CA certificates too, not the leaf alone
    lines       base64 in lines of 64 characters, which older servers send and clients must bear
    approval    a request waits, with 202, until somebody approves it
    """

    needs: str = EITHER
    key: str | None = None
    with_chain: bool = False
    lines: bool = False
    approval: bool = False
    retry_after_s: int = 10

    def check(self) -> None:
        """Raise BadRequest for what cannot be."""
        if self.needs not in NEEDS:
            raise BadRequest("no such proof", self.needs, f"one of {', '.join(NEEDS)}")
        if self.key is not None and self.key not in estwire.ATTRIBUTES:
            known = ", ".join(estwire.ATTRIBUTES)
            raise BadRequest("no such kind of key", self.key, f"one of {known}, or null")
        if self.retry_after_s < 0:
            raise BadRequest("no time to wait", self.retry_after_s, "whole seconds from 0")


@dataclass
class Client:
    """Who asks: by certificate, by a secret, or by neither; `why` it is neither."""

    certificate: bytes | None = field(default=None, repr=False)
    user: str | None = None
    why: str = "neither certificate nor secret"

    def meets(self, needs: str) -> bool:
        """Whether this is proof enough."""
        if needs == BOTH:
            return self.certificate is not None and self.user is not None
        by = {CERTIFICATE: self.certificate, BASIC: self.user}
        return (by[needs] if needs in by else self.certificate or self.user) is not None

    def names(self) -> set[str]:
        """The names it has proven."""
        names = {self.user} if self.user else set()
        return names | {identity.common_name(self.certificate)} if self.certificate else names

    def name(self) -> str | None:
        """One of them, for the journal."""
        return min(self.names(), default=None)

    def proofs(self) -> list[str]:
        """What it has proven itself by."""
        shown = {CERTIFICATE: self.certificate, BASIC: self.user}
        return [by for by, proof in shown.items() if proof]


@dataclass
class Call:
    """One request on its way, and what the journal is to say of it."""

    request: Request
    client: Client
    label: str
    now_ms: int
    fault: Fault | None = None
    row: dict = field(default_factory=dict)
