"""Anchors that are offered with a limit: which of them a presented flight may end in.

Rule: a limit is judged by names and keys that a server merely claims, so it may withhold an anchor
but never prove one; the verified chain is judged once more by the anchor it really ended in. Names
are compared more loosely than any TLS library does: what only looks alike counts as the same.

Source: design, "Trust", R5 and the leaf-date sunset.
"""

from .der import Certificate
from .shapes import Entry

ON_HOLD, SUNSET = LIMITS = ("on-hold", "sunset")
_UNLIMITED: Entry = {}


class Anchor:
    """What is judged of an anchor that is offered.

    leaf_not_before_max  the last second at which a leaf may begin, None: no such limit
    issuers              SHA-256 hex of the keys that may have signed the leaf (a hold), None: any
    """

    def __init__(self, der: bytes, limit: Entry = _UNLIMITED) -> None:
        certificate = Certificate(der)
        self.subject, self.subject_name = certificate.subject, certificate.subject_name
        self.sha256, self.spki_sha256 = certificate.sha256, certificate.spki_sha256
        self.leaf_not_before_max: int | None = limit.get("leaf_not_before_max")
        self.issuers: list[str] | None = limit.get("issuers")

    def broken(self, leaf: Certificate, issuer_keys: list[str]) -> str:
        """The limit that a leaf breaks which one of `issuer_keys` signed: `on-hold`, `sunset`; ""
        for none. Of a hold every key must be known: the one that really signed may be any."""
        if self.issuers is not None:
            if not issuer_keys or [key for key in issuer_keys if key not in self.issuers]:
                return ON_HOLD
        latest = self.leaf_not_before_max
        return SUNSET if latest is not None and leaf.not_before > latest else ""


def same_name(one: str, other: str) -> bool:
    """Whether two readable names may be one to a TLS library: case and spaces do not count."""
    return "".join(one.lower().split()) == "".join(other.lower().split())


def withheld(flight: list[Certificate], anchors: tuple[Anchor, ...]) -> dict[str, str]:
    """{SHA-256 hex: the limit} of the anchors that this flight, leaf first, may not end in."""
    name = flight[0].issuer_name
    sent = [one.spki_sha256 for one in flight if same_name(one.subject_name, name)]
    found = {}
    for anchor in anchors:
        own = [anchor.spki_sha256] if same_name(anchor.subject_name, name) else []
        limit = anchor.broken(flight[0], sent + own)
        if limit:
            found[anchor.sha256] = limit
    return found


def reached(flight: list[Certificate], anchors: tuple[Anchor, ...]) -> list[Anchor]:
    """The anchors that a path from the leaf could end in, by the names of all that was sent."""
    names = [flight[0].issuer_name]
    for name in names:  # grows meanwhile
        for upper in flight:
            if same_name(upper.subject_name, name) and upper.issuer_name not in names:
                names.append(upper.issuer_name)
    return [a for a in anchors if [name for name in names if same_name(a.subject_name, name)]]
