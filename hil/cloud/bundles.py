"""A vendor of trust bundles: keys in memory, releases signed with them, root keys handed over.

No I/O. A release is the whole folder of a file server, each with higher versions than the last;
what is signed outside the order (`folder`, `online`) counts for nothing and is an attacker's.
Source: The Update Framework specification 1.0; made with stock python-tuf.
"""

import datetime
from collections.abc import Callable

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from . import trustjson
from .refusal import BadRequest
from .trustjson import CertificateOf

ROLES = ("root", "targets", "snapshot", "timestamp")
HOLDERS = {
    # who       keys, how many must sign, what they sign
    "root":    (3, 2, ("root",)),
    "targets": (2, 2, ("targets",)),
    "online":  (1, 1, ("snapshot", "timestamp")),
}  # fmt: skip
DAYS = {"root": 730, "targets": 730, "snapshot": 365, "timestamp": 365}
TIMESTAMP = "timestamp.json"


class Vendor:
    """One vendor and its releases.

    certificate  called with the name of a stand-in root; returns its certificate
    utc_s        called without arguments; seconds since 1970
    holders      {who: [signer]}, `versions` {role: newest}
    said         what the newest release says, None before the first
    releases     [{file name: bytes}], each a whole folder that also holds what was there before
    """

    def __init__(self, certificate: CertificateOf, utc_s: Callable[[], int]) -> None:
        self._certificate, self.utc_s = certificate, utc_s
        self.versions = dict.fromkeys(ROLES, 0)
        self.said: dict | None = None
        self.releases: list[dict[str, bytes]] = []
        self.holders = {
            who: [CryptoSigner.generate_ecdsa() for _ in range(count)]
            for who, (count, _, _) in HOLDERS.items()
        }
        self._roots: list[bytes] = []
        self._root = Root(consistent_snapshot=True)
        for who, (_, threshold, roles) in HOLDERS.items():
            for role in roles:
                for signer in self.holders[who]:
                    self._root.add_key(signer.public_key, role)
                self._root.roles[role].threshold = threshold
        self._sign_root(self.holders["root"][:2])

    def root(self) -> bytes:
        """The first root: what an integrator ships as vendor.root.json."""
        return self._roots[0]

    def files(self) -> dict[str, bytes]:
        """The newest release; before the first, the roots alone."""
        return self.releases[-1] if self.releases else self.roots()

    def roots(self) -> dict[str, bytes]:
        """{"1.root.json": bytes, ...}."""
        return {f"{number}.root.json": data for number, data in enumerate(self._roots, 1)}

    def release(self, said: dict) -> dict[str, bytes]:
        """Sign the next release and return its folder; `said` as in trustjson.targets."""
        versions = self.next_versions()
        made = self.folder(said, versions)
        self.versions, self.said = versions, said
        self.releases.append({**self.files(), **made})
        return self.releases[-1]

    def next_versions(self) -> dict[str, int]:
        return {role: v if role == "root" else v + 1 for role, v in self.versions.items()}

    def folder(
        self,
        said: dict,
        versions: dict[str, int],
        signers: list[CryptoSigner] | None = None,
        days: int | None = None,
    ) -> dict[str, bytes]:
        """All files of a release with these versions.

        signers  of the targets; all their holders if not given
        days     until the documents expire; as usual if neither this nor the release says
        """
        trustjson.check(said)
        days = said.get("days") if days is None else days
        files = trustjson.targets(said, versions["targets"], self.utc_s(), self._certificate)
        named = {path: TargetFile.from_data(path, files[path], ["sha256"]) for path in files}
        paper = Targets(versions["targets"], expires=self._expiry("targets", days), targets=named)
        data = signed(paper, signers or self.holders["targets"])
        hashed = {f"{named[path].hashes['sha256']}.{path}": files[path] for path in files}
        return {
            **self.roots(),
            **hashed,
            **files,
            f"{paper.version}.targets.json": data,
            **self.online(data, versions, days),
        }

    def online(
        self, targets: bytes, versions: dict[str, int], days: int | None = None
    ) -> dict[str, bytes]:
        """Snapshot and timestamp over these targets: all that the online key can sign."""
        meta = {"targets.json": described(versions["targets"], targets)}
        expires = self._expiry("snapshot", days)
        data = signed(
            Snapshot(versions["snapshot"], expires=expires, meta=meta), self.holders["online"]
        )
        above = Timestamp(
            versions["timestamp"], expires=self._expiry("timestamp", days),
            snapshot_meta=described(versions["snapshot"], data),
        )  # fmt: skip
        return {
            f"{versions['snapshot']}.snapshot.json": data,
            TIMESTAMP: signed(above, self.holders["online"]),
        }

    def targets_paper(self) -> bytes:
        """The newest signed targets."""
        if self.said is None:
            raise BadRequest("nothing was published yet", "mirror", "publish a release first")
        return self.files()[f"{self.versions['targets']}.targets.json"]

    def rotate(self, who: str) -> dict[str, bytes]:
        """One holder hands over to a new one: a new root, and what was released signed again."""
        if who not in HOLDERS:
            raise BadRequest("no such holder of keys", who, f"one of {', '.join(HOLDERS)}")
        signers = self.holders["root"][:2]
        old, new = self.holders[who].pop(0), CryptoSigner.generate_ecdsa()
        self.holders[who].append(new)
        for role in HOLDERS[who][2]:
            self._root.revoke_key(old.public_key.keyid, role)
            self._root.add_key(new.public_key, role)
        self._sign_root([*signers, new] if who == "root" else signers)
        return self.release(self.said) if self.said else self.files()

    def stranger(self) -> "Vendor":
        """Another vendor, whose keys no device knows."""
        return Vendor(self._certificate, self.utc_s)

    def root_of_few(self) -> bytes:
        """A next root that one holder alone signed for a key of his own."""
        thief, paper = self.holders["root"][0], Root.from_dict(self._root.to_dict())
        paper.version += 1
        for role in ROLES:
            paper.roles[role].threshold = 1
            paper.add_key(thief.public_key, role)
        return signed(paper, [thief])

    def _sign_root(self, signers: list[CryptoSigner]) -> None:
        self.versions["root"] += 1
        self._root.version = self.versions["root"]
        self._root.expires = self._expiry("root", None)
        self._roots.append(signed(self._root, signers))

    def _expiry(self, role: str, days: int | None) -> datetime.datetime:
        end_s = self.utc_s() + 86_400 * (DAYS[role] if days is None else days)
        return datetime.datetime.fromtimestamp(end_s, datetime.timezone.utc)


def signed(paper: Root | Targets | Snapshot | Timestamp, signers: list[CryptoSigner]) -> bytes:
    """The bytes of a file of metadata."""
    metadata = Metadata(paper)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def described(version: int, data: bytes) -> MetaFile:
    """What the document above says of a file."""
    return MetaFile(version, len(data), {"sha256": trustjson.digest(data)})
