"""The four kinds of signed metadata: what each of them says.

Rule: each has a size beyond which it is not read; what is said twice or in a wrong form is refused.

Source: TUF specification 1.0, sections 4.3 to 4.6.
"""

from . import fields
from .roles import FILES_AT_MOST, Meta, Role, Signed, points

ROOT_AT_MOST = 65_536
TIMESTAMP_AT_MOST = 16_384
SNAPSHOT_AT_MOST = 65_536
TARGETS_AT_MOST = 131_072
ROLES = ("root", "timestamp", "snapshot", "targets")


class Root(Signed):
    """Who may sign what: `roles`; `consistent`: file names begin with a version or a hash."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, "root", ROOT_AT_MOST)

    def read(self, tree: dict[str, object]) -> None:
        known = points(tree)
        roles = fields.mapped(tree, "roles", 16)
        self.roles = {name: Role(fields.mapped(roles, name, 16), known) for name in ROLES}
        self.consistent = fields.flag(tree, "consistent_snapshot", False)


class Timestamp(Signed):
    """`snapshot`: what the newest snapshot is."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, "timestamp", TIMESTAMP_AT_MOST)

    def read(self, tree: dict[str, object]) -> None:
        self.snapshot = Meta(fields.mapped(tree, "meta", 4).get("snapshot.json"))


class Snapshot(Signed):
    """`meta`: what the newest targets files are."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, "snapshot", SNAPSHOT_AT_MOST)

    def read(self, tree: dict[str, object]) -> None:
        meta = fields.mapped(tree, "meta", FILES_AT_MOST)
        self.meta = {name: Meta(meta[name]) for name in meta}
        if "targets.json" not in self.meta:
            raise fields.wrong("meta", "no targets.json")


class Targets(Signed):
    """`targets`: files by their paths; `delegations`: the tree of who may sign further ones."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, "targets", TARGETS_AT_MOST)

    def read(self, tree: dict[str, object]) -> None:
        targets = fields.mapped(tree, "targets", FILES_AT_MOST)
        self.targets = {path: Meta(targets[path], True) for path in targets}
        self.delegations = tree.get("delegations")
