"""Actions and events of the device's own certificates: a key, its request, the issuer's answer.

Rule: plain data; a private key never comes here. See actions.py and events.py, which hand them out.

A slot is "a" or "b", which the driver keeps in the frames `slot-a` and `slot-b`; "onboarding" is
the credential that the configuration names. A request (CSR) is PKCS#10 DER in base64 without line
breaks, a chain a list of DER, the leaf first.

Source: RFC 2986 (PKCS#10); RFC 7030 (EST); design section 9.
"""

from .record import Record
from .shapes import Any_, Tree

# Actions.


class NewKey(Record):
    """Make a private key for a slot and keep it, with no certificate yet; what the slot held before
    is overwritten. KeyMade or KeyFailed.

    kind  p256 | p384 | rsa2048
    """

    fields = ("slot", "kind")
    slot: str
    kind: str


class MakeCsr(Record):
    """A certificate request by the slot's key: CsrMade or KeyFailed. cn: its only name."""

    fields = ("slot", "cn")
    slot: str
    cn: str


class Enroll(Record):
    """Bring a request to an issuer that the driver reaches: Issued, IssueLater or IssueRefused.

    issuer      est | command | files
    slot        of the request's key
    cn          as in MakeCsr
    renew       the credential of `with_slot` is being renewed, and is an issued one
    with_slot   credential for the issuer's TLS; None: no client certificate
    host, port, anchors, limits, profile, judge_utc_s, proxy  as in Dial; for est
    """

    fields = (
        "issuer",
        "slot",
        "cn",
        "csr",
        "renew",
        "with_slot",
        "host",
        "port",
        "anchors",
        "limits",
        "profile",
        "judge_utc_s",
        "proxy",
        "until_ms",
    )
    issuer: str
    slot: str
    cn: str
    csr: str
    renew: bool
    with_slot: str | None
    host: str
    port: int
    anchors: list[Any_]
    limits: Tree
    profile: Tree
    judge_utc_s: int
    proxy: str
    until_ms: int


class Install(Record):
    """Put the issued chain beside the slot's key, if it is for it: Installed or InstallRefused.

    cn            the name that the leaf must carry
    issuer        who issued it: dps | hub | est | command | files
    judge_utc_s   the time at which its dates are judged
    """

    fields = ("slot", "chain", "cn", "issuer", "judge_utc_s")
    slot: str
    chain: list[Any_]
    cn: str
    issuer: str
    judge_utc_s: int


class Prove(Record):
    """Write into a slot's frame, beside key and certificate, what they have proven: Saved or
    SaveFailed of the frame.

    assignment, evidence  see core/proofs.py
    """

    fields = ("slot", "assignment", "evidence")
    slot: str
    assignment: Tree
    evidence: Tree


class WipeKey(Record):
    """Overwrite and remove a credential's key, slot or onboarding: KeyWiped.

    Wipe("slot-a") does not know the onboarding credential's file.
    """

    fields = ("slot",)
    slot: str


# Events.


class KeyMade(Record):
    """NewKey: the slot has a key, on the disk."""

    fields = ("slot",)
    slot: str


class CsrMade(Record):
    """MakeCsr: the request."""

    fields = ("slot", "csr")
    slot: str
    csr: str


class KeyFailed(Record):
    """NewKey or MakeCsr: no key. reason: no-key | command | full | read-only | io | memory;
    value: about what."""

    fields = ("slot", "reason", "value")
    slot: str
    reason: str
    value: str


class Issued(Record):
    """Enroll: the issuer's chain, also one that came later by itself (issuer files)."""

    fields = ("slot", "chain")
    slot: str
    chain: list[Any_]


class IssueLater(Record):
    """Enroll: not yet, the same request again after retry_after_s (0: the issuer named none)."""

    fields = ("slot", "retry_after_s", "why")
    slot: str
    retry_after_s: int
    why: str


class IssueRefused(Record):
    """Enroll: no certificate. fault and verdict as in Failed; value: the issuer's own words.

    fault  network | trust | policy | clock | identity | service | throttled
    """

    fields = ("slot", "fault", "verdict", "value", "presented", "chain", "retry_after_s")
    slot: str
    fault: str
    verdict: str
    value: str
    presented: list[Any_]
    chain: list[Any_]
    retry_after_s: int


class Installed(Record):
    """Install: key and chain are in one frame on the disk.

    credential  as in Start, for this slot, with "sha1" of the leaf, "issuer" {"cn", "sha1",
                "sha256", "not_after"} (empty, None where the chain has no issuer) and "key"; a
                Start that finds it adds the "assignment" and "evidence" of Prove, once written
    """

    fields = ("slot", "credential")
    slot: str
    credential: Tree


class InstallRefused(Record):
    """Install: the slot has its key and no certificate.

    reason  wrong-name | wrong-key | not-a-leaf | expired | not-yet-valid | malformed | full |
            read-only | io
    """

    fields = ("slot", "reason", "value")
    slot: str
    reason: str
    value: str


class KeyWiped(Record):
    """WipeKey: done, or (reason not empty) the bytes may still be there."""

    fields = ("slot", "reason")
    slot: str
    reason: str
