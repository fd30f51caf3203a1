"""An issued chain: put in order, held against the request, described.

Rule: nothing here trusts an issuer; whether the hub takes the certificate is proven by a session.
The chain is kept as far as it goes, its self-signed root too where the issuer gave it: the preview
service wants it whole, and the issuer's thumbprints are its certificate's.

Source: RFC 5280 section 6.1; design section 9.
"""

import binascii

from ..errors import TrustError, plain
from ..wire import sha1
from . import asn1
from .der import Certificate
from .distinguished import common_names
from .extensions import ANY_PURPOSE, DIGITAL_SIGNATURE
from .shapes import Entry

COUNT_AT_MOST = 32
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
# An issuer's clock may be a little ahead of ours.
_AHEAD_S = 300
_KEYS = ("ec-p256", "ec-p384")
_RSA_BITS_LEAST = 2048


def ordered(chain: list[bytes], spki: bytes) -> list[Certificate]:
    """The path from the leaf upwards, as far as there are certificates for it.

    spki    of the key that the leaf is for; where none has it, the first certificate is the leaf
    Raises  TrustError: malformed, none, or more than anybody issues
    """
    if not 0 < len(chain) <= COUNT_AT_MOST:
        raise TrustError(
            "chain of no use", "%d certificates" % len(chain), "give the leaf and its issuers"
        )
    rest = [Certificate(der) for der in chain]
    mine = [one for one in rest if one.spki == spki and not one.is_ca]
    path = [(mine + rest)[0]]
    while not path[-1].self_issued:
        above = [one for one in rest if _issued(one, path[-1]) and one not in path]
        if not above:
            break
        path.append(above[0])
    return path


def completed(path: list[Certificate], others: list[bytes]) -> list[bytes]:
    """The DERs of a path with those of `others` behind it that go on where it ends."""
    usable = []
    for der in others[: COUNT_AT_MOST - len(path)]:
        try:
            usable.append(Certificate(der).der)
        except TrustError:
            continue  # a CA's list may hold what we have no use for
    whole = ordered([one.der for one in path] + usable, path[0].spki)
    return [one.der for one in whole]


def _issued(one: Certificate, below: Certificate) -> bool:
    if one.subject != below.issuer or not one.is_ca:
        return False
    return not one.ski or not below.aki or one.ski == below.aki


def refusal(leaf: Certificate, spki: bytes, cn: str, judge_utc_s: int) -> tuple[str, str] | None:
    """(reason, value) of InstallRefused for a leaf that is not the one that was asked for."""
    if spki and leaf.spki != spki:
        return "wrong-key", "the certificate of %s is for another key" % leaf.subject_name
    if names(leaf.subject) != [cn]:
        return "wrong-name", "%s instead of CN=%s" % (leaf.subject_name, plain(cn))
    misused = _misused(leaf)
    if misused:
        return "not-a-leaf", misused
    if not usable(leaf):
        return "wrong-key", "%s; RSA with 2048 bits or more, P-256 or P-384 is used" % leaf.key
    if judge_utc_s > leaf.not_after:
        return "expired", "%d s ago" % (judge_utc_s - leaf.not_after)
    if judge_utc_s + _AHEAD_S < leaf.not_before:
        return "not-yet-valid", "in %d s" % (leaf.not_before - judge_utc_s)
    return None


def usable(leaf: Certificate) -> bool:
    """Whether its key is of a kind that the services take."""
    return leaf.key in _KEYS or leaf.rsa_bits() >= _RSA_BITS_LEAST


def _misused(leaf: Certificate) -> str:
    purposes = leaf.extended_key_usage
    if leaf.is_ca:
        return "it is a CA"
    if leaf.key_usage is not None and DIGITAL_SIGNATURE not in leaf.key_usage:
        return "its key may not sign"
    if purposes is not None and CLIENT_AUTH not in purposes and ANY_PURPOSE not in purposes:
        return "it is not for clients"
    return ""


def described(slot: str, path: list[Certificate], issuer: str) -> Entry:
    """The credential of Installed; `by` is who issued it."""
    leaf, above = path[0], path[1:2]
    return {
        "kind": "x509", "slot": slot, "fingerprint": leaf.sha256, "sha1": _sha1(leaf.der),
        "not_before": leaf.not_before, "not_after": leaf.not_after,
        "cn": (names(leaf.subject) + [""])[0], "key": leaf.key, "by": issuer,
        "issuer": {
            "cn": (names(leaf.issuer) + [leaf.issuer_name])[0],
            "sha1": _sha1(above[0].der) if above else "",
            "sha256": above[0].sha256 if above else "",
            "not_after": above[0].not_after if above else None,
        },
    }  # fmt: skip


def names(name: bytes) -> list[str]:
    """Every CN of a Name in DER, in its order."""
    return common_names(asn1.only(name))


def _sha1(der: bytes) -> str:
    """A thumbprint as the portal shows it; a name, never a proof."""
    return binascii.hexlify(sha1.digest(der)).decode()
