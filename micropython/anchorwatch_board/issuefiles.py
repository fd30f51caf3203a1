"""The folder of the issuer `files` on a board: made when the first request is left in it.

Rule: chains are PEM or DER. Source: performers/issuefiles.py.
"""

from .folder import Folder, make
from .keyfiles import certificates, pem_of


class Place:
    """path  of the folder"""

    remedy = "put the chain of the pending request there"
    at_most = 65_536

    def __init__(self, path: str) -> None:
        self.path = path

    def make(self) -> Folder:
        """The folder, made if it is missing. Raises OSError."""
        return make(self.path)

    def open(self) -> Folder:
        """The folder as it is."""
        return Folder(self.path)

    def request(self, der: bytes) -> bytes:
        """A request as PEM."""
        return pem_of([der], "CERTIFICATE REQUEST")

    def certificates(self, data: bytes) -> list:
        """[DER] of PEM text or of DER. AgentError."""
        return certificates(data)

    def leave(self, folder: Folder, name: str, text: bytes) -> None:
        """Write a file. Raises OSError."""
        folder.write(name, text)
