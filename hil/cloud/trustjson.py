"""What a release says, from words of an operator to trust.json and the certificates it names.

Says what it is told, also what no device should take; only what it cannot know is refused.
Source: the fields of trust.json, design "Trust".
"""

import datetime
import hashlib
import json
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from .asked import take
from .refusal import BadRequest

CertificateOf = Callable[[str], x509.Certificate]
TRUST = "trust.json"
FIELDS = {
    "roots": dict, "distrust": list, "announcements": list, "policy": dict, "issued": str,
    "floor_reset": str, "min_agent": str, "hold_s": int, "days": int, "also": dict,
}  # fmt: skip
COPIED = ("policy", "floor_reset", "min_agent")


def check(said: dict) -> None:
    """BadRequest for a field that no release has."""
    for name in said:
        if name not in FIELDS:
            raise BadRequest("a release has no such field", name, f"it has {', '.join(FIELDS)}")
    for name, kind in FIELDS.items():
        take(said, name, kind, None)
    if not said.get("roots"):
        raise BadRequest("a release needs roots", said, 'write {"roots": {"g2": "active"}}')


def names(said: dict) -> list[str]:
    """The certificates that a release speaks of."""
    rows = [_row(row) for row in [*said.get("distrust", ()), *said.get("announcements", ())]]
    found = [*said["roots"], *[row["root"] for row in rows if _is_name(row.get("root"))]]
    return list(dict.fromkeys(found))


def targets(
    said: dict, version: int, utc_s: int, certificate: CertificateOf
) -> dict[str, bytes]:
    """{path: bytes} of trust.json and of each anchor's certificate.

    said     {"roots": {"g2": "active", "baltimore": {"state": "sunset", "scope": ["hub"]}}, ...}
    version  that of the targets which sign it
    """
    anchors = [_anchor(n, _state(how), certificate(n)) for n, how in said["roots"].items()]
    tree = {
        "version": version,
        "issued": said.get("issued") or moment(utc_s),
        "anchors": anchors,
        "distrust": [_distrust(_row(r), said, certificate) for r in said.get("distrust", ())],
        "announcements": [_announcement(r, certificate) for r in said.get("announcements", ())],
        **{name: said[name] for name in COPIED if name in said},
        **said.get("also", {}),
    }
    found = {TRUST: json.dumps(tree, indent=1, sort_keys=True).encode() + b"\n"}
    for name in said["roots"]:
        found[f"{sha256_of(certificate(name))}.der"] = der_of(certificate(name))
    return found


def moment(utc_s: int) -> str:
    """2026-11-22T08:00:00Z."""
    return datetime.datetime.fromtimestamp(utc_s, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def sha256_of(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def spki_sha256_of(certificate: x509.Certificate) -> str:
    """The hash of the key, the same for every certificate it is in."""
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return digest(spki)


def _state(how: object) -> dict:
    if isinstance(how, str):
        return {"state": how}
    if not isinstance(how, dict):
        raise BadRequest("a root of a release", how, 'write "active" or {"state": "active", ...}')
    return how


def _anchor(name: str, how: dict, certificate: x509.Certificate) -> dict:
    return {
        "sha256": sha256_of(certificate),
        "spki_sha256": spki_sha256_of(certificate),
        "name": name,
        "scope": ["hub", "dps"],
        "clouds": ["global"],
        **how,
    }


def _row(row: object) -> dict:
    if isinstance(row, str):
        return {"root": row}
    if not isinstance(row, dict):
        raise BadRequest("a row of a release", row, 'write "baltimore" or {"root": "baltimore"}')
    return row


def _is_name(root: object) -> bool:
    return isinstance(root, str) and len(root) != 64  # a SHA-256 says itself what it is


def _distrust(row: dict, said: dict, certificate: CertificateOf) -> dict:
    made = {"kind": "hard", **row}
    name, of = made.pop("root", None), made.pop("of", "key")
    if made["kind"] == "hard" and "hold_s" in said:
        made.setdefault("hold_s", said["hold_s"])
    if name is not None and of == "key":
        made["spki_sha256"] = spki_sha256_of(certificate(name))
    elif name is not None:
        made["sha256"] = sha256_of(certificate(name))
    return made


def _announcement(row: dict, certificate: CertificateOf) -> dict:
    made = dict(_row(row))
    if _is_name(made.get("root")):
        made["root"] = sha256_of(certificate(made["root"]))
    return made
