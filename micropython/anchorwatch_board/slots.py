"""What a dial shows: the credential of a slot, or the configured one, as DER.

Rule: a frame is read when it is used and not kept. Nothing here prints a key.

Source: design section 9; the frames in performers/slots.py.
"""

from anchorwatch.core.slots import NAMES
from anchorwatch.errors import AgentError, LinkError, MalformedMessage
from anchorwatch.performers import slots
from anchorwatch.wire.encoding import base64_bytes


class Slots(slots.Slots):
    """The slots and the configured credential."""

    def files(self, name: str):
        """([DER], leaf first, the key's DER) of a credential; None where it is a symmetric key.

        Raises  LinkError: identity, credential-unreadable
        """
        if name not in NAMES:
            return self._credential.files(name)
        from .keyfiles import key_der

        body = self.held(name)
        try:
            if body is None or not body["chain"]:
                raise MalformedMessage("slot without a certificate")
            chain = [base64_bytes(one) for one in body["chain"]]
            return chain, key_der(body["key"].encode(), slots.FRAME + name)
        except (OSError, AgentError):
            raise LinkError("identity", "credential-unreadable", slots.FRAME + name)

    def release(self, files) -> None:
        """Nothing is held of what files() gave."""
