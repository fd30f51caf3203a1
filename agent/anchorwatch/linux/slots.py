"""What a dial shows: the credential of a slot, or the configured one, as files that are on no disk.

Rule: a frame is read when it is used and not kept: the key passes to the TLS library as a file in
memory, and is closed as soon as it is read. Nothing here prints a key.

Source: design section 9; the frames in performers/slots.py.
"""

import os

from ..core.slots import NAMES
from ..errors import LinkError, MalformedMessage
from ..performers import slots
from ..wire.encoding import base64_bytes, base64_text

_LINE = 64


class Files(tuple):
    """Names of files in memory, such as (certificate file, key file); close() ends them."""

    descriptors: tuple[int, ...] = ()

    def close(self) -> None:
        """The files are gone."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()


class Slots(slots.Slots):
    """The slots and the configured credential."""

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
            raise LinkError("identity", "credential-unreadable", slots.FRAME + name) from error

    def release(self, files) -> None:
        """What files() gave is not needed any more."""
        if isinstance(files, Files):
            files.close()


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
