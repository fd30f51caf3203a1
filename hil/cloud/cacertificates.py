"""CA certificates that an operator uploads to a hub or to DPS, and proves to possess.

Uploaded is not verified, and an unverified one lets nobody in. The proof is an ordinary leaf that
the CA has signed, with CN = the verification code; nothing else of it is looked at.
Source: "How to verify X.509 CA certificates" (how-to-verify-certificates).
"""

from collections.abc import Callable
from dataclasses import dataclass

from . import identity
from .records import iso
from .refusal import BadRequest, NotProven


@dataclass
class CaCertificate:
    """One that was uploaded; `code` is what the next proof must be made out to."""

    name: str
    der: bytes
    verified: bool = False
    code: str | None = None

    def shown(self) -> dict:
        """As JSON for the management side; the thumbprint is SHA-1, as the portals print it."""
        made = identity.loaded(self.der)
        sha1, sha256 = identity.thumbprints(self.der)
        return {
            "name": self.name,
            "subject": made.subject.rfc4514_string(),
            "thumbprint": sha1,
            "sha256": sha256,
            "expiry": iso(int(made.not_valid_after_utc.timestamp())),
            "isVerified": self.verified,
        }


class CaCertificates:
    """All of one service. `trusted` is where it looks them up: name to DER, verified ones alone."""

    def __init__(self, make_id: Callable[[], str], trusted: dict[str, bytes] | None = None) -> None:
        self._make_id = make_id
        self.trusted: dict[str, bytes] = {} if trusted is None else trusted
        self._uploaded: dict[str, CaCertificate] = {}

    def upload(self, name: str, der: bytes, verified: bool = False) -> CaCertificate:
        """Create or replace; a replaced one is unverified unless said otherwise."""
        try:
            identity.loaded(der)
        except NotProven:
            raise BadRequest("not a certificate", name, "send a CA certificate") from None
        made = self._uploaded[name] = CaCertificate(name, der)
        self.trusted.pop(name, None)
        if verified:
            self._trust(made)
        return made

    def generate_code(self, name: str) -> str:
        """A new verification code; one that was given before is worth nothing any more."""
        made = self.get(name)
        made.code = self._make_id().upper().zfill(32)
        return made.code

    def verify(self, name: str, proof: bytes) -> CaCertificate:
        """Take the proof of possession; raises BadRequest."""
        made = self.get(name)
        if made.code is None:
            raise BadRequest("no verification code is out", name, "generate one first")
        try:
            leaf, authority = identity.loaded(proof), identity.loaded(made.der)
            told = identity.common_name(proof)
        except NotProven as e:
            raise BadRequest("not a certificate", name, e.reason) from None
        if told != made.code:
            raise BadRequest("the proof has another CN", told, f"make it out to {made.code}")
        if not identity.issued(leaf, authority):
            raise BadRequest("the proof is not signed by the CA", name, "sign it with its key")
        self._trust(made)
        made.code = None
        return made

    def get(self, name: str) -> CaCertificate:
        """One by its name; raises BadRequest."""
        if name not in self._uploaded:
            raise BadRequest("no such CA certificate", name, f"there are {sorted(self._uploaded)}")
        return self._uploaded[name]

    def remove(self, name: str) -> None:
        """Delete; devices below it are refused from their next connect on."""
        self.get(name)
        del self._uploaded[name]
        self.trusted.pop(name, None)

    def all(self) -> list[CaCertificate]:
        """Every one, by name."""
        return [self._uploaded[name] for name in sorted(self._uploaded)]

    def unverified(self) -> list[bytes]:
        """DER of those that wait for their proof."""
        return [made.der for made in self.all() if not made.verified]

    def _trust(self, made: CaCertificate) -> None:
        made.verified = True
        self.trusted[made.name] = made.der
