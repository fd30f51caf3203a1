"""Bundles for tests, made by stock `tuf` with fresh keys: nothing of ours takes part.

Rule: a Maker holds the papers and the keys; a test changes papers, signs with whom it likes and
publishes into a folder of a file server's layout.
"""

import datetime
import hashlib
import json
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

ROOTS = pathlib.Path(__file__).parents[2] / "agent" / "anchorwatch" / "data" / "roots"
NAMES = ("digicert-global-root-g2", "digicert-global-root-g3", "microsoft-ecc-root-ca-2017")
MADE = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)
NOW_S = int(MADE.timestamp())
YEAR = datetime.timedelta(days=365)
ROLES = ("root", "timestamp", "snapshot", "targets")


def certificate(name):
    """(DER, the part of an anchor that is its own)."""
    one = x509.load_pem_x509_certificate((ROOTS / (name + ".pem")).read_bytes())
    der = one.public_bytes(serialization.Encoding.DER)
    spki = one.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hashes = {"sha256": hashlib.sha256(der).hexdigest(), "spki_sha256": digest(spki)}
    return der, dict(hashes, name=name)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def trust_tree(version=1, names=NAMES):
    """A trust.json that says a little of everything."""
    anchors = [
        dict(certificate(name)[1], scope=["hub", "dps"], clouds=["global"], state="active")
        for name in names
    ]
    return {"version": version, "issued": "2026-11-22T00:00:00Z", "anchors": anchors,
            "distrust": [], "announcements": []}  # fmt: skip


class Maker:
    """2-of-3 root, 2-of-2 targets, one key each for snapshot and timestamp."""

    def __init__(self):
        counts = (("root", 3, 2), ("timestamp", 1, 1), ("snapshot", 1, 1), ("targets", 2, 2))
        self.root = Root(expires=MADE + YEAR, consistent_snapshot=True)
        self.signers = {}
        for role, count, threshold in counts:
            self.signers[role] = [CryptoSigner.generate_ecdsa() for _ in range(count)]
            for signer in self.signers[role]:
                self.root.add_key(signer.public_key, role)
            self.root.roles[role].threshold = threshold
        self.timestamp = Timestamp(expires=MADE + YEAR)
        self.snapshot = Snapshot(expires=MADE + YEAR)
        self.targets = Targets(expires=MADE + YEAR)
        self.roots = []
        self.files = {}
        self.sign_root()

    def sign_root(self, *more):
        """The root as it is now, signed by its holders and by `more`."""
        signers = self.signers["root"][: self.root.roles["root"].threshold] + list(more)
        self.roots.append(signed(self.root, signers))

    def next_root(self):
        """One holder of the root hands over to a new one; the old threshold signs too."""
        self.root.version += 1
        old = self.signers["root"].pop(0)
        self.root.revoke_key(old.public_key.keyid, "root")
        self.signers["root"].append(CryptoSigner.generate_ecdsa())
        self.root.add_key(self.signers["root"][-1].public_key, "root")
        self.sign_root(old)

    def put(self, path, data):
        """A file that the targets sign."""
        self.files[path] = data
        self.targets.targets[path] = TargetFile.from_data(path, data, ["sha256"])

    def put_trust(self, tree):
        """trust.json and the certificates it names."""
        self.put("trust.json", json.dumps(tree).encode())
        for anchor in tree["anchors"]:
            self.put(anchor["sha256"] + ".der", certificate(anchor["name"])[0])

    def published(self):
        """{name: bytes} as a file server has them."""
        found = {"%d.root.json" % (n + 1): data for n, data in enumerate(self.roots)}
        targets = signed(self.targets, self.signers["targets"])
        self.snapshot.meta["targets.json"] = described(self.targets, targets)
        snapshot = signed(self.snapshot, self.signers["snapshot"])
        self.timestamp.snapshot_meta = described(self.snapshot, snapshot)
        found["timestamp.json"] = signed(self.timestamp, self.signers["timestamp"])
        found["%d.snapshot.json" % self.snapshot.version] = snapshot
        found["%d.targets.json" % self.targets.version] = targets
        for path, data in self.files.items():
            found["%s.%s" % (digest(data), path)] = data
        return found


def signed(part, signers):
    """The bytes of a file of metadata."""
    metadata = Metadata(part)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes(JSONSerializer(compact=True))


def described(part, data):
    """What the file above says of it."""
    return MetaFile(part.version, len(data), {"sha256": digest(data)})


def three_roots():
    """The bundle that figures are measured with: two root steps, three certificates."""
    maker = Maker()
    maker.next_root()
    maker.next_root()
    maker.put_trust(trust_tree())
    return maker


def write(folder, files):
    """The files into a folder; the folder."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
