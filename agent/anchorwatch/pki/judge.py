"""Our own judgement of a server's flight, before any credential leaves the device.

Rule: it never says that a chain is trusted, only that nothing speaks against it so far; the
TLS library verifies signatures up to an anchor. It raises nothing: bad bytes are a verdict too.

What is judged is the path from the leaf to the first certificate that one of our anchors could have
issued: what a server sends beside or above it (a cross-signed root that has expired, its root) is
not its offence, and to refuse it would strand the device. An anchor whose limit is broken ends a
path only where no other anchor could.

Source: RFC 5280 section 4.2.1; design, "TLS".
"""

from ..errors import AgentError, plain
from .der import Certificate, sha256_hex
from .extensions import ANY_PURPOSE, DIGITAL_SIGNATURE, KEY_CERT_SIGN, SERVER_AUTH
from .hostnames import fits
from .limits import LIMITS, Anchor, reached, withheld
from .overlooked import excluded, forbidden
from .shapes import Profile

# The closed list, in the order in which they are looked for: the first that fits is the verdict.
# Dates come last, so that a wrong clock never hides a wrong server.
VERDICTS = {
    "no-certificate": "the server presented no certificate",
    "chain-too-long": "more than 8 certificates, or more than 64 KiB of them",
    "malformed": "a certificate is not one, or its parts contradict each other",
    "name-mismatch": "no alternative name of the leaf fits the host; CN never counts",
    "wrong-key-use": "the leaf is a CA, not for servers, or for all; or an issuer may not issue",
    "against-standard": "a serial number, a name or name constraints that RFC 5280 forbids",
    "excluded-name": "a name of the leaf may stand for one that its issuer must not certify",
    "weak-key": "an RSA key under 2048 bits",
    "unknown-key": "a key that is neither RSA, in whole bytes, nor P-256 nor P-384",
    "not-ecc": "all_ecc is set and a key is not elliptic",
    "weak-signature": "a signature over SHA-1, MD5 or a hash we do not know",
    "on-hold": "its only anchor is on hold, and the key that issued the leaf is not a known one",
    "sunset": "its only anchor is at sunset, and the leaf began after the last day for leaves",
    "not-yet-valid": "a certificate begins after the time of judgement",
    "expired": "a certificate ended before the time of judgement",
    "ok": "nothing speaks against it",
}
# The class of connection faults that each verdict belongs to.
FAULTS = {"not-ecc": "policy", "not-yet-valid": "clock", "expired": "clock"}
DEPTH_AT_MOST = 8
SIZE_AT_MOST = 65_536
_NAMES_SHOWN, _NAME_SHOWN = 4, 64
_RSA_BITS_LEAST, _RSA_BITS_MOST = 2048, 8192
_CURVES = ("ec-p256", "ec-p384")
_HASHES = ("sha224", "sha256", "sha384", "sha512")


def fault(verdict: str) -> str:
    """`trust`, `policy` or `clock`: dates are the clock's until the clock is authenticated."""
    return FAULTS.get(verdict) or "trust"


class Judgement:
    """What was found in a presented chain.

    verdict      a word of VERDICTS; at  the number of the certificate it is about, leaf 0
    names        readable subjects, leaf first, as far as they could be read
    presented    names, and the last one's issuer behind them unless it is its own; where the name
                 does not fit, the leaf's is followed by those that it is for
    root         the name at the end of `presented`: the root that the server wants us to trust
    chain        [SHA-256 hex] of all that came, also of malformed ones
    leaf_spki    SHA-256 hex; not_before, not_after  of the leaf; None if it could not be read
    dates        [(not_before, not_after)] of all, leaf first
    withheld     {SHA-256 hex: on-hold or sunset} of the anchors that this chain must not end in
    limit        the verdict of those among them that by the names it could end in, else ""
    """

    def __init__(self, verdict: str, at: int, chain: list[bytes], read: list[Certificate]) -> None:
        self.verdict, self.at = verdict, at
        self.withheld: dict[str, str] = {}
        self.limit = ""
        self.chain = [sha256_hex(der) for der in chain]
        self.names = [certificate.subject_name for certificate in read]
        self.presented = list(self.names)
        if read and not read[-1].self_issued:
            self.presented.append(read[-1].issuer_name)
        self.root = self.presented[-1] if read else ""
        self.dates = [(certificate.not_before, certificate.not_after) for certificate in read]
        self.leaf_spki = read[0].spki_sha256 if read else None
        self.not_before = read[0].not_before if read else None
        self.not_after = read[0].not_after if read else None

    @property
    def ok(self) -> bool:
        return self.verdict == "ok"


def judge(
    chain: list[bytes],
    host: str,
    judge_utc_s: int | None,
    profile: Profile,
    anchors: tuple[Anchor, ...] = (),
) -> Judgement:
    """Judge a presented chain.

    chain        [DER], leaf first, as the server sent it
    judge_utc_s  the time at which dates count; None: they are not judged
    profile      {"all_ecc": bool}; other settings are not the judge's
    anchors      those offered: the path ends below the first of them that it may end in
    """
    if not chain:
        return Judgement("no-certificate", 0, [], [])
    if len(chain) > DEPTH_AT_MOST or sum([len(der) for der in chain]) > SIZE_AT_MOST:
        return Judgement("chain-too-long", len(chain) - 1, chain[:DEPTH_AT_MOST], [])
    read: list[Certificate] = []
    for der in chain:
        try:
            read.append(Certificate(der))
        except AgentError:
            return Judgement("malformed", len(read), chain, read)
    return _judged(chain, read, host, judge_utc_s, profile, anchors)


def _judged(
    chain: list[bytes],
    read: list[Certificate],
    host: str,
    judge_utc_s: int | None,
    profile: Profile,
    anchors: tuple[Anchor, ...],
) -> Judgement:
    barred, ends = withheld(read, anchors), reached(read, anchors)
    broken = [barred[end.sha256] for end in ends if end.sha256 in barred]
    limit = ([word for word in LIMITS if word in broken] + [""])[0]
    stuck = len(broken) == len(ends)  # then none of them is better than the other
    stops = [a.subject for a in anchors if stuck or a.sha256 not in barred]
    path = _path(read, stops)
    judgement = Judgement("ok", 0, chain, read)
    judgement.withheld, judgement.limit = barred, limit
    for look in (_name, _use, _standard, _keys, _signatures, _limits, _dates):
        verdict, at = look(path, host, judge_utc_s, profile, limit if stuck else "")
        if verdict != "ok":
            judgement.verdict, judgement.at = verdict, read.index(path[at])
            break
    if judgement.verdict == "name-mismatch":
        judgement.presented[0] = _for(read[0])
    return judgement


def _path(read: list[Certificate], stops: list[bytes]) -> list[Certificate]:
    """The leaf and its issuers as far as they were sent, below the first name of `stops`."""
    path = [read[0]]
    while path[-1].issuer not in stops and not path[-1].self_issued:
        found = [c for c in read if c not in path and _issued(c, path[-1])]
        if not found:
            break
        path.append(found[0])
    return path


def _issued(upper: Certificate, lower: Certificate) -> bool:
    same = lower.issuer_name.lower() == upper.subject_name.lower()
    return lower.issuer == upper.subject or same


def _name(read: list[Certificate], host: str, *_: object) -> tuple[str, int]:
    return ("ok" if fits(read[0], host) else "name-mismatch"), 0


def _for(leaf: Certificate) -> str:
    """`CN=hub, for a.example, b.example and 3 more`: whom a leaf is for."""
    names = [plain(name, _NAME_SHOWN) for name in (leaf.dns_names + leaf.ip_addresses)]
    more = len(names) - _NAMES_SHOWN
    shown = ", ".join(names[:_NAMES_SHOWN]) or "no name"
    return "%s, for %s%s" % (leaf.subject_name, shown, " and %d more" % more if more > 0 else "")


def _use(read: list[Certificate], *_: object) -> tuple[str, int]:
    leaf = read[0]
    if leaf.is_ca or not _allows(leaf.key_usage, DIGITAL_SIGNATURE):
        return "wrong-key-use", 0
    purposes = leaf.extended_key_usage
    if not _allows(purposes, SERVER_AUTH) or ANY_PURPOSE in (purposes or []):
        return "wrong-key-use", 0
    for at, issuer in enumerate(read):
        if at and not (issuer.is_ca and _allows(issuer.key_usage, KEY_CERT_SIGN)):
            return "wrong-key-use", at
    return "ok", 0


def _allows(usage: list[str] | None, word: str) -> bool:
    return usage is None or word in usage


def _standard(read: list[Certificate], *_: object) -> tuple[str, int]:
    issued = read[:-1] if _is_root(read, len(read) - 1) else read
    for at in range(len(issued)):
        if forbidden(issued, at):
            return "against-standard", at
    return ("excluded-name" if excluded(issued) else "ok"), 0


def _keys(
    read: list[Certificate], host: str, judge_utc_s: int | None, profile: Profile, *_: object
) -> tuple[str, int]:
    for at, certificate in enumerate(read):
        bits = certificate.rsa_bits()
        if 0 < bits < _RSA_BITS_LEAST:
            return "weak-key", at
        odd = bits % 8 != 0 or not 0 < bits <= _RSA_BITS_MOST
        if certificate.key not in _CURVES and odd:
            return "unknown-key", at
        if bits and profile.get("all_ecc"):
            return "not-ecc", at
    return "ok", 0


def _is_root(path: list[Certificate], at: int) -> bool:
    return at > 0 and at == len(path) - 1 and path[at].self_issued


def _signatures(read: list[Certificate], *_: object) -> tuple[str, int]:
    for at, certificate in enumerate(read):
        if _is_root(read, at):
            continue  # a root's own signature proves nothing
        if certificate.signature.partition("-")[0] not in _HASHES:
            return "weak-signature", at
    return "ok", 0


def _limits(
    read: list[Certificate],
    host: str,
    judge_utc_s: int | None,
    profile: Profile,
    limit: str,
) -> tuple[str, int]:
    return limit or "ok", 0


def _dates(
    read: list[Certificate], host: str, judge_utc_s: int | None, *_: object
) -> tuple[str, int]:
    if judge_utc_s is None:
        return "ok", 0
    for at, certificate in enumerate(read):
        if _is_root(read, at):
            continue  # expiry alone never takes an anchor away (R2); the store has its own
        if judge_utc_s < certificate.not_before:
            return "not-yet-valid", at
        if judge_utc_s > certificate.not_after:
            return "expired", at
    return "ok", 0
