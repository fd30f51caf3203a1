"""The site layer's plain files: `distrust` and `<sha256>.pem`, which an operator may write too.

Rule: who was told that a file is written finds it after a power cut. FAT renames nothing over a
file in one step, so what is to be written is written beside first, in a frame, and the next start
finishes what a cut has stopped.

Source: contract of the state directory.
"""

from anchorwatch.errors import StateError
from anchorwatch.wire import frame

from .folder import Folder

_BESIDE, _BESIDE_AT_MOST = ".new", frame.BODY_AT_MOST + 1024


def write(folder: Folder, name: str, data: bytes) -> None:
    """Write a plain file. Raises OSError."""
    folder.write(name + _BESIDE, frame.encode(0, data))
    folder.write(name, data)
    folder.unlink(name + _BESIDE)


def recover(folder: Folder) -> None:
    """Write what a cut has kept from being written; forget what was not whole."""
    for beside in [name for name in folder.names() if name.endswith(_BESIDE)]:
        name = beside[:-len(_BESIDE)]
        try:
            data = frame.decode(folder.read(beside, _BESIDE_AT_MOST) or b"")[1]
            folder.unlink(name)
            folder.write(name, data)
        except StateError:
            pass
        folder.unlink(beside)


def wipe(folder: Folder, name: str) -> None:
    """Overwrite and remove."""
    size = folder.size(name)
    if size is not None:
        folder.over(name, b"", size)
        folder.unlink(name)
