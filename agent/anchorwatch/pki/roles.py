"""Signed metadata: one file as it came, who may sign it, and whether enough of them did.

Rule: a file is read strictly, and believed only after `require`. Distinct keys count, not their
names; a key of a kind we do not verify counts for nothing. A name given twice is refused.

Source: TUF specification 1.0, sections 4.2 to 4.6 and 5.
"""

import binascii
import hashlib

from ..errors import MalformedMessage, TrustError
from ..wire.encoding import base64_bytes
from ..wire.jsonread import parse_object
from . import fields, p256
from .canonical import digest

KEYS_AT_MOST = 64
FILES_AT_MOST = 1024
_SIGNATURES_AT_MOST = 64
_SIGNATURE_DIGITS_AT_MOST = 160
_KEY_TYPES = ("ecdsa", "ecdsa-sha2-nistp256")
_SCHEME = "ecdsa-sha2-nistp256"
_PEM = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")
_NO_MORE: dict[str, str] = {}
REMEDIES = {
    "metadata below its threshold": "have it signed by more of its holders, with P-256 keys",
    "metadata expired": "have its signers publish it again with a later date",
    "metadata version went back": "fetch from a mirror that is up to date",
    "metadata of another version than announced": "fetch from a mirror that is complete",
    "metadata changed under the same version": "ask the signers: a version is published once",
    "metadata no longer lists a file": "ask the signers why it was taken out",
    "file is not the one that was signed": "fetch it again, from another mirror if need be",
    "file is missing": "fetch the bundle again, from another mirror if need be",
    "file is not part of the bundle": "have its signers add it",
    "root chain too long": "install a newer vendor.root.json",
}


def refused(what: str, value: object) -> TrustError:
    """One of REMEDIES as an error."""
    return TrustError(what, value, REMEDIES[what])


class Role:
    """The keys that may sign for a role, and how many of them must."""

    def __init__(self, tree: dict[str, object], points: dict[str, bytes]) -> None:
        keyids = fields.words(tree, "keyids", KEYS_AT_MOST)
        self.threshold = fields.whole(tree, "threshold", 1, KEYS_AT_MOST)
        self.points = {keyid: points[keyid] for keyid in keyids if keyid in points}


class Meta:
    """What a signed file says of another: version, length and hashes, as far as it says them."""

    def __init__(self, tree: object, target: bool = False) -> None:
        if not isinstance(tree, dict):
            raise fields.wrong("meta")
        self.version = 0 if target else fields.whole(tree, "version", 1)
        self.length = fields.whole(tree, "length") if target or "length" in tree else -1
        hashes = fields.mapped(tree, "hashes", 8) if target or "hashes" in tree else {}
        self.hashes = {name: fields.digits(hashes, name, 128) for name in hashes}
        if target and not hashes:
            raise fields.wrong("hashes")

    def check(self, data: bytes, what: str, more: dict[str, str] = _NO_MORE) -> None:
        """Raise if `data` is not the file meant; `more` are digests besides SHA-256, by name."""
        found = dict(more)
        found["sha256"] = binascii.hexlify(hashlib.sha256(data).digest()).decode()
        usable = [name for name in self.hashes if name in found]
        differ = [name for name in usable if self.hashes[name] != found[name]]
        if self.length not in (-1, len(data)) or differ or (self.hashes and not usable):
            raise refused("file is not the one that was signed", "%s, %d bytes" % (what, len(data)))


class Signed:
    """One file of metadata, read but not yet believed.

    digest  the SHA-256 that signatures cover; equal digests are equal content
    The tree is given to `read` and not kept: while signatures are verified a board needs the room.
    """

    def __init__(self, data: bytes, kind: str, at_most: int) -> None:
        outer = parse_object(data, at_most)
        tree = fields.mapped(outer, "signed", FILES_AT_MOST)
        self.kind = fields.chosen(tree, "_type", (kind,))
        if fields.text(tree, "spec_version", 32).split(".")[0] != "1":
            raise fields.wrong("spec_version", tree["spec_version"])
        self.version = fields.whole(tree, "version", 1)
        self.expires_s = fields.instant(tree, "expires")
        self.digest = digest(tree)
        self._signatures = _signatures(outer)
        self._right: dict[tuple[str, bytes], bool] = {}
        self.read(tree)

    def read(self, tree: dict[str, object]) -> None:
        """Take what this kind of file says."""

    def require(self, role: Role, name: str) -> None:
        """Raise unless the threshold of the role's distinct keys have signed this file."""
        counted: set[bytes] = set()
        for keyid in sorted(self._signatures):
            point = role.points.get(keyid, b"")
            if point and point not in counted and self._is_right(keyid, point):
                counted.add(point)
                if len(counted) == role.threshold:
                    return
        shown = "%s %d, %d of %d" % (name, self.version, len(counted), role.threshold)
        raise refused("metadata below its threshold", shown)

    def _is_right(self, keyid: str, point: bytes) -> bool:
        """A root is asked twice, by the old keys and by its own: verified once. The key belongs to
        what is remembered, since two roots may call two keys alike."""
        known = keyid, point
        if known not in self._right:
            self._right[known] = p256.verify_digest(point, self.digest, self._signatures[keyid])
        return self._right[known]

    def forget(self) -> None:
        """Verified: its signatures need not lie in a board's heap any longer."""
        self._signatures, self._right = {}, {}


def _signatures(outer: dict[str, object]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for item in fields.objects(outer, "signatures", _SIGNATURES_AT_MOST):
        keyid, sig = fields.text(item, "keyid", 128), item.get("sig")
        if keyid in found or not isinstance(sig, str):
            raise fields.wrong("signatures", keyid)
        try:
            found[keyid] = binascii.unhexlify(sig) if len(sig) <= _SIGNATURE_DIGITS_AT_MOST else b""
        except ValueError:
            found[keyid] = b""  # no signature of any kind we know; the others may be enough
    return found


def points(tree: dict[str, object]) -> dict[str, bytes]:
    """{key id: P-256 point} of a file's `keys`; those of other kinds are left out."""
    found = {}
    keys = fields.mapped(tree, "keys", KEYS_AT_MOST)
    for keyid in keys:
        key = fields.mapped(keys, keyid, 32)
        public = fields.mapped(key, "keyval", 8).get("public")
        if key.get("keytype") in _KEY_TYPES and key.get("scheme") == _SCHEME:
            point = _point(public) if isinstance(public, str) else b""
            if point:
                found[keyid] = point
    return found


def _point(public: str) -> bytes:
    """The point of a key written as PEM or as hexadecimal digits; empty if it is none."""
    try:
        if len(public) == 130:
            point = binascii.unhexlify(public)
            return point if p256.is_point(point) else b""
        body = public.replace("\r", "").strip()
        if not body.startswith(_PEM[0]) or not body.endswith(_PEM[1]):
            return b""
        inner = body[len(_PEM[0]) : -len(_PEM[1])].replace("\n", "")
        return p256.point_of_spki(base64_bytes(inner))
    except (ValueError, MalformedMessage, TrustError):
        return b""
