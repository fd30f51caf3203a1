"""A hub's identity registry: who may connect, and by which credential.

Judges credentials; opens and closes nothing. Keys appear in no repr and no listing.
Source: "Understand the identity registry in your IoT hub"; the pages on SAS and X.509.
"""

import base64
import binascii
import string
from dataclasses import dataclass, field, fields

from . import identity, sas
from .namespace import Namespace
from .records import DISABLED, NOT_FOUND, UNAUTHORIZED
from .refusal import BadRequest, NotProven

SAS, THUMBPRINT, CA = "sas", "thumbprint", "ca"
ID_CHARACTERS = set(string.ascii_letters + string.digits + "-.+%_#*?!(),=@$':")


@dataclass
class Identity:
    """One device of the registry.

    auth   "sas" (keys), "thumbprint" (a certificate by its SHA-1 or SHA-256) or "ca" (a registered
           authority, and CN = device id)
    policy  of the namespace: with "ca", certificates that it issued are taken as well
    """

    device_id: str
    auth: str = SAS
    enabled: bool = True
    primary_key: str = field(default="", repr=False)
    secondary_key: str = field(default="", repr=False)
    primary_thumbprint: str = ""
    secondary_thumbprint: str = ""
    policy: str = ""

    def __post_init__(self) -> None:
        check_types(self, "device")
        check_id(self.device_id)
        if self.auth not in (SAS, THUMBPRINT, CA):
            raise BadRequest(
                "unknown kind of authentication", self.auth, f"{SAS}, {THUMBPRINT}, {CA}"
            )
        check_key("primary_key", self.primary_key)
        check_key("secondary_key", self.secondary_key)
        self.primary_thumbprint = identity.plain_thumbprint(self.primary_thumbprint)
        self.secondary_thumbprint = identity.plain_thumbprint(self.secondary_thumbprint)

    def shown(self) -> dict:
        """As JSON for the management side, without the keys."""
        return {k: v for k, v in vars(self).items() if not k.endswith("_key")}


def from_json(made_of: dict) -> Identity:
    """The identity in a management request; raises BadRequest."""
    known = [f.name for f in fields(Identity)]
    for name in made_of:
        if name not in known:
            raise BadRequest("a device has no such field", name, f"it has {known}")
    if "device_id" not in made_of:
        raise BadRequest("the device has no id", sorted(made_of), "add device_id")
    return Identity(**made_of)


def check_types(made: object, what: str) -> None:
    """Raise BadRequest unless each text is a text and each switch a switch; repeats no value."""
    for known in fields(made):
        plain = known.type in (str, bool, dict)  # a union is looked at where it is used
        if plain and type(getattr(made, known.name)) is not known.type:
            raise BadRequest(f"a {what}'s field is wrong", known.name, f"a {known.type.__name__}")


def check_id(device_id: object) -> None:
    """Raise BadRequest unless it is a legal device id."""
    legal = isinstance(device_id, str) and 0 < len(device_id) <= 128
    if not legal or not set(device_id) <= ID_CHARACTERS:
        raise BadRequest(
            "not a device id", device_id, "1 to 128 letters, digits and -.+%_#*?!(),=@$':"
        )


def check_key(name: str, key: str) -> None:
    """Raise BadRequest unless it is "" or base64; the message does not repeat it."""
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise BadRequest("a key is not base64", name, "write it as base64") from None


class Registry:
    """The identities of one hub, and the certificate authorities registered with it."""

    def __init__(self, namespace: Namespace | None = None) -> None:
        self.namespace = namespace
        self.authorities: dict[str, bytes] = {}
        self._identities: dict[str, Identity] = {}

    def put(self, made: Identity) -> None:
        """Create or replace."""
        self._identities[made.device_id] = made

    def get(self, device_id: str) -> Identity | None:
        """The identity, or None."""
        return self._identities.get(device_id)

    def remove(self, device_id: str) -> None:
        """Delete; nothing happens when there is none."""
        self._identities.pop(device_id, None)

    def all(self) -> list[Identity]:
        """Every identity, by id."""
        return [self._identities[k] for k in sorted(self._identities)]

    def prove(
        self, device_id: str, host: str, password: bytes | None, chain: list[bytes], utc_s: int
    ) -> int | None:
        """When the proof ends (a token's expiry, None for a certificate); raises NotProven."""
        known = self._identities.get(device_id)
        if known is None:
            raise NotProven("no such device", NOT_FOUND)
        if not known.enabled:
            raise NotProven("the device is disabled", DISABLED)
        if known.auth == SAS:
            return self._prove_token(known, host, password, utc_s)
        if password:
            raise NotProven("a password from a device with a certificate", UNAUTHORIZED)
        self._prove_chain(known, chain, utc_s)
        return None

    def _prove_token(self, known: Identity, host: str, password: bytes | None, utc_s: int) -> int:
        if not password:
            raise NotProven("no token", UNAUTHORIZED)
        token = sas.check(
            password.decode("ascii", "replace"),
            keys=[known.primary_key, known.secondary_key],
            resource=f"{host}/devices/{known.device_id}",
            policy="",
            utc_s=utc_s,
        )
        return token.expires_utc_s

    def _prove_chain(self, known: Identity, chain: list[bytes], utc_s: int) -> None:
        if not chain:
            raise NotProven("no client certificate", UNAUTHORIZED)
        if known.auth == THUMBPRINT:
            registered = {known.primary_thumbprint, known.secondary_thumbprint} - {""}
            if not registered & set(identity.thumbprints(chain[0])):
                raise NotProven("the certificate's thumbprint is not the registered one")
            identity.check_dates(identity.loaded(chain[0]), utc_s)
            return
        if identity.common_name(chain[0]) != known.device_id:
            raise NotProven(f"CN is {identity.common_name(chain[0])!r}, not the device id")
        try:
            identity.nearest_authority(chain, list(self.authorities.values()), utc_s)
        except NotProven:
            if not known.policy or self.namespace is None:
                raise
            self.namespace.prove(chain, utc_s)
