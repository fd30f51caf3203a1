"""The first root of trust of a layer of signed bundles, or a newer one, given by hand.

Rule: never without its SHA-256, never on first use. A newer root takes the place of one only if the
keys of that one have signed it: the way out of lost keys is another.

Source: design section 7; TUF specification 1.0, section 5.3.
"""

import hashlib

from ..core import records
from ..errors import TrustError
from ..performers.bundles import Held
from ..pki.metadata import Root
from ..pki.tuf import TrustedSet

FILE = "root.json"
LOST = "lost keys have other ways out: the site layer, or a new factory package"


def checked(data: bytes, sha256: str) -> Root:
    """A root that is the one named, and signed by a threshold of its own keys.

    Raises  TrustError, MalformedMessage
    """
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise TrustError("not the root of trust that was named", found,
                         "compare its SHA-256 with what its signers say, by another way")
    return TrustedSet(data, {}).root


def is_news(data: bytes, sha256: str, held: Held) -> bool:
    """False for a root that was taken before; TrustError where another one is there."""
    own = hashlib.sha256(held.root).hexdigest()
    if sha256 == own or sha256 in held.lineage:
        return False
    root, before = Root(data), TrustedSet(held.root, {}).root
    if root.version <= before.version:
        raise TrustError("another root of trust is there", own, LOST)
    try:
        root.require(before.roles["root"], "root")
    except TrustError as error:
        raise TrustError("another root of trust is there", own, LOST) from error
    return True


def check_known(sha256: str, lineage: list[str]) -> None:
    """The root on the disk is damaged: only one that was taken before repairs it. TrustError."""
    if sha256 not in lineage:
        raise TrustError("another root of trust is there", lineage[-1], LOST)


def record(before: dict | None, number: int, lineage: list[str]) -> dict:
    """What the frame says of a layer whose root of trust is in folder `number`."""
    if before is None:
        return dict(records.none(), folder=number, lineage=lineage)
    made: dict = records.refreshed(before, {"folder": number, "lineage": lineage})
    return made
