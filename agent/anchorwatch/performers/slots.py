"""The two slots of issued credentials, frames `slot-a` and `slot-b`, on either runtime.

    {"key": PEM of the key or of its reference in a token, "csr": base64, "chain": [base64 DER, leaf
    first], "issuer": who issued it, "assignment", "evidence": see core/proofs.py}

Rule: a frame is read when it is used and not kept. Nothing here prints a key.

Source: design section 9; contract section 3.
"""

from ..core.events import Saved, SaveFailed
from ..core.shapes import Any_, Event, MaybeTree, Tree
from ..core.slots import NAMES
from ..errors import AgentError, MalformedMessage, StateError, reason_of
from ..wire.encoding import base64_bytes

FRAME = "slot-"
UNPROVEN: Tree = {"assignment": {}, "evidence": {}}  # as a frame that has neither
_FIELDS = (("key", str), ("csr", str), ("chain", list), ("issuer", str))


class Slots:
    """store  the frames; credential  what the configuration names; warn(what, value, remedy)

    What a dial shows is the driver's: `files`, which its TLS takes, and `release`.
    """

    def __init__(self, store: Any_, credential: Any_, warn: Any_) -> None:
        self._store, self._credential, self._warn = store, credential, warn

    def start(self, state: Tree) -> Tree:
        """{slot: its credential as in Installed, or {"pending": True}}; takes the frames with their
        keys out of `state`. What cannot be used is warned of, and is as if it were not there."""
        found: Tree = {}
        for name in NAMES:
            body = state.pop(FRAME + name, None)
            if body is None:
                continue
            try:
                found[name] = _described(name, _checked(body))
            except AgentError as error:
                remedy = "the other credential serves; have a new certificate issued"
                self._warn("slot cannot be used: " + error.what, FRAME + name, remedy)
        return found

    def held(self, name: str) -> MaybeTree:
        """A slot's frame as it is on the disk now; None without one that can be used."""
        body = self._store.newest(FRAME + name)
        try:
            return None if body is None else _checked(body)
        except MalformedMessage:
            return None

    def fill(self, name: str, key: str) -> None:
        """A key without a certificate, and nothing left of what was there; OSError, StateError."""
        self._store.wipe(FRAME + name)
        self.write(name, {"key": key, "csr": "", "chain": [], "issuer": ""})

    def write(self, name: str, body: Tree) -> int:
        """A slot's frame, and its generation; OSError, StateError: it is as it was."""
        return int(self._store.save(FRAME + name, body))

    def prove(self, order: Event) -> Event:
        """Performs Prove: Saved or SaveFailed."""
        name, news = FRAME + order.slot, {"assignment": order.assignment}
        try:
            body = self.held(order.slot)
            if body is None or not body["chain"]:
                return SaveFailed(name, "io")
            return Saved(name, self.write(order.slot, dict(body, evidence=order.evidence, **news)))
        except MemoryError:
            return SaveFailed(name, "memory")
        except OSError as error:
            return SaveFailed(name, reason_of(error))
        except StateError:
            return SaveFailed(name, "full")

    def wipe(self, name: str) -> None:
        """Overwrite a slot, and remove it where that is the store's way; OSError: its bytes may
        still be there."""
        self._store.wipe(FRAME + name)

    def sign(self, data: bytes, name: str) -> bytes:
        """HMAC-SHA-256 by a symmetric key; empty for a certificate, which signs in TLS."""
        return b"" if name in NAMES else bytes(self._credential.sign(data))


def _checked(body: Any_) -> Tree:
    """A body of the right shape; MalformedMessage, which shows nothing of it."""
    if not isinstance(body, dict):
        raise MalformedMessage("not a slot")
    for name, kind in _FIELDS:
        if not isinstance(body.get(name), kind):
            raise MalformedMessage("slot without '%s'" % name)
    if [one for one in body["chain"] if not isinstance(one, str)] or not body["key"]:
        raise MalformedMessage("slot without a key or with a chain of something else")
    return body


def _described(name: str, body: Tree) -> Tree:
    if not body["chain"]:
        return {"pending": True}
    from ..pki import issued  # most devices have no slots
    from ..pki.der import Certificate

    chain = [Certificate(base64_bytes(one)) for one in body["chain"]]
    found: Tree = issued.described(name, chain, body["issuer"])
    found.update({part: body[part] for part in UNPROVEN if body.get(part)})
    return found
