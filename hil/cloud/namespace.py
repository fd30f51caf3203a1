"""Certificate management (preview): a namespace with one credential, policies, operational leaves.

The credential is a root CA, a policy an issuing CA below it. Each leaf holds an identifier of its
device; revoking changes the identifier, so that all older leaves of the device fail at once. Hubs
read no revocation list. Time is an argument.
Source: "Certificate issuance", "Certificate policy management" (the pages of 2026-03).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography import x509

from . import identity
from .csr import KEY_KINDS, CsrRefused, SigningRequest
from .issuing import DAY_S, YEAR_S, Authority, MakeKey, Terms, new_key
from .journal import Journal
from .refusal import BadRequest, NotProven

ROOT_LIFE_S, POLICY_LIFE_S = 30 * YEAR_S, 25 * YEAR_S
LEAF_DAYS = range(1, 91)
ANY_KEY: tuple[str, ...] = ()
# The real extension is not documented. This one hangs below the UUID arc, which is anybody's.
IDENTIFIER = x509.ObjectIdentifier("2.25.220117155931542091348427160418833015873")


@dataclass
class Policy:
    """One issuing CA and its rules.

    life_s  of a leaf; documented in whole days, a test may want less
    keys    the kinds it takes, () for any; the pages say ec-p384, the samples do otherwise
    """

    name: str
    authority_now: Authority = field(repr=False)
    namespace: "Namespace" = field(repr=False)
    life_s: int = 90 * DAY_S
    keys: tuple[str, ...] = ANY_KEY

    def authority(self, now_ms: int) -> Authority:
        """Its issuing CA."""
        return self.authority_now

    def terms(self, request: SigningRequest, now_ms: int) -> Terms:
        """A leaf with the device's identifier; raises CsrRefused for a key it does not take."""
        if self.keys and request.key_kind not in self.keys:
            raise CsrRefused("InvalidKeyType", f"a key of the kind {request.key_kind}")
        utc_s = self.namespace.utc_s(now_ms)
        identifier = self.namespace.identifier(request.common_name)
        return Terms(
            request.common_name, request.public_key, utc_s, utc_s + self.life_s,
            (x509.UnrecognizedExtension(IDENTIFIER, der_text(identifier)),),
        )  # fmt: skip

    def published(self, now_ms: int) -> list[bytes]:
        """The issuing CA and the credential."""
        return list(self.authority_now.path)

    def shown(self) -> dict:
        """As JSON for the management side."""
        sha1, sha256 = identity.thumbprints(self.authority_now.path[0])
        return {
            "name": self.name,
            "life_s": self.life_s,
            "keys": list(self.keys),
            "thumbprint": sha1,
            "sha256": sha256,
        }


class Namespace:
    """One namespace, linked to every hub and to DPS."""

    def __init__(
        self,
        name: str,
        now_ms: int,
        *,
        utc_s: Callable[[int], int],
        make_id: Callable[[], str],
        journal: Journal,
        make_key: MakeKey = new_key,
    ) -> None:
        self.name, self.utc_s, self.journal = name, utc_s, journal
        self._make_id, self._make_key = make_id, make_key
        since = utc_s(now_ms) - DAY_S
        self.credential = Authority.new(
            f"{name} Root", since, since + ROOT_LIFE_S, make_key=make_key
        )
        self.policies: dict[str, Policy] = {}
        self._identifiers: dict[str, str] = {}

    def put_policy(self, name: str, now_ms: int, days: int = 90, keys: tuple = ANY_KEY) -> Policy:
        """Create a policy, or change the rules of one that is there."""
        if days not in LEAF_DAYS:
            raise BadRequest("a leaf's days", days, "1 to 90")
        for kind in keys:
            if kind not in KEY_KINDS:
                raise BadRequest("no such kind of key", kind, f"one of {', '.join(KEY_KINDS)}")
        if name not in self.policies:
            since = self.utc_s(now_ms) - DAY_S
            made = Authority.new(
                f"{name} Issuing", since, since + POLICY_LIFE_S, self.credential, self._make_key
            )
            self.policies[name] = Policy(name, made, self)
        policy = self.policies[name]
        policy.life_s, policy.keys = days * DAY_S, tuple(keys)
        return policy

    def policy(self, name: str) -> Policy:
        """One by its name; raises BadRequest."""
        if name not in self.policies:
            raise BadRequest("no such policy", name, f"there are {sorted(self.policies)}")
        return self.policies[name]

    def identifier(self, device_id: str) -> str:
        """What the device's next leaf will hold."""
        if device_id not in self._identifiers:
            self._identifiers[device_id] = self._make_id()
        return self._identifiers[device_id]

    def revoke(self, device_id: str, now_ms: int) -> str:
        """A new identifier: every leaf the device has is worth nothing; what it is now."""
        self._identifiers[device_id] = self._make_id()
        self.journal.add(now_ms, "namespace", "certificates revoked", device_id)
        return self._identifiers[device_id]

    def shown(self) -> dict:
        """As JSON for the management side."""
        sha1, sha256 = identity.thumbprints(self.credential.root())
        return {
            "name": self.name,
            "credential": {"thumbprint": sha1, "sha256": sha256},
            "policies": [self.policies[name].shown() for name in sorted(self.policies)],
        }

    def prove(self, chain: list[bytes], utc_s: int) -> None:
        """The chain is one of this namespace, unrevoked; raises NotProven."""
        identity.nearest_authority(chain, [self.credential.root()], utc_s)
        held = identifier_in(chain[0])
        if held is None or held != self._identifiers.get(identity.common_name(chain[0])):
            raise NotProven("the certificate was revoked: it holds another identifier")


def identifier_in(der: bytes) -> str | None:
    """The identifier that a leaf holds."""
    try:
        held = identity.loaded(der).extensions.get_extension_for_oid(IDENTIFIER)
    except identity.UNREADABLE:
        return None
    return held.value.value[2:].decode("ascii", "replace")


def der_text(text: str) -> bytes:
    """A short text as UTF8String."""
    return bytes([0x0C, len(text)]) + text.encode("ascii")
