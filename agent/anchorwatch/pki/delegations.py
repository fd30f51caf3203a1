"""The search for a target through delegated roles. Our bundles have none; clients of others do.

Rule: no I/O. Roles are visited in the order of the file, deeper ones first, each once; a role is
believed only through the one that delegates to it now, whatever was verified on another way.

Source: TUF specification 1.0, sections 4.5.3 and 5.6.7.
"""

import binascii
import hashlib

from ..errors import MalformedMessage, TrustError
from . import fields
from .metadata import ROLES, TARGETS_AT_MOST, Targets
from .roles import Meta, Role, points, refused
from .tuf import TrustedSet, Wanted

VISITS_AT_MOST = 32
_ROLES_AT_MOST = 1024


class Search:
    """Looks for `path` below the verified targets; `found` is what they say of it.

    While `wanted` names a file, give it to `take`, or one kept from earlier to `recall`.
    """

    def __init__(self, trusted: TrustedSet, path: str) -> None:
        if trusted.targets is None:
            raise refused("file is missing", "targets")
        self.found: Meta | None = None
        self.path = path
        self._trusted = trusted
        self._visited = ["targets"]
        self._next: list[tuple[str, Role]] = []
        self._look_into(trusted.targets)

    def wanted(self) -> Wanted | None:
        """The next role's file; None when the target is found or nobody is left to ask."""
        if self.found is not None or not self._next:
            return None
        name = self._next[-1][0]
        return self._trusted.file_of(name, self._trusted.announced(name), TARGETS_AT_MOST)

    def role(self) -> str:
        """The role whose file is wanted."""
        return self._next[-1][0]

    def take(self, data: bytes | None) -> None:
        """The file wanted; None if it does not exist."""
        name, role = self._next[-1]
        if data is None:
            raise refused("file is missing", name)
        file = self._trusted.read_targets(data, name, role)
        self._next.pop()
        self._visited.append(name)
        self._look_into(file)

    def recall(self, data: bytes) -> bool:
        """Take a file kept from earlier, if it is still the one that is announced."""
        try:
            self.take(data)
        except (TrustError, MalformedMessage):
            return False
        return True

    def _look_into(self, file: Targets) -> None:
        self.found = file.targets.get(self.path)
        if self.found is None and file.delegations is not None:
            children = []
            for name, role, last in _delegated(file.delegations, self.path):
                children.append((name, role))
                if last:
                    self._next = []
                    break
            children.reverse()
            self._next += children
        while self._next and self._next[-1][0] in self._visited:
            self._next.pop()
        if len(self._visited) > VISITS_AT_MOST:
            self._next = []


def _delegated(delegations: object, path: str) -> list[tuple[str, Role, bool]]:
    """[(name, role, whether nobody else is asked)] of the roles that may sign for `path`."""
    if not isinstance(delegations, dict):
        raise fields.wrong("delegations")
    known = points(delegations)
    if "succinct_roles" in delegations:
        tree = fields.mapped(delegations, "succinct_roles", 16)
        return [(_bin(tree, path), Role(tree, known), True)]
    found = []
    for tree in fields.objects(delegations, "roles", _ROLES_AT_MOST):
        name, role = fields.text(tree, "name", 256), Role(tree, known)
        if name in ROLES:
            raise fields.wrong("name", name)
        if _covers(tree, path):
            found.append((name, role, fields.flag(tree, "terminating", False)))
    return found


def _covers(tree: dict[str, object], path: str) -> bool:
    if "path_hash_prefixes" in tree:
        digest = _digest(path)
        prefixes = fields.words(tree, "path_hash_prefixes", _ROLES_AT_MOST)
        return bool([p for p in prefixes if digest.startswith(p)])
    return bool([p for p in fields.words(tree, "paths", _ROLES_AT_MOST) if matches(p, path)])


def _digest(path: str) -> str:
    return binascii.hexlify(hashlib.sha256(path.encode()).digest()).decode()


def _bin(tree: dict[str, object], path: str) -> str:
    """The one of 2 ** bit_length roles to which the hash of the path belongs."""
    bits = fields.whole(tree, "bit_length", 1, 32)
    number = "%08x" % (int(_digest(path)[:8], 16) >> (32 - bits))
    return "%s-%s" % (fields.text(tree, "name_prefix", 200), number[8 - (bits + 3) // 4 :])


def matches(pattern: str, path: str) -> bool:
    """Whether each part between slashes fits: `*` is any text without a slash, `?` one letter."""
    patterns, parts = pattern.split("/"), path.split("/")
    pairs = [_part_matches(patterns[n], parts[n]) for n in range(min(len(patterns), len(parts)))]
    return len(patterns) == len(parts) and all(pairs)


def _part_matches(pattern: str, text: str) -> bool:
    at = here = seen = 0
    star = -1
    while at < len(text):
        letter = pattern[here] if here < len(pattern) else ""
        if letter == "*":
            star, seen = here, at
            here += 1
        elif letter in ("?", text[at]):
            at, here = at + 1, here + 1
        elif star >= 0:
            seen += 1
            at, here = seen, star + 1
        else:
            return False
    return pattern[here:].strip("*") == ""
