"""The folder of the issuer `files` on Linux: opened by its path whenever it is looked into.

Rule: a request is in it whole or not at all, and anybody may read it.

Source: performers/issuefiles.py.
"""

import os

from ..pki import pem
from ..pki.issued import COUNT_AT_MOST
from .folder import Folder, open_source
from .slots import pem_of

_BESIDE = ".tmp"
_MODE = 0o644


class Place:
    """path  of the folder, "" for none"""

    remedy = "put the chain of the pending request there; `anchorwatch identity csr` shows it"
    at_most = 262_144

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self) -> Folder:
        """The folder, which somebody else makes; StateError where it cannot be opened."""
        return open_source(self.path)

    make = open

    def request(self, der: bytes) -> bytes:
        """A request as PEM."""
        return pem_of([der], "CERTIFICATE REQUEST")

    def certificates(self, data: bytes) -> list[bytes]:
        """[DER] of PEM text. AgentError."""
        return pem.certificates(data, COUNT_AT_MOST, self.at_most)

    def leave(self, folder: Folder, name: str, text: bytes) -> None:
        """Write a file. Raises OSError."""
        beside = name + _BESIDE
        folder.unlink(beside)
        descriptor = folder.create(beside)
        try:
            while text:
                text = text[folder.write(descriptor, text):]
            os.fchmod(descriptor, _MODE)
            folder.fsync(descriptor)
        finally:
            folder.close(descriptor)
        folder.rename(beside, name)
        folder.syncdir()
