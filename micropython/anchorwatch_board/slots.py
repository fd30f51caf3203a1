"""The two slots of issued credentials, frames `slot-a` and `slot-b`; and the configured credential.

    {"key": PEM, "csr": base64, "chain": [base64 DER, leaf first], "issuer": who issued it,
    "assignment", "evidence": see core/proofs.py}

Rule: a frame is read when it is used and not kept. Nothing here prints a key.

Source: design section 9; contract section 3.
"""

from anchorwatch.errors import AgentError, LinkError, MalformedMessage
from anchorwatch.wire.encoding import base64_bytes

NAMES = ("a", "b")
_FRAME = "slot-"
_FIELDS = (("key", str), ("csr", str), ("chain", list), ("issuer", str))
_EIO = 5
UNPROVEN = {"assignment": {}, "evidence": {}}  # as a frame that has neither


class Slots:
    """store  the frames; credential  what the configuration names; warn(what, value, remedy)"""

    def __init__(self, store, credential, warn) -> None:
        self._store, self._credential, self._warn = store, credential, warn

    def start(self, state: dict) -> dict:
        """{slot: its credential as in Installed, or {"pending": True}}; takes the frames with their
        keys out of `state`. What cannot be used is warned of, and is as if it were not there."""
        found = {}
        for name in NAMES:
            body = state.pop(_FRAME + name, None)
            if body is None:
                continue
            try:
                found[name] = _described(name, _checked(body))
            except AgentError as error:
                self._warn("slot cannot be used: " + error.what, _FRAME + name,
                           "the other credential serves; have a new certificate issued")
        return found

    def held(self, name: str):
        """A slot's frame as it is on the flash now; None without one that can be used."""
        body = self._store.newest(_FRAME + name)
        try:
            return None if body is None else _checked(body)
        except MalformedMessage:
            return None

    def fill(self, name: str, key: str) -> None:
        """A key without a certificate, and nothing left of what was there; OSError, StateError."""
        self._store.wipe(_FRAME + name)
        self.write(name, {"key": key, "csr": "", "chain": [], "issuer": ""})

    def write(self, name: str, body: dict) -> int:
        """A slot's frame, and its generation; OSError, StateError: it is as it was."""
        return self._store.save(_FRAME + name, body)

    def prove(self, name: str, assignment: dict, evidence: dict) -> int:
        """What the certificate in a slot has proven, as write()."""
        body = self.held(name)
        if body is None or not body["chain"]:
            raise OSError(_EIO)
        return self.write(name, dict(body, assignment=assignment, evidence=evidence))

    def wipe(self, name: str) -> None:
        """Overwrite a slot; OSError: its bytes may still be there."""
        self._store.wipe(_FRAME + name)

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
            return chain, key_der(body["key"].encode(), _FRAME + name)
        except (OSError, AgentError):
            raise LinkError("identity", "credential-unreadable", _FRAME + name)

    def release(self, files) -> None:
        """Nothing is held of what files() gave."""

    def sign(self, data: bytes, name: str) -> bytes:
        """HMAC-SHA-256 by a symmetric key; empty for a certificate, which signs in TLS."""
        return b"" if name in NAMES else self._credential.sign(data)


def _checked(body) -> dict:
    """A body of the right shape; MalformedMessage, which shows nothing of it."""
    if not isinstance(body, dict):
        raise MalformedMessage("not a slot")
    for name, kind in _FIELDS:
        if not isinstance(body.get(name), kind):
            raise MalformedMessage("slot without '%s'" % name)
    if [one for one in body["chain"] if not isinstance(one, str)] or not body["key"]:
        raise MalformedMessage("slot without a key or with a chain of something else")
    return body


def _described(name: str, body: dict) -> dict:
    if not body["chain"]:
        return {"pending": True}
    from anchorwatch.pki import issued  # most devices have no slots
    from anchorwatch.pki.der import Certificate

    chain = [Certificate(base64_bytes(one)) for one in body["chain"]]
    found = issued.described(name, chain, body["issuer"])
    found.update({part: body[part] for part in UNPROVEN if body.get(part)})
    return found
