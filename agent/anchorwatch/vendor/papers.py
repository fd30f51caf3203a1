"""The four roles of TUF metadata, as this workspace knows them: what is released, what is drafted.

Rule: versions only go up, and no two different documents ever carry the same one: a draft that
somebody has signed takes the next version when it is changed. Root alone keeps its number while it
is a draft, since devices want each version exactly one above the last.

Source: The Update Framework specification 1.0, sections 4 and 6; design, "Trust".
"""

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signer, SSlibKey
from tuf.api.exceptions import LengthOrHashMismatchError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from ..errors import AgentError, ConfigError, TrustError, plain
from . import dates

ROLES = ("root", "targets", "snapshot", "timestamp")
MADE = {"root": Root, "targets": Targets, "snapshot": Snapshot, "timestamp": Timestamp}
# Devices may be off for months, and root and targets need people: long, but not for ever.
DAYS = {"root": 730, "targets": 730, "snapshot": 365, "timestamp": 365}


class Papers:
    """The newest document of each role.

    released  {role: Metadata} that devices may have
    draft     {role: Metadata} that waits for signatures or for publishing
    """

    def __init__(self, released: dict[str, Metadata], draft: dict[str, Metadata]) -> None:
        self.released, self.draft = released, draft

    def newest(self, role: str) -> Metadata | None:
        """The draft where there is one, else the released document, else None."""
        return self.draft.get(role) or self.released.get(role)

    @property
    def root(self) -> Root:
        """The root that the next release is judged by."""
        return self.newest("root").signed

    def version(self, role: str) -> int:
        """The version of the newest document, 0 without one."""
        newest = self.newest(role)
        return newest.signed.version if newest else 0

    def next_version(self, role: str) -> int:
        """The version that a change of `role` gets."""
        released = self.released.get(role)
        after = released.signed.version + 1 if released else 1
        draft = self.draft.get(role)
        if draft is None or role == "root":
            return after
        return draft.signed.version + (1 if draft.signatures else 0)

    # What is drafted.

    def draft_root(self, change, now_s: int, days: int) -> None:
        """The next root, `change` called with a copy of the newest one; and the next timestamp,
        whose number tells one release from the next.
        """
        newest, fresh = self.newest("root"), Root(consistent_snapshot=True)
        if newest:
            fresh = Root.from_dict(newest.signed.to_dict())
        change(fresh)
        self._place("root", fresh, now_s, days)
        if self.version("snapshot"):
            self.draft_timestamp(now_s, DAYS["timestamp"])

    def draft_targets(self, targets: dict[str, bytes], now_s: int, days: int) -> None:
        """The next targets, and the two roles that name them."""
        named = {path: TargetFile.from_data(path, targets[path]) for path in targets}
        self._place("targets", Targets(targets=named), now_s, days)
        self.draft_snapshot(now_s, DAYS["snapshot"])

    def draft_snapshot(self, now_s: int, days: int) -> None:
        """The next snapshot, and the timestamp that names it."""
        meta = {"targets.json": MetaFile(version=self.version("targets"))}
        self._place("snapshot", Snapshot(meta=meta), now_s, days)
        self.draft_timestamp(now_s, DAYS["timestamp"])

    def draft_timestamp(self, now_s: int, days: int) -> None:
        """The next timestamp."""
        meta = MetaFile(version=self.version("snapshot"))
        self._place("timestamp", Timestamp(snapshot_meta=meta), now_s, days)

    def _place(self, role: str, signed, now_s: int, days: int) -> None:
        signed.version = self.next_version(role)
        signed.expires = dates.moment(now_s + days * dates.DAY_S)
        self.draft[role] = Metadata(signed)

    # Signatures.

    def sign(self, signer: Signer) -> list[str]:
        """Sign every draft that waits for this key; the roles. TrustError if it signs none."""
        key = signer.public_key.keyid
        roles = [role for role in ROLES if role in self.draft and key in self.keys(role)]
        if not roles:
            raise TrustError("key signs nothing in this draft", key[:16],
                             "sign with a key that `show` lists as missing")
        for role in roles:
            paper = self.draft[role]
            _sign(paper, signer)
            try:
                signer.public_key.verify_signature(paper.signatures[key], paper.signed_bytes)
            except UnverifiedSignatureError as error:
                raise TrustError("signature does not fit the public key", key[:16],
                                 "give the --public that belongs to --key") from error
        return roles

    def keys(self, role: str) -> dict[str, SSlibKey]:
        """{key id: key} of those who may sign `role`; of root the old holders and the new ones."""
        found = {}
        for root in self._judges(role):
            found.update({key: root.keys[key] for key in root.roles[role].keyids})
        return found

    def counts(self, role: str) -> list[tuple[int, int]]:
        """[(signatures, threshold)] of the newest document, one row for each root that judges it:
        two for a new root.
        """
        return [(len(found.signed), found.threshold) for found in self._results(role)]

    def missing(self, role: str) -> list[str]:
        """Key ids of those who have not signed the newest document."""
        have = self.newest(role).signatures
        return sorted(key for key in self.keys(role) if key not in have)

    def is_complete(self, role: str) -> bool:
        """Whether enough holders have signed the newest document."""
        return self.newest(role) is not None and all(r.verified for r in self._results(role))

    def check_targets(self, targets: dict[str, bytes]) -> None:
        """TrustError unless the newest targets are of exactly these files: what a holder is shown
        is what a signature covers.
        """
        named = self.newest("targets").signed.targets
        for path in sorted(set(named) | set(targets)):
            try:
                named[path].verify_length_and_hashes(targets[path])
            except (KeyError, LengthOrHashMismatchError) as error:
                raise TrustError("draft shows one thing and has another signed", plain(path),
                                 "take it back from a holder who has it whole") from error

    def _results(self, role: str) -> list:
        paper = self.newest(role)
        return [root.get_verification_result(role, paper.signed_bytes, paper.signatures)
                for root in self._judges(role)]

    def _judges(self, role: str) -> list[Root]:
        released = self.released.get("root")
        if role == "root" and "root" in self.draft and released:
            return [released.signed, self.root]
        return [self.root]


def _sign(paper: Metadata, signer: Signer) -> None:
    """Add one signature. TrustError, or the error of ours that a signer has passed on."""
    try:
        paper.sign(signer, append=True)
    except UnsignedMetadataError as error:
        if isinstance(error.__cause__, AgentError):
            raise error.__cause__ from None
        raise TrustError("key did not sign", type(error.__cause__).__name__,
                         "check the token or service that holds it") from error


def replace_keys(role: str, add: list[SSlibKey], remove: list[str], threshold: int | None):
    """A change for `draft_root`: other holders for one role, or another threshold."""
    def change(root: Root) -> None:
        for word in remove:
            root.revoke_key(_full(root, role, word), role)
        for key in add:
            if key.keyid in root.roles[role].keyids:
                raise ConfigError("the same key twice in one role", "%s, %s" % (role, key.keyid),
                                  "a threshold counts different keys")
            root.add_key(key, role)
        if threshold is not None:
            root.roles[role].threshold = threshold
        check_threshold(role, len(root.roles[role].keyids), root.roles[role].threshold)
    return change


def check_threshold(role: str, keys: int, threshold: int) -> None:
    """ConfigError unless 1 <= threshold <= keys."""
    if not 1 <= threshold <= keys:
        raise ConfigError("threshold that can never be met", "%s, %d of %d keys"
                          % (role, threshold, keys), "give 1 to the number of its keys")


def _full(root: Root, role: str, word: str) -> str:
    """The key id that `word` begins."""
    found = [key for key in root.roles[role].keyids if key.startswith(word)]
    if len(found) != 1 or len(word) < 8:
        raise ConfigError("no single key of %s" % role, word,
                          "give the first 8 digits or more of an id that `show` lists")
    return found[0]
