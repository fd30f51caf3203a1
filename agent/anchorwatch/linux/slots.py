"""The two slots of issued credentials, frames `slot-a` and `slot-b`; and the configured credential.

    {"key": PEM of the key or of its reference in a token, "csr": base64, "chain": [base64 DER, leaf
    first], "issuer": who issued it, "assignment", "evidence": see core/proofs.py}

Rule: a frame is read when it is used and not kept: the key passes to the TLS library as a file that
is on no disk, and is closed as soon as it is read. Nothing here prints a key.

Source: design section 9; contract section 3.
"""

import errno
import os

from ..errors import AgentError, LinkError, MalformedMessage
from ..pki.der import Certificate
from ..wire.encoding import base64_bytes, base64_text

NAMES = ("a", "b")
_FRAME = "slot-"
_FIELDS = (("key", str), ("csr", str), ("chain", list), ("issuer", str))
UNPROVEN: dict = {"assignment": {}, "evidence": {}}  # as a frame that has neither
_LINE = 64


class Files(tuple):
    """Names of files in memory, such as (certificate file, key file); close() ends them."""

    descriptors: tuple[int, ...] = ()

    def close(self) -> None:
        """The files are gone."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()


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

    def held(self, name: str) -> dict | None:
        """A slot's frame as it is on the disk now; None without one that can be used."""
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
        generation: int = self._store.save(_FRAME + name, body)
        return generation

    def prove(self, name: str, assignment: dict, evidence: dict) -> int:
        """What the certificate in a slot has proven, as write()."""
        body = self.held(name)
        if body is None or not body["chain"]:
            raise OSError(errno.EIO, "no certificate in the slot")
        return self.write(name, dict(body, assignment=assignment, evidence=evidence))

    def wipe(self, name: str) -> None:
        """Overwrite and remove a slot; OSError: its bytes may still be there."""
        self._store.wipe(_FRAME + name)

    def files(self, name: str) -> tuple[str, str] | None:
        """(certificate file, key file) of a credential, for release() afterwards; None where it is
        a symmetric key. Empty ones stand for a slot without a certificate.

        Raises  LinkError: identity, credential-unreadable
        """
        if name not in NAMES:
            found: tuple[str, str] | None = self._credential.files(name)
            return found
        body = self.held(name)
        try:
            if body is None or not body["chain"]:
                return in_memory(b"", b"")
            chain = [base64_bytes(one) for one in body["chain"]]
            return in_memory(pem_of(chain), body["key"].encode())
        except (OSError, MalformedMessage) as error:
            raise LinkError("identity", "credential-unreadable", _FRAME + name) from error

    def release(self, files) -> None:
        """What files() gave is not needed any more."""
        if isinstance(files, Files):
            files.close()

    def sign(self, data: bytes, name: str) -> bytes:
        """HMAC-SHA-256 by a symmetric key; empty for a certificate, which signs in TLS."""
        signature: bytes = b"" if name in NAMES else self._credential.sign(data)
        return signature


def in_memory(*contents: bytes) -> Files:
    """Files that are on no disk; another process that inherits `descriptors` may read them too."""
    made = tuple([_descriptor(data) for data in contents])
    files = Files(["/proc/self/fd/%d" % one for one in made])
    files.descriptors = made
    return files


def pem_of(chain: list[bytes], label: str = "CERTIFICATE") -> bytes:
    """DER as PEM text."""
    lines = []
    for der in chain:
        text = base64_text(der)
        lines += ["-----BEGIN %s-----" % label]
        lines += [text[at:at + _LINE] for at in range(0, len(text), _LINE)]
        lines += ["-----END %s-----" % label]
    return "\n".join(lines + [""]).encode()


def _descriptor(data: bytes) -> int:
    descriptor = os.memfd_create("anchorwatch")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


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
    from ..pki import issued  # most devices have no slots

    chain = [Certificate(base64_bytes(one)) for one in body["chain"]]
    found: dict = issued.described(name, chain, body["issuer"])
    found.update({part: body[part] for part in UNPROVEN if body.get(part)})
    return found
