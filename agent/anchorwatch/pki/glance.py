"""What a chain in clear says, without a handshake: could one of our anchors have issued it?

Rule: names, key ids and dates are claims, which nobody has signed for here. So the answer may warn,
and never lets anything be trusted. A key id that one side leaves out speaks for neither.

Source: design section 3; RFC 5280 section 4.2.1.1.
"""

from . import guess
from .der import Certificate
from .judge import Judgement, judge
from .limits import Anchor, same_name
from .shapes import Entry, Profile

UNKNOWN = "unknown-issuer"
_UNLIMITED: Entry = {}


def glance(
    chain: list[bytes],
    host: str,
    judge_utc_s: int | None,
    profile: Profile,
    ders: list[bytes],
    limits: dict[str, Entry],
) -> tuple[str, Judgement]:
    """(the verdict, "ok" where nothing speaks against it; what was seen of the chain).

    ders    the anchors offered; limits  {SHA-256 hex: limit} of those that have one, as in Dial
    """
    anchors = [Certificate(der) for der in ders]
    limited = [Anchor(one.der, limits.get(one.sha256, _UNLIMITED)) for one in anchors]
    seen = judge(chain, host, judge_utc_s, profile, tuple(limited))
    verdict = seen.verdict
    if seen.ok:
        read = [Certificate(der) for der in chain]
        verdict = "ok" if [a for a in anchors if _may_have_issued(a, read)] else UNKNOWN
    return guess.better(verdict, seen, (chain + [b""])[0]), seen


def _may_have_issued(anchor: Certificate, read: list[Certificate]) -> bool:
    """Whether a path from the leaf, by the names of what was sent, ends below this anchor."""
    names, at = [read[0]], 0
    while at < len(names):
        lower, at = names[at], at + 1
        if same_name(anchor.subject_name, lower.issuer_name) and _key_fits(anchor, lower):
            return True
        names += [c for c in read if c not in names and _named(c, lower)]
    return False


def _named(upper: Certificate, lower: Certificate) -> bool:
    return same_name(upper.subject_name, lower.issuer_name) and _key_fits(upper, lower)


def _key_fits(upper: Certificate, lower: Certificate) -> bool:
    own, _ = upper.key_ids()
    _, wanted = lower.key_ids()
    return not own or not wanted or own == wanted
